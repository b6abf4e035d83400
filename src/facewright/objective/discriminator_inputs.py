"""What the discriminator sees of an image: with noise, distorted by chance, or unchanged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import torch
from torch import Tensor

from facewright.config import AugmentConfig, LossConfig
from facewright.objective import diffaugment, warp
from facewright.objective.logit_gradients import ImageTransform
from facewright.objective.penalties import active_penalties
from facewright.rng import rng_for

NoiseSource = Callable[[str, torch.Size, torch.device], Tensor]
"""From the use, the shape of an image and its device to standard normal numbers; drawn once."""


@dataclass(frozen=True)
class BatchInputs:
    """How the discriminator sees one batch, and the conditions that it is given with it.

    Real and generated images meet the same distortions, each by their own chance.

    Args:
        real: transform of the real images of a batch.
        fake: that of the generated ones.
        cut: gives the transforms of some rows of the batch; `None` where all are alike.
        conditions: (B, C) of the photos, and of the images that were generated to stand beside
            them with the same labels; `None` without conditions.
        noise: standard deviation of the noise on the images.
        opposite: gives the same transforms with antithetic noise; `None` without noise.
    """

    real: ImageTransform
    fake: ImageTransform
    cut: Callable[[slice], "BatchInputs"] | None = None
    conditions: Tensor | None = None
    noise: float = 0.0
    opposite: Callable[[], "BatchInputs"] | None = None

    def of(self, rows: slice) -> "BatchInputs":
        """Those of a micro-batch."""
        if rows == EVERY_ROW:
            return self
        inputs = self if self.cut is None else self.cut(rows)
        return inputs if self.conditions is None else inputs.given(self.conditions[rows])

    def given(self, conditions: Tensor) -> "BatchInputs":
        """The same, with conditions."""
        return replace(self, conditions=conditions)

    def antithetic(self) -> "BatchInputs":
        """The same, with noise of the opposite sign."""
        if self.opposite is None:
            return self
        return replace(self.opposite(), conditions=self.conditions)


EVERY_ROW = slice(None)

UNCHANGED = BatchInputs(lambda real: real, lambda fake: fake)
"""Without noise and distortions."""

FAMILIES = {
    "augment-warp": (warp.warped, warp.POLICIES, warp.NUMBERS),
    "augment": (diffaugment.distorted, diffaugment.POLICIES, diffaugment.NUMBERS),
}
"""Distortions in the order in which they are applied. Each family draws under its own name,
so that choosing one changes no other's numbers."""


@dataclass(frozen=True)
class DiscriminatorInputs:
    """The noise and the distortions between the images of a run and its discriminator.

    The numbers are drawn for the whole batch by (seed, batch number, use), so neither a
    resume nor the number of processes changes them on machines of one kind. Those that are as many
    as pixels are drawn by the device of the images: another model of GPU may draw others.

    Args:
        loss: how much noise, and for how long; how gradients are measured.
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

    def at(self, number: int, turn: str, images_seen: int) -> BatchInputs:
        """The transforms of one batch.

        Args:
            number: of the batch.
            turn: "d" or "g", the update that they are for: each update of the same batch has
                its own chances.
            images_seen: how far the run is: the noise may fade.
        """
        noise = noise_at(self.loss, images_seen)
        if noise == 0 and self.augment.probability == 0:
            return UNCHANGED
        # Drawn for the whole batch, but once, in however many micro-batches it is used.
        source = cache(partial(self._noise, number))
        return self._inputs(number, turn, source, noise, EVERY_ROW)

    def directions(self, number: int, images: Tensor) -> Tensor | None:
        """Along which lines finite differences are taken on one batch; `None` without those.

        Args:
            number: of the batch.
            images: (B, C, H, W), for the shape and the device.

        Returns:
            (2, B, C, H, W) standard normal: for real and for generated images.
        """
        needed = any(one.uses_slope for one in active_penalties(self.loss).values())
        if self.loss.slope != "finite-difference" or not needed:
            return None
        shape, device = (2, self.batch, *images.shape[1:]), images.device
        rng = rng_for(self.seed, number, "directions", device)
        return torch.randn(shape, generator=rng, device=device)[:, self.part].clone()

    def _inputs(
        self, number: int, turn: str, source: NoiseSource, noise: float, rows: slice
    ) -> BatchInputs:
        """Of some rows of those that this process holds."""
        real, fake = (
            partial(self._transformed, number, f"{turn}/{kind}", source, noise, rows)
            for kind in ("real", "fake")
        )
        same = partial(self._inputs, number, turn, source)
        return BatchInputs(
            real,
            fake,
            cut=partial(same, noise),
            noise=abs(noise),
            opposite=partial(same, -noise, rows) if noise else None,
        )

    def _noise(self, number: int, use: str, shape: torch.Size, device: torch.device) -> Tensor:
        """Standard normal, for the images of this shape that this process holds."""
        rng = rng_for(self.seed, number, f"noise/{use}", device)
        return torch.randn(self.batch, *shape, generator=rng, device=device)[self.part].clone()

    def _transformed(
        self, number: int, use: str, source: NoiseSource, noise: float, rows: slice, images: Tensor
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
        return images + noise * source(use, images.shape[1:], images.device)[rows]


def noise_at(loss: LossConfig, images_seen: int) -> float:
    """How strong is the instance noise after so many images?

    Noise makes real and generated images overlap, so that the discriminator cannot tell
    them apart without fault and its logit keeps a gradient that the generator can follow.

    Returns:
        Standard deviation, in the units of images (which span 2).

    Source: Arjovsky & Bottou 2017, arXiv:1701.04862; Sønderby et al. 2017,
    arXiv:1610.04490, who let it fade as the images come closer.
    """
    if loss.instance_noise_images == 0:
        return loss.instance_noise
    return loss.instance_noise * max(0.0, 1 - images_seen / loss.instance_noise_images)
