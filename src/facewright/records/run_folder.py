"""The names inside a run folder, in one place."""

from dataclasses import dataclass
from pathlib import Path

from facewright.errors import RunError

STEPS = "steps.jsonl"
"""Name of the log with a line for each step; rows of the others may stand in any order."""


@dataclass(frozen=True)
class RunFolder:
    """Where each part of a run lies.

    Args:
        path: the folder that `facewright train --out` names.
    """

    path: Path

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run.

        Raises:
            RunError: the folder is missing or was not written by `facewright train`.
        """
        folder = cls(path)
        if not folder.config.is_file():
            raise RunError(
                f"{path} is no run folder" if path.exists() else f"{path} does not exist",
                expected="a folder written by `facewright train`",
                fix="facewright runs",
            )
        return folder

    @classmethod
    def holding(cls, checkpoint: Path) -> "RunFolder":
        """The run that a checkpoint, or the weights that a run began with, lies in.

        Args:
            checkpoint: its folder, resolved.
        """
        above = cls(checkpoint.parent)
        return above if checkpoint == above.init else cls(above.path.parent)

    @property
    def config(self) -> Path:
        """The resolved settings."""
        return self.path / "config.toml"

    @property
    def environment(self) -> Path:
        """Store, machine, versions, and one entry for each session of training."""
        return self.path / "environment.json"

    @property
    def steps(self) -> Path:
        """One line of numbers for each step."""
        return self.path / STEPS

    @property
    def findings(self) -> Path:
        """What went wrong, in the form that `diagnose --json` prints."""
        return self.path / "findings.jsonl"

    @property
    def metrics(self) -> Path:
        """Quality measured during the run."""
        return self.path / "metrics.jsonl"

    @property
    def snapshots(self) -> Path:
        """What the doctor saw when it looked closely."""
        return self.path / "snapshots.jsonl"

    @property
    def timeline(self) -> tuple[Path, ...]:
        """The logs whose end is forgotten when the run goes back to an earlier moment."""
        return self.steps, self.findings, self.metrics, self.snapshots

    @property
    def remedies(self) -> Path:
        """Settings that were changed on the way, with before and after; never cut."""
        return self.path / "remedies.jsonl"

    @property
    def samples(self) -> Path:
        """One sheet of the same latents for each moment sampled."""
        return self.path / "samples"

    @property
    def init(self) -> Path:
        """The weights that the run began with, where they are another model's.

        A checkpoint that is never removed, so that the other model is not needed again.
        """
        return self.path / "init"

    @property
    def checkpoints(self) -> Path:
        """One folder for each moment that can be gone back to."""
        return self.path / "checkpoints"

    @property
    def report(self) -> Path:
        """The self-contained page."""
        return self.path / "report.html"

    def sample(self, images_seen: int) -> Path:
        """The sample sheet drawn after so many images."""
        return self.samples / f"{images_seen // 1000:06d}k.png"

    def last_sample(self, images_seen: int) -> Path:
        """The sheet at the end of a run, where none was due."""
        return self.samples / f"{images_seen // 1000:06d}k-end.png"
