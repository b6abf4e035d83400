"""What people read of an audit."""

import io

from rich.console import Console

from facewright.actions.audit import Audited
from facewright.cli.audit import shown
from facewright.metrics.audit import audit
from tests.metrics.clouds import gaussian_space


def words(*, copied: float) -> str:
    text = io.StringIO()
    space = gaussian_space(0, width=64, copied=copied, noise=0.02, train=200, val=200, fake=250)
    Console(width=160, file=text).print(shown(Audited(audit({"pixels": space}), None)))
    return text.getvalue()


def test_people_get_the_verdict_first_then_why_then_what_to_do():
    lines = words(copied=0.1).splitlines()
    assert lines[0] == "copies found"
    assert "far closer to one training photo" in lines[1]
    assert any("Do not publish" in line for line in lines)
    row = next(line for line in lines if "than to others" in line)
    assert row.split("others")[1].split()[:2] == ["10.0%", "0.0%"]


def test_a_clean_verdict_says_that_it_is_no_proof():
    text = words(copied=0.0)
    assert "no sign of copying" in text
    assert "no proof" in text
    assert "no sheet of pairs: --out FILE.png" in text
