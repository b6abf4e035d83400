"""Which distance from equilibrium is worth watching? Rank correlations with FID and coverage.

    python -m benchmarks.equilibrium_study --out DIR [--classic RUN]     # an hour, resumable

Trains small generators of faces with several games, and measures every checkpoint by the probe
and by Inception. `--classic` adds a run that exists already.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata
from torch import Tensor

import facewright
from facewright.actions.equilibrium import TrainedPair
from facewright.cache import cache_folder
from facewright.data.store import Store
from facewright.equilibria.budget import LIVE
from facewright.equilibria.held_out import HeldOut
from facewright.equilibria.probe import probe_equilibrium
from facewright.metrics.coverage import neighbourhoods
from facewright.metrics.extractors.build import build_extractor
from facewright.metrics.feature_cache import FeatureCache
from facewright.metrics.frechet import frechet_distance
from facewright.models.open_model import of_checkpoint
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.sampling.sample import sample

IMAGES, EVERY, FAKES = 120_000, 20_000, 1_000

PLAIN = ["model.normalisation=none"]
RUNS = {
    "batch-norm": [],
    "relativistic": [*PLAIN, "loss.game=relativistic", "loss.r1=0.5", "loss.r2=0.5",
                     "optimiser.lr_g=5e-4", "optimiser.lr_d=5e-4", "optimiser.beta1=0.0"],
    "hinge": ["model.normalisation=spectral", "loss.game=hinge", "optimiser.beta1=0.0",
              "optimiser.lr_d=4e-4"],
    "r1": [*PLAIN, "loss.r1=1.0"],
    "slow-generator": [*PLAIN, "loss.game=minimax", "optimiser.lr_g=2e-5"],
}  # fmt: skip

ALWAYS = ["model.width=24", f"record.checkpoint_images={EVERY}", "record.keep_last=99",
          "record.snapshot_images=0", "record.equilibrium_images=0", "record.score_samples=0",
          "record.final_samples=0"]  # fmt: skip

SIGNALS = ("js_bits", "js_bits_averaged", "duality_gap", "regret_d", "regret_g", "d_loss")


def measure(run: Path, store: Store, chosen: Sequence[checkpoints.Checkpoint]) -> None:
    """Add a line to the run's `study.jsonl` for every checkpoint that has none."""
    path = run / "study.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    done = {json.loads(line)["images_seen"] for line in lines}
    extractor = build_extractor("inception", "bf16")
    for checkpoint in chosen:
        if checkpoint.state["images_seen"] in done or checkpoint.state["images_seen"] == 0:
            continue
        row = _row(TrainedPair.of(of_checkpoint(checkpoint)), store, extractor)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(run.name, row, flush=True)


def _row(players: TrainedPair, store: Store, extractor) -> dict:
    config = players.config
    photos = HeldOut.of(store, mirror=True, seed=0)
    reading = probe_equilibrium(
        players.generator, players.discriminator, loss=config.loss, optimiser=config.optimiser,
        search_real=photos.search, test_real=photos.test, z_dim=config.model.z_dim, budget=LIVE,
    )  # fmt: skip
    pixels = sample(players.model, count=LIVE.pool + len(photos.test), seed=0)
    real, fake = _photos(store, extractor), extractor(pixels[:FAKES])
    return {
        "images_seen": players.model.images_seen,
        "fid": frechet_distance(real, fake).value,
        "coverage": neighbourhoods(real[:: len(real) // FAKES][:FAKES], fake).coverage.value,
        "js_bits": reading.fresh.js_bits,
        "js_bits_averaged": photos.fresh_reading(pixels, LIVE).js_bits,
        "duality_gap": reading.duality_gap,
        "regret_d": reading.regret_d.value if reading.regret_d else None,
        "regret_g": reading.regret_g.value if reading.regret_g else None,
        "d_loss": -reading.value.value if reading.value else None,
    }


def _photos(store: Store, extractor) -> Tensor:

    return FeatureCache(cache_folder("features")).features(np.asarray(store.train), extractor)


def correlate(runs: Sequence[Path]) -> None:
    """Spearman's rank correlation over all checkpoints, and the mean of it within runs."""
    tables = {
        run.name: [json.loads(line) for line in (run / "study.jsonl").read_text().splitlines()]
        for run in runs
    }
    rows = [row for table in tables.values() for row in table]
    print(f"{len(rows)} checkpoints of {len(tables)} runs; Spearman's rho: all, within runs")
    for signal in SIGNALS:
        words = []
        for quality in ("fid", "coverage"):
            within = [_rho(table, signal, quality) for table in tables.values()]
            words.append(f"{quality} {_rho(rows, signal, quality):+.2f} {np.nanmean(within):+.2f}")
        print(f"{signal:<18}" + "   ".join(words))


def _rho(rows: Sequence[dict[str, Any]], signal: str, quality: str) -> float:
    pairs = [(row[signal], row[quality]) for row in rows if row[signal] is not None]
    columns = list(zip(*pairs, strict=True))
    if len(pairs) < 3 or any(len(set(column)) == 1 for column in columns):
        return np.nan
    signals, qualities = (rankdata(column) for column in columns)
    return float(np.corrcoef(signals, qualities)[0, 1])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("stores/celeba28"))
    parser.add_argument("--classic", type=Path)
    options = parser.parse_args()
    store = Store.open(options.data)
    runs = [options.out / name for name in RUNS]
    for run in runs:
        if run.exists():
            facewright.resume(run)
        else:
            changed = (*ALWAYS, *RUNS[run.name])
            facewright.train(
                recipe="classic-celeba28", data=options.data, out=run, images=IMAGES, set=(changed,)
            )
        measure(run, store, checkpoints.readable(RunFolder(run).checkpoints))
    if options.classic:
        kept = checkpoints.readable(RunFolder(options.classic).checkpoints)
        wanted = {90_000, 180_000, 360_000, 720_000, 1_080_000, 1_620_000}
        near = {min(kept, key=lambda c: abs(c.state["images_seen"] - at)).path for at in wanted}
        measure(options.classic, store, [c for c in kept if c.path in near])
        runs.append(options.classic)
    correlate(runs)


if __name__ == "__main__":
    main()
