"""Does training on more photos cost more for each image?

    python -m benchmarks.data_size [--counts 1000 100000 10000000] [--recipe fast-28]

Writes stores of noise (24 GB for ten million images of 28 px), and for each trains in a process
of its own, by turns: start, time for each image, and the memory that is the process's own. Pages
of the store that the system keeps in its cache are not: it takes them back when it needs them.
"""

import argparse
import logging
import re
import statistics
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch

from benchmarks.train_speed import facewright, median_and_range, timed
from facewright.data.mapped import mapped
from facewright.data.stream import BatchStream
from facewright.planning.recipes import read_recipe

SHAPE = (28, 28, 3)
CHUNK = 10_000


def written(folder: Path, count: int) -> Path:
    """A file of so many images of noise."""
    path = folder / f"{count}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(count)
        part = path.with_suffix(".part")
        pixels = np.lib.format.open_memmap(part, "w+", np.uint8, (count, *SHAPE))
        for start in range(0, count, CHUNK):
            size = min(CHUNK, count - start)
            pixels[start : start + size] = rng.integers(256, size=(size, *SHAPE), dtype=np.uint8)
        pixels.flush()  # or the disk would be busy with writing while loops are timed
        part.rename(path)
    return path


def own_memory() -> float:
    """Bytes of this process that are not pages of files."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (kilobytes,) = re.findall(r"RssAnon:\s+(\d+) kB", status)
    return int(kilobytes) * 1024


def serve(path: Path, recipe: str, threads: int, orders: Connection) -> None:
    """Train on one file: first how long the start took, then a timing for each order."""
    torch.set_num_threads(threads)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    config = read_recipe(recipe)
    start = time.perf_counter()
    pixels = mapped(path, shuffled=True)
    train = facewright(BatchStream(pixels, batch=config.train.batch, seed=0, flip=True), config)
    train(1)
    orders.send(time.perf_counter() - start)
    train(20)
    while steps := orders.recv():
        timing = timed(train, steps)
        orders.send((timing.wall, timing.processor, own_memory()))


def main() -> None:
    """Time all sizes by turns and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--counts", nargs="+", type=int, default=[1_000, 10_000, 100_000, 1_000_000, 10_000_000]
    )
    parser.add_argument("--recipe", default="fast-28")
    parser.add_argument("--folder", type=Path, default=Path("stores/noise"))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    spawn = get_context("spawn")
    loops, starts = {}, {}
    for count in options.counts:
        path = written(options.folder, count)
        loops[count], theirs = spawn.Pipe()
        arguments = (path, options.recipe, options.threads, theirs)
        spawn.Process(target=serve, args=arguments, daemon=True).start()
        starts[count] = loops[count].recv()
    rounds: list[dict[int, tuple[float, float, float]]] = []
    for _ in range(options.rounds):
        rounds.append({})
        for count, loop in loops.items():
            loop.send(options.steps)
            rounds[-1][count] = loop.recv()
    for loop in loops.values():
        loop.send(0)
    least = options.counts[0]
    print(f"{'images':>12}  start, s  wall time          processor time     own memory, MB")
    for count in options.counts:
        wall, processor = (
            median_and_range([r[count][clock] / r[least][clock] for r in rounds], 2)
            for clock in (0, 1)
        )
        memory = statistics.median(r[count][2] for r in rounds) / 1e6
        print(f"{count:>12,}  {starts[count]:8.2f}  {wall}  {processor}  {memory:6.0f}")


if __name__ == "__main__":
    main()
