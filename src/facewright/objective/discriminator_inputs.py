"""How images look to the discriminator: noisy, distorted by chance, or as they are."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import torch
from torch import Tensor

from facewright.config import AugmentConfig, LossConfig
from facewright.objective import diffaugment, warp
from facewright.rng import rng_for

View = Callable[[Tensor], Tensor]
"""(B, C, H, W) images as they are to what the discriminator sees; the same each time."""

Grains = Callable[[str, torch.Size, torch.device], Tensor]
"""From the use, the shape of an image and its device to standard normal numbers; drawn once."""


@dataclass(frozen=True)
class Views:
    """What the discriminator sees of a batch, and is told of it.

    Real and generated images meet the same distortions, each by their own chance.

    Args:
        real: of the real images of a batch.
        fake: of the generated ones.
        cut: gives the views of some rows of the batch; `None` where all images look alike.
        conditions: (B, C) what is known of the photos, and of the images that were made to
            stand beside them with the same labels; `None` where nothing is told.
        noise: standard deviation of that on the images.
        opposite: gives the same views with antithetic noise; `None` without noise.
    """

    real: View
    fake: View
    cut: Callable[[slice], "Views"] | None = None
    conditions: Tensor | None = None
    noise: float = 0.0
    opposite: Callable[[], "Views"] | None = None

    def of(self, rows: slice) -> "Views":
        """The views of a portion of the batch."""
        if rows == EVERY_ROW:
            return self
        views = self if self.cut is None else self.cut(rows)
        return views if self.conditions is None else views.told(self.conditions[rows])

    def told(self, conditions: Tensor) -> "Views":
        """The same, with what is known of the images."""
        return replace(self, conditions=conditions)

    def antithetic(self) -> "Views":
        """The same, with every grain of noise as far to the other side of each image."""
        if self.opposite is None:
            return self
        return replace(self.opposite(), conditions=self.conditions)


EVERY_ROW = slice(None)

AS_THEY_ARE = Views(lambda real: real, lambda fake: fake)

FAMILIES = {
    "augment-warp": (warp.warped, warp.POLICIES, warp.NUMBERS),
    "augment": (diffaugment.distorted, diffaugment.POLICIES, diffaugment.NUMBERS),
}
"""Distortions in the order in which they are applied. Each family draws under its own name,
so that choosing one changes no other's numbers."""


@dataclass(frozen=True)
class Sight:
    """What stands between the images of a run and its discriminator.

    The numbers are drawn for the whole batch by (seed, batch number, use), so neither a
    resume nor the number of processes changes them on machines of one kind. Those that are as many
    as pixels are drawn by the device of the images: another model of GPU may draw others.

    Args:
        loss: how much noise, and for how long; how slopes are measured.
        augment: which distortions, and how likely.
        seed: of the run.
        batch: images in a batch, over all processes.
        part: those that this process holds.
    """

    loss: LossConfig
    augment: AugmentConfig
    seed: int
    batch: int
    part: slice

    def at(self, number: int, turn: str, images_seen: int) -> Views:
        """The views of one batch.

        Args:
            number: of the batch.
            turn: whose; each player's look at the same batch is another chance.
            images_seen: how far the run is: the noise may fade.
        """
        noise = noise_at(self.loss, images_seen)
        if noise == 0 and self.augment.probability == 0:
            return AS_THEY_ARE
        # Drawn for the whole batch, but once, however many portions it goes in.
        grains = cache(partial(self._grains, number))
        return self._views(number, turn, grains, noise, EVERY_ROW)

    def directions(self, number: int, images: Tensor) -> Tensor | None:
        """Along which lines slopes are tried on one batch; `None` where none are.

        Args:
            number: of the batch.
            images: (B, C, H, W), for the shape and the device.

        Returns:
            (2, B, C, H, W) standard normal: for real and for generated images.
        """
        if self.loss.slope != "finite-difference" or self.loss.r1 == self.loss.r2 == 0:
            return None
        shape, device = (2, self.batch, *images.shape[1:]), images.device
        rng = rng_for(self.seed, number, "directions", device)
        return torch.randn(shape, generator=rng, device=device)[:, self.part].clone()

    def _views(self, number: int, turn: str, grains: Grains, noise: float, rows: slice) -> Views:
        """Of some rows of those that this process holds."""
        real, fake = (
            partial(self._seen, number, f"{turn}/{kind}", grains, noise, rows)
            for kind in ("real", "fake")
        )
        same = partial(self._views, number, turn, grains)
        return Views(
            real,
            fake,
            cut=partial(same, noise),
            noise=abs(noise),
            opposite=partial(same, -noise, rows) if noise else None,
        )

    def _grains(self, number: int, use: str, shape: torch.Size, device: torch.device) -> Tensor:
        """Of the noise on the images, of this shape, that this process holds."""
        rng = rng_for(self.seed, number, f"noise/{use}", device)
        return torch.randn(self.batch, *shape, generator=rng, device=device)[self.part].clone()

    def _seen(
        self, number: int, use: str, grains: Grains, noise: float, rows: slice, images: Tensor
    ) -> Tensor:
        probability = self.augment.probability
        for family, (distort, policies, numbers) in FAMILIES.items():
            chosen = [name for name in policies if getattr(self.augment, name)]
            if probability > 0 and chosen:
                rng = rng_for(self.seed, number, f"{family}/{use}")
                chance = torch.rand(self.batch, numbers, generator=rng)[self.part][rows]
                images = distort(images, chosen, probability, chance.to(images.device))
        if noise == 0:
            return images
        return images + noise * grains(use, images.shape[1:], images.device)[rows]


def noise_at(loss: LossConfig, images_seen: int) -> float:
    """How strong is the noise after so many images?

    Noise makes real and generated images overlap, so that the discriminator cannot tell
    them apart without fault and its verdict keeps a slope that the generator can follow.

    Returns:
        Standard deviation, in the units of images (which span 2).

    Source: Arjovsky & Bottou 2017, arXiv:1701.04862; Sønderby et al. 2017,
    arXiv:1610.04490, who let it fade as the images come closer.
    """
    if loss.instance_noise_images == 0:
        return loss.instance_noise
    return loss.instance_noise * max(0.0, 1 - images_seen / loss.instance_noise_images)
