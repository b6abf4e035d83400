"""Generated pages hold everything they are made from."""

import dataclasses
import json

import pytest
from scripts import docs

from facewright.config import Config

SETTINGS = [
    (f"{section}.{key}", value)
    for section, values in dataclasses.asdict(Config()).items()
    for key, value in values.items()
]


@pytest.mark.parametrize(("name", "default"), SETTINGS, ids=[name for name, _ in SETTINGS])
def test_every_setting_stands_in_the_table_with_its_default_and_meaning(name, default):
    rows = [line for line in docs.recipes().splitlines() if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1
    _, _, shown, meaning, _ = rows[0].split("|")
    assert shown.strip() == f"`{json.dumps(default)}`"
    assert len(meaning.strip()) > 10
    assert meaning.strip().endswith((".", ")"))


def test_the_values_that_a_setting_may_have_are_listed():
    (row,) = [line for line in docs.recipes().splitlines() if line.startswith("| `loss.slope` |")]
    assert "One of `exact`, `finite-difference`, `antithetic-noise`." in row


def test_settings_stand_above_the_recipes():
    page = docs.recipes()
    assert page.index("| `train.seed` |") < page.index("## classic-celeba28")
