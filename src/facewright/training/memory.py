"""How much memory will a run take? Asked before it starts."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from facewright.config import Config
from facewright.models.build import build_discriminator, build_generator
from facewright.rng import rng_for


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that a run needs besides the program itself.

    Args:
        parameters: of both networks.
        weights: bytes of weights, gradients, Adam's two moments and the averaged generator.
        activations: bytes kept for the backward pass of one step.
    """

    parameters: int
    weights: int
    activations: int

    @property
    def total(self) -> int:
        """All of it, with the running program (torch and its libraries) of about 350 MiB."""
        return self.weights + self.activations + 350 * 2**20


def estimate(config: Config, shape: tuple[int, int, int]) -> MemoryEstimate:
    """Count the weights, and the outputs of all layers for one batch.

    The discriminator step is the fuller one: it holds the generator's outputs, kept for
    its own step, and the discriminator's on real and on generated images. Gradients take
    the place of outputs as the pass goes back. Penalties on its slope keep the
    discriminator's passes twice. Within a factor of two of the measured peak (tested).

    Args:
        config: of the run.
        shape: (C, H, W) of the photos.
    """
    with torch.device("meta"):  # shapes alone: no memory, no time, no threads
        generator = build_generator(config.model, shape, rng_for(0, 0, "unused"))
        discriminator = build_discriminator(config.model, shape, rng_for(0, 0, "unused"))
        made = _output_floats(generator, torch.zeros(2, config.model.z_dim))
        judged = _output_floats(discriminator, torch.zeros(2, *shape))
    counts = [sum(p.numel() for p in net.parameters()) for net in (generator, discriminator)]
    slopes = config.loss.r1 > 0 or config.loss.r2 > 0 or config.loss.gradient_penalty > 0
    floats = (made + judged * (4 if slopes else 2)) * config.train.batch // 2
    return MemoryEstimate(
        parameters=sum(counts),
        weights=4 * (4 * sum(counts) + counts[0]),
        activations=4 * floats,
    )


@torch.no_grad()
def _output_floats(network: nn.Module, inputs: Tensor) -> int:
    """Numbers that all layers together put out for these inputs."""
    total = 0

    def count(_layer: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        total += output.numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if not list(m.children())]
    network(inputs)
    for hook in hooks:
        hook.remove()
    return total
