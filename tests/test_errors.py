"""What the system refuses is said in full: found, expected, and what to try."""

import ast
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import facewright
from facewright import errors
from facewright.errors import FacewrightError, is_out_of_memory, of_the_system


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EROFS, "another folder"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EIO, "another disk"),
        (errno.ENAMETOOLONG, "another path"),
    ],
)
def test_every_refusal_of_the_system_names_file_expectation_and_way_out(number, way_out):
    error = of_the_system(OSError(number, os.strerror(number), "faces.png"))
    assert error.what == f"faces.png: {os.strerror(number)}"
    assert error.expected
    assert way_out in error.fix


def test_memory_may_also_be_refused_by_number_or_by_a_library():
    assert is_out_of_memory(OSError(errno.ENOMEM, "Cannot allocate memory"))
    assert is_out_of_memory(RuntimeError("could not create a primitive"))
    assert not is_out_of_memory(OSError(errno.ENOSPC, "No space left on device"))


def refusals() -> Iterator[tuple[str, ast.Call]]:
    """Every place where the source makes an error of ours, or words for several."""
    kinds = {name for name, kind in vars(errors).items() if name.endswith("Error")} | {"Wording"}
    root = Path(facewright.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds:
                yield f"{path.relative_to(root)}:{node.lineno}", node


def test_every_refusal_says_what_was_expected_and_what_to_try():
    """Left out, they are refused by Python itself; empty, here."""
    places = list(refusals())
    empty = [
        place
        for place, call in places
        if any(
            isinstance(word.value, ast.Constant) and not word.value.value for word in call.keywords
        )
    ]
    assert not empty
    assert len(places) > 250
    with pytest.raises(TypeError):
        FacewrightError("found", expected="else")  # pyright: ignore[reportCallIssue]


def test_a_refusal_is_three_lines():
    said = str(FacewrightError("found", expected="else", fix="do"))
    assert said.splitlines() == ["found", "  expected: else", "  try:      do"]
