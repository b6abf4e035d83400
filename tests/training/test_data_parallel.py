"""Two processes that share each batch train like one."""

import pytest

from facewright.training.job import Job
from facewright.training.run import begin, execute
from tests.runs_equal import rows
from tests.training.conftest import small


@pytest.mark.parametrize(
    "changes",
    [(), ("model.normalisation=none", "loss.game=relativistic", "loss.r1=1")],
    ids=["batch norm", "relativistic R1"],
)
def test_two_processes_give_the_loss_curve_of_one(changes, train, store, tmp_path):
    alone, _ = train("alone", small(*changes))
    job = Job(small(*changes), store, tmp_path / "together", "cpu", devices=2)
    begin(job)
    assert execute(job).status == "finished"
    pairs = list(zip(rows(alone / "steps.jsonl"), rows(job.run / "steps.jsonl"), strict=True))
    assert len(pairs) == 12
    for one, two in pairs:
        # Sums taken in another order: rounding alone, growing slowly with the steps.
        for name in ("d_loss", "g_loss", "d_real", "fake_logit_std", "d_grad_norm"):
            assert two[name] == pytest.approx(one[name], rel=1e-3, abs=1e-5), name


def test_a_batch_that_cannot_be_shared_is_refused(store, tmp_path):
    job = Job(small("train.batch=9"), store, tmp_path / "run", "cpu", devices=2)
    begin(job)
    from facewright.errors import RunError

    with pytest.raises(RunError, match="a batch of 9 on 2 devices") as refusal:
        execute(job)
    assert "train.batch=10" in refusal.value.fix
