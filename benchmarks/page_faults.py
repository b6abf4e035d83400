"""How many pages does the system map anew for blocks that were freed and are wanted again?

    python benchmarks/page_faults.py

Ten blocks of 4 MB, all freed, six times over. Ends with status 1 if `keep_freed_memory` leaves
more than a tenth of their 10,240 pages to fault once that is familiar; of interest with glibc.
Where both numbers are 0 the system does not count page faults, as in some sandboxes.
"""

import resource
import sys

import torch

from facewright.networks.device import keep_freed_memory

BLOCKS, NUMBERS, PAGE_BYTES = 10, 2**20, 4096
PAGES = BLOCKS * NUMBERS * 4 // PAGE_BYTES
BOUND = PAGES // 10


def faults_of_a_round() -> int:
    """Page faults while all blocks are made."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [torch.ones(NUMBERS) for _ in range(BLOCKS)]
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    del blocks
    return faults


def main() -> None:
    """Measure without the setting, then with it."""
    torch.set_num_threads(1)
    without = [faults_of_a_round() for _ in range(6)][-1]
    known = keep_freed_memory()
    kept = [faults_of_a_round() for _ in range(6)][-1]
    print(f"{PAGES:,} pages: {without:,} faults as it is, {kept:,} with freed memory kept")
    sys.exit(known and kept > BOUND)


if __name__ == "__main__":
    main()
