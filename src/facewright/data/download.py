"""Fetch a known public dataset: once, whole, and exactly the published bytes."""

import hashlib
import http.client
import ssl
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from facewright.atomic import scratch_folder, sweep
from facewright.cache import cache_folder
from facewright.data.remotes import DATASETS, RemoteDataset, RemoteFile
from facewright.errors import DataError, nearest

TIMEOUT_SECONDS = 30
"""A server that is silent for so long is given up."""

_CHUNK_BYTES = 1 << 18
_NETWORK_ERRORS = (
    urllib.error.URLError,
    http.client.HTTPException,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
)


@dataclass(frozen=True)
class Listener:
    """Who hears of a download.

    Args:
        tell: is given what is worth knowing, in sentences: where it comes from, and the terms.
        on_bytes: is given a file's name, how many bytes of it are there, and how many it has.
    """

    tell: Callable[[str], None] = lambda _sentence: None
    on_bytes: Callable[[str, int, int], None] = lambda _name, _have, _total: None


NOBODY = Listener()


def fetch(name: str, listener: Listener = NOBODY, *, folder: Path | None = None) -> Path:
    """A dataset by its name, downloaded unless it is already there.

    A file gets its name only after its checksum was found right; until then it is a `.part`,
    and an interrupted download goes on from there.

    Args:
        name: one of `DATASETS`.
        listener: hears of progress and terms.
        folder: keeps one subfolder for each dataset; the cache if None.

    Returns:
        The folder with the dataset's files (`celeba`, `mnist`), or with one folder of photos
        for each person (`lfw`).

    Raises:
        DataError: an unknown name, no network, wrong bytes, or a folder that cannot be written.
    """
    if name not in DATASETS:
        raise DataError(
            f"no download is called '{name}'",
            expected=nearest(name, DATASETS),
            fix=f"facewright prepare {next(iter(DATASETS))} --out stores/NAME --size 28",
        )
    return fetch_dataset(DATASETS[name], (folder or cache_folder("downloads")) / name, listener)


def fetch_dataset(dataset: RemoteDataset, folder: Path, listener: Listener = NOBODY) -> Path:
    """The files of one dataset in one folder; see `fetch`."""
    sweep(folder)
    result = folder / dataset.unpacked
    if dataset.unpacked and result.is_dir():
        return result
    with _writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not all((folder / file.name).exists() for file in dataset.files):
            listener.tell(f"{folder.name}: {dataset.page}\nterms: {dataset.terms}")
        by_hand = f"get it from {dataset.page} and put it into {folder}"
        for file in dataset.files:
            _ensure(file, folder, by_hand, listener)
        if dataset.unpacked:
            _unpack(folder / dataset.files[0].name, result)
    return result


def _ensure(file: RemoteFile, folder: Path, by_hand: str, listener: Listener) -> None:
    """Have one file with the right bytes in the folder, or say how to get it there."""
    path = folder / file.name
    if path.exists():  # from an earlier fetch, or put there by hand: never removed by us
        _verify(path, file, fix=f"remove {path} and repeat the command, or {by_hand}")
        return
    part = folder / f"{file.name}.part"
    _receive(file, part, by_hand, listener)
    try:
        # Hosts that are asked too often send a web page in place of the file.
        _verify(part, file, fix=f"repeat the command later, or {by_hand}")
    except DataError:
        part.unlink()
        raise
    part.rename(path)


def _verify(path: Path, file: RemoteFile, fix: str) -> None:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != file.sha256:
        raise DataError(
            f"{file.name} has SHA-256 {found}", expected=f"SHA-256 {file.sha256}", fix=fix
        )


def _receive(file: RemoteFile, part: Path, by_hand: str, listener: Listener) -> None:
    """Complete the part from the first place that has the file."""
    problem: Exception | None = None
    for url in file.urls:
        progressing = True
        while progressing:  # a connection that breaks off may be taken up again
            before = _size(part)
            try:
                _transfer(url, file, part, listener)
            except _NETWORK_ERRORS as error:
                problem, progressing = error, _size(part) > before
            else:
                return
    hosts = " or ".join(urlsplit(url).netloc for url in file.urls)
    raise DataError(
        f"cannot download {file.name}: {problem}",
        expected=f"a connection to {hosts}",
        fix=f"repeat the command later, it goes on where it stopped; or {by_hand}; "
        "or use photos of your own: facewright prepare FOLDER --out STORE --size 28",
    )


def _transfer(url: str, file: RemoteFile, part: Path, listener: Listener) -> None:
    """One attempt to get what the part still lacks."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "facewright"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # nothing is lacking; whether the bytes are right is for the checksum
        raise
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0  # this server cannot go on from the middle and sends everything again
        # `length` is None where the header is missing or no number; what it says may be wrong.
        total = file.size if response.length is None else have + response.length
        with part.open("ab" if have else "wb") as out:
            while have <= file.size and (chunk := response.read(_CHUNK_BYTES)):
                out.write(chunk)
                have += len(chunk)
                listener.on_bytes(file.name, have, total)
    if have > file.size:
        part.unlink()
        raise ConnectionError(f"what is sent is longer than the file, which has {file.size} bytes")
    if have < total:
        raise ConnectionError(f"the transfer broke off after {have} of {total} bytes")


def _unpack(archive: Path, result: Path) -> None:
    """Unpack to a temporary folder first, so that half an archive never looks like all of it."""
    with scratch_folder(archive.parent, ".unpacking-") as temporary:
        with tarfile.open(archive) as tar:
            # "data" refuses links and paths that lead out of the folder.
            tar.extractall(temporary, filter="data")
        (temporary / result.name).rename(result)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot keep the download: {error}",
            expected=f"a folder with enough space that can be written, not {folder}",
            fix="FACEWRIGHT_CACHE=/another/folder before the command",
        ) from error
