"""Tables with a column of encoded images, as data sets are published (extra `hub`)."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facewright.data.labels import LabelColumn, Labels, class_column
from facewright.data.photo import Unusable
from facewright.data.sources.source import OWN_PHOTOS, Source, numbered
from facewright.data.sources.table_file import is_table, open_table
from facewright.errors import DataError

if TYPE_CHECKING:
    import pyarrow

_DAMAGES = (OSError, ValueError, KeyError, IndexError, TypeError, NotImplementedError, MemoryError)
"""What pyarrow's own errors are. The last: a file that says it holds more than there can be."""

_USUAL_NAMES = ("image", "img", "photo", "picture", "face")
_MOST_CLASSES = 20_000


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
    names, addresses, tables = [], [], []
    try:
        schema = open_table(files[0]).schema
        column = _image_column(schema, files[0])
        others = [name for name in schema.names if name != column]
        for file in files:
            table = open_table(file)
            within = file.relative_to(path).as_posix() if path.is_dir() else file.name
            names += numbered(within, sum(table.rows))
            for group, count in enumerate(table.rows):
                addresses += [(str(file), group, row) for row in range(count)]
            tables.append(table.columns(others))
    except _DAMAGES as error:
        raise DataError(
            f"{path} cannot be read: {error}",
            expected="whole parquet or arrow files with the same columns",
            fix="download them again",
        ) from None
    labels, skipped = _labels(tables, schema, len(names))
    return Source(
        kind="parquet",
        place=path.name,
        licence=OWN_PHOTOS,
        names=names,
        addresses=addresses,
        read=ParquetReader(column),
        labels=labels,
        notes=tuple(f"column {name} is no label that can be stored" for name in skipped),
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


def _image_column(schema: pyarrow.Schema, file: Path) -> str:
    """The column with the bytes of an image: binary, or {bytes, path}."""
    import pyarrow as pa

    def is_image(kind: pa.DataType) -> bool:
        if pa.types.is_struct(kind):
            return kind.get_field_index("bytes") >= 0
        return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

    found = [field.name for field in schema if is_image(field.type)]
    usual = [name for name in _USUAL_NAMES if name in found]
    if len(found) != 1 and not usual:
        raise DataError(
            f"{file} has the columns {', '.join(schema.names)}",
            expected=f"one column of encoded images, or one named {' or '.join(_USUAL_NAMES)}",
        )
    return usual[0] if usual else found[0]


def _labels(
    tables: Sequence[pyarrow.Table], schema: pyarrow.Schema, count: int
) -> tuple[Labels, list[str]]:
    """The columns that numbers or classes can stand for, and the names of the others."""
    labels, skipped = Labels.none(count), []
    features = _hub_features(schema)
    for name in tables[0].column_names if tables else []:
        cells = [cell for table in tables for cell in table[name].to_pylist()]
        column = column_of_cells(name, cells, features.get(name, {}))
        if column is None:
            skipped.append(name)
        else:
            labels = labels.beside(column)
    return labels, skipped


def column_of_cells(name: str, cells: list[Any], feature: dict[str, Any]) -> Labels | None:
    """The label that these cells are, one for each photo; None if they are none."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {str}:
        few = len(set(cells)) <= min(_MOST_CLASSES, len(cells) / 2)
        return class_column(name, cells) if few else None
    if not kinds or not kinds <= {bool, int, float}:
        return None
    values = np.array([np.nan if cell is None else cell for cell in cells], np.float32)
    classes = tuple(feature.get("names", ()))
    if classes:
        values[values < 0] = np.nan  # how the hub writes "unknown"
    kind = "class" if classes else "binary" if kinds == {bool} else "number"
    return Labels((LabelColumn(name, kind, classes),), values.reshape(-1, 1))


def _hub_features(schema: pyarrow.Schema) -> dict[str, Any]:
    """What the Hugging Face `datasets` library noted about the columns."""
    try:
        noted = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        return dict(noted["info"]["features"])
    except (ValueError, KeyError, TypeError):
        return {}
