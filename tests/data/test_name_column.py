"""Which column names the photos."""

import random

import pytest

from facewright.data.label_file import read_label_table
from facewright.data.name_column import name_column
from facewright.data.photo_names import PhotoNames
from facewright.errors import DataError

COUNT = 20
NUMBERED = PhotoNames([f"{i}.png" for i in range(COUNT)], "ph")
SHUFFLED = random.Random(0).sample(range(COUNT), COUNT)


def table(titles: str, *columns):
    lines = [titles, *(",".join(map(str, cells)) for cells in zip(*columns, strict=True))]
    return read_label_table("t.csv", "\n".join(lines).encode())


def files(numbers, suffix=".png"):
    return [f"{i}{suffix}" for i in numbers]


@pytest.mark.parametrize(
    ("titles", "columns", "chosen"),
    [
        # A running number fits as many photos as the names do, and the wrong ones.
        (",image_path,age", (range(COUNT), files(SHUFFLED), range(COUNT)), "image_path"),
        ("id,portrait,age", (range(1, COUNT + 1), files(SHUFFLED), range(COUNT)), "portrait"),
        ("age,x", (range(COUNT), files(SHUFFLED[:10] * 2)), "x"),
        (",id,age", (range(COUNT), SHUFFLED, [1, 2] * 10), "id"),
        ("id,age", (range(COUNT), range(COUNT)), "id"),
        ("x,Photo ID", ([1, 2] * 10, SHUFFLED), "Photo ID"),
        ("7,1", (SHUFFLED, [1, 2] * 10), "7"),
        ("Smiling,file", ([0, 1] * 10, files(SHUFFLED)), "file"),
        # Two columns that mean the same photos are no question.
        ("path,name", ([f"/x/ph/{i}.png" for i in range(COUNT)], files(range(COUNT))), "path"),
        # A few chance hits are none either.
        ("file,twin", (files(SHUFFLED), files([3, *range(100, 119)])), "file"),
    ],
)
def test_the_column_is_chosen_by_what_its_cells_say(titles, columns, chosen):
    assert name_column(table(titles, *columns), NUMBERED).title == chosen


def test_two_columns_that_name_different_photos_are_a_question_with_an_answer():
    asked = table("file,twin", files(range(COUNT)), files(SHUFFLED))
    with pytest.raises(DataError, match="file and twin name different photos") as refused:
        name_column(asked, NUMBERED)
    assert refused.value.fix == "--name-column file or --name-column twin"
    assert name_column(asked, NUMBERED, "twin").title == "twin"


def test_numbers_are_no_names_where_a_column_holds_files_that_are_not_here():
    """A table of other photos would otherwise be joined by its row numbers."""
    other = table(",file", range(COUNT), [f"IMG_{i}.jpg" for i in range(COUNT)])
    with pytest.raises(DataError, match="describes none of the 20 photos") as refused:
        name_column(other, NUMBERED)
    assert "IMG_0.jpg" in refused.value.expected


def test_numbers_that_stand_several_times_or_anywhere_are_no_names():
    for titles, columns in (
        ("id,x", ([1, 2] * 10, [3] * 20)),
        ("a,b", ([1, 2] * 10, range(20))),
        ("age,x", (SHUFFLED, [1, 2] * 10)),
    ):
        with pytest.raises(DataError, match="describes none"):
            name_column(table(titles, *columns), NUMBERED)
    assert name_column(table("a,b", [1, 2] * 10, range(20)), NUMBERED, "b").title == "b"


def test_names_with_a_suffix_come_before_others_unless_they_are_chance_hits():
    photos = PhotoNames([f"p{i}.png" for i in range(COUNT)], "ph")
    names, stems = [f"p{i}.png" for i in range(COUNT)], [f"p{i}" for i in SHUFFLED]
    assert name_column(table("file,old", names, stems), photos).title == "file"
    strange = ["p3.png", *(f"q{i}.png" for i in range(1, COUNT))]
    assert name_column(table("file,old", strange, stems), photos).title == "old"
