"""What the ablation says of numbers that are known."""

from benchmarks.ablation import AS_IT_IS, compare

LESS = "no noise"


def test_a_change_is_compared_with_the_recipe_seed_by_seed(capsys):
    compare({AS_IT_IS: {0: 20.0, 1: 30.0, 2: 25.0}, LESS: {0: 21.0, 1: 34.0, 2: 27.0}})
    as_it_is, less = capsys.readouterr().out.splitlines()
    assert as_it_is.split() == ["as", "it", "is", "FID", "25.00"]
    assert less.split("FID")[1].split() == ["27.33", "more:", "2.00", "(1.00", "to", "4.00)"]


def test_without_the_recipe_there_is_nothing_to_compare_with(capsys):
    compare({LESS: {0: 21.0}})
    assert "more" not in capsys.readouterr().out
