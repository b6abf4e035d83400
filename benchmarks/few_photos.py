"""What becomes of a recipe when photos are few, and what do distortions change?

    python -m benchmarks.few_photos --data stores/utk28 --out runs/few   # hours; resumable

Trains on some photos of a store, with distortions that adapt and without any, and compares the
end of each run with the photos it was shown and with held-out ones, which are the same for all
runs: KID, which does not depend on how many there are, and the audit of copies.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import facewright
from benchmarks.trained import train
from facewright.data.store import Store, content_hash

DISTORTIONS: Mapping[str, tuple[str, ...]] = {
    "adaptive": ("augment.adaptive=true",),
    "none": ("augment.adaptive=false", "augment.probability=0"),
}
AUDITED = 5_000
"""Generated images that are compared with each photo."""
LOOKED_AT = 2_000
"""Generated images for KID, which takes Inception much longer."""


def some_of(store: Store, count: int, path: Path) -> Path:
    """A store of at most so many of the photos to train on, and of all that are held out."""
    if path.exists():
        return path
    chosen = np.sort(np.random.default_rng(0).permutation(len(store.train))[:count])
    part = path.with_suffix(".part")
    part.mkdir(parents=True, exist_ok=True)
    np.save(part / "train.npy", store.train[chosen])
    np.save(part / "val.npy", store.val)
    manifest = {
        **store.manifest,
        "counts": {**store.manifest["counts"], "train": len(chosen)},
        "labels": [],
        "content_hash": content_hash(part),
    }
    (part / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return part.rename(path)


def judged(run: Path, data: Path) -> dict[str, Any]:
    """KID against both kinds of photos, how many photos look like copies, and the doctor's word."""
    found = facewright.audit(run, data=data, count=AUDITED).audit
    row: dict[str, Any] = {
        "audit": found.verdict,
        "suspects": len(found.suspects),
        "doctor": facewright.diagnose(run).diagnosis.verdict,
    }
    for against in ("train", "val"):
        measured = facewright.evaluate(
            run, data=data, metrics="kid", count=LOOKED_AT, against=against, precision="bf16"
        )
        (row[f"KID {against}"],) = (r["value"] for one in measured.measured for r in one.rows())
    return row


def main() -> None:
    """Read the command line, and print one line for each run as it ends."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="fast-28")
    parser.add_argument("--counts", nargs="+", type=int, default=[1_000, 5_000, 20_000])
    parser.add_argument("--distortions", nargs="+", default=list(DISTORTIONS))
    parser.add_argument("--images", type=int, default=200_000)
    options = parser.parse_args()
    store = Store.open(options.data)
    for count in options.counts:
        data = some_of(store, count, options.out / f"photos-{count}")
        for name in options.distortions:
            run = options.out / f"{options.recipe}-{count}-{name}"
            lines = ("record.equilibrium_images=0", *DISTORTIONS[name])
            train(run, options.recipe, data, *lines, images=options.images)
            print(f"{count:>7,} {name:9}", judged(run, data), flush=True)


if __name__ == "__main__":
    main()
