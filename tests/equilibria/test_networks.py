"""Networks as a game of two vectors: the same losses, gradients and penalties as in training."""

import pytest
import torch

from facewright.config import LossConfig
from facewright.equilibria.networks import as_game, flat
from facewright.objective.adversarial import GAMES
from facewright.objective.penalties import gradient_penalty, r1_penalty, r2_penalty
from facewright.rng import rng_for
from tests.equilibria.small_networks import Judge, Picture, batch, networks

REAL, Z = batch()
GAME = GAMES["relativistic"]


def place_of(generator, discriminator):
    return flat(generator), flat(discriminator)


def numbers(*losses):
    return [float(loss.detach()) for loss in losses]


def training_losses(generator, discriminator, r1=0.0, r2=0.0, mixed=0.0):
    fake = generator(Z)
    real_logits, fake_logits = discriminator(REAL), discriminator(fake)
    d_loss = GAME.d_loss(real_logits, fake_logits).mean()
    d_loss = d_loss + r1 / 2 * r1_penalty(discriminator, REAL).mean()
    d_loss = d_loss + r2 / 2 * r2_penalty(discriminator, fake).mean()
    mix = torch.rand(len(REAL), generator=rng_for(0, 0, "mix"))
    d_loss = d_loss + mixed * gradient_penalty(discriminator, REAL, fake, mix).mean()
    return GAME.g_loss(real_logits, fake_logits).mean(), d_loss


@pytest.mark.parametrize("weights", [(0, 0, 0), (3.0, 0, 0), (0, 3.0, 0), (0, 0, 3.0)])
def test_losses_and_gradients_are_those_of_training(weights):
    pair = networks()
    r1, r2, mixed = weights
    game = as_game(
        *pair, game=GAME, real=REAL, z=Z, weights=LossConfig(r1=r1, r2=r2, gradient_penalty=mixed)
    )
    g_loss, d_loss = training_losses(*pair, *weights)
    found = game.losses(*place_of(*pair))
    assert numbers(*found) == pytest.approx(numbers(g_loss, d_loss))
    for network, loss, gradient in zip(
        pair, (g_loss, d_loss), game.gradients(*place_of(*pair)), strict=True
    ):
        by_weights = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
        torch.testing.assert_close(gradient, torch.cat([part.flatten() for part in by_weights]))


@pytest.mark.parametrize("penalty", ["r2", "gradient_penalty"])
def test_the_penalty_changes_when_the_generator_moves(penalty):
    """Training cuts this path on purpose; the Jacobian needs it."""
    pair = networks()
    x, y = place_of(*pair)
    bare = as_game(*pair, game=GAME, real=REAL, z=Z)
    r2, mixed = (5.0, 0.0) if penalty == "r2" else (0.0, 5.0)
    with_penalty = as_game(
        *pair, game=GAME, real=REAL, z=Z, weights=LossConfig(r2=r2, gradient_penalty=mixed)
    )
    for moved in (x, x + 0.3):
        more = with_penalty.losses(moved, y)[1] - bare.losses(moved, y)[1]
        assert more > 0
    x = x.requires_grad_()
    difference = with_penalty.losses(x, y)[1] - bare.losses(x, y)[1]
    (by_x,) = torch.autograd.grad(difference, x)
    assert by_x.norm() > 1e-6


def test_batch_norm_is_as_in_training_dropout_is_off_and_the_networks_stay_untouched():
    _, discriminator = networks(dropout=0.5)
    generator = Picture(batch_norm=True)
    generator.get_buffer("layers.1.running_mean").fill_(7.0)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    generator.eval()
    game = as_game(generator, discriminator, game=GAME, real=REAL, z=Z)
    found = game.losses(*place_of(generator, discriminator))
    assert not generator.training
    assert discriminator.training
    for name, tensor in generator.state_dict().items():
        assert torch.equal(tensor, before[name])
    again = game.losses(*place_of(generator, discriminator))
    assert numbers(*found) == numbers(*again)
    expected = training_losses(generator.train(), discriminator.eval())
    assert numbers(*found) == pytest.approx(numbers(*expected))


def test_double_precision_reaches_every_tensor():
    pair = Picture(), Judge()
    game = as_game(
        *pair, game=GAME, real=REAL, z=Z, weights=LossConfig(r1=1.0, r2=1.0), dtype=torch.float64
    )
    place = flat(pair[0], torch.float64), flat(pair[1], torch.float64)
    assert all(gradient.dtype == torch.float64 for gradient in game.gradients(*place))
