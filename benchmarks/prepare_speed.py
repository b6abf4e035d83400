"""How fast does `facewright prepare` turn photos into a store, and where does the time go?

    python benchmarks/prepare_speed.py [PHOTOS] [--size 28] [--workers 2]

Prints one line for each number that docs/results.md or docs/experiments quote. Wall time depends
on what else the machine does; processor time per photo hardly does, so both are shown.
"""

import argparse
import os
import resource
import tempfile
import threading
import time
from pathlib import Path

from facewright.actions.prepare import prepare
from facewright.data.crops import RESIZE
from facewright.machine import cores

UTKFACE = Path(__file__).resolve().parents[2] / "shared" / "data" / "utkface.zip"
TARGET_SPEED, TARGET_MEMORY = 1500, 600  # images/s on 2 cores, MB


class MemoryWatch:
    """The most memory that this process and its children held at one moment.

    Proportional set size: a page that several processes share is counted once.
    """

    def __init__(self) -> None:
        self.peak_mb, self._done = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            self.peak_mb = max(self.peak_mb, sum(map(_memory_mb, _family(os.getpid()))))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in _family(int(child)))]


def _memory_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main() -> None:
    """Prepare once and print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("photos", nargs="?", type=Path, default=UTKFACE)
    parser.add_argument("--size", type=int, default=28)
    parser.add_argument("--workers", type=int, default=cores())
    options = parser.parse_args()

    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, MemoryWatch() as memory:
        start, used = time.perf_counter(), _processor_seconds()
        result = prepare(
            str(options.photos), out=Path(folder) / "s", size=options.size, workers=options.workers
        )
        wall, used = time.perf_counter() - start, _processor_seconds() - used

    speed, per_core = result.images / wall, result.images / used
    print(f"{options.photos.name} to {options.size} px, {options.workers} processes, {RESIZE}")
    print(f"{'photos':>22}  {result.images:,}")
    print(f"{'wall time':>22}  {wall:.1f} s (load of the machine before: {load:.1f})")
    print(f"{'speed':>22}  {speed:,.0f} images/s (target {TARGET_SPEED:,})")
    print(f"{'per processor second':>22}  {per_core:,.0f} images")
    print(f"{'peak memory':>22}  {memory.peak_mb:,.0f} MB (target {TARGET_MEMORY})")
    stages = result.stage_seconds
    working = sum(stages.values())
    for stage, seconds in sorted(stages.items(), key=lambda item: -item[1]):
        share, each = seconds / working, seconds / result.images * 1e6
        print(f"{stage:>22}  {share:.0%}, {each:,.0f} us/photo")
    rest = wall * options.workers - working
    print(f"{'rest':>22}  {rest / options.workers:.1f} s: listing, starting, grouping, arranging")


if __name__ == "__main__":
    main()
