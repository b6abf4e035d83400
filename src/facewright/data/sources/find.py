"""Which source does the user mean?"""

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from facewright.data.download import NOBODY, Listener, fetch
from facewright.data.label_file import TABLES
from facewright.data.label_join import read_label_files
from facewright.data.photo_names import PHOTO_SUFFIXES
from facewright.data.remotes import DATASETS
from facewright.data.sources.archive import list_zip
from facewright.data.sources.celeba import celeba, celeba_archive, is_celeba
from facewright.data.sources.drawn import drawn
from facewright.data.sources.folder import list_folder
from facewright.data.sources.hub import hub, is_hub_name
from facewright.data.sources.idx import idx, idx_images
from facewright.data.sources.named import photos_by_name
from facewright.data.sources.narrow import narrowed
from facewright.data.sources.parquet import parquet, parquet_files
from facewright.data.sources.source import Files, Source
from facewright.data.sources.stacked import PREFIX as STACKED
from facewright.data.sources.stacked import stacked
from facewright.data.sources.synthetic import NAME as SYNTHETIC
from facewright.data.sources.synthetic import synthetic
from facewright.errors import DataError, nearest

MADE = 5000
"""Drawings or stacks, unless a count is given."""


def find_source(
    text: str,
    *,
    size: tuple[int, int],
    count: int | None = None,
    seed: int = 0,
    labels: Sequence[Path] = (),
    name_column: str = "",
    only: Sequence[str] = (),
    listener: Listener = NOBODY,
) -> Source:
    """The source that a command line names.

    A file or folder of that name comes first, then `drawn`, `facewright-faces` and the named
    downloads, then OWNER/NAME on the Hugging Face hub. `stacked:` before a source of gray
    images makes Stacked-MNIST of it.

    Args:
        text: what the user wrote.
        size: (height, width) of the store; drawings are made at this size.
        count: how many drawings or stacks, `MADE` if not given; of other sources, how many
            photos at most, drawn by chance.
        seed: of drawings, stacks and chance.
        labels: tables whose columns are added.
        name_column: of these tables, the column that names the photos.
        only: patterns for the paths of the photos that are meant; all if there are none.
        listener: hears of downloads.

    Raises:
        DataError: nothing of that name, or nothing that can be read.
        MissingExtraError: it needs an extra.
    """
    source = _find(text, size, MADE if count is None else count, seed, listener)
    source = narrowed(source, only)
    if labels and len(source.names):  # `prepare` says that there are no photos
        table, notes = read_label_files(labels, source.names, source.place, name_column)
        source = source.labelled(table, notes)
    elif unread := [name for name in source.names if name.lower().endswith(TABLES)]:
        note = f"not read: {', '.join(unread[:3])}; if these are labels, name them by --labels"
        source = replace(source, notes=(*source.notes, note))
    return source if count is None else _some_of(source, count, seed)


def _some_of(source: Source, count: int, seed: int) -> Source:
    there = len(source.names)
    if count >= there:
        return source
    chosen = np.sort(np.random.default_rng(seed).permutation(there)[:count])
    note = f"{count:,} of {there:,} photos, drawn by chance (seed {seed})"
    return replace(source.rows(chosen), notes=(*source.notes, note))


def _find(text: str, size: tuple[int, int], count: int, seed: int, listener: Listener) -> Source:
    path = Path(text).expanduser()
    if path.exists():
        return _local(path)
    if text.startswith(STACKED):
        gray = _find(text.removeprefix(STACKED), size, count, seed, listener)
        return stacked(gray, count, seed=seed)
    if text == "drawn":
        return drawn(count, size=size, seed=seed)
    if text == SYNTHETIC:
        return synthetic()
    if text in DATASETS:
        return _local(fetch(text, listener))
    if is_hub_name(text) and not path.parent.exists():  # else it is a misspelt path
        return hub(text)
    named = nearest(text, ("drawn", SYNTHETIC, *DATASETS))
    raise DataError(
        f"{text} does not exist",
        expected=f"a folder, a file, OWNER/NAME on the hub, or a name: {named}",
    )


def _local(path: Path) -> Source:
    path = path.resolve()  # so that "." has a name, and what lies beside it can be found
    if images := idx_images(path):
        return idx(path, images)
    if path.is_dir():
        return _in_folder(list_folder(path))
    if zipfile.is_zipfile(path):
        return _photos(list_zip(path))
    if tables := parquet_files(path):
        return parquet(path, tables)
    raise DataError(
        f"{path.name} is a single file of a kind that holds no photos",
        expected="a folder or zip of photos, IDX or parquet files",
        fix="name the folder that the photos lie in",
    )


def _in_folder(files: Files) -> Source:
    tables = [files.root / name for name in files.names if name.endswith(".parquet")]
    # Beside photos a table is a description of them, as in the hub's own folders of images.
    if tables and not any(name.lower().endswith(PHOTO_SUFFIXES) for name in files.names):
        return parquet(files.root, tables)
    if archive := celeba_archive(files):
        return celeba(list_zip(files.root / archive), around=files)
    return _photos(files)


def _photos(files: Files) -> Source:
    return celeba(files) if is_celeba(files) else photos_by_name(files)
