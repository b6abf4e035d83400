"""A batch in micro-batches: less memory at once, the same update.

The loss of a batch is the mean over its images. So is its gradient, which can therefore be
accumulated over micro-batches, as long as no logit depends on other images: what mixes the images
of a batch is refused here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from facewright.config import Config
from facewright.errors import ConfigError
from facewright.networks.build import build_discriminator, build_generator
from facewright.networks.salimans import MinibatchDiscrimination
from facewright.rng import rng_for


@dataclass(frozen=True)
class MicroBatch:
    """Some images of a batch.

    Args:
        rows: which of this process's images.
        share: their part of this process's images, in (0, 1].
    """

    rows: slice
    share: float

    def of_whole(self, mean: Tensor) -> Tensor:
        """What a mean over this micro-batch adds to the mean over all images."""
        return mean if self.share == 1 else self.share * mean


def micro_batches(images: int, at_once: int) -> list[MicroBatch]:
    """So many images in micro-batches, one after the other.

    Args:
        images: in all.
        at_once: in a micro-batch, the last of which may be smaller; 0 for all of them.
    """
    if at_once == 0 or at_once >= images:
        return [MicroBatch(slice(None), 1.0)]
    starts = range(0, images, at_once)
    stops = [min(start + at_once, images) for start in starts]
    return [
        MicroBatch(slice(start, stop), (stop - start) / images)
        for start, stop in zip(starts, stops, strict=True)
    ]


def joined(parts: list[Tensor]) -> Tensor:
    """The rows of all micro-batches, one below the other."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def indivisible(config: Config, shape: tuple[int, int, int]) -> str:
    """Why can the batch of a run not be divided? "" if it can.

    Virtual batch norm can be: its statistics are those of a fixed reference and of the image
    itself. So can dropout, whose masks are then others, as with several processes.

    Args:
        config: of the run.
        shape: (C, H, W) of the photos.
    """
    if config.loss.feature_matching:
        return "feature matching compares the means of whole batches"
    conditions = int(bool(config.data.labels))  # however many there are, the layers are these
    with torch.device("meta"):  # the layers alone: no memory, no time
        networks = (
            build_generator(config.model, shape, rng_for(0, 0, "unused"), conditions),
            build_discriminator(config.model, shape, rng_for(0, 0, "unused"), conditions),
        )
    reasons = (_reason(layer) for network in networks for layer in network.modules())
    return next(filter(None, reasons), "")


def refuse_indivisible(config: Config, shape: tuple[int, int, int]) -> None:
    """Refuse micro-batches where they would change the update.

    Raises:
        ConfigError: with the reason.
    """
    settings = config.train
    if settings.micro_batch == 0:
        return
    reason = indivisible(config, shape)
    if reason:
        raise ConfigError(
            f"train.micro_batch = {settings.micro_batch}: {reason}",
            expected="players that judge each image by itself",
            fix="--set train.micro_batch=0 and a smaller train.batch, or model.normalisation=none, "
            "model.minibatch_kernels=0 and loss.feature_matching=false",
        )


def _reason(layer: nn.Module) -> str:
    if isinstance(layer, nn.BatchNorm2d):
        return "batch norm takes its mean and variance from the whole batch"
    if isinstance(layer, MinibatchDiscrimination):
        return "minibatch discrimination compares each image with the whole batch"
    if is_parametrized(layer):
        return "spectral normalisation moves on a little with every pass through the network"
    return ""
