"""How often each player is updated, and on what."""

import pytest

from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from tests.runs_equal import rows
from tests.training.conftest import small


@pytest.mark.parametrize(("d_steps", "g_steps"), [(1, 1), (1, 3), (2, 2)])
def test_each_player_moves_as_often_as_the_settings_say(d_steps, g_steps, train):
    changes = (f"train.d_steps={d_steps}", f"train.g_steps={g_steps}")
    run, _ = train("run", small("train.images=32", *changes))
    newest, _ = checkpoints.sound(RunFolder(run).checkpoints)
    steps = 32 // 8 // d_steps
    assert newest.state["step"] == steps
    moves = newest.tensors("optimisers")
    assert moves["discriminator.adam.0.step"] == steps * d_steps
    assert moves["generator.adam.0.step"] == steps * g_steps


def test_further_answers_are_given_to_other_fakes(train):
    """With a frozen generator, an answer to the same fakes would have the same gradient."""
    still = ("optimiser.lr_g=0", "optimiser.lr_d=0", "train.images=8", "model.normalisation=none")
    lengths = set()
    for count in (1, 2, 3):
        run, _ = train(f"run{count}", small(*still, f"train.g_steps={count}"))
        lengths |= {row["g_grad_norm"] for row in rows(RunFolder(run).steps)}
    assert len(lengths) == 3
