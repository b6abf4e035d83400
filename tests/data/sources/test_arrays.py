"""Images in one array: read where they lie, or refused by what their header says."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from facewright.data.image_files import read_pictures
from facewright.data.prepare import StoreSpec, prepare
from facewright.data.sources import arrays
from facewright.data.sources.find import find_source
from facewright.data.sources.source import Source
from facewright.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 6, 8, 3), dtype=np.uint8)


def found(path: Path) -> Source:
    return find_source(str(path), size=(6, 8))


def npy(array: np.ndarray, **options) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, array, **options)
    return content.getvalue()


def with_header(text: str, version: tuple[int, int] = (1, 0), length: int | None = None) -> bytes:
    header = text.encode()
    size = struct.pack("<H" if version == (1, 0) else "<I", length or len(header))
    return b"\x93NUMPY" + bytes(version) + size + header + bytes(600)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: np.save(path.with_suffix(".npy"), PIXELS),
        lambda path: np.savez(path.with_suffix(".npz"), PIXELS),
        lambda path: np.savez_compressed(path.with_suffix(".npz"), PIXELS),
        lambda path: np.savez(path.with_suffix(".npz"), faces=PIXELS),
        lambda path: np.savez(path.with_suffix(".npz"), PIXELS, np.arange(7), extra=PIXELS[:2]),
        lambda path: np.save(path.with_suffix(".npy"), np.asfortranarray(PIXELS)),
        lambda path: np.savez(path.with_suffix(".npz"), np.asfortranarray(PIXELS)),
        lambda path: path.with_suffix(".bin").write_bytes(npy(PIXELS, version=(2, 0))),
    ],
)
def test_every_usual_array_of_images_is_read_for_training_and_for_measuring(tmp_path, write):
    write(tmp_path / "images")
    (path,) = tmp_path.iterdir()
    np.testing.assert_array_equal(read_pictures(path, channels=3), PIXELS)
    source = found(path)
    assert (source.kind, source.channels, len(source.names)) == ("array", 3, 7)
    assert source.names[3] == f"{path.name}:000003"
    spec = StoreSpec((6, 8), crop="none", val_fraction=0)
    hashes = set()
    for workers in (1, 2):
        store, _ = prepare(source, tmp_path / f"s{workers}", spec, workers=workers)
        np.testing.assert_array_equal(store.train, PIXELS)
        hashes.add(store.content_hash)
    assert len(hashes) == 1


def test_gray_arrays_make_gray_stores(tmp_path):
    np.savez(tmp_path / "a.npz", PIXELS[..., :1])
    assert found(tmp_path / "a.npz").channels == 1
    np.testing.assert_array_equal(read_pictures(tmp_path / "a.npz", channels=1), PIXELS[..., :1])


def test_the_one_array_of_a_folder_is_read(tmp_path):
    np.savez(tmp_path / "samples_7x6x8x3.npz", PIXELS)
    (tmp_path / "log.txt").write_text("sampling ...")
    source = found(tmp_path)
    assert source.kind == "array"
    assert source.notes == ("1 files beside the archives or the array were not looked at",)


def test_of_several_arrays_in_a_folder_the_user_chooses(tmp_path):
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", PIXELS)
    with pytest.raises(DataError, match="holds 2 arrays") as caught:
        found(tmp_path)
    assert str(tmp_path / "a.npy") in caught.value.fix


def test_numbers_beside_the_images_are_labels(tmp_path):
    classes = np.array([5, 0, 5, 9, 9, 0, 5])
    np.savez(
        tmp_path / "a.npz",
        PIXELS,
        classes,
        age=np.array([1, 2, 3, 4, 5, np.inf, np.nan]).reshape(7, 1),
        glad=classes > 4,
        mean=np.zeros(3),
    )
    source = found(tmp_path / "a.npz")
    by_name = {column.name: column for column in source.labels.columns}
    values = dict(zip(by_name, source.labels.values.T.tolist(), strict=True))
    assert by_name["class"].classes == ("0", "5", "9")
    assert values["class"] == [1, 0, 1, 2, 2, 0, 1]
    assert (by_name["age"].kind, by_name["glad"].kind) == ("number", "binary")
    assert values["age"][:5] == [1, 2, 3, 4, 5]
    assert np.isnan(values["age"][5:]).all()
    assert values["glad"] == (classes > 4).tolist()
    assert source.notes == (
        "array mean (float64 numbers of shape (3,)) is no label that can be stored",
    )


@pytest.mark.parametrize(("compressed", "on_disk"), [(False, True), (True, True)])
def test_images_stay_on_disk(tmp_path, compressed, on_disk):
    (np.savez_compressed if compressed else np.savez)(tmp_path / "a.npz", PIXELS)
    pixels = read_pictures(tmp_path / "a.npz", channels=3)
    base = pixels
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap) is on_disk


@pytest.mark.parametrize(
    ("array", "fix"),
    [
        (np.zeros((4, 6, 8, 3), np.float32), "np.clip"),
        (np.zeros((4, 3, 6, 8), np.uint8), "transpose(0, 2, 3, 1)"),
        (np.zeros((4, 6, 8), np.uint8), "[..., None]"),
        (np.zeros((4, 6, 8, 4), np.uint8), "numpy.save"),
        (np.zeros((0, 6, 8, 3), np.uint8), "numpy.save"),
        (np.zeros((4, 0, 8, 3), np.uint8), "numpy.save"),
        (np.zeros(3), "numpy.save"),
        (np.array(3), "numpy.save"),
        (np.zeros(3, "U4"), "numpy.save"),
        (np.zeros(3, [("x", "u1")]), "numpy.save"),
    ],
)
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_other_arrays_are_refused_with_what_makes_images_of_them(tmp_path, array, fix, kind):
    path = tmp_path / f"a.{kind}"
    np.save(path, array) if kind == "npy" else np.savez(path, array)
    for read in (found, lambda path: read_pictures(path, channels=3)):
        with pytest.raises(DataError, match="holds") as caught:
            read(path)
        assert fix in caught.value.fix
        assert caught.value.expected == arrays.EXPECTED


def test_of_several_arrays_of_images_the_user_chooses(tmp_path):
    np.savez(tmp_path / "a.npz", train=PIXELS, test=PIXELS)
    with pytest.raises(DataError, match=r"train: uint8 numbers of shape \(7, 6, 8, 3\)") as caught:
        found(tmp_path / "a.npz")
    assert "numpy.load('a.npz')['test']" in caught.value.fix


def test_statistics_are_no_images(tmp_path):
    np.savez(tmp_path / "ref.npz", mu=np.zeros(4), sigma=np.zeros((4, 4)))
    with pytest.raises(DataError, match="mu: float64 numbers"):
        read_pictures(tmp_path / "ref.npz", channels=3)


SHAPE = "{{'descr': '|u1', 'fortran_order': False, 'shape': {}, }}\n"
HOSTILE = {
    "objects": npy(np.array([None] * 4, dtype=object), allow_pickle=True),
    "a negative side": with_header(SHAPE.format("(-1, 6, 8, 3)")),
    "two negative sides": with_header(SHAPE.format("(-1, -6, 8, 3)")),
    "more than there is": with_header(SHAPE.format("(999, 6, 8, 3)")),
    "more than any memory": with_header(SHAPE.format(f"({10**12 - 1}, 6, 8, 3)")),
    "a side of 5000 digits": with_header(SHAPE.format(f"({'9' * 5000}, 6, 8, 3)")),
    "a side beyond 64 bits": with_header(SHAPE.format(f"({1 << 70}, 6, 8, 3)")),
    "a true side": with_header(SHAPE.format("(True, 6, 8, 3)")),
    "a side that is no number": with_header(SHAPE.format("('x', 6, 8, 3)")),
    "a photo of too many pixels": with_header(SHAPE.format("(1, 100000, 100000, 3)")),
    "a call": with_header("__import__('os').system('touch ran')\n"),
    "parentheses": with_header("(" * 9000),
    "a header of gigabytes": with_header(SHAPE.format("(1,)"), (2, 0), (1 << 32) - 1),
    "an unknown version": with_header(SHAPE.format("(1, 6, 8, 3)"), (9, 9)),
    "an unknown type": with_header("{'descr': [[]], 'fortran_order': False, 'shape': (1,)}\n"),
    "no header": b"\x93NUMPY",
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["npy", "stored", "deflated"])
@pytest.mark.parametrize("damage", HOSTILE)
def test_a_hostile_array_is_refused(tmp_path, monkeypatch, damage, kind):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.bin"
    if kind == "npy":
        path.write_bytes(HOSTILE[damage])
    else:
        method = zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("arr_0.npy", HOSTILE[damage])
    with pytest.raises(DataError) as caught:
        found(path)
    assert caught.value.expected
    assert caught.value.fix
    assert [file.name for file in tmp_path.iterdir()] == ["a.bin"]


def rewritten(path: Path, offset: int, value: int) -> None:
    """Another number in the directory's only entry."""
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\1\2") + offset, value)
    path.write_bytes(content)


def test_a_member_that_unfolds_to_other_than_its_shape_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", npy(PIXELS) + b"more")
    with pytest.raises(DataError, match="has not the"):
        found(tmp_path / "a.npz")


def test_a_damaged_member_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", PIXELS)
    rewritten(tmp_path / "a.npz", 16, zlib.crc32(b"other"))
    with pytest.raises(DataError, match="is damaged: Bad CRC-32"):
        found(tmp_path / "a.npz")


def test_an_encrypted_member_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", PIXELS)
    rewritten(tmp_path / "a.npz", 8, 1)
    with pytest.raises(DataError) as caught:
        prepare(found(tmp_path / "a.npz"), tmp_path / "s", StoreSpec((6, 8)))
    assert "encrypted" in caught.value.what


def test_blank_images_that_unfold_a_thousandfold_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", np.zeros((4000, 32, 32, 3), np.uint8))
    with pytest.raises(DataError, match="unfolds too far"):
        prepare(found(tmp_path / "a.npz"), tmp_path / "s", StoreSpec((6, 8)))


def test_more_images_than_anybody_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("facewright.data.sources.source.MOST_PHOTOS", 6)
    np.save(tmp_path / "a.npy", PIXELS)
    with pytest.raises(DataError, match="holds 7 images"):
        found(tmp_path / "a.npy")
