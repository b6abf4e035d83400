"""Two processes that share each batch train like one."""

import sys
import time

import pytest

from facewright import settings
from facewright.cli.main import main
from facewright.data.store import Store
from facewright.errors import RunError
from facewright.records import environment
from facewright.records.run_folder import RunFolder
from facewright.training.job import Job
from facewright.training.run import begin, execute
from tests.processes import FORKED
from tests.runs_equal import rows
from tests.training.conftest import small

ADAPTIVE = (
    "augment.adaptive=true",
    "augment.probability=0.5",
    "augment.target=0.5",
    "augment.images=160",
)
"""One look in 12 steps, which moves the probability by 0.4."""


@pytest.mark.parametrize(
    "changes",
    [
        ('data.labels=["reddish", "quarter"]', "loss.gradient_penalty=1", "data.flip=true"),
        (
            "model.normalisation=none",
            "loss.game=relativistic",
            "loss.r1=1",
            "loss.slope=antithetic-noise",
            "loss.gradient_penalty=1",
            "loss.penalty_every=2",
            "loss.instance_noise=0.1",
            "augment.probability=0.5",
            "train.g_steps=2",
            "schedule.images=60",
            "schedule.lr_to=0.2",
            "train.micro_batch=3",  # of the four images that each of the two has
        ),
        (
            "model.normalisation=none",
            "model.minibatch_kernels=4",
            "loss.feature_matching=true",
            "loss.r1=1",
            "loss.slope=finite-difference",
            *ADAPTIVE,
        ),
    ],
    ids=[
        "batch norm, labels, gradient penalty",
        "relativistic, penalties of both kinds, noise, distortions, schedule, micro-batches",
        "minibatch discrimination, feature matching, slopes tried, adaptive distortions",
    ],
)
@pytest.mark.usefixtures("forked")
def test_two_processes_give_the_loss_curve_of_one(changes, train, store, tmp_path):
    alone, _ = train("alone", small(*changes, "train.micro_batch=0"))
    job = Job(small(*changes), Store.open(store), tmp_path / "together", "cpu", devices=2)
    begin(job)
    assert execute(job).status == "finished"
    pairs = list(zip(rows(alone / "steps.jsonl"), rows(job.run / "steps.jsonl"), strict=True))
    assert len(pairs) == 12
    for one, two in pairs:
        # Sums taken in another order: rounding alone, growing slowly with the steps.
        for name in ("d_loss", "g_loss", "d_real", "fake_logit_std", "d_grad_norm"):
            assert two[name] == pytest.approx(one[name], rel=1e-3, abs=1e-5), name
        for name in ("augment_probability", "overfitting"):
            assert two.get(name) == one.get(name)
    if set(ADAPTIVE) <= set(changes):
        assert pairs[-1][0]["overfitting"] != 0.5
        assert pairs[-1][0]["augment_probability"] != 0.5


def test_a_batch_that_cannot_be_shared_is_refused(store, tmp_path):
    job = Job(small("train.batch=9"), Store.open(store), tmp_path / "run", "cpu", devices=2)
    with pytest.raises(RunError, match="a batch of 9 on 2 devices") as refusal:
        begin(job)
    assert "train.batch=10" in refusal.value.fix


@pytest.mark.slow
def test_a_signal_to_both_saves_and_going_on_finishes(store, tmp_path, forked):
    words = ["--recipe", "drawn-32", "--data", str(store), "--out", str(tmp_path / "run")]
    tiny = ["model.width=4", "model.z_dim=8", "train.batch=8", "train.precision=fp32"]
    tiny += ["record.score_samples=0", "record.snapshot_images=0"]
    typed = ["train", *words, "--devices", "2", "--images", "1000000", "--set", *tiny]
    steps = RunFolder(tmp_path / "run").steps
    child = FORKED.Process(target=command_line, args=(typed,))
    child.start()
    try:
        while not steps.exists() and child.is_alive():
            time.sleep(0.05)
        child.terminate()
        child.join()
        assert child.exitcode == 130
    finally:
        child.kill()
    (session,) = environment.read(RunFolder(tmp_path / "run"))["sessions"]
    assert session["status"] == "interrupted"
    config = settings_of(tmp_path / "run", images=session["images_to"] + 16)
    job = Job(config, Store.open(store), tmp_path / "run", "cpu", devices=2)
    assert execute(job).status == "finished"


def command_line(words: list[str]) -> None:
    """The child: what `facewright` does with these words."""
    sys.exit(main(words))


def settings_of(run, *, images: int):
    config = settings.read(RunFolder(run).config)
    return settings.override(config, [f"train.images={images}"])
