"""How often is the doctor right, how soon, and how often does it cry wolf?

python -m benchmarks.doctor train --out DIR      # hours, resumable; one core
python -m benchmarks.doctor score --out DIR      # minutes: oracle, confusion, F1
"""

import argparse
import json
import time
from pathlib import Path

import torch

from benchmarks.failures.record import save
from benchmarks.failures.recipes import RECIPES
from benchmarks.failures.training import train

SEEDS = 5


def train_all(out: Path, stores: Path, seeds: range, names: list[str]) -> None:
    """Train what is not there yet, seed by seed, so that an early end leaves whole seeds."""
    for seed in seeds:
        for name in names:
            folder = out / f"{name}-{seed}"
            if (folder / "record.json").exists():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            began = time.perf_counter()
            doctor = train(RECIPES[name], seed, stores, folder)
            save(doctor.history, folder / "record.json")
            print(f"{name} {seed}: {time.perf_counter() - began:.0f} s", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("do", choices=("train", "score"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stores", type=Path, default=Path("stores"))
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(SEEDS)))
    parser.add_argument("--only", nargs="*", default=list(RECIPES))
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    train_all(options.out, options.stores, options.seeds, options.only)


if __name__ == "__main__":
    main()
