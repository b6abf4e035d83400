"""How the end of a session of training is shown, of `train` and `resume` alike."""

import shlex

from rich.console import Group

from facewright.actions.training_session import Trained
from facewright.cli import evaluate


def shown(trained: Trained) -> Group:
    """How it ended, its quality where that was measured, and what to type next."""
    end = trained.outcome
    run, store = (shlex.quote(str(path)) for path in (trained.run, trained.store))
    head = f"{end.status} after {end.images_seen:,} images and {end.seconds / 60:.1f} minutes"
    advice = {
        "finished": f"facewright generate {run} --out faces.png --grid\n"
        f"facewright evaluate {run} --data {store}\n"
        f"facewright report {run}",
        "interrupted": f"facewright resume {run}",
        "failed": f"{end.message}\nfacewright report {run}",
    }[end.status]
    return Group(head, *([evaluate.shown(trained.quality)] if trained.quality else []), advice)
