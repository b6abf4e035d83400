"""Settings that change with the images seen, and updates that skip their penalties."""

import dataclasses
import math
from typing import Any, cast

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from facewright import settings
from facewright.actions.equilibrium import TrainedPair
from facewright.config import Config, LossConfig
from facewright.data.store import Store
from facewright.doctor import equilibrium_probe
from facewright.errors import ConfigError, MetricError
from facewright.models.open_model import open_model
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.training.amend import amend
from facewright.training.job import Job
from facewright.training.run import begin
from facewright.training.schedule import in_force, in_update
from facewright.training.state import Player, fresh_state
from facewright.training.step import Rules, discriminator_step
from tests.runs_equal import assert_same_run, rows
from tests.training.conftest import announced, small

BURN_IN = (
    "schedule.images=1000",
    "schedule.lr_to=0.25",
    "schedule.penalty_to=0.1",
    "schedule.beta2_to=0.99",
    "schedule.ema_from=0",
    "schedule.augment_from=0.5",
    "optimiser.lr_g=2e-4",
    "optimiser.lr_d=4e-4",
    "optimiser.beta2=0.9",
    "loss.r1=2",
    "loss.r2=4",
    "loss.gradient_penalty=10",
    "augment.probability=0.4",
    "train.ema_images=500",
)


def values(config: Config) -> list[float]:
    now, loss = config.optimiser, config.loss
    averaged, distorted = config.train.ema_images, config.augment.probability
    penalties = [loss.r1, loss.r2, loss.gradient_penalty]
    return [now.lr_g, now.lr_d, *penalties, now.beta2, averaged, distorted]


FIRST = [2e-4, 4e-4, 2, 4, 10, 0.9, 0, 0.2]
LAST = [0.5e-4, 1e-4, 0.2, 0.4, 1, 0.99, 500, 0.4]


def at_part(part: float) -> list[float]:
    return [first + part * (last - first) for first, last in zip(FIRST, LAST, strict=True)]


@pytest.mark.parametrize(
    ("images_seen", "part"),
    [
        (0, 0),
        (250, (1 - math.sqrt(0.5)) / 2),
        (333 + 1 / 3, 1 / 4),
        (500, 1 / 2),
        (666 + 2 / 3, 3 / 4),
        (1000, 1),
        (10**9, 1),
    ],
)
def test_values_go_from_the_first_to_the_last_along_half_a_cosine(images_seen, part):
    found = in_force(settings.override(Config(), BURN_IN), images_seen)
    assert values(found) == pytest.approx(at_part(part))


@pytest.mark.parametrize("images_seen", [0, 300, 600, 850, 1100, 1600, 10**9])
def test_a_late_schedule_is_an_early_one_that_begins_later(images_seen):
    early = settings.override(Config(), BURN_IN)
    late = settings.override(early, ["schedule.after=600"])
    assert values(in_force(late, images_seen)) == values(in_force(early, max(0, images_seen - 600)))


def test_nothing_else_changes():
    config = settings.override(Config(), BURN_IN)
    names = {
        change.partition(":")[0] for change in settings.differences(config, in_force(config, 9))
    }
    assert names == {
        "optimiser.lr_g",
        "optimiser.lr_d",
        "optimiser.beta2",
        "loss.r1",
        "loss.r2",
        "loss.gradient_penalty",
        "augment.probability",
        "train.ema_images",
    }


@pytest.mark.parametrize("burn_in", [(), BURN_IN])
def test_only_the_discriminator_learns_while_the_generator_is_held(burn_in):
    plain = settings.override(Config(), burn_in)
    held = settings.override(plain, ["train.hold_generator=100"])
    for images_seen in (0, 99, 100, 5000):
        now, usual = in_force(held, images_seen), in_force(plain, images_seen)
        lr_g = 0.0 if images_seen < 100 else usual.optimiser.lr_g
        assert now.optimiser == dataclasses.replace(usual.optimiser, lr_g=lr_g)
        assert now.loss == usual.loss


def test_a_generator_that_is_held_keeps_its_weights_and_its_loss_is_recorded(train):
    config = small("train.hold_generator=32", "train.images=64", "record.keep_last=9")
    run, _ = train("held", config)
    first, held, last = (c.tensors("weights") for c in checkpoints.readable(run / "checkpoints"))
    learned = [
        name
        for name, _ in fresh_state(
            config, (3, 16, 16), torch.device("cpu")
        ).generator.network.named_parameters()
    ]
    for network in ("generator", "ema"):
        assert all(torch.equal(first[f"{network}.{n}"], held[f"{network}.{n}"]) for n in learned)
        assert not any(torch.equal(held[f"{network}.{n}"], last[f"{network}.{n}"]) for n in learned)
    judged = [n for n in first if n.startswith("discriminator.") and n.endswith(".weight")]
    assert not any(torch.equal(first[n], held[n]) for n in judged)
    assert all(math.isfinite(row["g_loss"]) for row in rows(RunFolder(run).steps))


@pytest.mark.parametrize(("held", "said"), [(88, False), (96, True)])
def test_a_generator_that_would_never_learn_is_told_so(held, said, store, tmp_path):
    config = small(f"train.hold_generator={held}")
    job = begin(Job(config, Store.open(store), tmp_path / "run", "cpu"))
    assert ("it will not learn" in announced(job)) == said


@pytest.mark.parametrize("images_seen", [0, 7, 999, 10**7])
def test_by_default_settings_are_in_force_as_they_are_set(images_seen):
    plain = settings.override(Config(), ["loss.r1=0.3", "optimiser.lr_g=3e-4"])
    assert in_force(plain, images_seen) is plain
    lasting = settings.override(plain, ["schedule.images=1000"])
    assert values(in_force(lasting, images_seen)) == pytest.approx(values(lasting), rel=1e-12)


def test_at_the_end_values_are_exactly_the_last_ones():
    config = settings.override(Config(), BURN_IN)
    assert in_force(config, 1000).optimiser.beta2 == 0.99
    assert in_force(config, 1000).train.ema_images == config.train.ema_images
    assert in_force(config, 1000).augment.probability == config.augment.probability


def test_players_and_average_obey():
    config = settings.override(Config(), [*BURN_IN, "model.width=4"])
    state = fresh_state(config, (3, 16, 16), torch.device("cpu"))
    state.apply(in_force(config, 1000))
    groups = [p.optimiser.param_groups[0] for p in (state.generator, state.discriminator)]
    assert [group["lr"] for group in groups] == [0.5e-4, 1e-4]
    assert [group["betas"] for group in groups] == [(0.5, 0.99)] * 2
    assert state.ema.half_life == 500


SCHEDULED = (
    "schedule.images=64",
    "schedule.lr_to=0.1",
    "schedule.penalty_to=0.1",
    "schedule.beta2_to=0.9",
    "schedule.ema_from=0",
    "schedule.augment_from=0",
    "augment.probability=0.5",
    "model.normalisation=none",
    "loss.r1=1",
    "record.keep_last=9",
)


def test_a_run_trains_with_the_rates_that_are_due(train):
    run, _ = train("run", small(*SCHEDULED))
    found = {}
    for checkpoint in checkpoints.readable(RunFolder(run).checkpoints):
        optimiser = checkpoint.state["optimisers"]["discriminator"]
        found[checkpoint.state["images_seen"]] = (optimiser["lr"], optimiser["betas"][1])
    # As in the step that led there, which began 8 images before.
    expected = {0: 2e-4}
    for seen in (32, 64, 96):
        expected[seen] = in_force(small(*SCHEDULED), seen - 8).optimiser.lr_d
    assert {seen: lr for seen, (lr, _) in found.items()} == pytest.approx(expected)
    assert found[96] == pytest.approx((2e-5, 0.9))


def test_each_step_records_what_the_schedule_left_of_the_rates(train):
    run, _ = train("run", small(*SCHEDULED))
    steps = list(rows(RunFolder(run).steps))
    # Half a cosine from 1 to 0.1 over 64 images, in steps of 8.
    expected = [0.55 + 0.45 * math.cos(math.pi * min(step * 8 / 64, 1)) for step in range(12)]
    assert [step["lr_factor"] for step in steps] == pytest.approx(expected)


def test_rates_that_no_schedule_changes_are_not_recorded(train):
    run, _ = train("run", small("schedule.images=64", "schedule.penalty_to=0.1", "loss.r1=1"))
    assert not any("lr_factor" in step for step in rows(RunFolder(run).steps))


def test_a_half_life_that_begins_at_nothing_averages_nothing(train):
    growing = ("schedule.images=1000", "schedule.ema_from=0")

    def distance(*changes):
        run, _ = train(f"run{len(changes)}", small(*changes, "train.images=8"))
        weights = checkpoints.readable(RunFolder(run).checkpoints)[-1].tensors("weights")
        name = "project.weight"
        return (weights[f"ema.{name}"] - weights[f"generator.{name}"]).abs().max().item()

    assert distance(*growing) == 0
    assert distance() > 0


def test_the_schedule_is_part_of_what_an_amended_run_obeys(train):
    """A remedy changes what is set, and the schedule takes it from there."""
    slower = (*SCHEDULED, "optimiser.lr_d=1e-4")
    run, _ = train("run", small(*SCHEDULED))
    then = next(
        c for c in checkpoints.readable(RunFolder(run).checkpoints) if c.state["images_seen"] == 32
    )
    amend(run, then, small(*slower), {})
    train("run", small(*slower))
    newest = checkpoints.readable(RunFolder(run).checkpoints)[-1]
    assert newest.state["optimisers"]["discriminator"]["lr"] == pytest.approx(1e-5)
    amend(run, then, small(*SCHEDULED), {})
    train("run", small(*SCHEDULED))
    assert_same_run(train("never", small(*SCHEDULED))[0], run)


def test_whoever_looks_at_players_later_is_told_what_they_obeyed(train):
    run, _ = train("run", small(*SCHEDULED))
    players = TrainedPair.of(open_model(run, "000000k-4"))
    assert players.model.images_seen == 32
    assert players.config == in_force(small(*SCHEDULED), 32)
    assert players.config.optimiser.lr_d < 2e-4


def test_the_distance_from_equilibrium_is_that_under_the_settings_in_force(
    store, tmp_path, monkeypatch
):
    asked = []

    def probe(*_players, loss, optimiser, **_rest):
        asked.append((loss, optimiser))
        raise MetricError("enough seen", expected="no more", fix="none")

    monkeypatch.setattr(equilibrium_probe, "probe_equilibrium", probe)
    config = small(*SCHEDULED, "record.equilibrium_images=32")
    state = fresh_state(config, (3, 16, 16), torch.device("cpu"))
    state.images_seen = 32
    folder, unused = RunFolder(tmp_path), cast(Any, None)
    watch = equilibrium_probe.EquilibriumProbe(
        config, unused, folder=folder, store=Store.open(store)
    )
    watch(state, {})
    now = in_force(config, 32)
    assert asked == [(now.loss, now.optimiser)]
    assert now.loss.r1 < 1


def test_a_schedule_of_no_images_is_refused(train):
    with pytest.raises(ConfigError, match=r"\[schedule\] of 0 images") as refusal:
        train("run", small("schedule.lr_to=0.1"))
    assert "schedule.images=" in refusal.value.fix


@pytest.mark.parametrize("slope", ["finite-difference", "antithetic-noise"])
def test_slopes_are_not_tried_on_a_discriminator_that_answers_by_chance(slope, train):
    tried = ("model.name=mlp", "model.dropout=0.5", f"loss.slope={slope}", "loss.r1=1")
    with pytest.raises(ConfigError, match="dropout"):
        train("run", small(*tried))


@pytest.mark.parametrize(
    ("noise", "named"),
    [
        ((), r"noise=0(?!\.)"),
        (("loss.instance_noise=0.02",), "noise=0.02"),
        (("loss.instance_noise=0.1", "loss.instance_noise_images=9"), "noise that fades"),
    ],
)
def test_slopes_are_not_tried_along_noise_that_is_too_little_or_fades(noise, named, train):
    with pytest.raises(ConfigError, match=named) as refusal:
        train("run", small("loss.slope=antithetic-noise", "loss.r1=1", *noise))
    assert "loss.instance_noise=0.05" in refusal.value.fix


LAZY = LossConfig(game="wasserstein", r1=0.5, r2=3.0, gradient_penalty=10.0, penalty_every=4)


def weights(loss: LossConfig) -> tuple[float, float, float]:
    return loss.r1, loss.r2, loss.gradient_penalty


def test_every_fourth_update_is_penalised_four_times_as_hard():
    found = [weights(in_update(LAZY, number)) for number in range(8)]
    assert found == [(0, 0, 0)] * 3 + [(2, 12, 40)] + [(0, 0, 0)] * 3 + [(2, 12, 40)]


def test_penalties_that_are_not_lazy_are_as_they_are():
    loss = dataclasses.replace(LAZY, penalty_every=1)
    assert all(in_update(loss, number) is loss for number in range(5))


class Curved(nn.Module):
    """D(x) = w * |x|^2 / 2 + v * sum(x): slopes that depend on the image and on both weights."""

    def __init__(self):
        super().__init__()
        self.w, self.v = (nn.Parameter(torch.tensor(value)) for value in (0.5, -0.3))

    def forward(self, images):
        pixels = images.flatten(1)
        return self.w * pixels.square().sum(1) / 2 + self.v * pixels.sum(1)


@pytest.mark.parametrize("slope", ["exact", "finite-difference"])
def test_the_mean_gradient_over_a_round_is_that_of_penalties_in_every_update(slope):
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 6, 1, 2, 2, generator=rng)
    mix, directions = torch.rand(6, generator=rng), torch.randn(2, 6, 1, 2, 2, generator=rng)

    def mean_gradient(loss: LossConfig) -> torch.Tensor:
        found = []
        for number in range(4):
            network = Curved()  # not moved: the same players in each update
            own = list(network.parameters())
            player = Player(network, own, torch.optim.SGD(own, lr=0.0), None)
            rules = Rules.of(in_update(loss, number), Fabric(accelerator="cpu", devices=1))
            discriminator_step(player, real, fake, mix, rules, directions=directions)
            found.append(torch.stack([weight.grad for weight in own if weight.grad is not None]))
        return torch.stack(found).mean(0)

    lazy = dataclasses.replace(LAZY, slope=slope)
    every = dataclasses.replace(lazy, penalty_every=1)
    none = dataclasses.replace(every, r1=0.0, r2=0.0, gradient_penalty=0.0)
    torch.testing.assert_close(mean_gradient(lazy), mean_gradient(every))
    assert (mean_gradient(every) - mean_gradient(none)).abs().min() > 0.1


@pytest.mark.parametrize(("d_steps", "penalised"), [(1, [3, 6, 9, 12]), (3, [1, 2, 3, 4])])
def test_steps_say_in_which_of_them_the_penalty_came(d_steps, penalised, train):
    lazy = ("loss.r1=1", "loss.penalty_every=3", "model.normalisation=none")
    run, _ = train("run", small(*lazy, f"train.d_steps={d_steps}"))
    steps = rows(RunFolder(run).steps)
    assert [row["step"] for row in steps if row["d_penalty"] > 0] == penalised
