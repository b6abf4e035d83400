"""How fast are the Inception features, and the metrics that are costly on top of them?

    python benchmarks/metrics_speed.py [--store STORE] [--rounds 7] [--images 100] [--threads 2]
    python benchmarks/metrics_speed.py --store STORE --run RUN --fid 5000     also FID, an hour

Features: ours in fp32 and bf16 against the TorchScript network of the wheel, run the way other
tools run it (batches of 50, fp32, resized by a sampling grid), each in a process of its own,
by turns. Wall time depends on what else the machine does; processor time hardly does, so both
are shown. FID: the same three ways on the same photos and generated images. Distances: random
features of the published sizes, each in a process of its own, whose memory is its peak.
"""

import argparse
import resource
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from facewright.data.drawn import draw
from facewright.metrics.coverage import neighbourhoods
from facewright.metrics.extractors.inception import Inception
from facewright.metrics.extractors.inception_weights import locate_inception
from facewright.metrics.frechet import (
    Moments,
    frechet_distance,
    frechet_from_moments,
)
from facewright.models.open_model import open_model
from facewright.sampling.sample import sample

TARGETS = {"fp32": 2.5, "bf16": 4.0}
FID_TOLERANCE = 0.1
WIDTH = 2048

Extract = Callable[[np.ndarray], Tensor]
"""(N, H, W, 3) uint8 images -> (N, 2048) features."""


@dataclass
class Timing:
    """Seconds of one piece of work, by the wall and by the processor's clock."""

    wall: float
    processor: float


def peer() -> Extract:
    """The published network as it comes, behind the resize of TensorFlow's graph."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript as such
        network = torch.jit.load(locate_inception(), map_location="cpu")

    def extract(pixels: np.ndarray) -> Tensor:
        with torch.inference_mode():
            batches = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().split(50)
            return torch.cat([network((enlarged(batch) - 128) / 128) for batch in batches])

    return extract


def enlarged(planes: Tensor, size: int = 299) -> Tensor:
    """Bilinear, shifted as in TensorFlow 1, by way of a sampling grid."""
    count, channels, height, width = planes.shape
    shift = torch.tensor([[1, 0, 1 / width - 1 / size], [0, 1, 1 / height - 1 / size]])
    shape = [count, channels, size, size]
    grid = affine_grid(shift.expand(count, 2, 3), shape, align_corners=False)
    return grid_sample(planes, grid, padding_mode="border", align_corners=False)


WAYS: dict[str, Callable[[], Extract]] = {
    "peer": peer,
    "fp32": lambda: Inception(resize="tensorflow", precision="fp32"),
    "bf16": lambda: Inception(resize="tensorflow", precision="bf16"),
}


def serve(name: str, threads: int, orders: Connection) -> None:
    """One way in its own process: features and a timing for each array of images."""
    torch.set_num_threads(threads)
    extract = WAYS[name]()
    while (pixels := orders.recv()) is not None:
        # The images before it bring caches and threads back from the other ways.
        extract(pixels[:8])
        wall, processor = time.perf_counter(), time.process_time()
        features = extract(pixels)
        timing = Timing(time.perf_counter() - wall, time.process_time() - processor)
        orders.send((timing, features.numpy()))


def compare_speed(ways: dict[str, Connection], images: np.ndarray, rounds: int) -> None:
    """Each way by turns on the same images."""
    timings: list[dict[str, Timing]] = []
    for _ in range(rounds):
        timings.append({name: ask(way, images)[0] for name, way in ways.items()})
    for name in ways:
        rates = [len(images) / t[name].wall for t in timings]
        print(f"{f'{name} features/s':34}{median_and_range(rates)}")
    for name, target in TARGETS.items():
        for clock in ("wall", "processor"):
            ratios = [getattr(t["peer"], clock) / getattr(t[name], clock) for t in timings]
            goal = f"   target {target}" if clock == "wall" else ""
            print(f"{f'{name} speed-up, {clock} time':34}{median_and_range(ratios, 2)}{goal}")


def compare_fid(ways: dict[str, Connection], real: np.ndarray, fake: np.ndarray) -> None:
    """The same FID in each way."""
    fids = {}
    for name, way in ways.items():
        features = [torch.from_numpy(ask(way, images)[1]) for images in (real, fake)]
        fids[name] = frechet_distance(*features).value
        change = f"   {fids[name] - fids['peer']:+.4f}" if name != "peer" else ""
        print(f"{f'{name} FID, {len(real)} + {len(fake)} images':34}{fids[name]:.4f}{change}")
    print(f"{'FID may change by':34}{FID_TOLERANCE}")


def ask(way: Connection, images: np.ndarray) -> tuple[Timing, np.ndarray]:
    """Have one way extract features."""
    way.send(images)
    return way.recv()


class Distance(NamedTuple):
    """What is timed: `measure`, on what `prepare` makes of each set of features."""

    measure: Callable[[Any, Any], object]
    prepare: Callable[[Tensor], object]
    target: str = ""


DISTANCES = {
    "Fréchet distance of statistics": Distance(frechet_from_moments, Moments.of, "   target 3 s"),
    "Fréchet distance with interval": Distance(frechet_distance, Tensor.contiguous),
    "precision, recall, coverage": Distance(
        neighbourhoods, Tensor.contiguous, "   target 20 s, 2 GB"
    ),
}


def time_distance(name: str, threads: int, answer: Connection) -> None:
    """One costly metric in its own process: seconds, and the most megabytes ever held."""
    torch.set_num_threads(threads)
    rng = torch.Generator().manual_seed(0)
    measure, prepare, _ = DISTANCES[name]
    real, fake = (prepare(torch.randn(10_000, WIDTH, generator=rng).relu_()) for _ in range(2))
    start = time.perf_counter()
    measure(real, fake)
    seconds = time.perf_counter() - start
    answer.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def median_and_range(values: list[float], digits: int = 1) -> str:
    """The median, and the range of all rounds."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.{digits}f}  ({low:,.{digits}f} to {high:,.{digits}f})"


def photos(store: Path | None, count: int) -> np.ndarray:
    """Photos of a store, or drawn faces in their place."""
    if store is None:
        return np.stack([draw(i, size=(28, 28), seed=0)[0] for i in range(count)])
    return np.load(store / "train.npy", mmap_mode="r")[:count].copy()


def main() -> None:
    """Time everything by turns and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, help="photos; drawn faces without it")
    parser.add_argument("--run", type=Path, help="makes the generated images for --fid")
    parser.add_argument("--fid", type=int, default=0, help="images of each kind; 0 leaves it out")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.fid and not (options.store and options.run):
        parser.error("--fid needs --store and --run")

    spawn = get_context("spawn")
    ways = {}
    for name in WAYS:
        ways[name], theirs = spawn.Pipe()
        spawn.Process(target=serve, args=(name, options.threads, theirs), daemon=True).start()
    print(f"{options.rounds} rounds of {options.images} images, {options.threads} threads")
    compare_speed(ways, photos(options.store, options.images), options.rounds)
    if options.fid:
        fake = sample(open_model(options.run), count=options.fid, seed=0)
        compare_fid(ways, photos(options.store, options.fid), fake)
    for way in ways.values():
        way.send(None)

    for name, distance in DISTANCES.items():
        ours, theirs = spawn.Pipe()
        spawn.Process(target=time_distance, args=(name, options.threads, theirs)).start()
        seconds, megabytes = ours.recv()
        print(f"{name:34}{seconds:.1f} s, {megabytes:,.0f} MB in all{distance.target}")


if __name__ == "__main__":
    main()
