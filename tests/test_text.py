"""Text from outside has no power where it is shown."""

import pytest

from facewright.text import in_markdown, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller 高橋 😀", "Müller 高橋 😀"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("\x07\x00\x7f\x9b2J", "\\x07\\x00\\x7f\\x9b2J"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("a\u2028b", "a\\u2028b"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("na\udcefve", "na\\xefve"),
        ("\ud800", "\\ud800"),
    ],
    ids=str.isascii,
)
def test_control_characters_are_shown_and_letters_stay(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown
    printable(text).encode()


def test_lines_stay_where_there_may_be_some():
    assert printable("a\n\tb\x1b\r", lines=True) == "a\n\tb\\x1b\\r"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[click](javascript:alert(1))", r"\[click\](javascript:alert(1))"),
        ("<img src=x onerror=alert(1)>", r"\<img src=x onerror=alert(1)\>"),
        ("a|b\n# heading", r"a\|b # heading"),
        ("`code` and *bold*", r"\`code\` and \*bold\*"),
        ("\x1b[31mred", r"\\x1b\[31mred"),
        ("5_o_Clock_Shadow, 12 %", "5_o_Clock_Shadow, 12 %"),
    ],
)
def test_markdown_shows_text_as_it_stands(text, shown):
    assert in_markdown(text) == shown
