"""Tables with a column of encoded images, as data sets are published (extra `hub`)."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facewright.data.cells import label_of_cells, label_of_numbers
from facewright.data.labels import LabelColumn, Labels
from facewright.data.photo import Unusable
from facewright.data.sources.source import OWN_PHOTOS, Source, numbered
from facewright.data.sources.table_file import is_table, open_table
from facewright.errors import DataError

if TYPE_CHECKING:
    import pyarrow

_DAMAGES = (OSError, ValueError, KeyError, IndexError, TypeError, NotImplementedError, MemoryError)
"""What pyarrow's own errors are. The last: a file that says it holds more than there can be."""

_USUAL_NAMES = ("image", "img", "photo", "picture", "face")


def parquet_files(path: Path) -> list[Path]:
    """The tables at a path or below a folder; none if it holds something else."""
    if path.is_dir():
        return sorted(path.rglob("*.parquet"))
    return [path] if is_table(path) else []


def parquet(path: Path, files: Sequence[Path]) -> Source:
    """The images in parquet files, one file after the other; other columns become labels.

    Args:
        path: the file or folder that the user named.
        files: what `parquet_files` found there.

    Raises:
        MissingExtraError: without the extra `hub`.
        DataError: a damaged file, or none or several columns that could be the image.
    """
    names, addresses, columns = [], [], []
    notes: list[str] = []
    try:
        schemas = {file: open_table(file).schema for file in files}
        column = _image_column(schemas)
        for file, schema in schemas.items():
            if column not in schema.names:
                notes.append(f"{file.name} has no column {column}: not looked at")
                continue
            others, table = [name for name in schema.names if name != column], open_table(file)
            within = file.relative_to(path).as_posix() if path.is_dir() else file.name
            count = sum(table.rows)
            names += numbered(within, count)
            for group, rows in enumerate(table.rows):
                addresses += [(str(file), group, row) for row in range(rows)]
            columns.append((table.columns(others), count))
    except _DAMAGES as error:
        raise DataError(
            f"{path} cannot be read: {error}",
            expected="whole parquet or arrow files with the same columns",
            fix="download them again",
        ) from None
    labels, more = _labels(columns)
    return Source(
        kind="parquet",
        place=path.name,
        licence=OWN_PHOTOS,
        names=names,
        addresses=addresses,
        read=ParquetReader(column),
        labels=labels,
        notes=(*notes, *more),
    )


@dataclass(frozen=True)
class ParquetReader:
    """Reads one cell; neighbours come from the same row group, which is kept."""

    column: str

    def __call__(self, address: tuple[str, int, int]) -> bytes:
        """The encoded image of one row."""
        file, group, row = address
        try:
            cell = _row_group(file, group, self.column)[row].as_py()
        except _DAMAGES:
            raise Unusable("unreadable") from None
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if not isinstance(content, bytes):
            raise Unusable("no image in the row")
        return content


@functools.lru_cache(maxsize=1)
def _row_group(file: str, group: int, column: str) -> Any:
    return open_table(Path(file)).cells(group, column)


def _image_column(schemas: Mapping[Path, pyarrow.Schema]) -> str:
    """The column with the bytes of an image, binary or {bytes, path}, by the first that has one."""
    import pyarrow as pa

    def is_image(kind: pa.DataType) -> bool:
        if pa.types.is_struct(kind):
            return kind.get_field_index("bytes") >= 0
        return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

    by_file = [[field.name for field in one if is_image(field.type)] for one in schemas.values()]
    found = next(filter(None, by_file), [])
    usual = [name for name in _USUAL_NAMES if name in found]
    if len(found) != 1 and not usual:
        file, schema = next(iter(schemas.items()))
        raise DataError(
            f"{file} has the columns {', '.join(schema.names)}",
            expected=f"one column of encoded images, or one named {' or '.join(_USUAL_NAMES)}",
            fix="rename the column of images in it",
        )
    return usual[0] if usual else found[0]


def _labels(tables: Sequence[tuple[pyarrow.Table, int]]) -> tuple[Labels, list[str]]:
    """The columns of all files that a label can be made of, and a word on the others.

    Args:
        tables: of each file the columns without the image, and the number of rows.
    """
    labels, notes = Labels.none(sum(count for _, count in tables)), []
    for name in dict.fromkeys(name for table, _ in tables for name in table.column_names):
        cells, classes = [], dict.fromkeys(())
        for table, count in tables:
            there = table[name].to_pylist() if name in table.column_names else [None] * count
            known = _class_names(table.schema, name)
            classes |= dict.fromkeys(known)
            cells += [_class_of(cell, known) for cell in there] if known else there
        column, more = column_of_cells(name, cells, tuple(classes))
        notes += more
        labels = labels.beside(column) if column else labels
    return labels, notes


def _class_of(cell: Any, names: Sequence[str]) -> str | None:
    """The name of a class; the hub writes -1 where it is unknown."""
    return names[cell] if type(cell) is int and 0 <= cell < len(names) else None


def column_of_cells(
    name: str, cells: Sequence[Any], classes: tuple[str, ...] = ()
) -> tuple[Labels | None, tuple[str, ...]]:
    """The label that cells of any type are, one for each photo, and a word on it.

    Args:
        name: of the label.
        cells: None where unknown.
        classes: names of the classes, where it is known that the cells are some of these.
    """
    kinds = {type(cell) for cell in cells if cell is not None}
    if classes and kinds <= {str}:  # in the order of the files, which need not be that of letters
        index = {word: float(i) for i, word in enumerate(classes)}
        values = np.array([index.get(cell, np.nan) for cell in cells], np.float32)
        return Labels((LabelColumn(name, "class", classes),), values.reshape(-1, 1)), ()
    if kinds == {str}:
        return label_of_cells(name, cells)
    if not kinds or not kinds <= {bool, int, float}:
        return None, (f"column {name} is no label that can be stored",)
    if kinds == {bool}:
        return label_of_numbers(name, cells), ()
    values = np.array([np.nan if cell is None else cell for cell in cells], np.float32)
    return Labels((LabelColumn(name, "number"),), values.reshape(-1, 1)), ()


def _class_names(schema: pyarrow.Schema, name: str) -> tuple[str, ...]:
    """Names of a column's classes, as the Hugging Face `datasets` library noted them."""
    names = _hub_features(schema).get(name, {}).get("names") or ()
    return tuple(map(str, names))


def _hub_features(schema: pyarrow.Schema) -> dict[str, Any]:
    """What the Hugging Face `datasets` library noted about the columns."""
    try:
        noted = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        return dict(noted["info"]["features"])
    except (ValueError, KeyError, TypeError):
        return {}
