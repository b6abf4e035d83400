"""One moment of a game: two players, and images to try out what else they could do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import cast

import torch
from torch import Tensor, nn

from facewright.config import LossConfig
from facewright.equilibria.image_rows import Pictures, halves, random_rows
from facewright.equilibria.response import Score, as_trained
from facewright.networks.conditional import informed
from facewright.objective.adversarial import game_named
from facewright.objective.penalties import Judge, gradient_penalty, r1_penalty, r2_penalty
from facewright.objective.techniques import feature_matching_loss
from facewright.rng import rng_for


@dataclass(frozen=True)
class Half:
    """Photos with as many latents, the images made of these, and mixing weights.

    Photo and generated image of one place have the same labels: `conditions`, (N, C), of which
    both players are told if they go by labels at all.
    """

    real: Tensor
    z: Tensor
    fake: Tensor
    mix: Tensor
    conditions: Tensor

    def split(self, batch: int) -> Iterator["Half"]:
        """Batches of so many."""
        parts = (getattr(self, field.name).split(batch) for field in fields(self))
        return (Half(*part) for part in zip(*parts, strict=True))


class Match:
    """Both players as they are, frozen, with the images for searching and for scoring.

    Both play as in training: batch norm goes by the batch, in batches of the same size and
    of one kind, and dropout is off. The value is then minus the discriminator's loss as the
    curves show it, but on photos that nobody trained on. With running statistics it would
    be that of players whom nobody trained (see `response.as_trained`).

    Args:
        generator: maps (B, z_dim) latents to images; copied.
        discriminator: maps images to (B,) logits; copied.
        loss: the game, and what binds the discriminator.
        search: photos for searching.
        test: other photos, for scoring.
        z_dim: length of a latent vector.
        batch: images of each kind in a step.
        seed: of all latents and batches.
        conditions: what the players are told of the photos to search and to test on,
            (N, C) each; nothing if not given.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        loss: LossConfig,
        search: Pictures,
        test: Pictures,
        z_dim: int,
        batch: int,
        seed: int,
        conditions: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self.generator, self.discriminator = as_trained(generator), as_trained(discriminator)
        self.loss, self.game = loss, game_named(loss.game, loss.real_target)
        self.search, self.z_dim, self.batch, self.seed = search, z_dim, batch, seed
        self.device = next(self.generator.parameters()).device
        known = conditions or (torch.zeros(len(search), 0), torch.zeros(len(test), 0))
        self.search_conditions = known[0]
        real, told = ([half.to(self.device) for half in halves(rows)] for rows in (test, known[1]))
        self.choosing, self.reporting = (
            self._half(*half, number) for number, half in enumerate(zip(real, told, strict=True))
        )

    def draw_pool(self, count: int) -> Tensor:
        """So many more images of the generator, with labels as the photos searched on."""
        told = self._told(0, "equilibrium pool labels", count)
        return self._drawn(told, "equilibrium pool")[1]

    def d_gain(self, discriminator: nn.Module, half: Half, *, bound: bool) -> Tensor:
        """(B,) what a discriminator wants to be large: the value of the game.

        Args:
            discriminator: this one, instead of the match's own.
            half: the images.
            bound: less the penalties that training puts on the discriminator.
        """
        judge = informed(discriminator, half.conditions)
        gain = -self.game.d_loss(judge(half.real).float(), judge(half.fake).float())
        return gain - self._penalty(judge, half) if bound else gain

    def g_gain(self, generator: nn.Module, real: Tensor, z: Tensor, told: Tensor) -> Tensor:
        """(B,) what a generator wants to be large in the zero-sum game: minus the value."""
        fake = informed(generator, told)(z)
        judge = informed(self.discriminator, told)
        return self.game.d_loss(_quietly(judge, real), judge(fake).float())

    def g_training_gain(
        self, generator: nn.Module, real: Tensor, z: Tensor, told: Tensor
    ) -> Tensor:
        """What a generator wants in training: (B,), or (1,) where it matches features."""
        fake = informed(generator, told)(z)
        if not self.loss.feature_matching:
            judge = informed(self.discriminator, told)
            return -self.game.g_loss(_quietly(judge, real), judge(fake).float())
        features = cast(Callable[[Tensor], Tensor], self.discriminator.features)
        with torch.no_grad():
            real_features = features(real)
        return -feature_matching_loss(real_features, features(fake)).view(1)

    def d_payoff(self, player: nn.Module, step: int, *, bound: bool) -> Tensor:
        """The mean gain of a discriminator on the batch of a search step."""
        rng = rng_for(self.seed, step, "equilibrium d")
        z = torch.randn(self.batch, self.z_dim, generator=rng).to(self.device)
        mix = torch.rand(self.batch, generator=rng).to(self.device)
        real, told = self._searched(step), self._told(step)
        with torch.no_grad():
            fake = informed(self.generator, told)(z).float()
        return self.d_gain(player, Half(real, z, fake, mix, told), bound=bound).mean()

    def g_payoff(self, player: nn.Module, step: int, *, training: bool) -> Tensor:
        """The mean gain of a generator on the batch of a search step."""
        rng = rng_for(self.seed, step, "equilibrium g")
        z = torch.randn(self.batch, self.z_dim, generator=rng).to(self.device)
        gain = self.g_training_gain if training else self.g_gain
        return gain(player, self._searched(step), z, self._told(step)).mean()

    def d_score(self, half: Half, *, bound: bool) -> Score:
        """The gains of a discriminator on a held-out half."""

        def score(player: nn.Module) -> Tensor:
            # Penalties are slopes, which need gradients.
            with torch.set_grad_enabled(bound):
                gains = [self.d_gain(player, p, bound=bound) for p in half.split(self.batch)]
                return torch.cat([part.detach() for part in gains])

        return score

    def g_score(self, half: Half, *, training: bool) -> Score:
        """The gains of a generator on a held-out half."""
        gain = self.g_training_gain if training else self.g_gain

        @torch.no_grad()
        def score(player: nn.Module) -> Tensor:
            parts = map(self._batches, (half.real, half.z, half.conditions))
            return torch.cat([gain(player, *part) for part in zip(*parts, strict=True)])

        return score

    def _batches(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Parts of about one size: a small rest would have statistics of its own."""
        return rows.tensor_split(max(1, round(len(rows) / self.batch)))

    def _half(self, real: Tensor, told: Tensor, number: int) -> Half:
        z, fake = self._drawn(told, f"equilibrium half {number}")
        rng = rng_for(self.seed, number, "equilibrium mix")
        mix = torch.rand(len(real), generator=rng).to(self.device)
        return Half(real, z, fake, mix, told)

    def _drawn(self, told: Tensor, use: str) -> tuple[Tensor, Tensor]:
        """Latents, and the images that the generator makes of them and of what it is told."""
        rng = rng_for(self.seed, 0, use)
        z = torch.randn(len(told), self.z_dim, generator=rng).to(self.device)
        parts = zip(self._batches(z), self._batches(told), strict=True)
        with torch.no_grad():
            return z, torch.cat([informed(self.generator, c)(part).float() for part, c in parts])

    def _searched(self, step: int) -> Tensor:
        photos = random_rows(
            self.search, self.batch, seed=self.seed, step=step, use="equilibrium photos"
        )
        return photos.to(self.device)

    def _told(self, step: int, use: str = "equilibrium photos", count: int | None = None) -> Tensor:
        """What the players are told of the photos of a search step: of the same ones."""
        count = self.batch if count is None else count
        told = random_rows(self.search_conditions, count, seed=self.seed, step=step, use=use)
        return told.to(self.device)

    def _penalty(self, judge: Judge, half: Half) -> Tensor:
        """(B,) what training adds to the discriminator's loss."""
        total = torch.zeros(len(half.real), device=half.real.device)
        if self.loss.r1 > 0:
            total = total + self.loss.r1 / 2 * r1_penalty(judge, half.real)
        if self.loss.r2 > 0:
            total = total + self.loss.r2 / 2 * r2_penalty(judge, half.fake)
        if self.loss.gradient_penalty > 0:
            weight = self.loss.gradient_penalty
            total = total + weight * gradient_penalty(judge, half.real, half.fake, half.mix)
        return total


@torch.no_grad()
def _quietly(judge: Judge, real: Tensor) -> Tensor:
    """Verdicts that nobody learns from."""
    return judge(real).float()
