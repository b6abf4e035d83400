"""Words that arguments may be, here because commands know them before torch is loaded."""

from typing import Literal

Choice = Literal["newest", "best"]
"""Which checkpoint of a run; "best" is that with the best score on held-out photos."""

Against = Literal["train", "val", "all"]
"""Which photos of a store."""

Precision = Literal["fp32", "bf16"]
"""In which a network computes features."""

OnProblem = Literal["warn", "stop", "mend"]
"""What to do when something goes wrong with a training."""
