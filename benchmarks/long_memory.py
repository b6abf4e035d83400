"""Does the memory of a long training stay what it is?

    python -m benchmarks.long_memory --data stores/celeba28 --out runs/memory [--minutes 30]

Trains with all that looks on (doctor, scores, sheets, checkpoints) and prints the resident memory
of the process each minute; at the end the least and the most of it after the first five minutes.
It should stay within 3 %.
"""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

SETTLED, EVERY = 5 * 60, 10
"""Seconds after which memory should stay as it is, and between two measurements."""
TARGET = 0.03


def main() -> None:
    """Train, watch, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="fast-28")
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args()
    words = ["train", "--recipe", options.recipe, "--data", options.data, "--out", options.out]
    words += ["--images", "100M", "--on-problem", "warn"]
    command = [sys.executable, "-m", "facewright", *map(str, words)]
    started, seen = time.monotonic(), []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        process = psutil.Process(child.pid)
        while (lasted := time.monotonic() - started) < 60 * options.minutes:
            if child.poll() is not None:
                raise SystemExit(f"the training ended with status {child.returncode}")
            mib = process.memory_info().rss / 2**20
            seen.append((lasted, mib))
            if len(seen) % (60 // EVERY) == 1:
                print(f"{lasted / 60:5.1f} min  {mib:6.0f} MiB", flush=True)
            time.sleep(EVERY)
        child.send_signal(signal.SIGINT)
    late = [mib for lasted, mib in seen if lasted >= SETTLED]
    spread = max(late) / min(late) - 1
    print(f"after {SETTLED / 60:.0f} min: {min(late):.0f} to {max(late):.0f} MiB", end="")
    print(f", {spread:.1%}   target {TARGET:.0%}")


if __name__ == "__main__":
    main()
