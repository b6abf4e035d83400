"""A run that stopped and went on equals one that never stopped."""

import pytest

from facewright.training.job import Extras
from tests.runs_equal import assert_same_run, rows
from tests.training.conftest import pixel_scores, small

EXTRAS = Extras(score=pixel_scores)

EVERYTHING = {
    "classic": (),
    "bf16": ("train.precision=bf16",),
    "penalties": (
        "model.normalisation=none",
        "loss.game=relativistic",
        "loss.r1=1",
        "loss.r2=1",
        "train.d_steps=2",
    ),
    "bf16 penalties": (
        "model.normalisation=none",
        "train.precision=bf16",
        "loss.gradient_penalty=10",
    ),
    "salimans": (
        "model.normalisation=virtual",
        "model.minibatch_kernels=4",
        "loss.feature_matching=true",
        "loss.historical_averaging=0.1",
        "loss.real_target=0.9",
    ),
    "spectral clip": ("model.normalisation=spectral", "loss.game=wasserstein", "loss.clip=0.1"),
    "seen through noise and distortions": (
        "model.normalisation=none",
        "loss.game=relativistic",
        "loss.r1=1",
        "loss.instance_noise=0.2",
        "loss.instance_noise_images=100",
        "augment.probability=0.5",
        "train.d_steps=2",
        "train.g_steps=3",
    ),
    "slopes tried in bf16, now and then, on a schedule": (
        "model.normalisation=none",
        "train.precision=bf16",
        "loss.game=relativistic",
        "loss.slope=finite-difference",
        "loss.r1=1",
        "loss.r2=1",
        "loss.penalty_every=3",
        "augment.probability=0.5",
        "schedule.images=60",
        "schedule.lr_to=0.2",
        "schedule.penalty_to=0.1",
        "schedule.beta2_to=0.9",
        "schedule.ema_from=0",
        "schedule.augment_from=0",
    ),
    "the generator held at first": ("train.hold_generator=64", "loss.historical_averaging=0.1"),
    "in micro-batches": (
        "model.normalisation=virtual",
        "train.micro_batch=3",
        "loss.r1=1",
        "loss.slope=antithetic-noise",
        "loss.instance_noise=0.2",
        "train.g_steps=2",
    ),
    "labels": (
        'data.labels=["reddish", "quarter"]',
        "model.normalisation=none",
        "loss.game=relativistic",
        "loss.r1=1",
        "loss.gradient_penalty=1",
        "augment.probability=0.5",
        "train.micro_batch=3",
        "train.d_steps=2",
        "train.g_steps=2",
    ),
    "dropout": ("model.name=mlp", "model.dropout=0.5", "data.flip=false"),
}


@pytest.mark.parametrize("changes", EVERYTHING.values(), ids=EVERYTHING)
def test_stopping_and_going_on_changes_nothing_bit_for_bit(changes, train):
    whole, _ = train("whole", small(*changes), EXTRAS)
    for images in (40, 80, 96):  # 40 is between two checkpoints
        parts, _ = train("parts", small(*changes, f"train.images={images}"), EXTRAS)
    assert_same_run(whole, parts)


def test_another_seed_is_another_run(train):
    one, _ = train("one", small())
    other, _ = train("other", small("train.seed=1"))
    assert rows(one / "steps.jsonl") != rows(other / "steps.jsonl")
    with pytest.raises(AssertionError):
        assert_same_run(one, other)


def test_bf16_stays_close_to_fp32(train):
    exact, _ = train("fp32", small())
    rounded, _ = train("bf16", small("train.precision=bf16"))
    for a, b in zip(rows(exact / "steps.jsonl"), rows(rounded / "steps.jsonl"), strict=True):
        # bf16 has 8 bits of mantissa: about 0.4 % at each rounding.
        assert b["d_loss"] == pytest.approx(a["d_loss"], abs=0.05)
        assert b["g_loss"] == pytest.approx(a["g_loss"], abs=0.05)
    assert rows(exact / "steps.jsonl") != rows(rounded / "steps.jsonl")
