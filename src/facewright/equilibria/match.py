"""One moment of a game: two players, and images to try out what else they could do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from facewright.config import LossConfig
from facewright.equilibria.pictures import Pictures, halves, random_rows
from facewright.equilibria.response import Score, as_trained
from facewright.losses.adversarial import GAMES, Game, smoothed
from facewright.losses.penalties import gradient_penalty, r1_penalty, r2_penalty
from facewright.losses.techniques import feature_matching_loss
from facewright.rng import rng_for


@dataclass(frozen=True)
class Half:
    """Held-out photos with as many latents, the images made of these, and mixing weights."""

    real: Tensor
    z: Tensor
    fake: Tensor
    mix: Tensor


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
    ) -> None:
        self.generator, self.discriminator = as_trained(generator), as_trained(discriminator)
        self.loss, self.game = loss, game_of(loss)
        self.search, self.z_dim, self.batch, self.seed = search, z_dim, batch, seed
        self.device = next(self.generator.parameters()).device
        real = [half.to(self.device) for half in halves(test)]
        self.choosing, self.reporting = (
            self._half(half, number) for number, half in enumerate(real)
        )

    def draw(self, count: int, use: str) -> tuple[Tensor, Tensor]:
        """Latents, and the images that the generator makes of them."""
        z = torch.randn(count, self.z_dim, generator=rng_for(self.seed, 0, use)).to(self.device)
        with torch.no_grad():
            return z, torch.cat([self.generator(part).float() for part in self._batches(z)])

    def d_gain(
        self, discriminator: nn.Module, real: Tensor, fake: Tensor, mix: Tensor, *, bound: bool
    ) -> Tensor:
        """(B,) what a discriminator wants to be large: the value of the game.

        Args:
            discriminator: this one, instead of the match's own.
            real: photos.
            fake: generated images.
            mix: where between them the gradient penalty looks.
            bound: less the penalties that training puts on the discriminator.
        """
        gain = -self.game.d_loss(discriminator(real).float(), discriminator(fake).float())
        return gain - self._penalty(discriminator, real, fake, mix) if bound else gain

    def g_gain(self, generator: nn.Module, real: Tensor, z: Tensor) -> Tensor:
        """(B,) what a generator wants to be large in the zero-sum game: minus the value."""
        return self.game.d_loss(self._real_logits(real), self.discriminator(generator(z)).float())

    def g_training_gain(self, generator: nn.Module, real: Tensor, z: Tensor) -> Tensor:
        """What a generator wants in training: (B,), or (1,) where it matches features."""
        fake = generator(z)
        if not self.loss.feature_matching:
            return -self.game.g_loss(self._real_logits(real), self.discriminator(fake).float())
        features = cast(Callable[[Tensor], Tensor], self.discriminator.features)
        with torch.no_grad():
            real_features = features(real)
        return -feature_matching_loss(real_features, features(fake)).view(1)

    def d_payoff(self, player: nn.Module, step: int, *, bound: bool) -> Tensor:
        """The mean gain of a discriminator on the batch of a search step."""
        rng = rng_for(self.seed, step, "equilibrium d")
        z = torch.randn(self.batch, self.z_dim, generator=rng).to(self.device)
        mix = torch.rand(self.batch, generator=rng).to(self.device)
        with torch.no_grad():
            fake = self.generator(z).float()
        return self.d_gain(player, self._searched(step), fake, mix, bound=bound).mean()

    def g_payoff(self, player: nn.Module, step: int, *, training: bool) -> Tensor:
        """The mean gain of a generator on the batch of a search step."""
        rng = rng_for(self.seed, step, "equilibrium g")
        z = torch.randn(self.batch, self.z_dim, generator=rng).to(self.device)
        gain = self.g_training_gain if training else self.g_gain
        return gain(player, self._searched(step), z).mean()

    def d_score(self, half: Half, *, bound: bool) -> Score:
        """The gains of a discriminator on a held-out half."""

        def score(player: nn.Module) -> Tensor:
            parts = zip(
                *(t.split(self.batch) for t in (half.real, half.fake, half.mix)), strict=True
            )
            # Penalties are slopes, which need gradients.
            with torch.set_grad_enabled(bound):
                return torch.cat([self.d_gain(player, *p, bound=bound).detach() for p in parts])

        return score

    def g_score(self, half: Half, *, training: bool) -> Score:
        """The gains of a generator on a held-out half."""
        gain = self.g_training_gain if training else self.g_gain

        @torch.no_grad()
        def score(player: nn.Module) -> Tensor:
            parts = zip(self._batches(half.real), self._batches(half.z), strict=True)
            return torch.cat([gain(player, real, z) for real, z in parts])

        return score

    def _batches(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Parts of about one size: a small rest would have statistics of its own."""
        return rows.tensor_split(max(1, round(len(rows) / self.batch)))

    def _half(self, real: Tensor, number: int) -> Half:
        z, fake = self.draw(len(real), f"equilibrium half {number}")
        rng = rng_for(self.seed, number, "equilibrium mix")
        return Half(real, z, fake, torch.rand(len(real), generator=rng).to(self.device))

    def _searched(self, step: int) -> Tensor:
        photos = random_rows(
            self.search, self.batch, seed=self.seed, step=step, use="equilibrium photos"
        )
        return photos.to(self.device)

    @torch.no_grad()
    def _real_logits(self, real: Tensor) -> Tensor:
        return self.discriminator(real).float()

    def _penalty(self, discriminator: nn.Module, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
        """(B,) what training adds to the discriminator's loss."""
        total = torch.zeros(len(real), device=real.device)
        if self.loss.r1 > 0:
            total = total + self.loss.r1 / 2 * r1_penalty(discriminator, real)
        if self.loss.r2 > 0:
            total = total + self.loss.r2 / 2 * r2_penalty(discriminator, fake)
        if self.loss.gradient_penalty > 0:
            weight = self.loss.gradient_penalty
            total = total + weight * gradient_penalty(discriminator, real, fake, mix)
        return total


def game_of(loss: LossConfig) -> Game:
    """The game that the settings name, label smoothing included."""
    return smoothed(GAMES[loss.game], loss.real_target)
