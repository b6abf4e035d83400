"""The doctor beside loops that are not ours."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from facewright import Doctor
from facewright.doctor import trial
from facewright.errors import ConfigError

SIZE = (1, 8, 8)


def photos(seed: int) -> torch.Tensor:
    return torch.rand(200, *SIZE, generator=torch.Generator().manual_seed(seed))


class Tutorial:
    """A DCGAN as in tutorials: latents with two empty sides, a sigmoid at the end."""

    def __init__(self, lr_g: float = 1e-3, *, sigmoid: bool = True) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.generator = nn.Sequential(
                nn.ConvTranspose2d(16, 8, 4), nn.ReLU(), nn.ConvTranspose2d(8, 1, 5), nn.Sigmoid()
            )
            layers = [nn.Conv2d(1, 8, 5), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4)]
            self.discriminator = nn.Sequential(*layers, *([nn.Sigmoid()] if sigmoid else []))
        self.rng = torch.Generator().manual_seed(1)
        self.loss = nn.BCELoss() if sigmoid else nn.BCEWithLogitsLoss()
        self.g = torch.optim.Adam(self.generator.parameters(), lr_g)
        self.d = torch.optim.Adam(self.discriminator.parameters(), 1e-3)
        self.real = photos(0)

    def step(self) -> dict[str, Any]:
        rows = torch.randint(len(self.real), (16,), generator=self.rng)
        fake = self.generator(torch.randn(16, 16, 1, 1, generator=self.rng))
        real_said = self.discriminator(self.real[rows])
        fake_said = self.discriminator(fake.detach())
        ones, zeros = torch.ones_like(real_said), torch.zeros_like(real_said)
        d_loss = self.loss(real_said, ones) + self.loss(fake_said, zeros)
        self.d.zero_grad()
        d_loss.backward()
        self.d.step()
        g_loss = self.loss(self.discriminator(fake), ones)
        self.g.zero_grad()
        g_loss.backward()
        self.g.step()
        return {
            "real_logits": real_said,
            "fake_logits": fake_said,
            "d_loss": d_loss,
            "g_loss": g_loss,
        }


def watched(loop: Tutorial, steps: int, **settings):
    doctor = Doctor(photos(0), photos(1), **{"latents": (16, 1, 1), "every": 50, **settings})
    news = []
    for _ in range(steps):
        said = loop.step()
        news += doctor.observe(loop.generator, loop.discriminator, **said)
    return doctor, news


def test_a_loop_whose_generator_does_not_learn_is_found():
    doctor, news = watched(Tutorial(lr_g=0.0), 300, probabilities=True)
    assert "stalled" in {finding.verdict for finding in news}
    assert doctor.diagnosis().verdict in ("stalled", "discriminator-dominance")


def test_each_problem_is_news_once():
    _, news = watched(Tutorial(lr_g=0.0), 400, probabilities=True)
    assert len({(f.code, f.first_seen_images) for f in news}) == len(news)


def test_watching_does_not_change_the_training():
    free, seen = Tutorial(), Tutorial()
    for _ in range(120):
        free.step()
    watched(seen, 120, probabilities=True)
    for a, b in zip(free.generator.parameters(), seen.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_probabilities_are_recorded_as_the_logits_they_come_from():
    doctor, _ = watched(Tutorial(), 10, probabilities=True)
    plain, _ = watched(Tutorial(sigmoid=False), 10)
    for one in (doctor, plain):
        one.note(one._waiting)
    for field in ("real_logit", "fake_logit", "real_logit_std"):
        assert doctor.history.steps[field] == pytest.approx(plain.history.steps[field], abs=1e-3)


def test_a_certainty_has_a_finite_logit():
    doctor = Doctor(photos(0), photos(1), latents=(16, 1, 1), probabilities=True)
    loop = Tutorial()
    sure = torch.ones(16)
    doctor.observe(
        loop.generator,
        loop.discriminator,
        real_logits=sure,
        fake_logits=1 - sure,
        d_loss=0.0,
        g_loss=1.0,
    )
    doctor.note(doctor._waiting)
    assert 10 < doctor.history.steps["real_logit"][0] < 50


def test_a_loss_that_is_not_finite_is_noticed_in_its_step():
    doctor, _ = watched(Tutorial(), 7, probabilities=True)
    loop = Tutorial()
    said: dict[str, Any] = loop.step() | {"g_loss": math.nan}
    news = doctor.observe(loop.generator, loop.discriminator, **said)
    assert [(f.verdict, f.first_seen_images) for f in news] == [("divergence", 8 * 16)]


def test_a_collapsed_generator_is_found_whatever_the_shape_of_its_latents():
    loop = Tutorial()
    same = loop.generator
    loop.generator = nn.Sequential(_Forget(), same)
    _, news = watched(loop, 300, probabilities=True)
    assert "mode-collapse" in {finding.verdict for finding in news}


class _Forget(nn.Module):
    def forward(self, z):
        return torch.zeros_like(z)


def test_patches_count_as_one_image_and_switched_off_gradients_do_not_matter():
    class Patches(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(1, 1, 3)

        def forward(self, images):
            return self.layer(images)

    doctor = Doctor(photos(0), photos(1), latents=(16, 1, 1), every=2)
    loop, patches = Tutorial(), Patches()
    with torch.inference_mode():
        said = patches(photos(2)[:16])
        for _ in range(2):
            doctor.observe(
                loop.generator, patches, real_logits=said, fake_logits=said, d_loss=1.0, g_loss=1.0
            )
    assert doctor.history.images_seen == 32
    assert doctor.history.snapshots[0].steepness > 0


def test_a_halved_loss_is_recorded_as_the_game_defines_it():
    loop = Tutorial(sigmoid=False)
    doctor = Doctor(photos(0), photos(1), latents=(16, 1, 1), every=1000)
    even = torch.zeros(16)
    doctor.observe(
        loop.generator,
        loop.discriminator,
        real_logits=even,
        fake_logits=even,
        d_loss=math.log(2),
        g_loss=math.log(2),
    )
    assert doctor._waiting[0]["d_loss"] == pytest.approx(math.log(4))


def test_an_unknown_game_is_refused_with_the_nearest_one():
    with pytest.raises(ConfigError, match="did you mean 'wasserstein'"):
        Doctor(photos(0), photos(1), game="waserstein")


def test_a_linear_judge_sees_what_a_blind_discriminator_does_not():
    class Blind(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))

        def forward(self, images):
            return self.weight * images.flatten(1).mean(1)

    doctor = Doctor(photos(0), photos(1), latents=(16, 1, 1), every=50)
    loop, blind = Tutorial(), Blind()
    for _ in range(50):
        doctor.observe(
            loop.generator,
            blind,
            real_logits=torch.zeros(16),
            fake_logits=torch.zeros(16),
            d_loss=2 * math.log(2),
            g_loss=math.log(2),
        )
    js_bits = doctor.history.snapshots[0].js_bits
    assert js_bits is not None
    assert js_bits > 0.1


def test_without_held_out_photos_only_overfitting_cannot_be_told():
    doctor, tutorial = Doctor(photos(0), latents=(16, 1, 1), every=50), Tutorial(sigmoid=False)
    for _ in range(200):
        doctor.observe(tutorial.generator, tutorial.discriminator, **tutorial.step())
    assert doctor.history.snapshots[-1].coverage >= 0
    assert doctor.diagnosis().assessments["OV01"].message == "no photos were held out"


def first_step(doctor: Doctor, tutorial: Tutorial) -> None:
    doctor.observe(tutorial.generator, tutorial.discriminator, **tutorial.step())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"latents": 16}, r"takes no latents of shape \(8, 16\)"),
        ({"train": torch.rand(200, 1, 9, 8)}, r"\(1, 8, 8\), and photos are \(1, 9, 8\)"),
        ({"train": photos(0) * 255}, "photos go up to 25"),
    ],
    ids=["latents", "shape", "range"],
)
def test_what_does_not_fit_is_said_at_the_first_step(settings, said):
    given = {"train": photos(0), "latents": (16, 1, 1), **settings}
    train = given.pop("train")
    doctor = Doctor(train[:100], train[100:], **given)
    with pytest.raises(ConfigError, match=said):
        first_step(doctor, Tutorial(sigmoid=False))


def test_held_out_photos_that_are_trained_on_are_refused():
    doctor = Doctor(photos(0), photos(0)[:50], latents=(16, 1, 1))
    with pytest.raises(ConfigError, match="50 of 50 held-out photos are among those"):
        first_step(doctor, Tutorial(sigmoid=False))
    # The last of them may stand anywhere among many.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "AT_ONCE", 7)
        with pytest.raises(ConfigError, match="50 of 50"):
            first_step(Doctor(photos(0), photos(0)[150:], latents=(16, 1, 1)), Tutorial())


def no_number(count, rng):
    raise KeyError("no such latent")


@pytest.mark.parametrize("broken", [lambda count, rng: torch.zeros(count, 3), no_number])
def test_a_look_that_fails_later_ends_no_training(broken, caplog):
    doctor, tutorial = Doctor(photos(0), photos(1), latents=(16, 1, 1), every=2), Tutorial()
    first_step(doctor, tutorial)
    doctor.latents = broken
    first_step(doctor, tutorial)
    assert "could not look at step 2" in caplog.text
    assert not doctor.history.snapshots
