"""Both players of one moment, frozen, with images to search and to score deviations on."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from facewright.config import LossConfig
from facewright.equilibria.image_rows import Pictures, halves, random_rows
from facewright.equilibria.response import Score, as_trained
from facewright.networks.conditional import conditioned
from facewright.objective.adversarial import game_named
from facewright.objective.discriminator_inputs import UNCHANGED
from facewright.objective.losses import discriminator_loss, each_image, generator_loss
from facewright.objective.penalties import UNPENALISED
from facewright.rng import rng_for


@dataclass(frozen=True)
class Half:
    """Photos with as many latents, the images made of these, and mixing weights.

    The photo and the generated image of one row have the same `conditions`, (N, C); C is 0 for
    players without.
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


class FrozenGame:
    """Both players as they are, with the images for searching and for scoring.

    Both are as in training: batch norm uses the batch, in batches of the same size and
    of one kind; but dropout is off. The value is then minus the discriminator's loss as the
    curves show it, but on photos that were not trained on. With running statistics it would
    be that of players that were never trained (see `response.as_trained`).

    Args:
        generator: maps (B, z_dim) latents to images; copied.
        discriminator: maps images to (B,) logits; copied.
        loss: the game, and the penalties on the discriminator.
        search: photos for searching.
        test: other photos, for scoring.
        z_dim: length of a latent vector.
        batch: images of each kind in a step.
        seed: of all latents and batches.
        conditions: of the photos to search and to test on, (N, C) each; nothing if not given.
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
        conditions = conditions or (torch.zeros(len(search), 0), torch.zeros(len(test), 0))
        self.search_conditions = conditions[0]
        real, given = (
            [half.to(self.device) for half in halves(rows)] for rows in (test, conditions[1])
        )
        self.choosing, self.reporting = (
            self._half(*half, number) for number, half in enumerate(zip(real, given, strict=True))
        )

    def draw_pool(self, count: int) -> Tensor:
        """So many more images of the generator, with the conditions of photos searched on."""
        conditions = self._conditions(0, "equilibrium pool labels", count)
        return self._drawn(conditions, "equilibrium pool")[1]

    def d_gain(self, discriminator: nn.Module, half: Half, *, bound: bool) -> Tensor:
        """(B,) what a discriminator maximises: the value of the game.

        Args:
            discriminator: this one, instead of the present one.
            half: the images.
            bound: less the penalties that training puts on the discriminator.
        """
        loss = discriminator_loss(
            discriminator,
            half.real,
            half.fake,
            half.mix,
            game=self.game,
            weights=self.loss if bound else UNPENALISED,
            inputs=UNCHANGED.given(half.conditions),
            reduction=each_image,
        )
        return -loss.total

    def g_gain(self, generator: nn.Module, real: Tensor, z: Tensor, conditions: Tensor) -> Tensor:
        """(B,) what a generator maximises in the zero-sum game: minus the value."""
        fake = conditioned(generator, conditions)(z)
        half = Half(real, z, fake, torch.zeros(len(z)), conditions)
        return -self.d_gain(self.discriminator, half, bound=False)

    def g_training_gain(
        self, generator: nn.Module, real: Tensor, z: Tensor, conditions: Tensor
    ) -> Tensor:
        """What a generator maximises in training: (B,), or (1,) where it matches features."""
        return -generator_loss(
            self.discriminator,
            real,
            conditioned(generator, conditions)(z),
            game=self.game,
            weights=self.loss,
            inputs=UNCHANGED.given(conditions),
            reduction=each_image,
        ).view(-1)

    def d_payoff(self, player: nn.Module, step: int, *, bound: bool) -> Tensor:
        """The mean gain of a discriminator on the batch of a search step."""
        rng = rng_for(self.seed, step, "equilibrium d")
        z = torch.randn(self.batch, self.z_dim, generator=rng).to(self.device)
        mix = torch.rand(self.batch, generator=rng).to(self.device)
        real, conditions = self._photos(step), self._conditions(step)
        with torch.no_grad():
            fake = conditioned(self.generator, conditions)(z).float()
        half = Half(real, z, fake, mix, conditions)
        return self.d_gain(player, half, bound=bound).mean()

    def g_payoff(self, player: nn.Module, step: int, *, training: bool) -> Tensor:
        """The mean gain of a generator on the batch of a search step."""
        rng = rng_for(self.seed, step, "equilibrium g")
        z = torch.randn(self.batch, self.z_dim, generator=rng).to(self.device)
        gain = self.g_training_gain if training else self.g_gain
        return gain(player, self._photos(step), z, self._conditions(step)).mean()

    def d_score(self, half: Half, *, bound: bool) -> Score:
        """The gains of a discriminator on a held-out half."""

        def score(player: nn.Module) -> Tensor:
            # Penalties are gradients of the logit.
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

    def _half(self, real: Tensor, conditions: Tensor, number: int) -> Half:
        z, fake = self._drawn(conditions, f"equilibrium half {number}")
        rng = rng_for(self.seed, number, "equilibrium mix")
        mix = torch.rand(len(real), generator=rng).to(self.device)
        return Half(real, z, fake, mix, conditions)

    def _drawn(self, conditions: Tensor, use: str) -> tuple[Tensor, Tensor]:
        """Latents, and the images that the generator makes of them under these conditions."""
        rng = rng_for(self.seed, 0, use)
        z = torch.randn(len(conditions), self.z_dim, generator=rng).to(self.device)
        parts = zip(self._batches(z), self._batches(conditions), strict=True)
        with torch.no_grad():
            return z, torch.cat([conditioned(self.generator, c)(part).float() for part, c in parts])

    def _photos(self, step: int) -> Tensor:
        photos = random_rows(
            self.search, self.batch, seed=self.seed, step=step, use="equilibrium photos"
        )
        return photos.to(self.device)

    def _conditions(
        self, step: int, use: str = "equilibrium photos", count: int | None = None
    ) -> Tensor:
        """The conditions of the photos of a search step: drawn with the same address."""
        count = self.batch if count is None else count
        drawn = random_rows(self.search_conditions, count, seed=self.seed, step=step, use=use)
        return drawn.to(self.device)
