"""Labels from the user's own tables."""

from pathlib import Path

import pytest

from facewright.data.sources.find import find_source
from facewright.data.sources.source import Source
from facewright.errors import DataError
from tests.data.drawings import encoded, picture, write_pictures
from tests.data.test_sources import column, kinds


def found(path: Path, *labels: Path, **options) -> Source:
    return find_source(str(path), size=(28, 28), labels=labels, **options)


def write_csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8-sig")
    return path


@pytest.fixture
def two(tmp_path) -> Path:
    return write_pictures(tmp_path / "photos", 2)


def test_a_label_file_is_joined_by_path_name_or_stem(tmp_path):
    write_pictures(tmp_path / "photos" / "a", 2)
    (tmp_path / "photos" / "b").mkdir()
    (tmp_path / "photos" / "b" / "zoe.png").write_bytes(encoded(picture(9)))
    (tmp_path / "photos" / "b" / "000.png").write_bytes(encoded(picture(8)))
    table = write_csv(
        tmp_path / "labels.csv",
        "age;file;smile;mood\n"
        "31;a/000.png;1;calm\n"  # 000.png alone would be ambiguous
        "32;001.png;0;\n"
        "33;zoe;;wild\n"
        "99;000;1;calm\n"
        "99;nobody.png;1;calm\n",
    )
    source = found(tmp_path / "photos", table)
    assert list(source.names) == ["a/000.png", "a/001.png", "b/000.png", "b/zoe.png"]
    assert column(source, "age") == [31, 32, None, 33]
    assert column(source, "smile") == [1, 0, None, None]
    assert column(source, "mood") == [0, None, None, 1]
    assert kinds(source) == {"folder": "class", "age": "number", "smile": "binary", "mood": "class"}
    assert source.notes == (
        "labels.csv: photos are named by file",
        "labels.csv describes 3 of 4 photos, the others' labels are unknown",
        "2 of labels.csv's 5 lines are left out: each names no photo, several, or one that a "
        "later line names, or has too few or too many cells",
    )


@pytest.mark.parametrize(
    ("lines", "described", "left_out"),
    [
        ("001.png,5", 2, 0),
        ("002.png,5", 1, 1),
        ("000.png,5", 1, 1),
        ("001.png,5,6", 1, 1),
        ("001.png,5\n002.png,5", 2, 1),
    ],
)
def test_what_does_not_fit_is_counted(two, tmp_path, lines, described, left_out):
    table = write_csv(tmp_path / "l.csv", f"file,age\n000.png,3\n{lines}\n")
    source = found(two, table)
    _, *notes = source.notes
    assert column(source, "age")[0] == (5 if lines.startswith("000") else 3)
    counts = [note.split(" of ")[0] for note in notes]
    assert counts == [f"l.csv describes {described}"] * (described < 2) + ["1"] * left_out


def test_names_by_numbers_alone_are_said(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    for i in range(3):
        (root / f"{i}.png").write_bytes(encoded(picture(i)))
    source = found(
        root, write_csv(tmp_path / "l.csv", "id,male\n2,1\n0,0\n1,-1\n".replace("-1", "1"))
    )
    assert column(source, "male") == [0, 1, 1]
    (note,) = source.notes
    assert note == "l.csv: photos are named by id, by numbers alone; is it no running number?"


def test_a_file_without_titles_loses_no_line(two, tmp_path):
    source = found(two, write_csv(tmp_path / "l.csv", "000.png,0,31\n001.png,1,32\n"))
    assert column(source, "column_2") == [0, 1]
    assert column(source, "column_3") == [31, 32]
    assert "l.csv has no line of titles: its labels are column_2, column_3" in source.notes


def test_columns_without_a_title_are_left_out_and_said(two, tmp_path):
    table = write_csv(tmp_path / "l.csv", ",file,age,\n0,001.png,5,\n1,000.png,6,\n")
    source = found(two, table)
    assert kinds(source) == {"age": "number"}
    assert column(source, "age") == [6, 5]
    assert "columns without a title in l.csv, left out: 2" in source.notes


def test_paths_through_other_folders_are_joined_by_their_ends_and_said(two, tmp_path):
    table = write_csv(tmp_path / "l.csv", "path,age\nimages/000.png,5\nD:\\images\\001.png,6\n")
    source = found(two, table)
    assert column(source, "age") == [5, 6]
    assert "2 of l.csv's paths lead through other folders" in source.notes[1]


def test_of_two_folders_with_the_same_names_the_right_one_counts(two, tmp_path):
    text = "path,age\nphotos/000.png,5\nother/000.png,6\nother/001.png,7\nthird/001.png,8\n"
    source = found(two, write_csv(tmp_path / "l.csv", text))
    assert column(source, "age") == [5, None]


def test_several_label_files_are_put_together(two, tmp_path):
    one = write_csv(tmp_path / "one.csv", "file,age,mood\n000.png,5,b\n001.png,,\n")
    other = write_csv(tmp_path / "two.csv", "file,mood,age,male\n001.png,a,6,1\n000.png,b,5.0,0\n")
    for tables in ((one, other), (other, one)):
        source = found(two, *tables)
        assert column(source, "age") == [5, 6]
        assert column(source, "mood") == [1, 0]
        assert column(source, "male") == [0, 1]


def test_label_files_that_contradict_each_other_are_refused(two, tmp_path):
    one = write_csv(tmp_path / "one.csv", "file,age\n000.png,5\n001.png,6\n")
    other = write_csv(tmp_path / "two.csv", "file,age\n000.png,5\n001.png,7\n")
    with pytest.raises(
        DataError, match=r"differ in age of 1 photos: 001\.png has '6' and '7'"
    ) as no:
        found(two, one, other)
    assert no.value.fix


def test_the_users_column_replaces_one_of_the_same_name_and_that_is_said(tmp_path):
    write_pictures(tmp_path / "photos" / "x", 1)
    write_pictures(tmp_path / "photos" / "y", 1)
    source = found(tmp_path / "photos", write_csv(tmp_path / "l.csv", "name,folder\nx/000,7\n"))
    assert column(source, "folder") == [7, None]
    assert "folder: as in the label file, not as in photos" in source.notes


def test_the_column_of_names_may_be_said(two, tmp_path):
    table = write_csv(tmp_path / "l.csv", "a,b,age\n000.png,001.png,5\n001.png,000.png,6\n")
    assert column(found(two, table, name_column="a"), "age") == [5, 6]
    assert column(found(two, table, name_column="b"), "age") == [6, 5]
    with pytest.raises(DataError, match="--name-column c"):
        found(two, table, name_column="c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,age\nother.png,3\n", "describes none of the 2 photos"),
        ("file,age\na/000.png,3\nb/000.png,4\n", "describes none of the 2 photos"),
        ("file,age,age\n000.png,3,4\n", "two columns called age"),
        ("file\n000.png\n", "is no table"),
        ("", "is no table"),
        (None, "does not exist"),
    ],
)
def test_a_label_file_that_does_not_fit_is_refused_in_three_parts(two, tmp_path, text, message):
    if text is not None:
        write_csv(tmp_path / "l.csv", text)
    with pytest.raises(DataError, match=message) as refused:
        found(two, tmp_path / "l.csv")
    assert refused.value.expected
    assert refused.value.fix


def test_a_folder_is_no_label_file(two, tmp_path):
    with pytest.raises(DataError, match="is no file"):
        found(two, tmp_path)


def test_a_table_among_the_photos_is_mentioned_unless_label_files_are_given(two, tmp_path):
    table = write_csv(two / "ages.csv", "file,age\n000.png,3\n001.png,4\n")
    assert found(two).notes == ("not read: ages.csv; if these are labels, name them by --labels",)
    assert found(two, table).notes == ("ages.csv: photos are named by file",)
