"""One objective for the training step, the equilibrium probe and the local analysis."""

import dataclasses

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from facewright.config import LossConfig
from facewright.equilibria.frozen_game import FrozenGame
from facewright.equilibria.networks import as_game, flat
from facewright.objective.adversarial import GAMES, game_named
from facewright.objective.discriminator_inputs import BatchInputs
from facewright.objective.losses import discriminator_loss, each_image, generator_loss
from facewright.objective.penalties import PENALTIES, UNPENALISED, Penalty, active_penalties
from facewright.objective.techniques import HistoricalAverage
from facewright.rng import rng_for
from facewright.training.schedule import in_update
from facewright.training.state import Player
from facewright.training.step import Rules, discriminator_step, generator_step
from tests.equilibria.small_networks import batch, networks

REAL, Z = batch()
MIX = torch.rand(len(REAL), generator=rng_for(0, 0, "mix"))
FABRIC = Fabric(accelerator="cpu", devices=1)


def player(network: nn.Module, history: bool = False) -> Player:
    weights = list(network.parameters())
    still = torch.optim.SGD(weights, lr=0.0)
    return Player(network, weights, still, HistoricalAverage(weights) if history else None)


def d_loss(weights: LossConfig, **more):
    generator, discriminator = networks()
    fake = more.pop("fake", generator(Z).detach())
    game = game_named(weights.game, weights.real_target)
    return discriminator_loss(discriminator, REAL, fake, MIX, game=game, weights=weights, **more)


def test_every_penalty_has_a_weight_of_its_name_that_is_0_by_default():
    assert not active_penalties(LossConfig())
    for name in PENALTIES:
        assert list(active_penalties(dataclasses.replace(LossConfig(), **{name: 0.1}))) == [name]


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("penalty", PENALTIES)
def test_training_probe_and_local_analysis_have_one_objective(game, penalty):
    loss = dataclasses.replace(LossConfig(game=game), **{penalty: 3.0})
    generator, discriminator = networks()
    fake = generator(Z).detach()
    stats = discriminator_step(player(discriminator), REAL, fake, MIX, Rules.of(loss, FABRIC))
    trained = (stats["d_loss"] + stats["d_penalty"]).item()
    assert stats["d_penalty"].item() > 0

    frozen = FrozenGame(
        generator, discriminator, loss=loss, search=REAL, test=REAL, z_dim=2, batch=8, seed=0
    )
    half = dataclasses.replace(
        frozen.reporting, real=REAL, z=Z, fake=fake, mix=MIX, conditions=torch.zeros(len(REAL), 0)
    )
    probed = frozen.d_gain(frozen.discriminator, half, bound=True)
    assert -probed.mean().item() == pytest.approx(trained, rel=1e-5)

    of_vectors = as_game(generator, discriminator, game=GAMES[game], real=REAL, z=Z, weights=loss)
    g_local, d_local = of_vectors.losses(flat(generator), flat(discriminator))
    assert d_local.item() == pytest.approx(trained, rel=1e-5)
    answer = generator_step(
        player(generator),
        player(discriminator),
        REAL,
        lambda rows: generator(Z[rows]),
        Rules.of(loss, FABRIC),
    )
    assert g_local.item() == pytest.approx(answer["g_loss"].item(), rel=1e-5)
    wanted = frozen.g_training_gain(frozen.generator, REAL, Z, half.conditions)
    assert -wanted.mean().item() == pytest.approx(answer["g_loss"].item(), rel=1e-5)


def test_a_penalty_that_is_added_to_the_table_is_in_the_loss_and_in_lazy_updates(monkeypatch):
    """Two places only: its function with a line of the table, and its weight."""

    @dataclasses.dataclass(frozen=True)
    class More(LossConfig):
        logit_drift: float = 0.0

    def drift(given) -> Tensor:
        return given.real.logits.square()

    monkeypatch.setitem(PENALTIES, "logit_drift", Penalty("drift", drift))
    found = d_loss(More(logit_drift=2.0))
    assert found.penalty.item() == pytest.approx(2 * found.real_logits.square().mean().item())
    lazy = More(logit_drift=2.0, penalty_every=4)
    assert [in_update(lazy, n) for n in (0, 3)] == [
        More(logit_drift=weight, penalty_every=4) for weight in (0.0, 8.0)
    ]


def test_values_of_each_image_have_the_means_that_are_trained_on():
    loss = LossConfig(r1=2.0, gradient_penalty=3.0)
    one, all_of_them = d_loss(loss), d_loss(loss, reduction=each_image)
    assert all_of_them.game.shape == all_of_them.penalty.shape == REAL.shape[:1]
    torch.testing.assert_close(all_of_them.game.mean(), one.game)
    torch.testing.assert_close(all_of_them.penalty.mean(), one.penalty)


@pytest.mark.parametrize("penalty", ["r2", "gradient_penalty"])
def test_penalties_reach_the_generator_only_when_they_are_attached(penalty):
    loss = dataclasses.replace(LossConfig(), **{penalty: 2.0})
    made = networks()[0](Z)
    for method, reached in (("exact", False), ("attached", True)):
        found = d_loss(loss, fake=made, method=method)
        (by_images,) = torch.autograd.grad(
            found.penalty, made, allow_unused=True, retain_graph=True
        )
        assert (by_images is not None and by_images.abs().max() > 0) == reached


def test_double_precision_stays_double():
    generator, discriminator = (network.double() for network in networks())
    fake = generator(Z.double()).detach()
    found = discriminator_loss(
        discriminator,
        REAL.double(),
        fake,
        MIX.double(),
        game=GAMES["minimax"],
        weights=LossConfig(gradient_penalty=1.0),
        method="attached",
    )
    assert found.game.dtype == found.penalty.dtype == torch.float64


def test_historical_averaging_is_part_of_the_penalty():
    _, discriminator = networks()
    history = HistoricalAverage(discriminator.parameters())
    with torch.no_grad():
        next(discriminator.parameters()).add_(0.5)
    fake = networks()[0](Z).detach()
    found = discriminator_loss(
        discriminator,
        REAL,
        fake,
        MIX,
        game=GAMES["minimax"],
        weights=LossConfig(historical_averaging=3.0),
        history=history,
    )
    assert found.penalty.item() == pytest.approx(3.0 * history().item())
    assert history().item() > 0


@pytest.mark.parametrize("game", GAMES)
def test_real_logits_are_computed_for_the_generator_only_where_its_loss_needs_them(game):
    seen = []

    def counted(images: Tensor) -> Tensor:
        seen.append(images)
        return images.flatten(1).sum(1)

    fake = networks()[0](Z)
    loss = generator_loss(counted, REAL, fake, game=GAMES[game], weights=UNPENALISED)
    assert len(seen) == 1 + GAMES[game].g_sees_real
    expected = GAMES[game].g_loss(REAL.flatten(1).sum(1), fake.flatten(1).sum(1)).mean()
    torch.testing.assert_close(loss, expected)


def test_with_feature_matching_the_generator_is_paid_for_the_mean_features_of_what_is_seen():
    class Halves(nn.Module):
        def features(self, images: Tensor) -> Tensor:
            return images.flatten(1)[:, :2]

        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1).sum(1)

    seen = BatchInputs(lambda real: real / 2, lambda fake: fake / 4)
    real = REAL.clone().requires_grad_()
    fake = networks()[0](Z).detach().requires_grad_()
    loss = generator_loss(
        Halves(),
        real,
        fake,
        game=GAMES["relativistic"],
        weights=LossConfig(feature_matching=True),
        inputs=seen,
    )
    apart = (REAL / 2 - fake / 4).flatten(1)[:, :2].mean(0)
    torch.testing.assert_close(loss, apart.square().sum())
    # What is matched is fixed: the loss is the generator's alone.
    assert torch.autograd.grad(loss, (real, fake), allow_unused=True)[0] is None


def test_given_logits_are_used_and_both_stay_attached():
    def never(_images: Tensor) -> Tensor:
        raise AssertionError

    logits = torch.randn(2, 4, requires_grad=True)
    loss = generator_loss(
        never,
        REAL,
        REAL,
        game=GAMES["relativistic"],
        weights=UNPENALISED,
        logits=(logits[0], logits[1]),
    )
    (by_logits,) = torch.autograd.grad(loss, logits)
    assert (by_logits[0] > 0).all()
    assert (by_logits[1] < 0).all()


def test_each_penalty_is_evaluated_in_an_autocast_context_of_its_own():
    opened = []

    def autocast():
        opened.append(1)
        return torch.autocast("cpu", dtype=torch.bfloat16)

    found = d_loss(LossConfig(r1=1.0, r2=1.0), autocast=autocast)
    assert len(opened) == 3
    assert found.real_logits.dtype == found.penalty.dtype == torch.float32
