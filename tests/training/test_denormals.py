"""Numbers too small to matter count as zero, in every thread that computes."""

import subprocess
import sys

# In a process of its own: the setting is inherited by threads that start after it.
CODE = """
import torch
from facewright import config
from facewright.training.memory import estimate
from facewright.training.session import denormals_flushed
torch.set_num_threads(2)
estimate(config.Config(), (3, 28, 28))
with denormals_flushed():
    tiny = torch.full((1 << 20,), 1e-38) * 1e-3
print((tiny == 0).float().mean().item())
"""


def test_both_threads_flush_although_the_memory_was_estimated_before():
    answer = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True
    )
    assert float(answer.stdout) == 1.0
