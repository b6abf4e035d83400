"""Downloads from a server on this machine: resumed, verified, and clear when they fail."""

import contextlib
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from facewright.data.download import Listener, fetch, fetch_dataset
from facewright.data.remotes import DATASETS, RemoteDataset, RemoteFile
from facewright.errors import DataError

CONTENT = bytes(range(256)) * 400


class Server(http.server.ThreadingHTTPServer):
    """Serves `content` under any path; records what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.knows_range = True
        self.cut_after: int | None = None
        self.length: str | None = None
        self.endless = False
        self.status: tuple[int, str] | None = None
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/photos.bin"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers a GET, from the middle if asked and able to."""

    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if not self.server.knows_range:
            start = 0
        if start >= len(self.server.content):
            self.send_error(416)
            return
        body = self.server.content[start:]
        if self.server.status is not None:
            self.send_response(*self.server.status)
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if self.server.length != "":
            self.send_header("Content-Length", self.server.length or str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cut_after])
        with contextlib.suppress(ConnectionError):  # until nobody listens any more
            while self.server.endless:
                self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def dataset(*urls: str, content: bytes = CONTENT, unpacked: str = "") -> RemoteDataset:
    sha256 = hashlib.sha256(content).hexdigest()
    file = RemoteFile("photos.bin", urls, sha256, len(content))
    return RemoteDataset((file,), "https://example.org/photos", "for research only", unpacked)


@pytest.fixture
def heard() -> list[str | tuple[str, int, int]]:
    return []


@pytest.fixture
def listener(heard) -> Listener:
    return Listener(tell=heard.append, on_bytes=lambda *numbers: heard.append(numbers))


def test_a_file_arrives_whole_and_who_listens_hears_terms_and_progress(
    server, tmp_path, listener, heard, capsys
):
    folder = fetch_dataset(dataset(server.url), tmp_path / "photos", listener)
    assert (folder / "photos.bin").read_bytes() == CONTENT
    assert not list(folder.glob("*.part"))
    assert heard[0] == "photos: https://example.org/photos\nterms: for research only"
    assert heard[-1] == ("photos.bin", len(CONTENT), len(CONTENT))
    assert capsys.readouterr() == ("", "")


def test_what_is_there_is_not_fetched_again_and_its_terms_are_told_once(
    server, tmp_path, listener, heard
):
    for _ in range(2):
        fetch_dataset(dataset(server.url), tmp_path, listener)
    assert len(server.asked) == 1
    assert sum("terms" in str(said) for said in heard) == 1


def test_an_interrupted_download_goes_on_where_it_stopped(server: Server, tmp_path: Path):
    (tmp_path / "photos.bin.part").write_bytes(CONTENT[:70_000])
    fetch_dataset(dataset(server.url), tmp_path)
    assert server.asked == ["bytes=70000-"]
    assert (tmp_path / "photos.bin").read_bytes() == CONTENT


def test_a_server_without_ranges_makes_it_start_again(server: Server, tmp_path: Path):
    server.knows_range = False
    (tmp_path / "photos.bin.part").write_bytes(CONTENT[:70_000])
    fetch_dataset(dataset(server.url), tmp_path)
    assert (tmp_path / "photos.bin").read_bytes() == CONTENT


def test_a_part_that_is_already_complete_is_only_verified(server: Server, tmp_path: Path):
    (tmp_path / "photos.bin.part").write_bytes(CONTENT)
    fetch_dataset(dataset(server.url), tmp_path)
    assert (tmp_path / "photos.bin").read_bytes() == CONTENT


def test_a_connection_that_keeps_breaking_off_is_taken_up_again(server: Server, tmp_path: Path):
    server.cut_after = 40_000
    fetch_dataset(dataset(server.url), tmp_path)
    assert server.asked == [None, "bytes=40000-", "bytes=80000-"]
    assert (tmp_path / "photos.bin").read_bytes() == CONTENT


def test_a_connection_that_brings_nothing_more_is_an_error_and_keeps_the_part(
    server: Server, tmp_path: Path
):
    server.knows_range, server.cut_after = False, 40_000
    with pytest.raises(DataError) as error:
        fetch_dataset(dataset(server.url), tmp_path)
    assert "broke off after 40000 of 102400 bytes" in str(error.value)
    assert (tmp_path / "photos.bin.part").stat().st_size == 40_000
    assert not (tmp_path / "photos.bin").exists()


@pytest.mark.parametrize("length", ["", "many", "-5", "1e9"])
def test_a_length_that_is_none_changes_nothing(length, server: Server, tmp_path: Path):
    server.length = length
    fetch_dataset(dataset(server.url), tmp_path)
    assert (tmp_path / "photos.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("length", ["", str(1 << 62)])
def test_a_body_without_an_end_is_given_up_and_leaves_nothing(length, server, tmp_path: Path):
    server.length, server.endless = length, True
    with pytest.raises(DataError, match="longer than the file, which has 102400 bytes"):
        fetch_dataset(dataset(server.url), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_length_an_early_end_is_noticed(server: Server, tmp_path: Path):
    server.length, server.cut_after, server.knows_range = "", 40_000, False
    with pytest.raises(DataError, match="broke off after 40000 of 102400 bytes"):
        fetch_dataset(dataset(server.url), tmp_path)


@pytest.mark.parametrize("status", [(404, "Not here"), (500, "Ill"), (403, "No\x1b[31mred")])
def test_a_refusal_of_the_server_is_told(status, server: Server, tmp_path: Path):
    server.status = status
    with pytest.raises(DataError, match=f"HTTP Error {status[0]}"):
        fetch_dataset(dataset(server.url), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_wrong_bytes_are_removed_and_both_sums_are_named(server: Server, tmp_path: Path):
    server.content = b"<html>quota exceeded</html>"
    with pytest.raises(DataError) as error:
        fetch_dataset(dataset(server.url), tmp_path)
    assert hashlib.sha256(CONTENT).hexdigest() in str(error.value)
    assert hashlib.sha256(server.content).hexdigest() in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_put_there_by_hand_is_verified_but_never_removed(server: Server, tmp_path: Path):
    (tmp_path / "photos.bin").write_bytes(b"another archive")
    with pytest.raises(DataError, match=r"photos\.bin has SHA-256"):
        fetch_dataset(dataset(server.url), tmp_path)
    assert (tmp_path / "photos.bin").read_bytes() == b"another archive"
    (tmp_path / "photos.bin").write_bytes(CONTENT)
    fetch_dataset(dataset(server.url), tmp_path)
    assert server.asked == []


def test_without_a_network_the_message_says_what_to_do(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError) as error:
        fetch_dataset(dataset(url), tmp_path)
    message = str(error.value)
    assert "cannot download photos.bin" in message
    assert f"get it from https://example.org/photos and put it into {tmp_path}" in message
    assert "facewright prepare FOLDER" in message


def test_a_second_place_helps_when_the_first_does_not_answer(server: Server, tmp_path: Path):
    nobody = "http://127.0.0.1:9/photos.bin"
    fetch_dataset(dataset(nobody, server.url), tmp_path)
    assert (tmp_path / "photos.bin").read_bytes() == CONTENT


def tar(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = 5
        archive.addfile(member, io.BytesIO(b"photo"))
    return buffer.getvalue()


def test_an_archive_is_unpacked_once_verified(server: Server, tmp_path: Path):
    server.content = tar("people/Ada_Lovelace/Ada_Lovelace_0001.jpg")
    known = dataset(server.url, content=server.content, unpacked="people")
    for _ in range(2):
        assert fetch_dataset(known, tmp_path) == tmp_path / "people"
    assert (tmp_path / "people/Ada_Lovelace/Ada_Lovelace_0001.jpg").read_bytes() == b"photo"
    assert len(server.asked) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["people", "photos.bin"]


def test_an_archive_cannot_write_outside_its_folder(server: Server, tmp_path: Path):
    server.content = tar("../escaped.jpg")
    known = dataset(server.url, content=server.content, unpacked="people")
    with pytest.raises(tarfile.OutsideDestinationError):
        fetch_dataset(known, tmp_path / "cache")
    assert not list(tmp_path.rglob("escaped.jpg"))


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path):
    with pytest.raises(DataError, match="did you mean 'celeba'"):
        fetch("celebA", folder=tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "mnist").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cannot keep the download"):
        fetch("mnist", folder=tmp_path)


def test_every_known_file_has_a_whole_checksum_and_a_secure_address():
    for known in DATASETS.values():
        for file in known.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert all(url.startswith("https://") for url in file.urls)
