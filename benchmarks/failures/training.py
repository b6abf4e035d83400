"""A plain GAN loop with switches for everything that can go wrong, watched by the doctor.

It shares no line with Facewright's own loop: to the doctor it is another program's.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from benchmarks.failures.recipe import Fault, Recipe
from facewright.config import ModelConfig
from facewright.data.store import Store
from facewright.doctor.doctor import Doctor
from facewright.images import to_model_range
from facewright.networks.build import build_discriminator, build_generator
from facewright.objective.adversarial import GAMES, smoothed
from facewright.objective.penalties import clip_weights, gradient_penalty, r1_penalty, r2_penalty
from facewright.rng import rng_for

STORES = {"mnist": "mnist28", "celeba": "celeba28", "utk": "utk28"}
WIDTH = 16
Z_DIM = 64
KEPT = (0.5, 0.7, 0.85, 1.0)
"""Parts of a training after which its networks are kept, for judges that come later."""


class Generator(nn.Module):
    """The generator with its fault, if it has one by now."""

    def __init__(self, network: nn.Module, seed: int) -> None:
        super().__init__()
        self.network, self.fault = network, Fault()
        self.table = torch.randn(1024, Z_DIM, generator=rng_for(seed, 0, "table"))

    def forward(self, z: Tensor) -> Tensor:
        """Latents to images."""
        fault = self.fault
        if fault.latents:
            # Which of the few it gets follows from the latent that it was meant to get.
            z = self.table[(z[:, 0].double() * 1e6).long() % fault.latents]
        images = self.network(z * fault.z_scale)
        return (images + fault.bias).clamp(-1, 1) if fault.bias else images


class Discriminator(nn.Module):
    """The discriminator with its fault, if it has one by now."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.fault = network, Fault()

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        fault = self.fault
        if fault.blur > 1:
            images = interpolate(avg_pool2d(images, fault.blur), images.shape[2:])
        if fault.drop_pixels:
            keep = torch.rand(len(images), 1, *images.shape[2:]) >= fault.drop_pixels
            images = images * keep
        return self.network(images)


def photos_of(recipe: Recipe, stores: Path, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Photos to train on, and held-out ones."""
    store = Store.open(stores / STORES[recipe.data])
    order = np.random.default_rng(seed).permutation(len(store.train))
    chosen = store.train[np.sort(order[: recipe.n_train or None])]
    return resized(chosen, recipe.side), resized(store.val, recipe.side)


def resized(photos: np.ndarray, side: int) -> np.ndarray:
    """(N, H, W, C) uint8 photos of another side."""
    if photos.shape[1] == side:
        return photos
    maps = torch.from_numpy(np.array(photos)).permute(0, 3, 1, 2).float()
    small = interpolate(maps, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return small.round().byte().permute(0, 2, 3, 1).contiguous().numpy()


def kept_steps(recipe: Recipe) -> list[int]:
    """Steps after which networks are kept."""
    return [round(part * recipe.steps) for part in KEPT]


def networks_of(
    recipe: Recipe, shape: tuple[int, int, int], seed: int
) -> tuple[Generator, Discriminator]:
    """Both players before the first step."""
    settings = {"width": WIDTH, "z_dim": Z_DIM, **recipe.model}
    generator = build_generator(ModelConfig(**settings), shape, rng_for(seed, 0, "g"))
    d_config = ModelConfig(**{**settings, **recipe.d_model})
    discriminator = build_discriminator(d_config, shape, rng_for(seed, 0, "d"))
    return Generator(generator, seed), Discriminator(discriminator)


def train(recipe: Recipe, seed: int, stores: Path, out: Path) -> Doctor:
    """Train and watch; keep the networks of a few moments in `out`."""
    train_photos, held_out = photos_of(recipe, stores, seed)
    channels, height, width = (train_photos.shape[i] for i in (3, 1, 2))
    generator, discriminator = networks_of(recipe, (channels, height, width), seed)
    game = smoothed(GAMES[recipe.game], recipe.real_target)
    doctor = Doctor(
        train_photos,
        held_out,
        game=game,
        latents=Z_DIM,
        every=50,
        planned_images=recipe.batch * recipe.steps,
    )
    batches = _batches(train_photos, seed, recipe.batch)
    players = _Players(recipe, generator, discriminator, batches)
    torch.manual_seed(seed)
    for _ in range(recipe.pretrain):
        players.d_step()
    for step in range(1, recipe.steps + 1):
        players.break_if_due(step)
        for _ in range(recipe.d_steps - 1):
            players.d_step()
        real_logits, fake_logits, d_loss, d_norm = players.d_step()
        for _ in range(recipe.g_steps - 1):
            players.g_step()
        g_loss = players.g_step()
        doctor.observe(
            generator,
            discriminator,
            real_logits=real_logits,
            fake_logits=fake_logits,
            d_loss=d_loss,
            g_loss=g_loss,
            d_grad_norm=d_norm,
        )
        if step in kept_steps(recipe):
            weights = {"g": generator.state_dict(), "d": discriminator.state_dict()}
            torch.save(weights, out / f"{step}.pt")
        if not np.isfinite(g_loss):
            break
    return doctor


class _Players:
    """Both players, their optimisers and their photos."""

    def __init__(
        self,
        recipe: Recipe,
        generator: Generator,
        discriminator: Discriminator,
        batches: Iterator[Tensor],
    ) -> None:
        self.recipe, self.batches = recipe, batches
        self.game = smoothed(GAMES[recipe.game], recipe.real_target)
        self.generator, self.discriminator, self.fault = generator, discriminator, Fault()
        self.g_optimiser = _optimiser(recipe, generator, recipe.lr_g)
        self.d_optimiser = _optimiser(recipe, discriminator, recipe.lr_d)
        self.first: Tensor | None = None
        self.turn = 0

    def break_if_due(self, step: int) -> None:
        """From its step on, the fault is there."""
        fault = self.recipe.fault
        if step != max(fault.at, 1):
            return
        self.fault = self.generator.fault = self.discriminator.fault = fault
        self.g_optimiser.param_groups[0]["lr"] *= fault.lr_scale * fault.lr_g_scale
        self.d_optimiser.param_groups[0]["lr"] *= fault.lr_scale

    def d_step(self) -> tuple[Tensor, Tensor, float, float]:
        """One move of the discriminator."""
        real = self._photos()
        with torch.no_grad():
            fake = self.generator(torch.randn(len(real), Z_DIM))
        if self.fault.swap_labels:
            wrong = torch.rand(len(real)) < self.fault.swap_labels
            shown = torch.where(wrong[:, None, None, None], fake, real)
            hidden = torch.where(wrong[:, None, None, None], real, fake)
        else:
            shown, hidden = real, fake
        real_logits, fake_logits = self.discriminator(shown), self.discriminator(hidden)
        sides = (fake_logits, real_logits) if self.fault.swapped else (real_logits, fake_logits)
        loss = self.game.d_loss(*sides).mean()
        total = loss + self._penalty(real, fake)
        if not self.fault.keep_gradients:
            self.d_optimiser.zero_grad()
        total.backward()
        norm = torch.nn.utils.get_total_norm(
            [w.grad for w in self.discriminator.parameters() if w.grad is not None]
        )
        if not self.fault.freeze_d:
            self.d_optimiser.step()
        if self.recipe.clip:
            clip_weights(self.discriminator, self.recipe.clip)
        return real_logits.detach(), fake_logits.detach(), loss.item(), norm.item()

    def g_step(self) -> float:
        """One move of the generator."""
        real = self._photos()
        fake = self.generator(torch.randn(len(real), Z_DIM))
        if self.fault.detach:
            fake = fake.detach().requires_grad_(True)
        with torch.no_grad():
            real_logits = self.discriminator(real)
        loss = self.game.g_loss(real_logits, self.discriminator(fake)).mean()
        if not self.fault.keep_gradients:
            self.g_optimiser.zero_grad()
        loss.backward()
        if not self.fault.freeze_g:
            self.g_optimiser.step()
        return loss.item()

    def _photos(self) -> Tensor:
        """The photos of the next step, as the fault has them."""
        real = next(self.batches)
        if self.fault.same_batch:
            self.first = real if self.first is None else self.first
            real = self.first
        if self.fault.sorted_photos:
            pool = torch.cat([next(self.batches) for _ in range(32)])
            order = pool.flatten(1).mean(1).argsort()
            start = (self.turn * len(real)) % (len(pool) - len(real) + 1)
            self.turn += 1
            real = pool[order[start : start + len(real)]]
        if self.fault.black:
            real = torch.full_like(real, -1.0)
        return (real + 1) * 127.5 if self.fault.raw else real

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor | float:
        recipe, total = self.recipe, 0.0
        if recipe.r1:
            total = total + recipe.r1 / 2 * r1_penalty(self.discriminator, real).mean()
        if recipe.r2:
            total = total + recipe.r2 / 2 * r2_penalty(self.discriminator, fake).mean()
        if recipe.gradient_penalty:
            mix = torch.rand(len(real))
            penalty = gradient_penalty(self.discriminator, real, fake, mix)
            total = total + recipe.gradient_penalty * penalty.mean()
        return total


def _optimiser(recipe: Recipe, network: nn.Module, lr: float) -> torch.optim.Optimizer:
    make: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
        "adam": lambda w: torch.optim.Adam(w, lr=lr, betas=(recipe.beta1, 0.99), fused=True),
        "rmsprop": lambda w: torch.optim.RMSprop(w, lr=lr),
        "sgd": lambda w: torch.optim.SGD(w, lr=lr, momentum=recipe.beta1),
    }
    return make[recipe.optimiser](network.parameters())


def _batches(photos: np.ndarray, seed: int, batch: int) -> Iterator[Tensor]:
    rng = np.random.default_rng(seed)
    while True:
        yield to_model_range(photos[rng.integers(len(photos), size=batch)])
