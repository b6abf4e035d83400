"""Which source does the user mean?"""

import difflib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from facewright.data.download import NOBODY, Listener, fetch
from facewright.data.foreign import HEIC, kind_of_content, remedy
from facewright.data.label_file import TABLES
from facewright.data.label_join import read_label_files
from facewright.data.photo_names import PHOTO_SUFFIXES
from facewright.data.remotes import DATASETS
from facewright.data.sources.archive import list_zip, open_archive
from facewright.data.sources.arrays import npy_file, npz_file
from facewright.data.sources.celeba import celeba, celeba_archive, is_celeba
from facewright.data.sources.drawn import drawn
from facewright.data.sources.folder import list_folder
from facewright.data.sources.hub import PREFIX as HUB
from facewright.data.sources.hub import hub, is_hub_name
from facewright.data.sources.idx import idx, idx_images
from facewright.data.sources.joined import archives_in, joined
from facewright.data.sources.named import photos_by_name
from facewright.data.sources.narrow import narrowed
from facewright.data.sources.parquet import parquet, parquet_files
from facewright.data.sources.sidecars import sidecars, stylegan
from facewright.data.sources.source import EXPECTED, NAME_THE_FOLDER, Files, Source
from facewright.data.sources.stacked import PREFIX as STACKED
from facewright.data.sources.stacked import stacked
from facewright.data.sources.synthetic import NAME as SYNTHETIC
from facewright.data.sources.synthetic import synthetic
from facewright.data.sources.table_file import SUFFIXES as TABLE_SUFFIXES
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
    downloads. `hub:` before OWNER/NAME asks the Hugging Face hub, which nothing else does;
    `stacked:` before a source of gray images makes Stacked-MNIST of it.

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
    rows = np.sort(np.random.default_rng(seed).permutation(there)[:count])
    note = f"{count:,} of {there:,} photos, drawn by chance (seed {seed})"
    return replace(source.rows(rows), notes=(*source.notes, note))


def _find(text: str, size: tuple[int, int], count: int, seed: int, listener: Listener) -> Source:
    path = Path(text).expanduser()
    if os.path.exists(path):  # of names too long for any file, Path's own way raises
        return local_source(path)
    if text.startswith(STACKED):
        gray = _find(text.removeprefix(STACKED), size, count, seed, listener)
        return stacked(gray, count, seed=seed)
    if text == "drawn":
        return drawn(count, size=size, seed=seed)
    if text == SYNTHETIC:
        return synthetic()
    if text in DATASETS:
        return local_source(fetch(text, listener))
    if text.startswith(HUB):
        return hub(text.removeprefix(HUB))
    raise _nothing_there(text, path)


def _nothing_there(text: str, path: Path) -> DataError:
    """The path is misspelt, or means a data set of the hub."""
    close = difflib.get_close_matches(path.name, _listed(path.parent), n=1)
    ways = [str(path.with_name(close[0]))] if close else []
    if is_hub_name(text):
        ways.append(f"{HUB}{text} for the data set of that name on the hub")
    named = nearest(text, ("drawn", SYNTHETIC, *DATASETS))
    return DataError(
        f"{text} does not exist",
        expected=f"a folder, a file, {HUB}OWNER/NAME on the Hugging Face hub, or a name: {named}",
        fix=", or ".join(ways) or "facewright-faces, the faces that come with Facewright",
    )


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def local_source(path: Path) -> Source:
    """The photos of a folder or a file that is there.

    Raises:
        DataError: it holds no photos, or is damaged.
        MissingExtraError: it needs an extra.
    """
    path = path.resolve()  # so that "." has a name, and what lies beside it can be found
    if not path.is_dir() and not path.is_file():
        raise DataError(  # a pipe or a device could make us wait for ever
            f"{path} is neither a file nor a folder", expected=EXPECTED, fix=NAME_THE_FOLDER
        )
    if not os.access(path, os.R_OK):
        raise DataError(
            f"{path} may not be read", expected="leave to read it", fix=f"chmod u+r '{path}'"
        )
    if images := idx_images(path):
        return idx(path, images)
    if path.is_dir():
        return _in_folder(list_folder(path))
    if source := npy_file(path):
        return source
    if files := open_archive(path):
        return npz_file(files) or _photos(files)
    if tables := parquet_files(path):
        return parquet(path, tables)
    with path.open("rb") as file:
        kind = kind_of_content(file.read(16))
    raise DataError(
        f"{path.name} is a single file of a kind that holds no photos: {kind}",
        expected=EXPECTED,
        fix=(kind != HEIC and remedy([kind])) or NAME_THE_FOLDER,
    )


def _in_folder(files: Files) -> Source:
    if archive := celeba_archive(files):
        return celeba(list_zip(files.root / archive), around=files)
    # Beside photos a table is a description of them, as in the hub's own folders of images, and
    # an archive likely holds them once more.
    if any(name.lower().endswith(PHOTO_SUFFIXES) for name in files.names):
        return _photos(files)
    if archives := archives_in(files):
        return _alone(_photos(joined(files.root, archives)), len(files.names) - len(archives))
    if tables := [files.root / name for name in files.names if name.endswith(TABLE_SUFFIXES)]:
        return parquet(files.root, tables)
    arrays = [name for name in files.names if name.endswith((".npy", ".npz"))]
    if len(arrays) > 1:
        raise DataError(
            f"{files.root.name} holds {len(arrays)} arrays",
            expected=EXPECTED,
            fix=f"{files.root / arrays[0]}, or another one of them",
        )
    if arrays:
        return _alone(local_source(files.root / arrays[0]), len(files.names) - 1)
    return _photos(files)


def _alone(source: Source, others: int) -> Source:
    """The source, with a word on the files that lie beside what it was made of."""
    note = f"{others:,} files beside the archives or the array were not looked at"
    return replace(source, notes=(*source.notes, note)) if others else source


def _photos(files: Files) -> Source:
    if is_celeba(files):
        return celeba(files)
    if source := stylegan(files):
        return source
    photos, labels, notes = sidecars(files)
    source = photos_by_name(photos)
    rows = {name: row for row, name in enumerate(photos.names)}
    beside = labels.values[[rows[name] for name in source.names]]  # it may leave files out
    labels = source.labels.beside(replace(labels, values=beside))
    return replace(source, labels=labels, notes=(*source.notes, *notes))
