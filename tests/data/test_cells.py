"""Cells as 0 or 1, numbers, or classes."""

import numpy as np
import pytest

from facewright.data.cells import FEW_NUMBERS, label_of_cells, label_of_numbers, same_cell


def read(cells, delimiter=","):
    label, notes = label_of_cells("x", cells, delimiter=delimiter)
    assert label is not None
    (column,) = label.columns
    return column, [None if np.isnan(v) else float(v) for v in label.values[:, 0]], notes


MANY = [str(20 + i) for i in range(FEW_NUMBERS + 1)]
NUMBERS = [20.0 + i for i in range(FEW_NUMBERS + 1)]


@pytest.mark.parametrize("word", ["NA", "nan", "N/A", "null", "", "?", "-", "#N/A"])
def test_words_for_nothing_are_unknown_whatever_else_there_is(word):
    for others, kind in ((["0", "1", "1"], "binary"), (["3", "4.5"], "number"), (["a"], "class")):
        column, values, notes = read([word, *others])
        assert (column.kind, values[0], notes) == (kind, None, ())
        assert None not in values[1:]
        assert word not in column.classes


@pytest.mark.parametrize(
    "word", ["unknown", "n.n.", "inf", "-Infinity", "1e999", "12 years", "1_0"]
)
def test_a_few_cells_that_are_no_number_do_not_make_classes_of_many_numbers(word):
    column, values, notes = read([word, *MANY, word])
    assert column.kind == "number"
    assert values == [None, *NUMBERS, None]
    assert notes == (f"x: 2 cells are no numbers, such as '{word}'",)


def test_few_numbers_or_mostly_words_are_classes():
    assert read(["1", "2", "other", "2"])[0].classes == ("1", "2", "other")
    words = [f"{i} Elm Street" for i in range(3)] * len(MANY)
    assert read([*MANY, *words])[0].kind == "class"


@pytest.mark.parametrize("cells", [["-1", "1"], ["-1", "-1"], ["0", "1"], ["1.0", "0.0"]])
def test_minus_one_or_zero_beside_one_is_binary(cells):
    column, values, _ = read(cells)
    assert column.kind == "binary"
    assert values == [max(0.0, float(cell)) for cell in cells]


@pytest.mark.parametrize(
    ("cells", "delimiter", "values", "word"),
    [
        (["20,5", "7", "1,234"], ";", [20.5, 7.0, 1.234], "decimal"),
        (["20,5", "7", "-,25"], ",", [20.5, 7.0, -0.25], "decimal"),
        (["1,234", "7"], ";", [1.234, 7.0], "decimal"),
        (["1,234", "7", "12,345.5"], ",", [1234.0, 7.0, 12345.5], "thousands"),
        (["1,234,567", "7"], ";", [1234567.0, 7.0], "thousands"),
    ],
)
def test_a_comma_in_a_number_is_what_the_column_and_the_delimiter_make_it(
    cells, delimiter, values, word
):
    column, found, notes = read(cells, delimiter)
    assert column.kind == "number"
    assert found == pytest.approx(values)
    assert len(notes) == 1
    assert word in notes[0]


def test_words_with_commas_stay_words():
    assert read(["big, round", "small"])[0].classes == ("big, round", "small")


def test_what_tells_nothing_of_groups_of_photos_is_left_out_and_said():
    for cells, why in ((["", "NA"], "no values"), ([f"face {i}" for i in range(20)], "of its own")):
        label, notes = label_of_cells("caption", cells)
        assert label is None
        assert len(notes) == 1
        assert notes[0].startswith("column caption is left out")
        assert why in notes[0]


def test_a_handful_of_photos_may_have_a_class_each():
    assert read([*"abcde"])[0].classes == tuple("abcde")
    assert label_of_cells("x", [*"abcdef"])[0] is None
    assert read([*"abcdef", *"abcdef"])[0].classes == tuple("abcdef")


def test_numbers_keep_what_is_unknown():
    label = label_of_numbers("x", [None, 3, True])
    np.testing.assert_array_equal(label.values, [[np.nan], [3], [1]])


def test_cells_are_compared_as_numbers_where_they_are():
    assert same_cell("1", "1.0")
    assert same_cell("a", "a")
    assert not same_cell("1", "2")
    assert not same_cell("a", "b")
