"""The speed of a linear generator along a great circle is known on paper."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from facewright.errors import MetricError
from facewright.metrics.path_length import _departures, _trimmed_mean, path_length


def linear(z_dim: int, scale: float = 1.0):
    """Latents, kept at right angles and scaled, as images of 1 x 4 x z_dim / 2 pixels."""
    rng = torch.Generator().manual_seed(0)
    axes = torch.linalg.qr(torch.randn(2 * z_dim, z_dim, generator=rng)).Q

    def generator(z: Tensor) -> Tensor:
        return scale * (z @ axes.T).unflatten(1, (1, 4, z_dim // 2))

    return generator


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 48), nn.Tanh())
    return nn.Sequential(layers, nn.Unflatten(1, (3, 4, 4))).requires_grad_(False)


def test_in_the_plane_it_is_the_mean_square_of_the_angle():
    # Angles are uniform in [0, pi], the radius is sqrt(2); 1 % is dropped at either end.
    expected = 2 * math.pi**2 * (0.99**3 - 0.01**3) / (3 * 0.98)
    length = path_length(linear(2), z_dim=2, pairs=4000)
    assert length.interval is not None
    assert length.interval[0] <= expected <= length.interval[1]
    assert length.value == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_in_many_dimensions_the_way_is_a_quarter_of_a_circle(scale):
    length = path_length(linear(500, scale), z_dim=500, pairs=200)
    assert length.value == pytest.approx(scale**2 * 500 * (math.pi / 2) ** 2, rel=0.02)


def test_way_and_speed_are_those_of_a_great_circle():
    points, velocities = _departures(500, 6, torch.Generator().manual_seed(0))
    assert points.norm(dim=1).numpy() == pytest.approx(math.sqrt(6), rel=1e-5)
    assert (points * velocities).sum(dim=1).numpy() == pytest.approx(0, abs=1e-4)
    start, end = torch.randn(
        2, 500, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    angles = torch.acos(torch.cosine_similarity(start, end))
    speeds = velocities.norm(dim=1).double()
    assert speeds.numpy() == pytest.approx((math.sqrt(6) * angles).numpy(), rel=1e-5)
    # Going on at this speed for time 1 arrives at the other latent.
    arrival = points / math.sqrt(6) * torch.cos(angles)[:, None]
    arrival = arrival + velocities / speeds[:, None] * torch.sin(angles)[:, None]
    assert arrival.numpy() == pytest.approx(nn.functional.normalize(end).numpy(), abs=1e-5)


def test_it_is_the_limit_of_small_steps():
    generator = network().double()
    points, velocities = _departures(300, 6, torch.Generator().manual_seed(0))
    points, velocities = points.double(), velocities.double()
    step = 1e-4
    turn = step * velocities.norm(dim=1, keepdim=True) / math.sqrt(6)
    ahead = torch.cos(turn) * points + torch.sin(turn) / turn * step * velocities
    squares = (generator(ahead) - generator(points)).flatten(1).square().sum(dim=1) / step**2
    length = path_length(network(), z_dim=6, pairs=300)
    assert length.value == pytest.approx(_trimmed_mean(squares).value, rel=1e-3)


def test_it_is_measured_in_the_features():
    def right_half_twice(images: Tensor) -> Tensor:
        return 2 * images[..., images.shape[3] // 2 :]

    pixels = path_length(linear(200), z_dim=200, pairs=200)
    features = path_length(linear(200), right_half_twice, z_dim=200, pairs=200)
    assert features.value == pytest.approx(4 * pixels.value / 2, rel=0.1)


def test_known_blind_spot_a_collapsed_generator_is_perfectly_smooth():
    length = path_length(lambda z: torch.ones(len(z), 1, 4, 4), z_dim=8, pairs=100)
    assert (length.value, length.interval) == (0, (0, 0))


def test_a_jump_on_the_way_costs():
    def generator(steepness: float):
        return lambda z: torch.tanh(steepness * z[:, :4]).unflatten(1, (1, 2, 2))

    gentle, abrupt = (path_length(generator(s), z_dim=8, pairs=1000) for s in (1.0, 10.0))
    assert gentle.interval is not None
    assert abrupt.value > gentle.interval[1]


def test_the_slowest_and_the_fastest_percent_are_left_out():
    numbers = torch.cat([torch.arange(1.0, 199.0), torch.tensor([-1e9, 1e9])])
    shuffled = numbers[torch.randperm(200, generator=torch.Generator().manual_seed(0))]
    trimmed = _trimmed_mean(shuffled)
    # Sorted: -1e9, 1, 2 ... 198, 1e9. Those left out count as 2 and 197 in the error.
    error = np.arange(1, 201).clip(3, 198).std(ddof=1) / math.sqrt(200) / 0.98
    assert trimmed.value == pytest.approx(np.arange(2, 198).mean())
    assert trimmed.interval == pytest.approx(
        (trimmed.value - 1.96 * error, trimmed.value + 1.96 * error), rel=1e-4
    )


def test_the_interval_holds_the_true_value_in_nearly_all_repetitions():
    rng = torch.Generator().manual_seed(0)
    # The trimmed mean of exp(1.5 x) with x normal, cut at its percentiles +-2.326.
    cut = torch.erf(torch.tensor((2.3263 - 1.5) / math.sqrt(2))) + torch.erf(
        torch.tensor((2.3263 + 1.5) / math.sqrt(2))
    )
    truth = math.exp(1.5**2 / 2) * float(cut) / 2 / 0.98
    found = [_trimmed_mean((1.5 * torch.randn(500, generator=rng)).exp()) for _ in range(300)]
    intervals = [estimate.interval for estimate in found if estimate.interval]
    inside = np.mean([low <= truth <= high for low, high in intervals])
    assert 0.91 <= inside <= 0.98


def test_the_seed_decides():
    first, again, other = (
        path_length(network(), z_dim=6, pairs=100, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.value != other.value


def test_rounding_on_the_way_is_refused():
    with pytest.raises(MetricError, match="images differ"):
        path_length(linear(8), lambda x: x.mul(127.5).round(), z_dim=8, pairs=100)


@pytest.mark.parametrize(
    ("generator", "z_dim", "pairs", "reason"),
    [
        (linear(4), 4, 99, "99 pairs"),
        (linear(4), 1, 100, "1 dimensions"),
        (linear(4, scale=math.inf), 4, 100, "not finite"),
    ],
)
def test_what_has_no_speed_is_refused(generator, z_dim, pairs, reason):
    with pytest.raises(MetricError, match=reason):
        path_length(generator, z_dim=z_dim, pairs=pairs)
