"""Which photo does a cell of a table mean?"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif",
                  ".heic", ".heif")  # fmt: skip

Form = Literal["file", "stem", "number"]
"""How a cell names a photo: with its suffix, without, or by nothing but digits."""

_SPLIT = re.compile(
    r"(partial[-_])?(train|training|trainval|val|valid|validation|dev|eval|test|testing)"
    r"([-_]?(images?|imgs?|faces|photos|data|set|\d+))?",
    re.IGNORECASE,
)
_DEEPEST = 32  # parts of a path that are looked at
_SEVERAL = -1


def split_of(part: str) -> str:
    """The split that a part of a path names, such as train; empty if none."""
    match = _SPLIT.fullmatch(part)
    return match[2].lower() if match else ""


@dataclass(frozen=True)
class Meant:
    """A photo that a cell means.

    Args:
        photo: its index.
        parts: of the path that agree, counted from the end.
        elsewhere: the cell's path leads through another folder than the photo's.
        form: of the cell.
    """

    photo: int
    parts: int
    elsewhere: bool
    form: Form


class PhotoNames:
    """Photos by all the ways to name them: path, end of a path, name, without a suffix.

    Args:
        names: of the photos, with "/" between folders.
        place: name of the folder that they lie in.
        below: only those whose names begin with this.
    """

    def __init__(self, names: Sequence[str], place: str, below: str = "") -> None:
        self.names = names
        rows = [row for row, name in enumerate(names) if name.startswith(below)]
        self._paths = {row: f"{place}/{names[row]}".split("/") for row in rows}

    def __len__(self) -> int:
        """How many there are, by their suffixes."""
        return len(likely_photos([path[-1] for path in self._paths.values()]))

    @property
    def example(self) -> str:
        """One of the names, for messages."""
        return self.names[next(iter(self._paths))]

    def meant(self, cell: str) -> Meant | None:
        """The one photo that fits best; None where none does, or several do equally."""
        for text in dict.fromkeys((cell, cell.replace("\\", "/"))):
            parts = [part for part in text.split("/") if part not in ("", ".")][-_DEEPEST:]
            if parts and (found := self._looked_up(parts)):
                return found
        return None

    def _looked_up(self, parts: list[str]) -> Meant | None:
        stem = [*parts[:-1], _without_suffix(parts[-1])]
        form: Form = "number" if parts[-1].isdecimal() else "stem"
        if is_file_name(parts[-1]):
            form = "file"
        for ends, wanted in (
            (self._by_path, parts),
            (self._by_plain_path, _plain(parts)),
            (self._by_stem, stem),
            (self._by_plain_stem, _plain(stem)),
        ):
            for start in range(len(wanted)):
                row = ends.get("/".join(wanted[start:]))
                if row is not None:
                    return None if row == _SEVERAL else self._agreed(row, wanted, start, form)
        return None

    def _agreed(self, row: int, wanted: list[str], start: int, form: Form) -> Meant | None:
        path, count = self._paths[row], len(wanted) - start
        elsewhere = start > 0 and len(path) > count
        if elsewhere:
            there, here = split_of(wanted[start - 1]), split_of(path[-count - 1])
            if there and here and there != here:
                return None  # train/1.jpg is another photo than val/1.jpg
        return Meant(row, count, elsewhere, form)

    @cached_property
    def _by_path(self) -> dict[str, int]:
        return _ends(self._paths)

    @cached_property
    def _by_plain_path(self) -> dict[str, int]:
        return _ends({row: _plain(path) for row, path in self._paths.items()})

    @cached_property
    def _by_stem(self) -> dict[str, int]:
        cut = {row: [*path[:-1], _stem(path[-1])] for row, path in self._paths.items()}
        return _ends(cut)

    @cached_property
    def _by_plain_stem(self) -> dict[str, int]:
        cut = {row: _plain([*p[:-1], _stem(p[-1])]) for row, p in self._paths.items()}
        return _ends(cut)


def is_file_name(cell: str) -> bool:
    """Does it end as the name of a photo does?"""
    return cell.lower().endswith(PHOTO_SUFFIXES)


def likely_photos(names: Sequence[str]) -> list[int]:
    """Which names are those of photos: by their suffix, and all of them where none has one."""
    found = [row for row, name in enumerate(names) if is_file_name(name)]
    return found or list(range(len(names)))


def _ends(paths: dict[int, list[str]]) -> dict[str, int]:
    """Row by every end of its path: a/b.png and b.png; `_SEVERAL` where rows share it."""
    ends: dict[str, int] = {}
    for row, path in paths.items():
        end = ""
        for part in reversed(path):
            end = f"{part}/{end}" if end else part
            ends[end] = row if ends.get(end, row) == row else _SEVERAL
    return ends


def _plain(parts: Sequence[str]) -> list[str]:
    """Without regard to capitals, and to how accents are put together."""
    return [unicodedata.normalize("NFC", part).casefold() for part in parts]


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _without_suffix(cell: str) -> str:
    return _stem(cell) if is_file_name(cell) else cell
