"""Does `--on-problem mend` bring failed trainings back to what healthy ones reach?

python -m benchmarks.mending train --out DIR    # an hour or two on one core, resumable
python -m benchmarks.mending table --out DIR

Each failure is made with Facewright's own settings. It counts when the training, left to
itself (`warn`), ends at more than `FAR` times the kernel distance (KID) of healthy trainings
with as many images; and it is mended when, under `mend`, it ends within it.
"""

import argparse
import json
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

import facewright
from facewright import settings
from facewright.actions.training_session import run_session
from facewright.choices import OnProblem
from facewright.cli.progress import Reporter
from facewright.config import Config
from facewright.data.store import Store
from facewright.images import save_png
from facewright.metrics.live_scores import probe
from facewright.models.open_model import open_model
from facewright.networks.device import resolve_precision
from facewright.records import record
from facewright.records.rows import FindingRow, RemedyRow
from facewright.records.run_folder import RunFolder
from facewright.rng import numpy_rng_for
from facewright.sampling.sample import sample
from facewright.training.job import Job
from facewright.training.run import begin

FAR = 1.5
"""KID over that of healthy trainings, from which on a training has failed."""
TARGET = 0.7
"""Share of the failures that should be mended."""
SEEDS = (0, 1, 2)
COUNT = 1000
"""Images measured, held-out and generated."""
FEW = 64
"""Photos to learn by heart."""

STORES = {"digits": "mnist28", "faces": "celeba28"}
WAYS: tuple[OnProblem, ...] = ("warn", "mend")

SMALL = (
    "model.width=16",
    "model.z_dim=64",
    "train.batch=32",
    "train.images=40000",
    "train.precision=fp32",
    "train.ema_images=2000",
    "record.keep_last=30",
    "record.sample_images=1000000",
    "record.equilibrium_images=0",
    "record.score_samples=0",
    "record.final_samples=0",
)
"""1,250 steps."""
LOOKED_AT: dict[OnProblem, tuple[str, str]] = {
    "warn": ("record.snapshot_images=0", "record.checkpoint_images=40000"),
    "mend": ("record.snapshot_images=3200", "record.checkpoint_images=3200"),
}
"""Where nothing is done about what the doctor sees, it need not look."""

PLAIN = "model.normalisation=none"


@dataclass(frozen=True)
class Case:
    """One way to fail, or none.

    Args:
        name: unique.
        data: "digits" or "faces".
        changes: of the settings; none in healthy trainings.
        few: are there only `FEW` photos to learn from?
    """

    name: str
    data: str
    changes: tuple[str, ...] = ()
    few: bool = False

    def config(self, seed: int, on_problem: OnProblem) -> Config:
        """All settings."""
        own = (f"data.flip={json.dumps(self.data == 'faces')}", f"train.seed={seed}")
        return settings.override(Config(), [*SMALL, *LOOKED_AT[on_problem], *own, *self.changes])


def rates(g: float, d: float) -> tuple[str, str]:
    """Settings of both learning rates."""
    return f"optimiser.lr_g={g}", f"optimiser.lr_d={d}"


HEALTHY = {data: Case(f"healthy-{data}", data) for data in STORES}
FAILURES = (
    Case("no-rate", "digits", rates(1e-8, 1e-8)),
    Case("slow-generator", "faces", rates(1e-7, 2e-4)),
    Case("slow-discriminator", "faces", rates(2e-4, 1e-7)),
    Case(
        "strong-discriminator",
        "digits",
        ("loss.game=minimax", "train.d_steps=3", *rates(1e-5, 2e-3)),
    ),
    Case("hot", "digits", (PLAIN, "optimiser.beta1=0.9", *rates(5e-2, 5e-2))),
    Case("hot-generator", "digits", ("train.g_steps=3", *rates(5e-2, 2e-4))),
    Case(
        "circling", "faces", (PLAIN, "optimiser.beta1=0.9", "train.g_steps=3", *rates(2e-3, 1e-3))
    ),
    Case("strong-penalty", "digits", (PLAIN, "loss.r1=3000")),
    Case("few-faces", "faces", rates(2e-4, 1e-3), few=True),
    Case("few-digits", "digits", rates(2e-4, 1e-3), few=True),
    Case("hot-plain", "digits", (PLAIN, *rates(3e-2, 3e-2))),
    Case("momentum", "digits", (PLAIN, "optimiser.beta1=0.98")),
    Case("momentum-faces", "faces", ("optimiser.beta1=0.98",)),
    Case("noisy", "digits", ("loss.instance_noise=1.5",)),
    Case("noisy-faces", "faces", ("loss.instance_noise=1.5",)),
    Case("unbounded", "digits", ("loss.game=wasserstein", PLAIN, *rates(1e-3, 1e-2))),
)


def train_all(
    out: Path,
    stores: Path,
    seeds: Sequence[int],
    names: Sequence[str],
    ways: Sequence[OnProblem] = WAYS,
) -> None:
    """Train and measure what is not there yet, seed by seed."""
    chosen = [case for case in FAILURES if case.name in names]
    for seed in seeds:
        for data in sorted({case.data for case in chosen}):
            _train(HEALTHY[data], seed, "warn", out, stores)
        for case, on_problem in product(chosen, ways):
            _train(case, seed, on_problem, out, stores)


def _train(case: Case, seed: int, on_problem: OnProblem, out: Path, stores: Path) -> None:
    run = out / f"{case.name}-{seed}-{on_problem}"
    result = run.with_suffix(".json")
    if result.exists():
        return
    shutil.rmtree(run, ignore_errors=True)  # of a benchmark that was interrupted
    whole = stores / STORES[case.data]
    store = _few_photos(whole, out / f"store-few-{case.data}") if case.few else whole
    began = time.perf_counter()
    job = begin(Job(case.config(seed, on_problem), Store.open(store), run, "cpu"))
    trained = run_session(job, on_problem, Reporter())
    if trained.outcome.status == "interrupted":
        raise SystemExit(trained.exit_status)
    folder = RunFolder(run)
    row = {
        "status": trained.outcome.status,
        "message": trained.outcome.message,
        "machine": platform.processor() or platform.machine(),
        "seconds": round(time.perf_counter() - began, 1),
        "verdicts": [finding["verdict"] for finding in record.read(folder.findings, FindingRow)],
        "tried": [
            {key: row[key] for key in ("verdict", "remedy", "changed", "images_seen")}
            | {"failed_at_images": row["failed_at_images"]}
            for row in record.read(folder.remedies, RemedyRow)
        ],
        **_distances(run, Store.open(whole)),
    }
    result.write_text(json.dumps(row, indent=1), encoding="utf-8")
    shutil.rmtree(folder.checkpoints)  # a hundred megabytes that are no longer needed
    print(f"{run.name}: {row['seconds']:.0f} s, KID {row['kid']:.4f}", flush=True)


def _distances(run: Path, store: Store) -> dict[str, float]:
    """Kernel and Fréchet distance of the end of a run to photos that it never saw."""
    chosen = np.sort(numpy_rng_for(0, 0, "mending").permutation(len(store.val))[:COUNT])
    fake = sample(open_model(run), count=COUNT, seed=1)
    precision = resolve_precision("auto", torch.device("cpu"))
    rows = probe(store.val[chosen], fake, precision=precision, crop=store.crop)
    return {row["name"].partition("@")[0]: row["value"] for row in rows}


def _few_photos(whole: Path, out: Path) -> Path:
    """A store with about `FEW` photos to learn from and 500 held out."""
    if not out.exists():
        photos, count = Store.open(whole).train, FEW + 500
        folder = out.with_name(f"{out.name}-photos")
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            save_png(photos[number], folder / f"{number:03d}.png")
        facewright.prepare(
            str(folder),
            out=out,
            size=28,
            crop="none",
            val_fraction=1 - FEW / count,
            channels=photos.shape[3],
            workers=1,
        )
    return out


def table(out: Path, seeds: Sequence[int], names: Sequence[str]) -> None:
    """Print every training beside the healthy ones, and what share was mended."""
    print(f"{platform.machine()}, {_processor()}, one thread")
    healthy = {}
    for data, case in HEALTHY.items():
        found = [_read(out, case.name, seed, "warn") for seed in seeds]
        kids = [row["kid"] for row in found if row]
        healthy[data] = median(kids)
        print(f"{case.name}: KID {', '.join(f'{kid:.4f}' for kid in kids)}")
    mended, left_out = {}, []
    for case, seed in product(FAILURES, seeds):
        left, treated = (_read(out, case.name, seed, way) for way in WAYS)
        if case.name not in names or left is None or treated is None:
            continue
        before, after = (row["kid"] / healthy[case.data] for row in (left, treated))
        if before <= FAR:
            left_out.append(f"{case.name} {seed} ({before:.2f} -> {after:.2f} x healthy)")
            continue
        mended.setdefault(case.name, []).append(after <= FAR)
        print(f"{case.name:<21} {seed}  {before:8.2f} -> {after:6.2f}  {_story(treated)}")
    for name, ends in mended.items():
        print(f"{name:<21} {sum(ends)} of {len(ends)} mended")
    ends = [end for ends in mended.values() for end in ends]
    print(f"all: {sum(ends)} of {len(ends)} mended ({np.mean(ends):.0%}; wanted {TARGET:.0%})")
    print("no failures, left out:", "; ".join(left_out) or "none")


def _read(out: Path, name: str, seed: int, on_problem: str) -> dict[str, Any] | None:
    path = out / f"{name}-{seed}-{on_problem}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _story(row: dict[str, Any]) -> str:
    tried = [f"{attempt['verdict']}: {attempt['remedy']}" for attempt in row["tried"]]
    return f"{row['status']}; {', '.join(tried) or 'no problem seen'}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("do", choices=("train", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stores", type=Path, default=Path("stores"))
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--only", nargs="*", default=[case.name for case in FAILURES])
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=WAYS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if options.do == "train":
        train_all(options.out, options.stores, options.seeds, options.only, options.ways)
    else:
        table(options.out, options.seeds, options.only)


if __name__ == "__main__":
    main()
