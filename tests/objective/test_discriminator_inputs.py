"""What the discriminator sees of the images: noise and distortions, by address."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from facewright.config import AugmentConfig, LossConfig
from facewright.objective import diffaugment, discriminator_inputs, warp
from facewright.objective.discriminator_inputs import (
    UNCHANGED,
    BatchInputs,
    DiscriminatorInputs,
    noise_at,
)
from facewright.rng import rng_for
from facewright.training.state import Player
from facewright.training.step import Rules, discriminator_step, generator_step

SIDE = 16


def inputs_of(noise=0.0, probability=0.0, part=slice(0, 8), **more) -> DiscriminatorInputs:
    loss = LossConfig(instance_noise=noise, **more)
    return DiscriminatorInputs(
        loss, AugmentConfig(probability=probability), seed=3, batch=8, part=part
    )


def grey(count=8):
    return torch.zeros(count, 3, SIDE, SIDE)


@pytest.mark.parametrize(("images_seen", "noise"), [(0, 0.4), (250, 0.3), (1000, 0.0), (5000, 0.0)])
def test_noise_fades_evenly_and_stays_away(images_seen, noise):
    loss = LossConfig(instance_noise=0.4, instance_noise_images=1000)
    assert noise_at(loss, images_seen) == pytest.approx(noise)


def test_noise_that_does_not_fade_is_constant():
    assert noise_at(LossConfig(instance_noise=0.4), 10**9) == 0.4


def test_noise_has_the_spread_that_was_asked_for_and_no_mean():
    seen = inputs_of(noise=0.2).at(0, "d", 0).real(grey())
    assert seen.std().item() == pytest.approx(0.2, rel=0.05)
    assert abs(seen.mean().item()) < 5 * 0.2 / seen.numel() ** 0.5


def test_the_noise_of_a_moment_is_the_faded_one():
    views = inputs_of(noise=0.2, instance_noise_images=100).at(0, "d", 50)
    assert views.real(grey()).std().item() == pytest.approx(0.1, rel=0.05)


def test_without_noise_and_distortion_images_are_as_they_are():
    assert inputs_of().at(0, "d", 0) is UNCHANGED


@pytest.mark.parametrize("kind", [{"noise": 0.1}, {"probability": 1.0}], ids=["noise", "augment"])
def test_a_view_shows_the_same_images_alike_each_time(kind):
    images = torch.rand(8, 3, SIDE, SIDE)
    view = inputs_of(**kind).at(5, "d", 0).real
    assert torch.equal(view(images), view(images))


@pytest.mark.parametrize("kind", [{"noise": 0.1}, {"probability": 1.0}], ids=["noise", "augment"])
def test_each_batch_turn_and_kind_has_its_own_chance(kind):
    images = torch.rand(8, 3, SIDE, SIDE)
    one = inputs_of(**kind)
    looks = [
        one.at(5, "d", 0).real,
        one.at(5, "d", 0).fake,
        one.at(6, "d", 0).real,
        one.at(5, "g", 0).real,
    ]
    assert len(torch.stack([look(images).flatten() for look in looks]).unique(dim=0)) == 4


@pytest.mark.parametrize("kind", [{"noise": 0.1}, {"probability": 1.0}], ids=["noise", "augment"])
def test_two_processes_see_the_halves_of_what_one_sees(kind):
    images = torch.rand(8, 3, SIDE, SIDE)
    whole = inputs_of(**kind).at(5, "d", 0).fake(images)
    halves = [
        inputs_of(**kind, part=part).at(5, "d", 0).fake(images[part])
        for part in (slice(0, 4), slice(4, 8))
    ]
    assert torch.equal(torch.cat(halves), whole)


@pytest.mark.parametrize("kind", [{"noise": 0.1}, {"probability": 1.0}], ids=["noise", "augment"])
def test_a_micro_batch_is_seen_as_in_the_whole(kind):
    images, rows = torch.rand(8, 3, SIDE, SIDE), slice(1, 3)
    of_process = inputs_of(**kind, part=slice(4, 8)).at(5, "d", 0)
    whole = inputs_of(**kind).at(5, "d", 0)
    assert torch.equal(of_process.of(rows).real(images[5:7]), whole.real(images)[5:7])
    assert torch.equal(of_process.of(rows).fake(images[5:7]), whole.fake(images)[5:7])
    assert UNCHANGED.of(rows) is UNCHANGED


def test_noise_is_drawn_once_for_each_kind_however_many_micro_batches_use_it(monkeypatch):
    drawn = []
    randn = torch.randn

    def counting(*shape, **others):
        drawn.append(shape)
        return randn(*shape, **others)

    monkeypatch.setattr(torch, "randn", counting)
    views, images = inputs_of(noise=0.1).at(5, "d", 0), torch.rand(8, 3, SIDE, SIDE)
    for some in (slice(0, 3), slice(3, 6), slice(6, 8)):
        for _ in range(2):  # as penalties do
            views.of(some).real(images[some])
            views.of(some).fake(images[some])
    assert drawn == [(8, 3, SIDE, SIDE)] * 2


def test_only_the_chosen_distortions_are_applied():
    cutout_only = AugmentConfig(probability=1.0, colour=False, translation=False)
    view = (
        DiscriminatorInputs(LossConfig(), cutout_only, seed=0, batch=8, part=slice(0, 8))
        .at(0, "d", 0)
        .real
    )
    assert view(torch.ones(8, 1, SIDE, SIDE)).unique().tolist() == [0.0, 1.0]


def test_a_new_family_of_distortions_changes_no_number_of_an_older_one():
    images = torch.rand(8, 3, SIDE, SIDE)
    both = AugmentConfig(probability=0.5, scale=True, rotation=True)
    view = (
        DiscriminatorInputs(LossConfig(), both, seed=3, batch=8, part=slice(0, 8))
        .at(5, "d", 0)
        .real
    )
    first = torch.rand(8, warp.NUMBERS, generator=rng_for(3, 5, "augment-warp/d/real"))
    second = torch.rand(8, diffaugment.NUMBERS, generator=rng_for(3, 5, "augment/d/real"))
    seen = warp.warped(images, warp.POLICIES, 0.5, first)
    assert not torch.equal(seen, images)
    assert torch.equal(view(images), distorted_as_ever(seen, second))
    view = inputs_of(probability=0.5).at(5, "d", 0).real
    assert torch.equal(view(images), distorted_as_ever(images, second))


def distorted_as_ever(images, chance):
    return diffaugment.distorted(images, ("colour", "translation", "cutout"), 0.5, chance)


class Sum(nn.Module):
    """D(x) = w * sum of the pixels: the slope is w at every pixel."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5))

    def forward(self, images):
        return self.w * images.flatten(1).sum(1)


def player(network: nn.Module, lr=0.0) -> Player:
    weights = list(network.parameters())
    return Player(network, weights, torch.optim.SGD(weights, lr=lr), None)


HALVED = BatchInputs(lambda real: real / 2, lambda fake: fake / 4)
REAL, FAKE = torch.ones(2, 1, 2, 2), -torch.ones(2, 1, 2, 2)


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        # Four pixels of slope w = 1/2, halved, or quartered, by the view; weight 2 / 2.
        ({"r1": 2.0}, 4 * 0.25**2),
        ({"r2": 2.0}, 4 * 0.125**2),
        ({"gradient_penalty": 1.0}, (0.5 - 1) ** 2),
    ],
)
def test_slopes_are_those_of_the_images_before_they_were_distorted(penalty, expected):
    rules = Rules.of(LossConfig(**penalty), Fabric(accelerator="cpu", devices=1))
    mix = torch.full((2,), 0.5)
    stats = discriminator_step(player(Sum()), REAL, FAKE, mix, rules, HALVED)
    assert stats["d_penalty"].item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        # The direction has 1, 1, 1, 2 on real pixels and -1, -1, -1, -2 on generated ones; slope
        # w = 1/2, halved, or quartered, by the view; weight 2 / 2.
        ({"r1": 2.0}, (5 * 0.25) ** 2),
        ({"r2": 2.0}, (5 * 0.125) ** 2),
    ],
)
def test_slopes_are_tried_before_images_are_distorted_and_each_kind_its_own_way(penalty, expected):
    loss = LossConfig(slope="finite-difference", **penalty)
    rules = Rules.of(loss, Fabric(accelerator="cpu", devices=1))
    way = torch.tensor([1.0, 1.0, 1.0, 2.0]).view(1, 2, 2).expand(2, 1, 2, 2)
    unlike = way.clone()
    unlike[1] = 0
    directions = torch.stack([way, -way])
    stats = discriminator_step(player(Sum()), REAL, FAKE, torch.ones(2), rules, HALVED, directions)
    assert stats["d_penalty"].item() == pytest.approx(expected, rel=1e-4)
    mine = 0 if "r1" in penalty else 1
    directions[mine] = unlike  # one of two images is tried nowhere
    stats = discriminator_step(player(Sum()), REAL, FAKE, torch.ones(2), rules, HALVED, directions)
    assert stats["d_penalty"].item() == pytest.approx(expected / 2, rel=1e-4)


def test_both_points_of_a_slope_meet_the_same_distortion():
    """With a chance of its own, noise of either side would look like a slope."""
    loss = LossConfig(slope="finite-difference", r1=2.0, instance_noise=0.5)
    one = DiscriminatorInputs(
        loss, AugmentConfig(probability=1.0, colour=False), 3, batch=8, part=slice(0, 8)
    )
    images = grey()
    directions = torch.zeros(2, *images.shape)
    rules = Rules.of(loss, Fabric(accelerator="cpu", devices=1))
    stats = discriminator_step(
        player(Sum()), images, images, torch.ones(8), rules, one.at(0, "d", 0), directions
    )
    assert stats["d_penalty"].item() == 0


def test_antithetic_noise_goes_as_far_to_the_other_side_and_all_else_stays():
    loss = LossConfig(instance_noise=0.5)
    views = DiscriminatorInputs(
        loss, AugmentConfig(probability=1.0), 3, batch=8, part=slice(2, 8)
    ).at(1, "d", 0)
    told = views.of(slice(1, 4)).given(torch.ones(3, 1))
    clean = DiscriminatorInputs(
        LossConfig(), AugmentConfig(probability=1.0), 3, batch=8, part=slice(2, 8)
    )
    images = torch.rand(6, 3, SIDE, SIDE)[1:4]
    distorted = clean.at(1, "d", 0).of(slice(1, 4)).real(images)
    there, back = told.real(images), told.antithetic().real(images)
    torch.testing.assert_close((there + back) / 2, distorted)
    assert (there - back).std().item() == pytest.approx(2 * 0.5, rel=0.1)
    assert torch.equal(told.antithetic().antithetic().real(images), there)
    assert told.antithetic().conditions is told.conditions
    assert told.antithetic().noise == told.noise == 0.5
    assert UNCHANGED.antithetic() is UNCHANGED


def directions(number=5, *, count=8, **more) -> torch.Tensor:
    drawn = inputs_of(slope="finite-difference", **more).directions(number, grey(count))
    assert drawn is not None
    return drawn


def test_directions_are_normal_and_each_batch_and_kind_has_its_own():
    drawn = directions(r1=1.0)
    assert drawn.shape == (2, 8, 3, SIDE, SIDE)
    assert drawn.std().item() == pytest.approx(1, rel=0.03)
    assert abs(drawn.mean().item()) < 5 / drawn.numel() ** 0.5
    assert torch.equal(directions(r1=1.0), drawn)
    assert not torch.equal(directions(6, r1=1.0), drawn)
    assert not torch.equal(drawn[0], drawn[1])


def test_numbers_for_each_pixel_are_drawn_where_the_images_are(monkeypatch):
    asked = {}

    def spy(seed, step, use, device="elsewhere"):
        asked[use.split("/")[0]] = device
        return rng_for(seed, step, use)

    monkeypatch.setattr(discriminator_inputs, "rng_for", spy)
    one = inputs_of(noise=0.5, probability=1.0, slope="finite-difference", r1=1.0)
    one.directions(5, grey())
    one.at(5, "d", 0).real(grey())
    here = torch.device("cpu")
    assert asked == {"directions": here, "noise": here, "augment": "elsewhere"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_draws_the_numbers_of_its_own_source():
    found = inputs_of(slope="finite-difference", r1=1.0).directions(5, grey().cuda())
    rng = rng_for(3, 5, "directions", "cuda")
    assert found is not None
    assert found.equal(torch.randn(found.shape, generator=rng, device="cuda"))


def test_two_processes_try_the_halves_of_the_directions_of_one():
    halves = [directions(count=4, r2=1.0, part=part) for part in (slice(0, 4), slice(4, 8))]
    assert torch.equal(torch.cat(halves, dim=1), directions(r2=1.0))


@pytest.mark.parametrize(
    "loss", [{"r1": 1.0}, {"slope": "finite-difference"}, {"slope": "antithetic-noise", "r1": 1.0}]
)
def test_nothing_is_drawn_for_slopes_that_nobody_tries(loss):
    assert inputs_of(**loss).directions(0, grey()) is None


def test_both_players_judge_what_is_seen():
    rules = Rules.of(LossConfig(game="relativistic"), Fabric(accelerator="cpu", devices=1))
    stats = discriminator_step(player(Sum()), REAL, FAKE, torch.ones(2), rules, HALVED)
    assert stats["real_logit"].item() == pytest.approx(1.0)
    assert stats["fake_logit"].item() == pytest.approx(-0.5)
    maker = nn.Linear(1, 1, bias=False)
    fake = FAKE + 0 * maker(torch.ones(1, 1)).sum()
    answered = generator_step(player(maker), player(Sum()), REAL, fake.__getitem__, rules, HALVED)
    # softplus(real logit - fake logit)
    assert answered["g_loss"].item() == pytest.approx(torch.tensor(1.5).exp().log1p().item())


@pytest.mark.parametrize("seen", [{}, {"noise": 0.5}], ids=["as they are", "through noise"])
def test_the_conditions_of_a_micro_batch_are_those_of_its_images(seen):
    conditions = torch.arange(8.0).unsqueeze(1)
    views = inputs_of(**seen).at(0, "d", 0).given(conditions)
    for part in (slice(1, 3), slice(None)):
        given = views.of(part).conditions
        assert given is not None
        assert torch.equal(given, conditions[part])
    assert inputs_of(**seen).at(0, "d", 0).of(slice(1, 3)).conditions is None
