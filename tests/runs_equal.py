"""Are two runs the same, bit for bit, in everything but the time they took?"""

from pathlib import Path

import torch

from facewright.records import checkpoints, record
from facewright.records.record import TIMING_FIELDS
from facewright.records.rows import StepRow
from facewright.records.run_folder import RunFolder


def assert_same_run(one: Path, other: Path) -> None:
    """Weights, optimisers, EMA generator, logs and samples."""
    a, b = RunFolder(one), RunFolder(other)
    newest_a, _ = checkpoints.sound(a.checkpoints)
    newest_b, _ = checkpoints.sound(b.checkpoints)
    assert newest_a.state["step"] == newest_b.state["step"]
    for group in ("weights", "optimisers"):
        tensors_a, tensors_b = newest_a.tensors(group), newest_b.tensors(group)
        assert tensors_a.keys() == tensors_b.keys()
        different = [n for n in tensors_a if not torch.equal(tensors_a[n], tensors_b[n])]
        assert not different
    for log in ("steps", "metrics", "findings"):
        assert rows(getattr(a, log)) == rows(getattr(b, log))
    sheets = sorted(p.name for p in a.samples.iterdir())
    assert sheets == sorted(p.name for p in b.samples.iterdir())
    assert all((a.samples / s).read_bytes() == (b.samples / s).read_bytes() for s in sheets)


def rows(log: Path) -> list[dict]:
    found = record.read(log, StepRow)
    return [{k: v for k, v in row.items() if k not in TIMING_FIELDS} for row in found]
