"""One folder with everything that real folders contain: nothing of it stops the work."""

import os
import re
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facewright.data.crops import Center
from facewright.data.photo import Unusable
from facewright.data.prepare import StoreSpec, prepare
from facewright.data.sources import folder as folder_module
from facewright.data.sources.find import find_source
from facewright.data.sources.folder import FolderReader, list_folder
from facewright.data.store import Store
from facewright.errors import DataError
from tests.data.drawings import encoded, picture, write_pictures
from tests.data.test_photo import png_header

SPEC = StoreSpec((16, 16), val_fraction=0.2)


def prepared(source: Path, out: Path, labels: Path | None = None) -> Store:
    tables = [labels] if labels else []
    return prepare(find_source(str(source), size=SPEC.size, labels=tables), out, SPEC)[0]


def names(store: Store) -> set[str]:
    return set((store.path / "names.txt").read_text(encoding="utf-8").splitlines())


def quarantine(store: Store) -> dict[str, str]:
    return {entry["name"]: entry["reason"] for entry in store.manifest["quarantined"]}


def write_good_files(root: Path) -> set[str]:
    good = {
        "plain.jpg": encoded(picture(0), "JPEG"),
        "gray.png": encoded(picture(1).convert("L")),
        "palette.gif": encoded(picture(2).convert("P"), "GIF"),
        "transparent.png": encoded(picture(3).convert("RGBA")),
        "print.jpg": encoded(picture(4).convert("CMYK"), "JPEG"),
        "deep.png": encoded(Image.fromarray(np.asarray(picture(5).convert("L")) * np.uint16(257))),
        "phone.jpg": encoded(picture(6), "MPO", save_all=True, append_images=[picture(7)]),
        "wrong-suffix.txt": encoded(picture(8), "WEBP"),
        "no-suffix": encoded(picture(9), "BMP"),
        "deep/er/photo.tiff": encoded(picture(10), "TIFF"),
        "Zoë 李 😀.png": encoded(picture(11)),
        "two\nlines.png": encoded(picture(12)),
    }
    for name, content in good.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    with open(os.path.join(os.fsencode(root), b"caf\xe9.png"), "wb") as file:
        file.write(encoded(picture(13)))
    return {name.replace("\n", "\\n") for name in good} | {"caf\\xe9.png"}


def write_bad_files(root: Path) -> dict[str, str]:
    bad = {
        "empty.jpg": (b"", "zero bytes"),
        "notes.txt": (b"these are my photos", "not an image"),
        "cut.jpg": (encoded(picture(20), "JPEG", quality=95)[:-900], "truncated"),
        "cut.png": (encoded(picture(20))[:-900], "truncated"),
        "header-only.jpg": (encoded(picture(20), "JPEG")[:30], "damaged"),
        "dancing.gif": (
            encoded(picture(20), "GIF", save_all=True, append_images=[picture(21)]),
            "animated or several pages",
        ),
        "bomb.png": (png_header(60_000, 60_000), "too many pixels"),
    }
    for name, (content, _) in bad.items():
        (root / name).write_bytes(content)
    (root / "gone.jpg").symlink_to("nowhere.jpg")
    (root / "ouroboros.jpg").symlink_to("ouroboros.jpg")
    (root / "deep" / "up").symlink_to("..")
    (root / "twice").symlink_to(root / "deep" / "er")
    os.mkfifo(root / "pipe.jpg")
    return {name: reason for name, (_, reason) in bad.items()} | {
        "gone.jpg": "broken symlink",
        "ouroboros.jpg": "symlink loop",
        "deep/up": "symlink loop",
        "twice": "folder already listed",
        "pipe.jpg": "not a regular file",
    }


def test_a_messy_folder_gives_every_good_photo_and_the_exact_reasons_for_the_rest(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    good, bad = write_good_files(root), write_bad_files(root)
    for name in (".DS_Store", ".thumb.jpg", "Thumbs.db", "__MACOSX/._plain.jpg"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(encoded(picture(30)))

    store = prepared(root, tmp_path / "store")

    assert quarantine(store) == bad
    assert names(store) == good
    counts = store.manifest["counts"]
    assert counts["train"] + counts["val"] == len(good)
    assert counts["quarantined"] == len(bad)
    assert counts["found"] == len(good) + len(bad)
    assert counts["hidden"] == 4


def test_a_link_to_a_photo_is_a_copy_of_it(tmp_path):
    root = write_pictures(tmp_path / "photos", 3)
    (root / "link.png").symlink_to("001.png")
    assert prepared(root, tmp_path / "store").manifest["duplicates"]["exact"] == [
        ["001.png", "link.png"]
    ]


def test_a_folder_of_links_elsewhere_is_entered(tmp_path):
    write_pictures(tmp_path / "elsewhere", 3)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "here").symlink_to(tmp_path / "elsewhere")
    assert list_folder(tmp_path / "photos").names == [
        "here/000.png",
        "here/001.png",
        "here/002.png",
    ]


def test_a_file_that_may_not_be_read_is_set_aside(tmp_path):
    root = write_pictures(tmp_path / "photos", 3)
    (root / "001.png").chmod(0)
    if os.access(root / "001.png", os.R_OK):
        pytest.skip("this user may read everything")
    assert quarantine(prepared(root, tmp_path / "store")) == {"001.png": "unreadable"}


def test_a_file_that_vanishes_after_the_listing_is_set_aside(tmp_path):
    root = write_pictures(tmp_path / "photos", 3)
    source = find_source(str(root), size=(16, 16))
    (root / "001.png").unlink()
    store, _ = prepare(source, tmp_path / "store", SPEC)
    assert quarantine(store) == {"001.png": "unreadable"}


def test_a_file_too_large_to_be_a_photo_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "MAX_BYTES", 10)
    (tmp_path / "long.jpg").write_bytes(b"x" * 11)
    with pytest.raises(Unusable, match="too large a file"):
        FolderReader(str(tmp_path))("long.jpg")


def test_a_folder_without_any_photo_is_a_clear_error_and_leaves_nothing(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    (root / "a.txt").write_text("a")
    (root / "b.txt").write_text("")
    with pytest.raises(DataError) as caught:
        prepared(root, tmp_path / "store")
    assert caught.value.what == "no usable photo in photos; 1 x not an image; 1 x zero bytes"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos"]


def test_an_empty_folder_is_a_clear_error(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match="no photos in photos"):
        prepared(tmp_path / "photos", tmp_path / "store")


def write_zip(path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for i in range(4):
            archive.writestr(f"photos/{i}.png", encoded(picture(i)))
        archive.writestr("photos/", b"")
        archive.writestr("__MACOSX/photos/._0.png", b"x")
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_gives_the_same_store_as_the_folder_in_it(tmp_path, method):
    archive = write_zip(tmp_path / "photos.zip", method)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "unpacked")
    from_zip = prepared(archive, tmp_path / "a")
    assert from_zip.content_hash == prepared(tmp_path / "unpacked", tmp_path / "b").content_hash
    assert from_zip.manifest["counts"]["hidden"] == 1


def test_damage_inside_a_zip_costs_one_photo(tmp_path):
    archive = write_zip(tmp_path / "photos.zip", zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[content.index(b"IDAT") + 40] ^= 0xFF
    archive.write_bytes(content)
    assert quarantine(prepared(archive, tmp_path / "store")) == {
        "photos/0.png": "damaged in the archive"
    }


def test_members_that_cannot_be_unpacked_are_set_aside(tmp_path):
    archive = write_zip(tmp_path / "photos.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_LZMA) as opened:
        opened.writestr("photos/odd.png", encoded(picture(9)))
    content = bytearray(archive.read_bytes())
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1  # the first member says that it is encrypted
    archive.write_bytes(content)
    assert quarantine(prepared(archive, tmp_path / "store")) == {
        "photos/0.png": "encrypted",
        "photos/odd.png": "unknown compression",
    }


def test_a_damaged_zip_is_a_clear_error(tmp_path):
    archive = write_zip(tmp_path / "photos.zip")
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError):
        prepared(archive, tmp_path / "store")


@pytest.fixture
def choosy(monkeypatch) -> list[int]:
    """A crop that fails with photos of these numbers."""
    crop, refused = Center.__call__, []

    def fails(self, photo, size):
        if photo.at_least().getpixel((0, 0)) in {picture(i).getpixel((0, 0)) for i in refused}:
            raise ZeroDivisionError("an empty part")
        return crop(self, photo, size)

    monkeypatch.setattr(Center, "__call__", fails)
    return refused


def test_a_photo_that_the_crop_cannot_cope_with_is_set_aside_with_what_went_wrong(tmp_path, choosy):
    choosy.append(1)
    store = prepared(write_pictures(tmp_path / "photos", 3), tmp_path / "store")
    assert quarantine(store) == {"001.png": "cannot be processed (ZeroDivisionError)"}
    assert names(store) == {"000.png", "002.png"}
    (entry,) = store.manifest["quarantined"]
    assert re.fullmatch(
        r"ZeroDivisionError: an empty part \(test_messy_folder.py:\d+ in fails\)", entry["detail"]
    )


@pytest.mark.parametrize(("refused", "asks"), [(2, False), (3, True)])
def test_many_faults_that_nobody_foresaw_stop_the_work_with_a_question(
    tmp_path, choosy, refused, asks
):
    root, out = write_pictures(tmp_path / "photos", 40), tmp_path / "store"
    choosy.extend(range(refused))
    if asks:
        with pytest.raises(DataError, match="3 of 40 photos cannot be processed") as found:
            prepared(root, out)
        assert "an empty part" in str(found.value.expected)
        assert "--on-fault skip" in str(found.value.fix)
        assert not out.exists()
        store = prepare(
            find_source(str(root), size=SPEC.size), out, replace(SPEC, on_fault="skip")
        )[0]
    else:
        store = prepared(root, out)
    assert store.manifest["counts"]["quarantined"] == refused


def directory_entry(content: bytearray, name: bytes) -> int:
    """Where the archive's directory speaks of this member."""
    return content.rindex(name) - 46


@pytest.mark.parametrize("damage", ["name", "version"])
def test_a_zip_that_the_reader_refuses_is_a_clear_error(tmp_path, damage):
    archive = write_zip(tmp_path / "photos.zip")
    content = bytearray(archive.read_bytes())
    entry = directory_entry(content, b"photos/2.png")
    if damage == "name":
        content[entry + 9] |= 0x08  # the name is UTF-8, it says ...
        content[entry + 46] = 0xFF  # ... and is not
    else:
        content[entry + 6] = 99  # version needed to unpack it
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"photos\.zip cannot be read") as caught:
        prepared(archive, tmp_path / "store")
    assert "name the folder" in caught.value.fix


def test_a_member_of_unknown_compression_costs_one_photo(tmp_path):
    archive = write_zip(tmp_path / "photos.zip")
    content = bytearray(archive.read_bytes())
    content[directory_entry(content, b"photos/2.png") + 10] = 77
    archive.write_bytes(content)
    assert quarantine(prepared(archive, tmp_path / "store")) == {
        "photos/2.png": "unknown compression"
    }


def test_an_empty_folder_is_a_clear_error_with_a_label_file_too(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels.csv").write_text("file,age\na.png,3\n")
    with pytest.raises(DataError, match="no photos in photos"):
        prepared(tmp_path / "photos", tmp_path / "store", labels=tmp_path / "labels.csv")


def test_pillows_warnings_about_odd_files_do_not_reach_the_user(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    image = picture(0).convert("P")
    (root / "a.png").write_bytes(encoded(image, transparency=b"\x00\xff"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert names(prepared(root, tmp_path / "store")) == {"a.png"}
