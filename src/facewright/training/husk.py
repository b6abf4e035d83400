"""What a start left that failed before the first step: nothing that a new start would lose."""

import shutil
from pathlib import Path

from facewright.errors import CheckpointError
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.training.run_lock import run_lock


def is_husk(folder: RunFolder) -> bool:
    """Is this a run folder in which no step was trained, and nothing else lies?"""
    if not folder.environment.is_file():  # written first; without it the rest is not ours
        return False
    left = set(folder.path.glob("[!.]*"))
    steps = folder.steps
    trained = steps.exists() and steps.stat().st_size > 0
    return left <= set(_parts(folder)) and not trained and _at_its_start(folder)


def clear(folder: RunFolder) -> None:
    """Remove it.

    Raises:
        RunError: another process is just beginning to train it.
    """
    with run_lock(folder):
        for part in _parts(folder):
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink(missing_ok=True)


def _parts(folder: RunFolder) -> list[Path]:
    """What stands in a run folder before the first step."""
    return [  # settings first: with them it is a run
        folder.config,
        folder.environment,
        folder.steps,
        folder.init,
        folder.samples,
        folder.checkpoints,
        folder.path / "curves.png",
    ]


def _at_its_start(folder: RunFolder) -> bool:
    try:
        saved = [checkpoints.read(path) for path in folder.checkpoints.glob("[!.]*")]
    except CheckpointError:
        return False
    drawn = set(folder.samples.glob("[!.]*")) <= {folder.sample(0)}
    return drawn and all(checkpoint.state["step"] == 0 for checkpoint in saved)
