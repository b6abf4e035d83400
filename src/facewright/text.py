"""Text from outside, made harmless where it is shown: terminal, page, card or a line of a file."""

import re

BIDIRECTIONAL = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Marks that let a reader see letters in another order than they have."""
_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{BIDIRECTIONAL}\ud800-\udfff]")
_LINES = re.compile(_LINE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def printable(text: str, *, lines: bool = False) -> str:
    r"""The same text as valid Unicode without control characters, which show as \xNN or \uNNNN.

    A terminal obeys control characters: names of files, labels and messages of others could
    colour, erase or retype what stands there.

    Args:
        text: anything; bytes of a file name that are not UTF-8 stand in it as Python reads them.
        lines: keep line breaks and tabs.
    """
    return (_LINES if lines else _LINE).sub(_escaped, text)


def in_markdown(text: str) -> str:
    """One line that Markdown shows as it stands: no link, no HTML, no end of a table's cell."""
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", printable(" ".join(text.split())))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0] in "\n\r\t":
        return repr(found[0])[1:-1]
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
