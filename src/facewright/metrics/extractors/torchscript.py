"""The tensors of a TorchScript archive, read without running what else is in it.

`torch.jit.load` would run the archive's code, and is deprecated.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor

from facewright.errors import MetricError


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of an archive, by their names ("net.layers.conv.weight").

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
            raise MetricError(f"{module}.{name} in an archive of weights", expected="only tensors")
        return _KNOWN[module, name]

    def persistent_load(self, pid: tuple[str, torch.dtype, str, str, int]) -> Tensor:
        _, dtype, key, _, _ = pid
        stored = bytearray(self._archive.read(str(self._root / "data" / key)))
        return torch.frombuffer(stored, dtype=dtype)
