"""Which column of a table names the photos: the one whose cells do."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from facewright.data.label_file import Table
from facewright.data.photo_names import Form, Meant, PhotoNames, is_file_name
from facewright.errors import DataError

TITLES = ("file", "filename", "file_name", "file_path", "filepath", "image", "image_id",
          "image_path", "img", "path", "photo", "name", "id", "index", "")  # fmt: skip
"""Of columns that name photos, in lower case; pandas' index has none."""

_SAYS_SO = re.compile(
    r"|\d+|.*(file|image|img|photo|pic|path|name|index|number|id)|(.*[^a-z])?(idx|nr|no|key)", re.I
)
"""Titles of columns that may name photos by numbers alone; in a file without titles, any of it."""


@dataclass(frozen=True)
class NameColumn:
    """How the cells of one column name photos.

    Args:
        place: of the column.
        title: of the column; empty if it has none.
        cells: of all rows but the first.
        meant: cell -> photo.
    """

    place: int
    title: str
    cells: Sequence[str]
    meant: Mapping[str, Meant]

    @cached_property
    def count(self) -> int:
        """How many photos it names."""
        return len({meant.photo for meant in self.meant.values()})

    @cached_property
    def form(self) -> Form | None:
        """How most of its cells do that."""
        forms: Counter[Form] = Counter(meant.form for meant in self.meant.values())
        return forms.most_common(1)[0][0] if forms else None

    @property
    def words(self) -> str:
        """What it is called in messages."""
        return self.title or f"column {self.place + 1}"

    @property
    def may_number(self) -> bool:
        """Could its numbers be names? Each stands once, and the title speaks for it."""
        filled = [cell for cell in self.cells if cell]
        unique = len(set(filled)) > 0.9 * len(filled)
        return unique and _SAYS_SO.fullmatch(self.title) is not None

    @property
    def is_running(self) -> bool:
        """Does it count the rows, as pandas' index does?"""
        numbers = [int(cell) for cell in self.cells if cell.isdecimal() and len(cell) < 20]
        return {later - one for one, later in pairwise(numbers)} == {1}

    @property
    def holds_files(self) -> bool:
        """Are most of its cells names of files, be they here or not?"""
        return 2 * sum(map(is_file_name, self.cells)) > len(self.cells)

    def differs(self, other: "NameColumn") -> bool:
        """Is there a row in which the two mean different photos?"""
        pairs = zip(self.cells, other.cells, strict=True)
        both = ((self.meant.get(mine), other.meant.get(theirs)) for mine, theirs in pairs)
        return any(one and two and one.photo != two.photo for one, two in both)


def name_column(table: Table, photos: PhotoNames, title: str = "") -> NameColumn:
    """The column of a table that names the photos.

    Names of files come before names without a suffix, and numbers are names only where no column
    has any other: a running number would fit 0.png, 1.png whatever its row says.

    Args:
        table: with the photos' names in one column.
        photos: that it may speak of.
        title: of the column, if somebody said it and the table has it.

    Raises:
        DataError: no column names any of the photos, or two name different ones.
    """
    columns = [_column(table, place, photos) for place in range(len(table.rows[0]))]
    if title in table.rows[0] and title:
        columns = [column for column in columns if column.title == title][:1]
    files, stems, numbers = (
        sorted((c for c in columns if c.form == form), key=lambda c: -c.count)
        for form in ("file", "stem", "number")
    )
    if stems and (not files or stems[0].count > 2 * files[0].count):
        files = stems
    if not files and (title or not any(column.holds_files for column in columns)):
        files = [column for column in numbers if column.may_number or title]
        files = [column for column in files if not column.is_running] or files
    if not files:
        raise describes_none(table, columns, photos)
    best, *others = files
    for rival in others:
        if 2 * rival.count >= best.count and best.differs(rival):
            raise DataError(
                f"{table.name}: {best.words} and {rival.words} name different photos",
                expected="one column that says which photo a line is about",
                fix=" or ".join(f"--name-column {one.title}" for one in (best, rival) if one.title)
                or "a line of titles in that file, and --name-column TITLE",
            )
    return best


def _column(table: Table, place: int, photos: PhotoNames) -> NameColumn:
    cells = [row[place] for row in table.rows]
    found = ((cell, photos.meant(cell)) for cell in dict.fromkeys(cells) if cell)
    meant = {cell: one for cell, one in found if one is not None}
    return NameColumn(place, cells[0], cells[1:], meant)


def describes_none(table: Table, columns: Sequence[NameColumn], photos: PhotoNames) -> DataError:
    """The refusal of a table that names no photo, or only by names of several."""
    likely = next((c for c in columns if c.holds_files), columns[0])
    said = f", but {likely.cells[0][:60]}" if likely.cells else ""
    return DataError(
        f"{table.name} describes none of the {len(photos):,} photos",
        expected=f"names such as {photos.example} in one of its columns{said}",
        fix="name the folder that these photos lie in; or --name-column TITLE, if numbers do",
    )
