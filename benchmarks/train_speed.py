"""How much faster does Facewright train than the straightforward PyTorch loop?

    python -m benchmarks.train_speed [--rounds 9] [--images 960]
    python -m benchmarks.train_speed --ingredients     # what each setting of fast-28 costs

Three loops train the networks of three recipes with the same losses, batch and optimiser settings,
on one thread and on two: the plain one (`plain_loop`), the plain one tuned, and ours with all that
the recipe adds. Each in a process of its own, by turns.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain_loop import CPU, Train, plain
from facewright.config import Config
from facewright.data.drawn import draw
from facewright.data.stream import BatchStream
from facewright.networks.device import keep_freed_memory, resolve_precision
from facewright.planning.recipes import read_recipe
from facewright.settings import override
from facewright.training.loop import train_until
from facewright.training.state import fresh_state

PENALTY_TARGET = 1.6
RECIPES = {"classic-celeba28": 28, "fast-28": 28, "fast-64": 64}
"""Those that are timed, with the side of their images."""
TARGETS = {"classic-celeba28": 1.25, "fast-28": 1.05, "fast-64": 1.05}
"""How many times as fast as the tuned loop ours should be, where bf16 is multiplied."""
FAST = "fast-28"
THREADS = (1, 2)
KINDS = ("naive", "tuned", "ours")

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


@dataclass(frozen=True)
class Loop:
    """What is timed.

    Args:
        kind: "naive", "tuned" or "ours".
        config: of the recipe, perhaps changed.
        side: of the images.
        threads: that compute.
    """

    kind: str
    config: Config
    side: int = 28
    threads: int = 2

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the images."""
        return 3, self.side, self.side


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


def facewright(
    stream: BatchStream, config: Config, shape: tuple[int, int, int] = (3, 28, 28)
) -> Train:
    """Facewright's own loop as it is, with its records' numbers and its averaged generator."""
    keep_freed_memory()
    bf16 = resolve_precision(config.train.precision, CPU) == "bf16"
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed" if bf16 else "32-true")
    state = fresh_state(config, shape, CPU)

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


def loops() -> dict[str, Loop]:
    """Every loop of every recipe, by "recipe, kind, threads"."""
    return {
        f"{recipe}, {kind}, {threads}": Loop(kind, read_recipe(recipe), side, threads)
        for recipe, side in RECIPES.items()
        for threads in THREADS
        for kind in KINDS
    }


def ingredients() -> dict[str, Loop]:
    """`fast-28` as it is, and with each setting changed."""
    fast = read_recipe(FAST)
    changed = {name: override(fast, changes) for name, changes in INGREDIENTS.items()}
    return {name: Loop("ours", config) for name, config in ({FAST: fast} | changed).items()}


def target_of(ingredient: str) -> str:
    """What a penalty may cost, which was asked of penalties in every step."""
    every_step = INGREDIENTS.get(ingredient) in (BOTH, TRIED, ANTITHETIC)
    return f"   target {PENALTY_TARGET}" if every_step else ""


def serve(loop: Loop, images: int, orders: Connection) -> None:
    """One loop in its own process: first the work per image, then a timing for each order.

    Where slopes are exact there is no count of the work: the counter knows no second derivatives.
    """
    torch.set_num_threads(loop.threads)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    config, batch = loop.config, loop.config.train.batch
    pixels = np.stack([draw(i, size=loop.shape[1:], seed=0)[0] for i in range(512)])
    stream = BatchStream(pixels, batch=batch, seed=0, flip=True)
    if loop.kind == "ours":
        train = facewright(stream, config, loop.shape)
    else:
        keep_freed_memory()
        train = plain(stream, config, loop.shape, loop.kind == "tuned")
    slopes = config.loss.r1 > 0 and config.loss.slope == "exact"
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


def rounds_of(loops: Mapping[str, Loop], rounds: int, images: int) -> Results:
    """Time them all by turns."""
    spawn = get_context("spawn")
    lines, processes, results = {}, {}, Results({}, [])
    for name, loop in loops.items():
        lines[name], theirs = spawn.Pipe()
        processes[name] = spawn.Process(target=serve, args=(loop, images, theirs), daemon=True)
        processes[name].start()
        results.work[name] = lines[name].recv()
    for _ in range(rounds):
        results.rounds.append({})
        for name, line in lines.items():
            line.send(True)
            results.rounds[-1][name] = line.recv()
    for name, process in processes.items():
        lines[name].send(False)
        process.join()
    return results


def options_from(words: Sequence[str] | None, loops: Mapping[str, Loop]) -> argparse.Namespace:
    """The command line; the process's own if no words are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--images", type=int, default=960)
    parser.add_argument("--ingredients", action="store_true")
    options = parser.parse_args(words)
    # A batch that is not full would be counted and never shown.
    whole = math.lcm(*(loop.config.train.batch for loop in loops.values()))
    if options.images < whole or options.images % whole:
        parser.error(f"--images {options.images}: expected a multiple of {whole}, for full batches")
    return options


def show_loops(found: Results, images: int) -> None:
    """Speeds, and ours beside the other two."""
    for recipe in RECIPES:
        for threads in THREADS:
            naive, tuned, ours = (f"{recipe}, {kind}, {threads}" for kind in KINDS)
            print(f"{recipe}, {threads} threads")
            for name in (naive, tuned, ours):
                speeds = [images / r[name].wall for r in found.rounds]
                print(f"  {name.split(', ')[1] + ', images/s':36}{median_and_range(speeds)}")
            for other, goal in ((naive, ""), (tuned, f"   target {TARGETS[recipe]} with bf16")):
                for clock in ("wall", "processor"):
                    ratios = median_and_range(found.ratios(other, ours, clock), 2)
                    title = f"ours / {other.split(', ')[1]}, {clock} time"
                    print(f"  {title:36}{ratios}{goal}")
    for name, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        torch.set_num_threads(1)
        peak = convolution_peak(dtype)
        print(f"{f'{name} peak of one thread, GFLOP/s':38}{peak / 1e9:,.0f}")
        for recipe in RECIPES:
            ours = f"{recipe}, ours, 1"
            speed = statistics.median(images / r[ours].wall for r in found.rounds)
            share, mflop = speed * found.work[ours] / peak, found.work[ours] / 1e6
            print(f"{f'  {recipe}, {mflop:,.0f} MFLOP per image':38}{share:.0%}")


def show_ingredients(found: Results) -> None:
    """What each costs, in the processor time of the recipe as it is."""
    print(f"processor time per image, {FAST} as it is = 1")
    for name in INGREDIENTS:
        ratios = median_and_range(found.ratios(name, FAST, "processor"), 2)
        print(f"  {name:38}{ratios}{target_of(name)}")


def main() -> None:
    """Time all by turns and print what came out."""
    options = options_from(None, loops())
    print(f"{options.rounds} rounds of {options.images} images")
    if options.ingredients:
        show_ingredients(rounds_of(ingredients(), options.rounds, options.images))
    else:
        show_loops(rounds_of(loops(), options.rounds, options.images), options.images)


if __name__ == "__main__":
    main()
