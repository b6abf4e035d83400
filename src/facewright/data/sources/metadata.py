"""metadata.csv and metadata.jsonl beside photos, as Hugging Face's imagefolder keeps labels.

Source: https://huggingface.co/docs/datasets/image_dataset
"""

from pathlib import PurePosixPath

from facewright.data.label_file import TABLES, Table, read_label_table, table_of_objects
from facewright.data.label_join import described, labels_of
from facewright.data.labels import Labels
from facewright.data.photo import Unusable
from facewright.data.photo_names import PhotoNames
from facewright.data.sources.source import Files
from facewright.errors import DataError, MissingExtraError

_FILE_NAME = "file_name"


def read_metadata(files: Files) -> tuple[Labels, tuple[str, ...], set[str]]:
    """The labels in metadata files, each of which speaks of the photos beside and below it.

    Returns:
        The labels of all files, what a reader should know of them, and the names of the files
        that they were read from.
    """
    tables = {name for name in files.names if PurePosixPath(name).stem == "metadata"}
    tables = {name for name in tables if name.lower().endswith((*TABLES, ".parquet"))}
    found, notes, read = [], [], set()
    for name in sorted(tables):
        folder, _, _ = name.rpartition("/")
        below = PhotoNames(files.names, files.root.name, f"{folder}/" if folder else "")
        try:
            table = _table(name, files)
            found.append(described(table, below, _FILE_NAME))
        except (DataError, MissingExtraError) as error:
            notes.append(f"no labels from {name}: {error.what}")
        else:
            read.add(name)
    labels, said = labels_of(found, files.names)
    return labels, (*said, *notes), read


def _table(name: str, files: Files) -> Table:
    try:
        content = files.read(files.addresses[list(files.names).index(name)])
    except Unusable as fault:
        raise DataError(
            f"it is {fault.reason}", expected="a table of labels", fix="remove it"
        ) from None
    if name.lower().endswith(".parquet"):
        return table_of_objects(name, _parquet_rows(content))
    return read_label_table(name, content)


def _parquet_rows(content: bytes) -> list[dict[str, object]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError.of("hub", "reading parquet files") from None
    try:
        return pyarrow.parquet.read_table(pyarrow.BufferReader(content)).to_pylist()
    except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are all of these
        raise DataError(
            f"it cannot be read: {error}", expected="a parquet file", fix="remove it"
        ) from None
