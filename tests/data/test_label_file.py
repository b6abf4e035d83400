"""Tables of any make."""

import codecs
import json

import pytest

from facewright.data.label_file import read_label_table
from facewright.errors import DataError

ROWS = [["file", "mood"], ["a.png", "süß"], ["b.png", "x"]]


def written(delimiter=",", newline="\n") -> str:
    return "".join(delimiter.join(row) + newline for row in ROWS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ", "   ", " , "])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_ends_of_lines_are_recognised(delimiter, newline):
    assert read_label_table("t.csv", written(delimiter, newline).encode()).rows == ROWS


@pytest.mark.parametrize(
    ("bom", "codec", "said"),
    [
        (b"", "utf-8", ""),
        (codecs.BOM_UTF8, "utf-8", ""),
        (codecs.BOM_UTF16_LE, "utf-16-le", ""),
        (codecs.BOM_UTF16_BE, "utf-16-be", ""),
        (codecs.BOM_UTF32_LE, "utf-32-le", ""),
        (b"", "utf-16-le", ""),
        (b"", "utf-16-be", ""),
        (b"", "latin-1", "t.csv is no UTF-8, read as Windows-1252"),
    ],
)
def test_encodings_are_recognised_and_a_guess_is_said(bom, codec, said):
    table = read_label_table("t.csv", bom + written().encode(codec))
    assert table.rows == ROWS
    assert table.notes == ((said,) if said else ())


@pytest.mark.parametrize(
    "before",
    ["# made by a tool\n", "\n\n", "2\n", "sep=,\n", "# one\n# two, with a comma, or two\n"],
)
def test_what_stands_before_the_titles_is_passed_over(before):
    assert read_label_table("t.csv", (before + written()).encode()).rows == ROWS


def test_celebas_tables_have_no_title_for_the_names():
    table = read_label_table("list.txt", b"2\nBald Smiling \n000001.jpg -1  1\n000002.jpg  1 -1\n")
    assert table.rows == [["", "Bald", "Smiling"], ["000001.jpg", "-1", "1"],
                          ["000002.jpg", "1", "-1"]]  # fmt: skip


def test_a_delimiter_at_the_end_of_each_line_makes_no_column():
    assert read_label_table("t.csv", b"file,age\na.png,1,\nb.png,2,\n").rows == [
        ["file", "age"], ["a.png", "1"], ["b.png", "2"],
    ]  # fmt: skip


def test_tables_of_r_have_quotes_blanks_and_no_title_for_the_rows():
    table = read_label_table("t.txt", b'"file" "mood"\n"1" "a b.png" "x"\n"2" "c.png"  "y"\n')
    assert table.rows == [["", "file", "mood"], ["1", "a b.png", "x"], ["2", "c.png", "y"]]


def test_quotes_hold_delimiters_and_lines_together():
    table = read_label_table("t.csv", b'file,text\na.png,"one,\ntwo ""three"""\nb.png, "x"\n')
    assert table.rows[1:] == [["a.png", 'one,\ntwo "three"'], ["b.png", "x"]]


def test_lines_with_too_few_or_too_many_cells_are_counted():
    table = read_label_table("t.csv", b"file,age\na.png,1\nb.png\nc.png,1,2\nd.png,4\n")
    assert len(table.rows) == 3
    assert table.left_out == 2


def test_a_decimal_comma_is_not_taken_for_the_delimiter():
    content = b"000.png;0;20,5\n001.png;1;21,5\n"
    assert read_label_table("t.csv", content).rows[0] == ["000.png", "0", "20,5"]
    assert read_label_table("t.csv", b"000.png;20,5\n001.png;21,5\n").rows[0] == ["000.png", "20,5"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no table"),
        (b"file\na.png\n", "is no table"),
        (b"file,age\n", "is no table"),
        (b"PK\x03\x04\x00\x01\x00 an Excel file", "is no text, but an archive"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is no text"),
        (codecs.BOM_UTF16_LE + b"a\x00b", "cannot be read"),
        (b"file,age\na.png," + b"x" * 200_000 + b"\n", "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused_in_three_parts(content, message):
    with pytest.raises(DataError, match=message) as refused:
        read_label_table("t.csv", content)
    assert refused.value.expected
    assert refused.value.fix


def lines(*objects) -> bytes:
    return "\n".join(map(json.dumps, objects)).encode()


def test_json_lines_are_a_table_whatever_keys_a_line_has():
    table = read_label_table(
        "t.jsonl",
        lines(
            {"file_name": "a.png", "age": 3, "glad": True, "box": [1, 2]},
            {"file_name": "b.png", "mood": "calm", "age": None},
        ),
    )
    assert table.titled
    assert table.rows == [
        ["file_name", "age", "glad", "mood"], ["a.png", "3", "1", ""], ["b.png", "", "", "calm"],
    ]  # fmt: skip
    assert table.notes == ("column box is no label",)


def test_half_characters_of_json_become_text_that_can_be_written():
    table = read_label_table("t.jsonl", rb'{"file": "a.png", "\ud800x": "\udfff", "\ud801": [1]}')
    assert table.rows == [["file", "\\ud800x"], ["a.png", "\\udfff"]]
    assert table.notes[0].isprintable()


@pytest.mark.parametrize(
    "content",
    [b"{", b"[1]", b'"text"', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b'{"a": [1]}'],
)
def test_json_that_is_no_table_is_refused(content):
    with pytest.raises(DataError) as refused:
        read_label_table("t.jsonl", content)
    assert refused.value.expected
    assert refused.value.fix
