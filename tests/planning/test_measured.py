"""The table is checked, names what there is, and says which recipes it leaves out."""

import dataclasses
import itertools
import re
from pathlib import Path

import pytest

from facewright.errors import ConfigError
from facewright.planning.choice import can_be_built, candidates
from facewright.planning.measured import TABLE, Curve, read_table
from facewright.planning.plan import best_of, plan_for
from facewright.planning.recipes import RECIPES, read_recipe
from facewright.planning.request import Candidate
from tests.planning.conftest import photos, plan_request, speed

NAMES = {path.stem for path in RECIPES.glob("*.toml")}
PACKAGED = read_table()
EXPERIMENTS = Path(__file__).parents[2] / "docs" / "experiments" / "recipes.md"

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
protocol = "as usual"
points = [
    {images = 10, fid = 20, low = 19.5, high = 21.0, seeds = [0, 1]},
    {images = 100, fid = 10, low = 9.5, high = 11.0, seeds = [0]},
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


HEAD = "| images seen | FID, training photos | FID, held out | KID, training photos |"
ROW = re.compile(r"\| ([\d,]+) k \| ([\d.]+) \(([\d.]+) to ([\d.]+)\) \|")


def test_the_numbers_of_the_classic_recipe_are_those_of_the_experiments():
    lines = EXPERIMENTS.read_text(encoding="utf-8").splitlines()
    (begin,) = (number for number, line in enumerate(lines) if line.startswith(HEAD))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[begin:])
    measured = [
        (1_000 * int(found[1].replace(",", "")), *map(float, found.group(2, 3, 4)))
        for found in map(ROW.match, rows)
        if found
    ]
    (classic,) = (entry for entry in PACKAGED.recipes if entry.name == "classic-celeba28")
    assert len(measured) == 6
    points = [dataclasses.astuple(point) for point in classic.curves[0].points]
    assert points == [(*numbers, (0,)) for numbers in measured]


IMAGES_PER_SECOND = {
    "fast-28": 350.0,
    "fast-32": 350.0,
    "fast-64": 100.0,
    "classic-celeba28": 1_300.0,
}
"""About those of two cores."""


def proposed(size: int, hours: float, fast: tuple[Curve, ...]) -> str:
    """For so large faces on a CPU, by the packaged table with these curves of `fast-28`."""
    recipes = tuple(
        dataclasses.replace(one, curves=fast) if one.name == "fast-28" else one
        for one in PACKAGED.recipes
    )
    table = dataclasses.replace(PACKAGED, recipes=recipes)
    configs = {one.name: read_recipe(one.name) for one in recipes}
    asked = plan_request(photos=photos(shape=(3, size, size)), hours=hours)
    plans = []
    for one in candidates(asked.photos, "cpu", table, configs):
        config = configs[one.name]
        measured = speed(config.train.batch, IMAGES_PER_SECOND[one.name])
        plans.append(plan_for(Candidate(one, config, (measured,)), asked))
    return best_of(plans).recipe


@pytest.mark.parametrize("measured", ["as shipped", "not at all", "in the same way"])
@pytest.mark.parametrize("hours", [0.25, 0.5, 2.0])
def test_small_faces_on_a_cpu_get_the_fast_recipe_of_their_size(hours, measured):
    by_name = {one.name: one for one in PACKAGED.recipes}
    (classic,) = by_name["classic-celeba28"].curves
    points = tuple(
        dataclasses.replace(point, fid=fid, low=fid - 1, high=fid + 1)
        for fid, point in zip((30, 20, 18, 17), classic.points, strict=False)
    )
    fast = {
        "as shipped": by_name["fast-28"].curves,
        "not at all": (),
        "in the same way": (dataclasses.replace(classic, points=points),),
    }[measured]
    assert proposed(28, hours, fast) == "fast-28"
    assert proposed(32, hours, fast) == "fast-32"
    assert proposed(64, hours, fast) == "fast-64"


def test_minutes_are_enough_for_the_fast_recipe():
    (fast,) = (one for one in PACKAGED.recipes if one.name == "fast-28")
    assert proposed(28, 0.08, fast.curves) == "fast-28"


def read(text: str, tmp_path):
    (tmp_path / "table.toml").write_text(text)
    return read_table(tmp_path / "table.toml")


def test_a_good_table_is_read_as_it_stands(tmp_path):
    table = read(GOOD, tmp_path)
    (entry,) = table.recipes
    (curve,) = entry.curves
    assert dataclasses.astuple(curve.points[0]) == (10, 20.0, 19.5, 21.0, (0, 1))
    assert (len(curve.points), curve.floor) == (2, None)
    assert table.not_for_planning == {"old": "for history"}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("size = 28", "size = 0", "small: size 0"),
        ('device = "cpu"', 'device = "tpu"', "one of cpu, cuda"),
        ('kind = "faces"', 'kind = "cats"', "one of faces, digits"),
        ("photos = 1000", "photos = 0", "small on faces-28: 0 photos"),
        ("seeds = [0, 1]", "seeds = []", "no seeds at 10 images"),
        ("fid = 20", "fid = 22", r"FID 22.0 \(19.5 to 21.0\)"),
        ("fid = 20", "fid = 19", "an interval with FID inside"),
        ("images = 100", "images = 10", "10 images after 10"),
        ("images = 10,", "images = 0,", "a point at 0 images"),
        ("    {images = 100, fid = 10, low = 9.5, high = 11.0, seeds = [0]},\n", "", "1 points"),
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
