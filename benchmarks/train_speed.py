"""How much faster does Facewright train than the straightforward PyTorch loop?

    python -m benchmarks.train_speed [--rounds 9] [--images 960] [--threads 2]

Both train the networks of `classic-celeba28` with the same losses, batch and optimiser
settings; then what each ingredient of `fast-28` costs. Each in a process of its own, by turns.
Wall time depends on what else the machine does, and a round that was disturbed shows as a wide
range; processor time hardly does, so both are shown. The share of the peak says how much of
what convolutions can do is used.
"""

import argparse
import dataclasses
import logging
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from facewright.config import Config
from facewright.data.drawn import draw
from facewright.data.stream import BatchStream
from facewright.networks.device import keep_freed_memory, resolve_precision
from facewright.planning.recipes import read_recipe
from facewright.settings import override
from facewright.training.loop import train_until
from facewright.training.state import fresh_state

TARGET = 1.8
PENALTY_TARGET = 1.6
SHAPE = (3, 28, 28)
CLASSIC, FAST = "classic-celeba28", "fast-28"
CPU = torch.device("cpu")

BOTH = ("loss.r1=0.1", "loss.r2=0.1")
TRIED = (*BOTH, "loss.slope=finite-difference")
ANTITHETIC = (*BOTH, "loss.slope=antithetic-noise")
INGREDIENTS: dict[str, tuple[str, ...]] = {
    "no layer at full size": ("model.full_width=0",),
    "full colour": ("model.colour=full",),
    "no noise": ("loss.instance_noise=0",),
    "none of these three": ("model.full_width=0", "model.colour=full", "loss.instance_noise=0"),
    "batches of 64": ("train.batch=64",),
    "fp32": ("train.precision=fp32",),
    "batch norm in the generator only": ("model.normalisation=generator-batch",),
    "relativistic": ("loss.game=relativistic",),
    "distortions": ("augment.adaptive=false", "augment.probability=0.3"),
    "R1 + R2, exact": BOTH,
    "R1 + R2, tried": TRIED,
    "R1 + R2, antithetic noise": ANTITHETIC,
    "R1 + R2, tried every 4th": (*TRIED, "loss.penalty_every=4"),
}
"""Settings that are put in place of the recipe's, one group at a time."""

Train = Callable[[int], None]
"""Trains for so many steps."""


@dataclass
class Timing:
    """Seconds of one round, by the wall and by the processor's clock."""

    wall: float
    processor: float


@dataclass
class Results:
    """All timings.

    Args:
        work: floating-point operations per image.
        rounds: seconds of each loop, by its name.
    """

    work: dict[str, float]
    rounds: list[dict[str, Timing]]

    def ratios(self, name: str, other: str, clock: str) -> list[float]:
        """How many times as long does one take as the other, in each round?"""
        return [getattr(r[name], clock) / getattr(r[other], clock) for r in self.rounds]


def naive(stream: BatchStream) -> Train:
    """The loop that one writes first: fp32, eager, plain layers, default Adam."""
    generator = nn.Sequential(
        nn.Linear(100, 128 * 7 * 7, bias=False),
        nn.Unflatten(1, (128, 7, 7)),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(128, 64, 5, stride=2, padding=2, output_padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(64, 3, 5, stride=2, padding=2, output_padding=1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(3, 64, 5, stride=2, padding=2),
        nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 5, stride=2, padding=2, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(128 * 7 * 7, 1),
    )
    for layer in (*generator, *discriminator):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0, 0.02)
    g_optimiser = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    d_optimiser = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    loss = nn.BCEWithLogitsLoss()
    yes, no = torch.ones(stream.batch, 1), torch.zeros(stream.batch, 1)

    def train(steps: int) -> None:
        for number in range(steps):
            real = stream.at(number)
            fake = generator(torch.randn(stream.batch, 100))
            d_optimiser.zero_grad()
            d_loss = loss(discriminator(real), yes) + loss(discriminator(fake.detach()), no)
            d_loss.backward()
            d_optimiser.step()
            g_optimiser.zero_grad()
            loss(discriminator(fake), yes).backward()
            g_optimiser.step()

    return train


def facewright(stream: BatchStream, config: Config) -> Train:
    """Facewright's own loop as it is, with its records' numbers and its averaged generator."""
    keep_freed_memory()
    bf16 = resolve_precision(config.train.precision, CPU) == "bf16"
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed" if bf16 else "32-true")
    state = fresh_state(config, SHAPE, CPU)

    def train(steps: int) -> None:
        images = state.images_seen + steps * stream.batch
        train_until(
            state,
            dataclasses.replace(config, train=dataclasses.replace(config.train, images=images)),
            batches=stream,
            fabric=fabric,
            callbacks=[],
            should_stop=lambda: False,
        )

    return train


def contestants() -> dict[str, Config | None]:
    """What is timed: the settings of Facewright's loop, or `None` for the naive one."""
    fast = read_recipe(FAST)
    known: dict[str, Config | None] = {
        "naive": None,
        CLASSIC: read_recipe(CLASSIC),
        FAST: fast,
    }
    return known | {name: override(fast, changes) for name, changes in INGREDIENTS.items()}


def batch_of(config: Config | None) -> int:
    """Images in a step; the naive loop has as many as the classic recipe."""
    return (config or read_recipe(CLASSIC)).train.batch


def target_of(ingredient: str) -> str:
    """What a penalty may cost, which was asked of penalties in every step."""
    every_step = INGREDIENTS.get(ingredient) in (BOTH, TRIED, ANTITHETIC)
    return f"   target {PENALTY_TARGET}" if every_step else ""


def serve(config: Config | None, images: int, threads: int, orders: Connection) -> None:
    """One loop in its own process: first the work per image, then a timing for each order.

    Where slopes are exact there is no count of the work: the counter knows no second derivatives.
    """
    torch.set_num_threads(threads)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    pixels = np.stack([draw(i, size=SHAPE[1:], seed=0)[0] for i in range(512)])
    batch = batch_of(config)
    stream = BatchStream(pixels, batch=batch, seed=0, flip=True)
    train = facewright(stream, config) if config else naive(stream)
    slopes = config is not None and config.loss.r1 > 0 and config.loss.slope == "exact"
    orders.send(math.nan if slopes else work_per_image(train, batch))
    train(5)
    while orders.recv():
        orders.send(timed(train, images // batch))


def timed(train: Train, steps: int) -> Timing:
    """One round. The step before it brings caches and threads back from the other loop."""
    train(1)
    wall, processor = time.perf_counter(), time.process_time()
    train(steps)
    return Timing(time.perf_counter() - wall, time.process_time() - processor)


def work_per_image(train: Train, batch: int) -> float:
    """Arithmetic of one step for each image, in floating-point operations."""
    with FlopCounterMode(display=False) as counter:
        train(1)
    return counter.get_total_flops() / batch


def convolution_peak(dtype: torch.dtype) -> float:
    """Operations per second of a convolution that suits the machine, best of many."""
    images = torch.randn(64, 128, 28, 28).to(dtype, memory_format=torch.channels_last)
    weight = torch.randn(128, 128, 3, 3).to(dtype, memory_format=torch.channels_last)

    def seconds() -> float:
        start = time.perf_counter()
        nn.functional.conv2d(images, weight, padding=1)
        return time.perf_counter() - start

    operations = 2 * images.numel() * weight[0].numel()
    return operations / min(seconds() for _ in range(30))


def median_and_range(values: list[float], digits: int = 0) -> str:
    """The median, and the range of all rounds."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.{digits}f}  ({low:,.{digits}f} to {high:,.{digits}f})"


def rounds_of(names: Mapping[str, Config | None], options: argparse.Namespace) -> Results:
    """Time them all by turns."""
    spawn = get_context("spawn")
    loops, processes, results = {}, {}, Results({}, [])
    for name, config in names.items():
        loops[name], theirs = spawn.Pipe()
        processes[name] = spawn.Process(
            target=serve, args=(config, options.images, options.threads, theirs), daemon=True
        )
        processes[name].start()
        results.work[name] = loops[name].recv()
    for _ in range(options.rounds):
        results.rounds.append({})
        for name, loop in loops.items():
            loop.send(True)
            results.rounds[-1][name] = loop.recv()
    for name, process in processes.items():
        loops[name].send(False)
        process.join()
    return results


def options_from(
    words: Sequence[str] | None, names: Mapping[str, Config | None]
) -> argparse.Namespace:
    """The command line; the process's own if no words are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--images", type=int, default=960)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(words)
    # A batch that is not full would be counted and never shown.
    whole = math.lcm(*map(batch_of, names.values()))
    if options.images < whole or options.images % whole:
        parser.error(f"--images {options.images}: expected a multiple of {whole}, for full batches")
    return options


def main() -> None:
    """Time all by turns and print what came out."""
    names = contestants()
    options = options_from(None, names)
    torch.set_num_threads(options.threads)
    found = rounds_of(names, options)

    print(f"{options.rounds} rounds of {options.images} images, {options.threads} threads")
    for name in ("naive", CLASSIC, FAST):
        speeds = [options.images / r[name].wall for r in found.rounds]
        print(f"{name + ' images/s':40}{median_and_range(speeds)}")
    for clock in ("wall", "processor"):
        goal = f"   target {TARGET}" if clock == "wall" else ""
        ratios = found.ratios("naive", CLASSIC, clock)
        print(f"{f'speed-up of {CLASSIC}, {clock} time':40}{median_and_range(ratios, 2)}{goal}")
    print(f"processor time per image, {FAST} as it is = 1")
    for name in INGREDIENTS:
        ratios = median_and_range(found.ratios(name, FAST, "processor"), 2)
        print(f"{'  ' + name:40}{ratios}{target_of(name)}")
    for name, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        peak = convolution_peak(dtype)
        print(f"{f'{name} peak, GFLOP/s':40}{peak / 1e9:,.0f}")
        for recipe in (CLASSIC, FAST):
            speed = statistics.median(options.images / r[recipe].wall for r in found.rounds)
            share = speed * found.work[recipe] / peak
            mflop = found.work[recipe] / 1e6
            print(f"{f'  {recipe}, {mflop:,.0f} MFLOP per image':40}{share:.0%}")


if __name__ == "__main__":
    main()
