"""What is seen on the sheet of a store."""

import numpy as np
import pytest
from PIL import Image

from facewright.actions.prepare import prepare
from facewright.data.preview import store_sheet
from facewright.data.store import Store
from tests.data.drawings import encoded
from tests.stores import write_photos

GRAY, TEXT, GROUND = (211, 211, 211), (0, 0, 0), (255, 255, 255)


def flat(folder, colours, size=(20, 20)):
    """A folder of photos of one colour each."""
    folder.mkdir()
    for i, colour in enumerate(colours):
        (folder / f"{i:03d}.png").write_bytes(encoded(Image.new("RGB", size, colour)))
    return folder


def colours_on(sheet: np.ndarray) -> set[tuple[int, ...]]:
    """Colours that fill a part of the sheet, and are no edges of letters."""
    found, counts = np.unique(sheet.reshape(-1, 3), axis=0, return_counts=True)
    return {tuple(colour) for colour, n in zip(found.tolist(), counts, strict=True) if n >= 900} - {
        TEXT,
        GROUND,
    }


def made(photos, out, **options) -> Store:
    return prepare(str(photos), out=out, **{"size": 20, "workers": 1, **options}).store


def plain(out, colours) -> Store:
    """A store of pictures of one colour each, a quarter of them held out."""
    pixels = np.broadcast_to(np.array(colours)[:, None, None] / 255, (len(colours), 20, 20, 3))
    return Store.open(write_photos(out, pixels + 1e-6, {}))


def test_every_picture_of_a_small_store_is_on_its_sheet(tmp_path):
    colours = [(10 * i, 5, 200) for i in range(20)]
    store = plain(tmp_path / "s", colours)
    assert len(store.val) == 5
    assert colours_on(store_sheet(store)) == set(colours)
    # In five times their size, so that each pixel is seen.
    assert (store_sheet(store) == (10, 5, 200)).all(axis=2).sum() == 100 * 100


def test_of_a_large_store_so_many_are_drawn_by_chance(tmp_path):
    store = plain(tmp_path / "s", [(5 * i, 5, 200) for i in range(50)])
    first, again, others = (colours_on(store_sheet(store, seed=seed)) for seed in (0, 0, 1))
    assert len(first) == len(others) == 32
    assert first == again != others
    assert len(colours_on(store_sheet(store, count=7))) == 7


def test_what_was_set_aside_is_shown_whole_on_gray(tmp_path):
    photos = flat(tmp_path / "p", [(200, 0, 0), (0, 200, 0)])
    (photos / "wide.png").write_bytes(encoded(Image.new("RGB", (40, 10), (0, 0, 200))))
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff and no more")
    store = made(photos, tmp_path / "s", enlarge="refuse")
    sheet = store_sheet(store)
    assert colours_on(sheet) == {(200, 0, 0), (0, 200, 0), (0, 0, 200), GRAY}
    assert (sheet == (0, 0, 200)).all(axis=2).sum() == 100 * 25
    np.testing.assert_array_equal(np.asarray(Image.open(store.path / "preview.png")), sheet)


def test_of_those_set_aside_sixteen_are_shown_and_some_of_each_kind(tmp_path):
    photos = tmp_path / "p"
    photos.mkdir()
    for name, size, colours in (
        ("good", (178, 218), [(200, 10 * i, 0) for i in range(2)]),
        ("tiny", (40, 49), [(0, 0, 100 + i) for i in range(30)]),
        ("wide", (178, 178), [(0, 90, 0)]),
    ):
        for i, colour in enumerate(colours):
            (photos / f"{name}{i}.png").write_bytes(encoded(Image.new("RGB", size, colour)))
    store = made(photos, tmp_path / "s", crop="celeba-108", size=100)
    shown = colours_on(store_sheet(store)) - {GRAY}
    assert len(shown) == 2 + 16
    assert {(200, 0, 0), (200, 10, 0), (0, 90, 0)} < shown


def test_a_sheet_without_anything_set_aside_ends_with_the_pictures(tmp_path):
    store = made(flat(tmp_path / "p", [(200, 0, 0)] * 3), tmp_path / "s")
    assert not (store.path / "set_aside.png").exists()
    assert colours_on(store_sheet(store)) == {(200, 0, 0)}


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + b"\0" * 99])
def test_a_damaged_part_of_the_sheet_is_left_out(tmp_path, content):
    store = made(flat(tmp_path / "p", [(200, 0, 0)] * 3), tmp_path / "s")
    (store.path / "set_aside.png").write_bytes(content)
    assert colours_on(store_sheet(store)) == {(200, 0, 0)}


def test_gray_stores_and_oblong_pictures_have_sheets_too(tmp_path):
    store = made(
        flat(tmp_path / "p", [(90, 90, 90)] * 3, (30, 60)), tmp_path / "s", channels=1, size="60x30"
    )
    sheet = store_sheet(store)
    assert sheet.shape[2] == 3
    assert (sheet == 90).all(axis=2).sum() == pytest.approx(3 * 120 * 60, abs=20)
