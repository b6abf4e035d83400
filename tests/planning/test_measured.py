"""The table is checked, names what there is, and says which recipes it leaves out."""

import dataclasses
import re

import pytest

from facewright.cli.train import RECIPES, read_recipe
from facewright.errors import ConfigError
from facewright.planning.choice import can_be_built
from facewright.planning.measured import TABLE, read_table

NAMES = {path.stem for path in RECIPES.glob("*.toml")}
PACKAGED = read_table()

GOOD = """
not_for_planning = {old = "for history"}
[[recipes]]
name = "small"
size = 28
device = "cpu"
kind = "faces"
[[recipes.curves]]
data = "faces-28"
photos = 1000
machine = "ours"
seeds = [0, 1]
protocol = "as usual"
points = [
    {images = 10, fid = 20, low = 19.5, high = 21.0},
    {images = 100, fid = 10, low = 9.5, high = 11.0},
]
"""


def test_every_packaged_recipe_is_for_planning_or_left_out_on_purpose():
    planned = {entry.name for entry in PACKAGED.recipes}
    assert planned | set(PACKAGED.not_for_planning) == NAMES
    assert not planned & set(PACKAGED.not_for_planning)
    assert all(PACKAGED.not_for_planning.values())


@pytest.mark.parametrize("entry", PACKAGED.recipes, ids=lambda e: e.name)
def test_recipes_are_made_for_the_size_that_the_table_says(entry):
    store = re.search(
        r"^# store: .*--size (\d+)", (RECIPES / f"{entry.name}.toml").read_text(), re.M
    )
    assert store is not None
    assert int(store[1]) == entry.size
    channels = 1 if entry.kind == "digits" else 3
    assert can_be_built(read_recipe(entry.name), (channels, entry.size, entry.size))


def test_the_numbers_of_the_classic_recipe_are_those_of_the_experiments():
    (classic,) = (entry for entry in PACKAGED.recipes if entry.name == "classic-celeba28")
    told = {point.images: point.fid for point in classic.curves[0].points}
    assert told[90_000] == 62.4
    assert told[1_620_000] == 26.2


def read(text: str, tmp_path):
    (tmp_path / "table.toml").write_text(text)
    return read_table(tmp_path / "table.toml")


def test_a_good_table_is_read_as_it_stands(tmp_path):
    table = read(GOOD, tmp_path)
    (entry,) = table.recipes
    (curve,) = entry.curves
    assert dataclasses.astuple(curve.points[0]) == (10, 20.0, 19.5, 21.0)
    assert (curve.seeds, curve.floor) == ((0, 1), None)
    assert table.not_for_planning == {"old": "for history"}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("size = 28", "size = 0", "small: size 0"),
        ('device = "cpu"', 'device = "tpu"', "one of cpu, cuda"),
        ('kind = "faces"', 'kind = "cats"', "one of faces, digits"),
        ("photos = 1000", "photos = 0", "small on faces-28: 0 photos"),
        ("seeds = [0, 1]", "seeds = []", "no seeds"),
        ("fid = 20", "fid = 22", r"FID 22.0 \(19.5 to 21.0\)"),
        ("fid = 20", "fid = 19", "an interval with FID inside"),
        ("images = 100", "images = 10", "10 images after 10"),
        ("images = 10,", "images = 0,", "a point at 0 images"),
        ("    {images = 100, fid = 10, low = 9.5, high = 11.0},\n", "", "1 points"),
        ('old = "for history"', 'small = "for history"', "small stands there twice"),
        ("size = 28", "sise = 28", "unknown field"),
        ("size = 28\n", "", "lacks size"),
        ("fid = 20", 'fid = "20"', "points"),
    ],
)
def test_a_mistake_in_the_table_is_named(before, after, said, tmp_path):
    assert GOOD.count(before) == 1
    with pytest.raises(ConfigError, match=said):
        read(GOOD.replace(before, after), tmp_path)


def test_numbers_of_different_protocols_are_not_mixed(tmp_path):
    (other,) = re.findall(r"\[\[recipes.curves\]\].*", GOOD, re.DOTALL)
    assert len(read(GOOD + other, tmp_path).recipes[0].curves) == 2
    with pytest.raises(ConfigError, match="different protocols"):
        read(GOOD + other.replace("as usual", "otherwise"), tmp_path)


def test_the_table_is_part_of_the_package():
    assert TABLE.is_file()
    assert TABLE.parent.name == "planning"
