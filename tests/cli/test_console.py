"""Names and messages of others have no power over the terminal that shows them."""

import io
import logging
import sys

import pytest
from rich.table import Table
from rich.text import Text

from facewright.cli import console
from facewright.cli.console import SafeConsole, say

HOSTILE = "a\x1b[31mred\x07\x9b2J[bold]b[/bold] :smile: \u202etxt"
HARMLESS = "a\\x1b[31mred\\x07\\x9b2J[bold]b[/bold] :smile: \\u202etxt"


def table() -> Table:
    rows = Table("name")
    rows.add_row(Text(HOSTILE))
    return rows


@pytest.mark.parametrize("shown", [HOSTILE, Text(HOSTILE), table()], ids=["text", "Text", "table"])
def test_what_is_shown_is_neither_obeyed_nor_taken_for_markup(shown):
    stream = io.StringIO()
    SafeConsole(stream).print(shown)
    written = stream.getvalue()
    # Rich leaves the bell out, and a table cuts what has become longer.
    assert "a\\x1b[31mred\\x9b2J[bold]b[/bold] :sm" in written
    assert not set("\x1b\x07\x9b\u202e") & set(written)


def test_lines_of_a_text_stay_lines():
    stream = io.StringIO()
    SafeConsole(stream).print("one\n\ttwo")
    assert [line.strip() for line in stream.getvalue().splitlines()] == ["one", "two"]


def test_what_is_told_is_harmless_too(capsys):
    say(HOSTILE)
    assert capsys.readouterr().err == f"facewright: {HARMLESS}\n"


def test_so_is_a_warning(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    console.show_warnings()
    logging.getLogger("facewright.anything").warning("%s", HOSTILE)
    assert stream.getvalue() == f"facewright: {HARMLESS}\n"
