"""A batch in micro-batches is the same batch, for less memory."""

import gc
from functools import partial

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor

from facewright.config import Config
from facewright.data.store import Store
from facewright.data.stream import BatchStream
from facewright.errors import ConfigError
from facewright.objective.adversarial import GAMES
from facewright.training.job import Job
from facewright.training.loop import train_until
from facewright.training.micro_batches import MicroBatch, indivisible, micro_batches
from facewright.training.run import begin
from facewright.training.state import TrainState, fresh_state
from facewright.training.step import Stats
from tests.runs_equal import rows
from tests.training.conftest import small

PLAIN = "model.normalisation=none"
STILL = ("optimiser.lr_g=0", "optimiser.lr_d=0", "train.images=8", "train.ema_images=0")

NOISE = "loss.instance_noise=0.5"
ADDED = {
    **{game: (PLAIN, f"loss.game={game}") for game in GAMES},
    "R1": (PLAIN, "loss.r1=5000"),
    "R2": (PLAIN, "loss.r2=5000"),
    "gradient penalty": (PLAIN, "loss.game=wasserstein", "loss.gradient_penalty=10"),
    "slopes tried": (PLAIN, "loss.slope=finite-difference", "loss.r1=5000", "loss.r2=3000"),
    "antithetic noise": (
        PLAIN,
        "loss.slope=antithetic-noise",
        "loss.r1=5000",
        "loss.r2=3000",
        NOISE,
    ),
    "lazy, on a schedule": (
        PLAIN,
        "loss.r1=500",
        "loss.penalty_every=2",
        "schedule.images=64",
        "schedule.penalty_to=0.1",
        "train.images=24",
    ),
    "smoothed": (PLAIN, "loss.real_target=0.8"),
    "noise": (PLAIN, "loss.game=relativistic", NOISE, "loss.r1=1"),
    "distortions": (PLAIN, "loss.game=relativistic", "augment.probability=0.7", "loss.r2=1"),
    "several moves": (PLAIN, "train.d_steps=2", "train.g_steps=2", "train.images=16"),
    "virtual batch norm": ("model.normalisation=virtual",),
    "residual": ("model.name=resnext", "model.widths=[8, 8]", "model.group_width=8", "loss.r1=1"),
    "mlp": ("model.name=mlp",),
}


def one_step(store, config: Config) -> tuple[TrainState, Stats]:
    """Both players' gradients, and the numbers of the last step, with weights that stay."""
    photos = Store.open(store)
    state = fresh_state(config, photos.shape, torch.device("cpu"))
    seen: list[Stats] = []
    train_until(
        state,
        config,
        batches=BatchStream(
            photos.train, batch=config.train.batch, seed=0, flip=config.data.flip, share=(0, 1)
        ),
        fabric=Fabric(accelerator="cpu", devices=1),
        callbacks=[lambda _, stats: seen.append(stats)],
        should_stop=lambda: False,
    )
    return state, seen[-1]


def gradients(state: TrainState, player: str) -> Tensor:
    """All of a player's, in a row."""
    found = [weight.grad for weight in getattr(state, player).weights]
    return torch.cat([gradient.flatten() for gradient in found if gradient is not None])


def test_micro_batches_cover_every_image_once_and_their_shares_add_up():
    parts = micro_batches(8, 3)
    assert [part.rows for part in parts] == [slice(0, 3), slice(3, 6), slice(6, 8)]
    assert [part.share for part in parts] == [3 / 8, 3 / 8, 2 / 8]
    assert micro_batches(9, 3)[-1] == MicroBatch(slice(6, 9), 1 / 3)


@pytest.mark.parametrize("at_once", [0, 8, 100])
def test_a_batch_that_fits_is_one_micro_batch(at_once):
    assert micro_batches(8, at_once) == [MicroBatch(slice(None), 1.0)]


def test_means_of_micro_batches_add_up_to_the_mean_of_all():
    numbers = torch.arange(8.0).square()
    parts = [part.of_whole(numbers[part.rows].mean()) for part in micro_batches(8, 3)]
    assert sum(parts) == pytest.approx(numbers.mean().item())


@pytest.mark.parametrize("changes", ADDED.values(), ids=ADDED)
@pytest.mark.parametrize("at_once", [3, 1])
def test_gradients_and_numbers_are_those_of_the_whole_batch(changes, at_once, store):
    plan = partial(small, *STILL, *changes)
    whole, expected = one_step(store, plan())
    parts, found = one_step(store, plan(f"train.micro_batch={at_once}"))
    for player in ("discriminator", "generator"):
        gradient = gradients(whole, player)
        # Single precision, and sums in another order: nothing else may differ. The verdict's
        # bias adds up halves of both signs, whose last digit is worth 6e-8.
        rounding = 1e-6 * gradient.abs().max().item() + 6e-8 * (player == "discriminator")
        torch.testing.assert_close(gradients(parts, player), gradient, rtol=1e-4, atol=rounding)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value.item(), rel=1e-4, abs=1e-6), name


def test_a_run_in_micro_batches_has_the_loss_curve_of_the_whole(train):
    """With what needs several steps: moments, the mean of past weights, clipping."""
    changes = (PLAIN, "loss.historical_averaging=0.5", "loss.clip=0.05", "loss.game=relativistic")
    whole, _ = train("whole", small(*changes))
    parts, _ = train("parts", small(*changes, "train.micro_batch=3"))
    pairs = list(zip(rows(whole / "steps.jsonl"), rows(parts / "steps.jsonl"), strict=True))
    assert len(pairs) == 12
    for one, other in pairs:
        for name in ("d_loss", "g_loss", "d_penalty", "d_grad_norm", "g_grad_norm"):
            assert other[name] == pytest.approx(one[name], rel=1e-3, abs=1e-5), name


class Kept:
    """A tensor kept for the backward pass; counts how many numbers are kept, and were at most."""

    now = most = 0

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        Kept.now += tensor.numel()
        Kept.most = max(Kept.most, Kept.now)

    def __del__(self) -> None:
        Kept.now -= self.tensor.numel()


def most_kept(store, config: Config) -> int:
    gc.collect()  # what an earlier test left would be freed, and counted, in between
    Kept.most = Kept.now
    before = Kept.now
    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        one_step(store, config)
    return Kept.most - before


@pytest.mark.parametrize("changes", [(), ("loss.r1=1", "loss.game=relativistic")])
def test_what_is_kept_for_the_backward_pass_is_that_of_one_micro_batch(changes, store):
    plan = partial(small, *STILL, PLAIN, *changes, "train.batch=16", "train.images=16")
    whole = most_kept(store, plan())
    parts = most_kept(store, plan("train.micro_batch=4"))
    # The whole batch also keeps the generator's pass during the discriminator's; weights are
    # kept whatever the micro-batch.
    assert whole / 8 < parts < whole / 3


MIXED = {
    "batch norm": ("model.normalisation=batch",),
    "batch norm takes": ("model.normalisation=spectral",),  # the generator beside it has that
    "minibatch discrimination": (PLAIN, "model.minibatch_kernels=4"),
    "feature matching": (PLAIN, "loss.feature_matching=true"),
    "spectral normalisation": (
        "model.name=mlp",
        "model.normalisation=spectral",  # of what labels become in the discriminator
        'data.labels=["reddish"]',
    ),
}


@pytest.mark.parametrize(("reason", "changes"), MIXED.items(), ids=MIXED)
def test_what_mixes_the_images_of_a_batch_is_refused_by_name(reason, changes, store, tmp_path):
    job = Job(small(*changes, "train.micro_batch=4"), Store.open(store), tmp_path / "run", "cpu")
    with pytest.raises(ConfigError, match=reason) as refusal:
        begin(job)
    assert "train.micro_batch=0" in refusal.value.fix
    assert not job.run.exists()


def test_dropout_and_virtual_batch_norm_may_be_divided():
    shape = (3, 16, 16)
    assert not indivisible(small("model.normalisation=virtual"), shape)
    assert not indivisible(small("model.name=mlp", "model.dropout=0.5"), shape)
