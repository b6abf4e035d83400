"""Gradients measured along the noise that the discriminator sees anyway."""

import torch
from lightning_fabric import Fabric
from torch import nn

from facewright.config import AugmentConfig, LossConfig
from facewright.objective.discriminator_inputs import BatchInputs, DiscriminatorInputs
from facewright.objective.logit_gradients import (
    LARGEST_EPSILON,
    EvaluatedImages,
    epsilon_for,
    finite_difference,
    squared_gradients,
)
from facewright.objective.penalties import r1_penalty
from facewright.training.state import Player
from facewright.training.step import Rules, discriminator_step

NOISE = 0.3
REAL, FAKE = torch.rand(2, 6, 2, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(144, 1), nn.Flatten(0)
    )


def views_of(loss: LossConfig) -> BatchInputs:
    return DiscriminatorInputs(loss, AugmentConfig(), 3, batch=6, part=slice(0, 6)).at(0, "d", 0)


def step(r1: float, r2: float) -> tuple[float, torch.Tensor]:
    """The penalty, and the gradient of one update, in a discriminator that stays as it is."""
    loss = LossConfig(instance_noise=NOISE, slope="antithetic-noise", r1=r1, r2=r2)
    judge = network()
    own = list(judge.parameters())
    player = Player(judge, own, torch.optim.SGD(own, lr=0.0), None)
    rules = Rules.of(loss, Fabric(accelerator="cpu", devices=1))
    stats = discriminator_step(player, REAL, FAKE, torch.ones(6), rules, views_of(loss))
    return stats["d_penalty"].item(), gradient(judge)


def gradient(judge: nn.Module) -> torch.Tensor:
    return torch.cat([w.grad.flatten() for w in judge.parameters() if w.grad is not None])


def test_antithetic_noise_pulls_as_slopes_that_are_tried_along_it():
    judge, views = network(), views_of(LossConfig(instance_noise=NOISE))
    tried = [
        weight / 2 * finite_difference(judge, images, (seen(images) - images) / NOISE, NOISE).mean()
        for weight, seen, images in ((2.0, views.real, REAL), (5.0, views.fake, FAKE))
    ]
    sum(tried, torch.zeros(())).backward()
    (penalty, with_it), (none, without) = step(r1=2.0, r2=5.0), step(r1=0.0, r2=0.0)
    assert none == 0
    torch.testing.assert_close(torch.tensor(penalty), sum(tried, torch.zeros(())))
    torch.testing.assert_close(with_it - without, gradient(judge), rtol=1e-3, atol=1e-5)
    assert gradient(judge).norm() > 0.1


def test_finite_differences_go_as_far_as_suits_the_size_of_the_images():
    images, directions = torch.randn(2, 3, 1, 64, 64, generator=torch.Generator().manual_seed(0))

    def judge(seen: torch.Tensor) -> torch.Tensor:
        return seen.sin().flatten(1).sum(1)

    views = views_of(LossConfig())
    at = EvaluatedImages(images, views.real, views.real, 0.0, judge(images), directions)
    found = squared_gradients(judge, at, "finite-difference", exact=r1_penalty)
    assert found.equal(finite_difference(judge, images, directions, epsilon_for(64, 64)))
    assert not found.allclose(finite_difference(judge, images, directions, LARGEST_EPSILON))
