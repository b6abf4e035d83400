"""How much memory will a run take, and how much is available? Answered before it starts."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from facewright.config import Config
from facewright.machine import memory
from facewright.networks.build import build_discriminator, build_generator
from facewright.networks.conditional import conditioned
from facewright.objective.penalties import active_penalties
from facewright.rng import rng_for

OVERHEAD = {"cpu": 450 * 2**20, "cuda": 0, "mps": 450 * 2**20}
"""Bytes that the doctor, the equilibrium probe, the scores and the curves take beside the
training on its device: 934 MiB against 497 with `classic-celeba28` on a CPU (docs/experiments).
What the probe takes of a GPU's memory was never measured, nor anything on an Apple GPU, which
shares the processor's memory."""


def memory_overhead(device: str, devices: int = 1) -> int:
    """Bytes for each process of a run, besides its `MemoryEstimate`, for the callbacks.

    They run in one process only, which may use the share of the others.

    Args:
        device: "cpu", "cuda" or "mps".
        devices: processes of the run.
    """
    return OVERHEAD[device] // devices


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that each process of a run needs besides the program itself.

    Args:
        parameters: of both networks.
        weights: bytes of weights, gradients, Adam's two moments and the EMA.
        activations: bytes kept for the backward pass of one step.
    """

    parameters: int
    weights: int
    activations: int

    @property
    def total(self) -> int:
        """With the running program of about 350 MiB, but without `memory_overhead`."""
        return self.weights + self.activations + 350 * 2**20


@lru_cache(maxsize=256)
def estimate(
    config: Config, shape: tuple[int, int, int], devices: int = 1, conditions: int = 0
) -> MemoryEstimate:
    """Count the weights, and the outputs of all layers for the images that pass at once.

    The discriminator step is the fuller one: it holds the generator's outputs, kept for
    its own step, and the discriminator's on real and on generated images. Gradients take
    the place of outputs during the backward pass. Each penalty on its gradient adds two passes of
    the discriminator to these two, which are all kept until the backward pass: over images moved
    to both sides, or one pass and the backward pass through it, which is kept too. With antithetic
    noise it is one pass, over images moved to one side. In micro-batches, the generator's
    outputs are made again for its own step, in which the discriminator sees generated images only.
    In bf16 an output takes half as much. Within a factor of two of the measured peak (tested).

    Args:
        config: of the run; a precision that is not settled yet counts as fp32.
        shape: (C, H, W) of the photos.
        devices: processes that share each batch.
        conditions: length of a condition vector; 0 for a model without.
    """
    with torch.device("meta"):  # only shapes: no memory, no time, no threads
        rng, given = rng_for(0, 0, "unused"), torch.zeros(2, conditions)
        generator = build_generator(config.model, shape, rng, conditions)
        discriminator = build_discriminator(config.model, shape, rng, conditions)
        g_outputs = _output_floats(generator, torch.zeros(2, config.model.z_dim), given)
        d_outputs = _output_floats(discriminator, torch.zeros(2, *shape), given)
    counts = [sum(p.numel() for p in net.parameters()) for net in (generator, discriminator)]
    loss = config.loss
    penalties = active_penalties(loss).values()
    approximate = sum(one.uses_slope and loss.slope != "exact" for one in penalties)
    exact = len(penalties) - approximate
    passes = 2 + (1 if loss.slope == "antithetic-noise" else 2) * approximate
    wide = 2 if config.train.precision == "bf16" else 4
    all_d_outputs = d_outputs * (wide * passes + 4 * 2 * exact)  # exact gradients: always fp32
    own, at_once = config.train.batch // devices, config.train.at_once(devices)
    if at_once < own:
        images = 4 * 2 * math.prod(shape) * own  # real and generated ones
        activations = max(all_d_outputs, wide * (g_outputs + d_outputs)) * at_once // 2 + images
    else:
        activations = (wide * g_outputs + all_d_outputs) * own // 2
    return MemoryEstimate(
        parameters=sum(counts),
        weights=4 * (4 * sum(counts) + counts[0]),
        activations=activations,
    )


def available_memory(device: torch.device, devices: int = 1) -> int | None:
    """How many bytes are there for each process, other programs' included? `None`: not known.

    On a CPU it is a part of the machine's memory, or of what a container may have of it.

    Args:
        device: of this process.
        devices: processes of the run: each has a GPU to itself, but all of them share a CPU.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return memory() // devices if device.type == "cpu" else None


@torch.no_grad()
def _output_floats(network: nn.Module, inputs: Tensor, conditions: Tensor) -> int:
    """Numbers that all layers together put out for these inputs."""
    total = 0

    def count(_layer: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        total += output.numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if not list(m.children())]
    conditioned(network, conditions)(inputs)
    for hook in hooks:
        hook.remove()
    return total
