"""A table in one file, parquet or arrow, of which only the parts in use are read (extra `hub`)."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facewright.errors import MissingExtraError

if TYPE_CHECKING:
    import pyarrow

SUFFIXES = (".parquet", ".arrow")

_PARQUET, _ARROW_FILE, _ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"


def is_table(path: Path) -> bool:
    """Does the file begin as a table does?"""
    with path.open("rb") as file:
        return file.read(6).startswith((_PARQUET, _ARROW_FILE, _ARROW_STREAM))


def open_table(path: Path) -> ParquetTable | ArrowTable:
    """The table in a file.

    Raises:
        MissingExtraError: without the extra `hub`.
        OSError, ValueError: the file is damaged.
    """
    with path.open("rb") as file:
        return (ParquetTable if file.read(4) == _PARQUET else ArrowTable)(path)


class ParquetTable:
    """A parquet file; its row groups are packed, and unpacked one by one."""

    def __init__(self, path: Path) -> None:
        self._file = _module("pyarrow.parquet").ParquetFile(path)

    @property
    def schema(self) -> pyarrow.Schema:
        """Names and types of the columns."""
        return self._file.schema_arrow

    @property
    def rows(self) -> list[int]:
        """How many there are in each group."""
        about = self._file.metadata
        return [about.row_group(group).num_rows for group in range(about.num_row_groups)]

    def columns(self, names: Sequence[str]) -> pyarrow.Table:
        """Some of the columns, whole."""
        return self._file.read(columns=list(names))

    def cells(self, group: int, column: str) -> Any:
        """One column of one group."""
        return self._file.read_row_group(group, columns=[column])[column]


class ArrowTable:
    """An arrow file or stream, as `save_to_disk` of Hugging Face's datasets writes it.

    Mapped, not read; what is used of it is checked first, because a damaged offset would
    otherwise be followed to wherever it leads.
    """

    def __init__(self, path: Path) -> None:
        arrow = _module("pyarrow")
        self._arrow = arrow
        file = arrow.memory_map(str(path))
        begins_as_file = file.read(len(_ARROW_FILE)) == _ARROW_FILE
        file.seek(0)
        ipc = _module("pyarrow.ipc")
        self._reader = (ipc.open_file if begins_as_file else ipc.open_stream)(file)

    @property
    def schema(self) -> pyarrow.Schema:
        """Names and types of the columns."""
        return self._reader.schema

    @cached_property
    def _table(self) -> pyarrow.Table:
        return self._reader.read_all()

    @cached_property
    def _groups(self) -> list[pyarrow.RecordBatch]:
        return self._table.to_batches()

    @property
    def rows(self) -> list[int]:
        """How many there are in each group."""
        return [group.num_rows for group in self._groups]

    def columns(self, names: Sequence[str]) -> pyarrow.Table:
        """Some of the columns, whole."""
        some = self._table.select(list(names))
        some.validate(full=True)
        return some

    def cells(self, group: int, column: str) -> Any:
        """One column of one group."""
        cells = self._groups[group][column]
        cells.validate(full=True)
        return cells


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtraError.of("hub", "reading parquet and arrow files") from None
