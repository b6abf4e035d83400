"""The benchmark of speed counts the images that it shows, and names the target where it holds."""

import pytest
from benchmarks.train_speed import batch_of, contestants, options_from, target_of

KNOWN = contestants()


def test_as_many_images_are_counted_as_every_contestant_can_show():
    assert {batch_of(config) for config in KNOWN.values()} == {16, 64}
    assert options_from([], KNOWN).images % 64 == 0
    assert options_from(["--images", "128"], KNOWN).images == 128


@pytest.mark.parametrize("images", ["0", "-64", "16", "100"])
def test_images_that_fill_no_batch_are_refused_with_what_would(images, capsys):
    with pytest.raises(SystemExit):
        options_from(["--images", images], KNOWN)
    assert "a multiple of 64" in capsys.readouterr().err


def test_the_target_stands_beside_penalties_in_every_step_only():
    every_step = {"R1 + R2, exact", "R1 + R2, tried", "R1 + R2, antithetic noise"}
    assert {name for name in KNOWN if target_of(name)} == every_step
