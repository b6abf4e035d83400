"""Archives give what the folder in them would give, whatever else somebody put into them."""

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facewright.data.photo import Unusable
from facewright.data.prepare import StoreSpec, prepare
from facewright.data.sources import tar_headers, unpack
from facewright.data.sources.archive import ZipReader, open_archive
from facewright.data.sources.find import find_source
from facewright.data.sources.source import Lazy, Source
from facewright.errors import DataError
from tests.data.drawings import encoded, picture, write_pictures

SPEC = StoreSpec((16, 16), val_fraction=0.25)


def found(path: Path, **options) -> Source:
    return find_source(str(path), size=SPEC.size, **options)


def contents(source: Source) -> dict[str, bytes]:
    return {
        name: bytes(source.read(address))
        for name, address in zip(source.names, source.addresses, strict=True)
    }


def faults(path: Path) -> dict[str, str]:
    return {entry.name: entry.reason for entry in found(path).set_aside}


def tar_of(path: Path, members: dict[str, bytes], kind: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w", format=kind) as tar:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


PACKERS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "a.zip": zip_of,
    "a.tar": tar_of,
    "a.tar.gz": tar_of,
    "a.tgz": tar_of,
}


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_a_tar_gives_the_same_store_as_the_folder_in_it(tmp_path, name, kind):
    long = "deep/" * (20 if kind == tarfile.USTAR_FORMAT else 60) + "Zoë.png"
    members = {f"./photos/{i}.png": encoded(picture(i)) for i in range(9)}
    members |= {long: encoded(picture(9)), "photos/._0.png": b"x"}
    archive = tar_of(tmp_path / name, members, kind)
    for member, content in members.items():
        file = tmp_path / "unpacked" / member
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    source = found(archive)
    assert list(source.names) == [long, *(f"photos/{i}.png" for i in range(9))]
    stores = {
        workers: prepare(source, tmp_path / f"s{workers}", SPEC, workers=workers)[0]
        for workers in (1, 2)
    }
    folder = prepare(found(tmp_path / "unpacked"), tmp_path / "f", SPEC)[0]
    assert {store.content_hash for store in stores.values()} == {folder.content_hash}
    assert stores[2].manifest["counts"] == folder.manifest["counts"]


@pytest.mark.parametrize("name", PACKERS)
def test_an_archive_is_known_by_its_content(tmp_path, name):
    PACKERS[name](tmp_path / name, {"0.png": b"0"}).rename(tmp_path / "photos.bin")
    assert contents(found(tmp_path / "photos.bin")) == {"0.png": b"0"}


def test_archives_of_a_folder_are_read_as_one(tmp_path):
    zip_of(tmp_path / "one.zip", {"x/1.png": b"1", "x/2.png": b"2"})
    tar_of(tmp_path / "two.tar.gz", {"x/0.png": b"0", "y/.hidden": b""})
    (tmp_path / "sub").mkdir()
    tar_of(tmp_path / "sub" / "three.tar", {"y/3.png": b"3"})
    (tmp_path / "README").write_text("read me")
    source = found(tmp_path)
    assert contents(source) == {"x/0.png": b"0", "x/1.png": b"1", "x/2.png": b"2", "y/3.png": b"3"}
    assert source.labels.columns[0].classes == ("x", "y")
    assert source.notes == ("1 files beside the archives or the array were not looked at",)
    assert source.hidden == 1
    some = found(tmp_path, count=2, seed=1)
    assert len(contents(some)) == 2
    assert contents(some).items() <= contents(source).items()


def test_photos_of_one_name_in_several_archives_are_told_apart(tmp_path):
    zip_of(tmp_path / "one.zip", {"x/1.png": b"1", "/x.png": b""})
    zip_of(tmp_path / "two.zip", {"x/1.png": b"2"})
    source = found(tmp_path)
    assert contents(source) == {"x/one.zip:1.png": b"1", "x/two.zip:1.png": b"2"}
    assert source.labels.columns == ()
    assert source.set_aside[0].name == "/one.zip:x.png"


def test_an_archive_beside_photos_is_set_aside(tmp_path):
    write_pictures(tmp_path / "photos", 3)
    zip_of(tmp_path / "photos" / "backup.zip", {"0.png": encoded(picture(0))})
    store, _ = prepare(found(tmp_path / "photos"), tmp_path / "s", SPEC)
    (entry,) = store.manifest["quarantined"]
    assert (entry["name"], entry["reason"]) == ("backup.zip", "an archive")


def test_an_archive_that_is_none_is_named(tmp_path):
    zip_of(tmp_path / "one.zip", {"0.png": b"0"})
    (tmp_path / "two.tar").write_text("no tar")
    with pytest.raises(DataError, match=r"two\.tar cannot be read"):
        found(tmp_path)


@pytest.mark.parametrize("name", PACKERS)
def test_a_member_never_leads_out_of_the_archive(tmp_path, name):
    PACKERS[name](
        tmp_path / name, {"a.png": b"a", "../up.png": b"", "/etc/x.png": b"", "b/../../x": b""}
    )
    outside = "a path out of the archive"
    assert faults(tmp_path / name) == dict.fromkeys(
        ("../up.png", "/etc/x.png", "b/../../x"), outside
    )
    assert contents(found(tmp_path / name)) == {"a.png": b"a"}


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_links_devices_and_pipes_in_a_tar_are_set_aside(tmp_path, name):
    kinds = {
        "link": tarfile.SYMTYPE,
        "hard": tarfile.LNKTYPE,
        "pipe": tarfile.FIFOTYPE,
        "device": tarfile.CHRTYPE,
    }
    with tarfile.open(tmp_path / name, "w:gz" if name.endswith("gz") else "w") as tar:
        for member, kind in kinds.items():
            header = tarfile.TarInfo(member)
            header.type, header.linkname, header.size = kind, "/etc/passwd", 1 << 40
            tar.addfile(header)
        good = tarfile.TarInfo("z.png")
        good.size = 1
        tar.addfile(good, io.BytesIO(b"z"))
    assert faults(tmp_path / name) == dict.fromkeys(kinds, "not a regular file")
    assert contents(found(tmp_path / name)) == {"z.png": b"z"}


def test_a_link_in_a_zip_is_set_aside(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a.png", b"a")
    assert faults(tmp_path / "a.zip") == {"link.png": "not a regular file"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("packer", ["zip", "tar"])
def test_of_two_members_with_one_name_the_last_counts(tmp_path, packer):
    path = tmp_path / "a"
    if packer == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("0.png", b"old")
            archive.writestr("0.png", b"new")
    else:
        with tarfile.open(path, "w") as tar:
            for content in (b"old", b"new"):
                header = tarfile.TarInfo("0.png")
                header.size = 3
                tar.addfile(header, io.BytesIO(content))
    assert contents(found(path)) == {"0.png": b"new"}
    assert faults(path) == {"0.png": "replaced by a later one of its name"}


# what damaged and hostile archives say of themselves


def header_block(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    header = tarfile.TarInfo(name)
    header.size, header.type = size, kind
    return header.tobuf(tarfile.GNU_FORMAT)


def pax(**records: str) -> bytes:
    header = tarfile.TarInfo("0.png")
    header.pax_headers = records
    return header.tobuf(tarfile.PAX_FORMAT)


HOSTILE_TARS = {
    "cut off within a member": header_block("a.png", 4096) + bytes(100),
    "cut off within a header": header_block("a.png", 0) + header_block("b.png", 0)[:99],
    "a broken header": header_block("a.png", 512) + bytes(512) + b"\1" * 512,
    "a name of a gigabyte": header_block("x", 1 << 30, tarfile.GNUTYPE_LONGNAME) + bytes(2048),
    "times of a gigabyte": header_block("x", 1 << 30, tarfile.XHDTYPE) + bytes(2048),
    "a size below zero": header_block("a.png", -512) + bytes(2048),
    "a size beyond any file": header_block("a.png", 1 << 80) + bytes(2048),
    "a size in records below zero": pax(size="-1024") + bytes(2048),
    "a size of 5000 digits": pax(size="9" * 5000) + bytes(2048),
    "records that end in themselves": header_block("x", 512, tarfile.XHDTYPE)
    + b"0 path=a\n".ljust(512, b"\0")
    + bytes(2048),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("damage", HOSTILE_TARS)
def test_a_hostile_tar_is_refused(tmp_path, damage, packed):
    content = HOSTILE_TARS[damage]
    (tmp_path / "a.tar").write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=r"a\.tar cannot be read") as caught:
        open_archive(tmp_path / "a.tar")
    assert caught.value.expected
    assert caught.value.fix


def test_headers_may_follow_each_other_without_end(tmp_path):
    (tmp_path / "a.tar").write_bytes(
        pax(comment="x" * 600)[:-512] * 3000 + header_block("0.png", 0)
    )
    assert list(found(tmp_path / "a.tar").names) == ["0.png"]


def test_a_sparse_member_is_set_aside(tmp_path):
    (tmp_path / "a.tar").write_bytes(pax(**{"GNU.sparse.size": "99"}) + header_block("b.png", 0))
    assert faults(tmp_path / "a.tar") == {"0.png": "not a regular file"}


def test_a_packed_tar_that_is_cut_off_is_refused(tmp_path):
    whole = tar_of(tmp_path / "a.tar.gz", {"0.png": encoded(picture(0))}).read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(whole[:-200])
    with pytest.raises(DataError, match="cannot be read"):
        open_archive(tmp_path / "a.tar.gz")


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_what_unfolds_a_thousandfold_is_not_unfolded(tmp_path, name):
    PACKERS[name](tmp_path / name, {"0.png": bytes(1 << 24), "1.png": b"1"})
    if name == "a.zip":
        assert faults(tmp_path / name) == {"0.png": "unfolds too far"}
        return
    with pytest.raises(DataError, match="unfolds to more than 250 times its size") as caught:
        found(tmp_path / name)
    assert "another program" in caught.value.fix


def test_a_packed_member_too_large_for_a_photo_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr("facewright.data.sources.archive.MAX_BYTES", 10)
    tar_of(tmp_path / "a.tar.gz", {"0.png": b"x" * 11, "1.png": b"1"})
    source = found(tmp_path / "a.tar.gz")
    assert faults(tmp_path / "a.tar.gz") == {"0.png": "too large a file"}
    assert contents(source) == {"1.png": b"1"}


def test_no_room_to_unpack_is_said_with_another_place(tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, _content) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("facewright.data.sources.archive.tempfile.TemporaryFile", Full)
    tar_of(tmp_path / "a.tar.gz", {"0.png": b"0"})
    with pytest.raises(DataError, match="No space left on device") as caught:
        found(tmp_path / "a.tar.gz")
    assert "TMPDIR" in caught.value.fix


def test_members_that_lie_in_each_other_are_set_aside(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"0.png": b"x" * 99, "1.png": b"1"})
    content = bytearray(path.read_bytes())
    second = content.rindex(b"1.png") - 46
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 20, 1000)  # packed size of the first
    assert second > 0
    path.write_bytes(content)
    assert faults(path) == {"0.png": "not at a place of its own"}


@pytest.mark.parametrize("offset", [1 << 40, (1 << 64) - 1])
def test_a_place_that_no_file_has_costs_one_photo(tmp_path, offset):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("0.png", b"0")
        archive.writestr("1.png", b"1")
        archive.infolist()[1].header_offset = offset  # written as zip64
    assert faults(tmp_path / "a.zip") == {"1.png": "not at a place of its own"}
    assert contents(found(tmp_path / "a.zip")) == {"0.png": b"0"}
    with pytest.raises(Unusable, match="unreadable"):
        ZipReader(str(tmp_path / "a.zip"))((offset, 1, 1, 0, zipfile.ZIP_STORED))


def test_only_headers_are_read_of_a_tar(tmp_path, monkeypatch):
    big = 1 << 22
    path = tar_of(tmp_path / "a.tar", {f"{i}.png": bytes(big) for i in range(3)})
    read = []

    class Counted(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            content = super().read(size)
            read.append(len(content))
            return content

    with Counted(path) as file:
        entries = list(tar_headers.tar_entries(file))
    assert [entry.size for entry in entries] == [big] * 3
    assert sum(read) < 10 * tarfile.BLOCKSIZE


@pytest.mark.parametrize(("packed", "unfolded", "too_far"), [
    (10, 1 << 20, False), (10, (1 << 20) + 1, True),
    (1 << 20, 250 << 20, False), (1 << 20, (250 << 20) + 1, True),
])  # fmt: skip
def test_content_may_unfold_so_far(packed, unfolded, too_far):
    assert unpack.unfolds_too_far(packed, unfolded) is too_far


def test_addresses_of_a_packed_tar_are_drawn_from_disk_when_they_are_asked_for(tmp_path):
    tar_of(tmp_path / "a.tar.gz", {f"{i}.png": bytes([i]) for i in range(5)})
    addresses = found(tmp_path / "a.tar.gz").addresses
    assert isinstance(addresses, Lazy)
    some = addresses[np.array([3, 1])]
    assert isinstance(some, Lazy)
    assert list(some) == [b"\3", b"\1"]
    assert list(addresses[1:3]) == [b"\1", b"\2"]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_an_empty_archive_is_a_clear_error(tmp_path, name):
    PACKERS[name](tmp_path / name, {"folder/.hidden": b""})
    with pytest.raises(DataError, match="no photos in a") as caught:
        prepare(found(tmp_path / name), tmp_path / "s", SPEC)
    assert caught.value.expected
    assert caught.value.fix


def test_a_zip_without_any_member_is_read_as_such(tmp_path):
    assert found(zip_of(tmp_path / "a.zip", {})).names == []
