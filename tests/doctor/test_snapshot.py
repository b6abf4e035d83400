"""What a look at two networks says, where the answer is known."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from facewright.doctor.reference import LOOKED_AT, ReferencePhotos, shrunk
from facewright.doctor.snapshot import Snapshot, take_snapshot
from facewright.errors import DataError
from facewright.objective.adversarial import GAMES

SIZE = (1, 8, 8)


def photos(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, *SIZE, generator=torch.Generator().manual_seed(seed))


class Draws(nn.Module):
    """A generator: shows a latent as it is, or the nearest of a few images."""

    def __init__(self, kinds: int = 0, scale: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(shift))
        self.kinds, self.scale = kinds, scale

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        if self.kinds:
            kind = (z[:, 0].double() * 1e6).long() % self.kinds
            z = photos(self.kinds, 9).flatten(1)[kind]
        return self.scale * z.unflatten(1, SIZE) + self.weight


class Judge(nn.Module):
    """A discriminator: a slope times the mean pixel."""

    def __init__(self, slope: float = 1.0) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.slope * images.flatten(1).mean(dim=1)


@pytest.fixture(scope="module")
def reference() -> ReferencePhotos:
    return ReferencePhotos.of(photos(600, 1), photos(600, 2), seed=0)


def look(reference, generator, judge=None, *, before=None, step=100, game="non-saturating"):
    def latents(count, rng):
        return torch.randn(count, math.prod(SIZE), generator=rng)

    return take_snapshot(
        generator,
        judge or Judge(),
        reference,
        latents,
        game=GAMES[game],
        before=before,
        batch=64,
        step=step,
        images_seen=64 * step,
    )


def test_photos_as_generated_images_are_as_varied_as_photos(reference):
    seen = look(reference, Draws())
    assert seen.nearest_ratio == pytest.approx(1, abs=0.03)
    assert seen.diversity == pytest.approx(1, abs=0.02)
    assert seen.coverage == pytest.approx(0.97, abs=0.04)
    assert seen.distance == pytest.approx(0, abs=0.01)
    assert seen.support == math.inf


@pytest.mark.parametrize("kinds", [1, 8, 64])
def test_the_support_is_the_number_of_images_there_are(reference, kinds):
    assert look(reference, Draws(kinds)).support == pytest.approx(kinds, rel=0.1)


def test_half_the_contrast_is_half_the_diversity(reference):
    seen = look(reference, Draws(scale=0.5))
    assert seen.diversity == pytest.approx(0.5, abs=0.02)
    assert seen.nearest_ratio == pytest.approx(0.5, abs=0.02)


def test_images_all_too_bright_are_far_from_photos_and_cover_none(reference):
    seen = look(reference, Draws(shift=5.0))
    assert seen.distance > 2
    assert seen.coverage == 0


def test_drift_is_the_way_that_fixed_images_went_in_mean_distances_of_photos(reference):
    first = look(reference, Draws())
    second = look(reference, Draws(shift=0.5), before=first, step=150)
    way = 0.5 * math.sqrt(math.prod(SIZE))
    assert first.drift is None
    assert second.drift == pytest.approx(way / reference.mean_distance, rel=0.05)
    assert second.drift_steps == 50


def test_images_that_stay_have_no_drift(reference):
    first = look(reference, Draws())
    assert look(reference, Draws(), before=first).drift == 0


@pytest.mark.parametrize("slope", [0.5, 4.0])
def test_steepness_of_a_critic_is_its_slope(reference, slope):
    # The mean of 64 pixels times a slope has a gradient of length slope / 8.
    seen = look(reference, Draws(), Judge(slope), game="wasserstein")
    assert seen.steepness == pytest.approx(slope / 8, rel=1e-5)


def test_steepness_vanishes_where_the_loss_is_flat(reference):
    # Minimax with images that are surely fake: the sigmoid of the logit is nearly 0.
    seen = look(reference, Draws(shift=-5.0), Judge(100.0), game="minimax")
    assert seen.steepness < 1e-6


def test_a_discriminator_that_knows_its_photos_rates_them_higher(reference):
    known = shrunk(reference.train.photos)

    class ByHeart(Judge):
        def forward(self, images):
            return -torch.cdist(images.flatten(1), known).min(dim=1).values

    assert look(reference, Draws(), ByHeart()).seen_above_held_out == 1
    assert look(reference, Draws()).seen_above_held_out == pytest.approx(0.5, abs=0.05)


def test_each_look_asks_about_other_photos_and_the_same_look_about_the_same(reference):
    def asked(step: int) -> torch.Tensor:
        shown = []

        class Witness(Judge):
            def forward(self, images):
                shown.append(images.flatten(1))
                return super().forward(images)

        look(reference, Draws(), Witness(), step=step)
        return torch.cat(shown)[: 2 * LOOKED_AT]  # the photos come first

    one, again, other = asked(100), asked(100), asked(200)
    assert torch.equal(one, again)
    for pool in (reference.train, reference.val):
        rows = pool.photos.flatten(1)
        of_one, of_other = (torch.cdist(rows, a).min(dim=1).values < 0.1 for a in (one, other))
        assert of_one.sum() == of_other.sum() == LOOKED_AT
        assert not torch.equal(of_one, of_other)


def test_the_seed_decides_which_photos_are_asked_about():
    pools = [ReferencePhotos.of(photos(600, 1), photos(600, 2), seed=s).train for s in (7, 7, 8)]
    (one, _), (same, _), (other, _) = (pool.drawn(3) for pool in pools)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_snapshot_survives_its_line_of_json(reference):
    seen = look(reference, Draws(), before=look(reference, Draws(shift=0.1)))
    assert Snapshot.from_json(seen.as_json()) == seen


def test_images_that_are_not_finite_do_not_stop_the_doctor(reference):
    seen = look(reference, Draws(shift=math.nan))
    assert math.isnan(seen.distance)
    assert math.isnan(Snapshot.from_json(seen.as_json()).distance)


def test_looking_changes_neither_networks_nor_random_numbers(reference):
    generator = nn.Sequential(nn.BatchNorm1d(64), Draws())
    judge = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Dropout(0.5), nn.Linear(64, 1))
    both = nn.ModuleList([generator, judge])
    before = {k: v.clone() for k, v in both.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    look(reference, generator, judge)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(v, before[k]) for k, v in both.state_dict().items())
    assert both.training
    assert all(weight.grad is None for weight in judge.parameters())


def test_batch_norm_is_seen_as_it_trains(reference):
    # Running statistics, far from those of a batch, would show other images.
    norm = nn.BatchNorm1d(64)
    assert norm.running_mean is not None
    norm.running_mean += 100
    assert look(reference, nn.Sequential(norm, Draws())).distance == pytest.approx(0, abs=0.02)


def test_copies_among_the_photos_are_not_taken_for_collapse():
    twice = photos(300, 3).repeat(2, 1, 1, 1)
    reference = ReferencePhotos.of(twice, twice, seed=0)
    assert look(reference, Draws(8)).support is None


def test_a_discriminator_that_compares_within_its_batch_is_asked_as_in_training(reference):
    class Counts(Judge):
        def forward(self, images):
            return torch.full((len(images),), float(len(images))) + 0 * super().forward(images)

    seen = look(reference, Draws(), Counts())
    assert max(seen.real_logit, seen.fake_logit) <= 66


def test_photos_of_an_unclear_kind_are_refused():
    with pytest.raises(DataError, match="uint8"):
        ReferencePhotos.of(torch.zeros(40, 1, 8, 8, dtype=torch.uint8), photos(40, 0), seed=0)


def test_too_few_photos_are_refused():
    with pytest.raises(DataError, match="10 photos to train on"):
        ReferencePhotos.of(photos(10, 0), photos(100, 0), seed=0)


def test_stored_pixels_and_floats_are_the_same_photos():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    floats = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    stored, given = (ReferencePhotos.of(p, p, seed=0).held_out for p in (pixels, floats))
    torch.testing.assert_close(stored, given)


def test_large_images_are_compared_small():
    assert shrunk(torch.zeros(2, 3, 64, 48)).shape == (2, 3 * 16 * 12)
    assert shrunk(torch.zeros(2, 3, 28, 28)).shape == (2, 3 * 14 * 14)
    assert shrunk(torch.zeros(2, 1, 16, 16)).shape == (2, 256)


class Shows(nn.Module):
    """A generator: shows the label that it is asked for on every pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, z: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        return z.unflatten(1, SIZE) * 0.1 + conditions[:, :, None, None] + self.weight


class Compares(nn.Module):
    """A discriminator: 0 where the mean pixel is the label, and less elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.ones(()))

    def forward(self, images: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        return -(self.slope * images.flatten(1).mean(dim=1) - conditions[:, 0]).square()


def test_a_conditional_pair_is_given_the_conditions_of_each_image():
    """Photos and images are 0.1 * 64 pixels' noise around their labels: mean square 1e-4 * 1.6."""
    labels = [5 * torch.randn(600, 1, generator=torch.Generator().manual_seed(s)) for s in (5, 6)]
    labelled = [0.1 * photos(600, s) + labels[s - 1][:, :, None, None] for s in (1, 2)]
    reference = ReferencePhotos.of(*labelled, seed=0, conditions=(labels[0], labels[1]))
    found = look(reference, Shows(), Compares())
    for logit in (found.real_logit, found.held_out_logit, found.fake_logit):
        assert logit == pytest.approx(-0.01 / 64, rel=0.3)
    assert found.coverage > 0.5
    later = look(reference, Shows(), Compares(), before=found, step=200)
    assert later.drift == pytest.approx(0, abs=1e-6)


class DrawsOneOfTheSecondLabel(nn.Module):
    """A generator: as many images as there are latents, but one only where it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.draws = Draws()

    def forward(self, z: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        return self.draws(torch.where(conditions[:, 1:2] > 0, torch.ones_like(z), z))


class JudgeOfLabels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.judge = Judge()

    def forward(self, images: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        return self.judge(images) + 0 * conditions.sum(dim=1)


@pytest.mark.parametrize(("share", "support"), [(0.05, 1.0), (0.0, math.inf), (0.005, math.inf)])
def test_the_label_with_the_fewest_images_is_found_where_it_is_not_too_rare(share, support):
    rows = torch.arange(LOOKED_AT) < share * LOOKED_AT
    labels = torch.stack([~rows, rows], dim=1).float()
    pools = [photos(LOOKED_AT, seed) for seed in (1, 2)]
    reference = ReferencePhotos.of(*pools, seed=0, conditions=(labels, labels))
    seen = look(reference, DrawsOneOfTheSecondLabel(), JudgeOfLabels())
    assert seen.label_support == support


def test_without_labels_there_is_none_to_look_at(reference):
    assert look(reference, Draws(8)).label_support is None
