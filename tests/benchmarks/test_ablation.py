"""What the ablation changes, and what it says of numbers that are known."""

from benchmarks.ablation import AS_IT_IS, CHANGES, RECIPE, compare

from facewright.config import ScheduleConfig
from facewright.planning.recipes import read_recipe
from facewright.planning.shorter import schedule_for
from facewright.settings import override

LESS = "no noise"


def test_every_change_is_one_and_no_two_are_the_same():
    recipe = read_recipe(RECIPE)
    changed = [override(recipe, lines) for lines in CHANGES.values()]
    assert changed[0] == recipe
    assert all(one not in changed[:number] for number, one in enumerate(changed))


def test_constant_rates_leave_nothing_of_the_schedule():
    recipe = read_recipe(RECIPE)
    ends = schedule_for(recipe, 200_000)
    assert ends
    assert override(recipe, [*ends, *CHANGES["constant rates"]]).schedule == ScheduleConfig()


def test_a_change_is_compared_with_the_recipe_seed_by_seed(capsys):
    compare({AS_IT_IS: {0: 20.0, 1: 30.0, 2: 25.0}, LESS: {0: 21.0, 1: 34.0, 2: 26.0}})
    as_it_is, less = capsys.readouterr().out.splitlines()
    assert as_it_is.split() == ["as", "it", "is", "FID", "25.00"]
    assert less.split("FID")[1].split() == ["27.00", "+2.00", "(+1.00", "to", "+4.00)"]


def test_without_the_recipe_there_is_nothing_to_compare_with(capsys):
    compare({LESS: {0: 21.0}})
    assert capsys.readouterr().out.split() == ["no", "noise", "FID", "21.00"]
