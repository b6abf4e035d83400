"""Labels from tables: what all of them say of each photo."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facewright.data.cells import label_of_cells, same_cell
from facewright.data.label_file import Table, read_label_table
from facewright.data.labels import Labels
from facewright.data.name_column import TITLES, NameColumn, describes_none, name_column
from facewright.data.photo import Unusable
from facewright.data.photo_names import PhotoNames, is_file_name
from facewright.data.sources.folder import FolderReader
from facewright.errors import DataError, nearest


@dataclass(frozen=True)
class Described:
    """What one table says of the photos.

    Args:
        table: its name.
        delimiter: between its cells.
        cells: by title, one for each photo; None where the table says nothing.
        notes: what a reader should know of it.
    """

    table: str
    delimiter: str
    cells: dict[str, list[str | None]]
    notes: tuple[str, ...]


def read_label_files(
    paths: Sequence[Path], names: Sequence[str], place: str, title: str = ""
) -> tuple[Labels, tuple[str, ...]]:
    """The labels in some tables, each with one row for each photo.

    One column of a table names the photos: the one whose cells do. They may be paths, ends of
    paths, or names, with the suffix or without, as long as they fit one photo only.

    Args:
        paths: of the files; see `label_file.read_label_table`.
        names: of the photos.
        place: name of the folder that they lie in.
        title: of the column that names the photos, where several could.

    Returns:
        The labels, and what a reader should know of them, in words.

    Raises:
        DataError: a file cannot be read, describes none of the photos, or contradicts itself or
            another; or no file has such a column.
    """
    photos = PhotoNames(names, place)
    tables = [read_label_table(path.name, _content(path)) for path in paths]
    titles = {cell for table in tables for cell in table.rows[0] if cell}
    if title and title not in titles:
        raise DataError(
            f"--name-column {title}",
            expected=nearest(title, titles),
            fix="the title of a column of the label file",
        )
    return labels_of([described(table, photos, title) for table in tables], names)


def _content(path: Path) -> bytes:
    fault = "" if path.is_file() else "is no file" if path.exists() else "does not exist"
    content = b""
    try:
        content = b"" if fault else FolderReader(str(path.parent))(path.name)
    except Unusable as unusable:
        fault = f"cannot be read: {unusable.reason}"
    if fault:
        raise DataError(f"{path} {fault}", expected="a CSV file", fix="--labels with its path")
    return content


def described(table: Table, photos: PhotoNames, title: str = "") -> Described:
    """Each photo's cells in a table.

    Args:
        table: with the photos' names in one column.
        photos: that it may speak of.
        title: of the column that names them, if somebody said it.

    Raises:
        DataError: it describes none of them, or two columns name different photos.
    """
    key = name_column(table, photos, title)
    first = table.rows[0][key.place]
    headless = not (table.titled or first.lower() in TITLES) and (
        first in key.meant or is_file_name(first) or first.isdecimal()
    )
    rows = table.rows if headless else table.rows[1:]
    titles = _titles(table, headless)
    chosen = _rows_of_photos(key, rows)
    if not chosen:
        raise describes_none(table, [key], photos)
    cells: dict[str, list[str | None]] = {
        one: [None] * len(photos.names) for place, one in titles.items() if place != key.place
    }
    for photo, row in chosen.items():
        for place, one in titles.items():
            if place != key.place:
                cells[one][photo] = row[place] or None
    if headless:
        key = replace(key, title="")
    notes = (*table.notes, *_on_names(table, key, chosen))
    if headless:
        notes += (f"{table.name} has no line of titles: its labels are {', '.join(cells)}",)
    if untitled := len(table.rows[0]) - len({*titles, key.place}):
        notes += (f"columns without a title in {table.name}, left out: {untitled}",)
    lines = len(rows) + table.left_out
    notes += _misfits(table.name, lines, len(chosen), len(photos))
    return Described(table.name, table.delimiter, cells, notes)


def labels_of(tables: Sequence[Described], names: Sequence[str]) -> tuple[Labels, tuple[str, ...]]:
    """All labels of some tables, which may describe the same photos or different ones.

    Raises:
        DataError: two say different things of one photo.
    """
    said: dict[str, list[str | None]] = {}
    origin: dict[str, Described] = {}
    notes = [note for table in tables for note in table.notes]
    for table in tables:
        for title, cells in table.cells.items():
            if title in said:
                cells = _merged(title, said[title], cells, (origin[title], table), names)
            said[title], origin[title] = cells, table
    labels = Labels.none(len(names))
    for title, cells in said.items():
        label, more = label_of_cells(title, cells, delimiter=origin[title].delimiter)
        notes += more
        labels = labels.beside(label) if label else labels
    return labels, tuple(notes)


def _merged(
    title: str,
    mine: Sequence[str | None],
    theirs: Sequence[str | None],
    tables: tuple[Described, Described],
    names: Sequence[str],
) -> list[str | None]:
    """One column of two tables as one."""
    differ = [
        i
        for i, (one, other) in enumerate(zip(mine, theirs, strict=True))
        if one is not None and other is not None and not same_cell(one, other)
    ]
    if differ:
        one, other = (table.table for table in tables)
        i = differ[0]
        raise DataError(
            f"{one} and {other} differ in {title} of {len(differ):,} photos: {names[i]} has "
            f"'{mine[i]}' and '{theirs[i]}'",
            expected="files that agree, or titles of their own",
            fix=f"leave one of them out, or rename {title} in it",
        )
    return [other if one is None else one for one, other in zip(mine, theirs, strict=True)]


def _titles(table: Table, headless: bool) -> dict[int, str]:
    """Title by place of the columns that have one."""
    if headless:
        return {place: f"column_{place + 1}" for place in range(len(table.rows[0]))}
    titles = {place: title for place, title in enumerate(table.rows[0]) if title}
    for title in titles.values():
        if list(titles.values()).count(title) > 1:
            raise DataError(
                f"{table.name} has two columns called {title}",
                expected="a title of its own for each column",
                fix="rename or remove one of them in that file",
            )
    return titles


def _rows_of_photos(key: NameColumn, rows: Sequence[list[str]]) -> dict[int, list[str]]:
    """The row that names each photo best, the last of several; none where two folders vie."""
    best: dict[int, tuple[int, list[str]]] = {}
    contested: set[int] = set()
    for row in rows:
        meant = key.meant.get(row[key.place])
        if meant is None:
            continue
        parts, other = best.get(meant.photo, (0, row))
        if meant.parts < parts:
            continue
        if meant.parts > parts:
            contested.discard(meant.photo)
        elif meant.elsewhere and row[key.place] != other[key.place]:
            contested.add(meant.photo)
        best[meant.photo] = meant.parts, row
    return {photo: row for photo, (_, row) in best.items() if photo not in contested}


def _on_names(table: Table, key: NameColumn, chosen: dict[int, list[str]]) -> tuple[str, ...]:
    """How this table names photos, and what of it was guessed."""
    notes = [f"{table.name}: photos are named by {key.words}"]
    if key.form == "number":
        notes[0] += ", by numbers alone; is it no running number?"
    cells = [row[key.place] for row in chosen.values()]
    elsewhere = [cell for cell in cells if key.meant[cell].elsewhere]
    if elsewhere:
        notes.append(
            f"{len(elsewhere):,} of {table.name}'s paths lead through other folders, such as "
            f"{elsewhere[0][-80:]}: only their last parts were compared"
        )
    return tuple(notes)


def _misfits(name: str, lines: int, described: int, photos: int) -> tuple[str, ...]:
    notes = []
    if described < photos:
        few = f"{described:,} of {photos:,} photos"
        notes.append(f"{name} describes {few}, the others' labels are unknown")
    if described < lines:
        notes.append(
            f"{lines - described:,} of {name}'s {lines:,} lines are left out: each names no photo, "
            "several, or one that a later line names, or has too few or too many cells"
        )
    return tuple(notes)
