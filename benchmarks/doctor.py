"""How often is the doctor right, how soon, and how often is it a false alarm?

python -m benchmarks.doctor train --out DIR      # hours, resumable, one core
python -m benchmarks.doctor score --out DIR      # minutes: oracle, confusion, F1
"""

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import get_args

import torch

from benchmarks.failures.oracle import Facts, facts
from benchmarks.failures.recipe import Half, Recipe
from benchmarks.failures.recipes import RECIPES
from benchmarks.failures.record import load, save
from benchmarks.failures.scoring import Case, confusion, summary
from benchmarks.failures.training import train
from facewright.doctor.checks import CHECKS, OF_OTHER_LOOPS
from facewright.doctor.diagnose import Examination
from facewright.doctor.history import History

SEEDS = 5
BASELINES = {"mnist": "bn", "celeba": "bn-faces", "utk": "bn-utk"}
"""The healthy recipe with which others on the same photos are compared."""


def train_all(out: Path, stores: Path, seeds: Sequence[int], names: Sequence[str]) -> None:
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


def cases(out: Path, stores: Path, seeds: Sequence[int], names: Sequence[str]) -> Iterable[Case]:
    """Every training that is there, judged by the oracle and by the doctor."""
    runs = [
        (RECIPES[name], seed, out / f"{name}-{seed}")
        for name in names
        for seed in seeds
        if (out / f"{name}-{seed}" / "record.json").exists()
    ]
    known = {(recipe.name, seed): facts(recipe, seed, stores, at) for recipe, seed, at in runs}
    healthy = {
        data: median(
            known[name, seed].distance[max(known[name, seed].distance)]
            for seed in seeds
            if (name, seed) in known
        )
        for data, name in BASELINES.items()
        if any((name, seed) in known for seed in seeds)
    }
    for recipe, seed, folder in runs:
        history = load(recipe, folder / "record.json")
        yield _case(recipe, seed, history, known[recipe.name, seed], healthy[recipe.data])


def _case(recipe: Recipe, seed: int, history: History, known: Facts, healthy: float) -> Case:
    examination = Examination((*OF_OTHER_LOOPS, *CHECKS))
    right = {recipe.label, *recipe.also}
    detected = None
    for snapshot in history.snapshots:
        examination.look(history.until(snapshot.images_seen))
        late = snapshot.step > recipe.fault.at
        if detected is None and late and examination.diagnosis().verdict in right:
            detected = snapshot.step
    if not history.snapshots or history.snapshots[-1].images_seen < history.images_seen:
        examination.look(history, only_at_once=bool(history.snapshots))
        if detected is None and examination.diagnosis().verdict in right:
            detected = history.n_steps
    diagnosis = examination.diagnosis()
    return Case(recipe, seed, known, healthy, diagnosis, detected)


def score(out: Path, stores: Path, seeds: Sequence[int], names: Sequence[str]) -> None:
    """Print what the doctor is worth, on each half."""
    everything = list(cases(out, stores, seeds, names))
    for half in get_args(Half):
        mine = [case for case in everything if case.recipe.half == half]
        kept = [case for case in mine if case.verified]
        print(f"\n{half}: {len(kept)} of {len(mine)} trainings are what their labels say")
        for case in mine:
            if not case.verified:
                print(f"  left out: {case.recipe.name} {case.seed}, said {case.diagnosis.verdict}")
        if not kept:
            continue
        print("\n".join(confusion(kept)))
        print(json.dumps({name: round(value, 3) for name, value in summary(kept).items()}))
        for case in kept:
            if case.said != case.recipe.label or (
                case.recipe.label == "healthy" and case.false_alarms
            ):
                found = [
                    (f.code, f.first_seen_images // case.recipe.batch, f.active)
                    for f in case.diagnosis.findings
                ]
                print(f"  {case.recipe.name} {case.seed}: {case.diagnosis.verdict}, {found}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("do", choices=("train", "score"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stores", type=Path, default=Path("stores"))
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(SEEDS)))
    parser.add_argument("--only", nargs="*", default=list(RECIPES))
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    {"train": train_all, "score": score}[options.do](
        options.out, options.stores, options.seeds, options.only
    )


if __name__ == "__main__":
    main()
