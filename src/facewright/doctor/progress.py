"""NC05, NC06: do generated images come nearer to photos, and stay there?

What is measured at every look, whatever the losses say: the distance of generated images to photos
that were held out.
"""

from dataclasses import dataclass
from typing import ClassVar

from facewright.doctor import thresholds as at
from facewright.doctor.finding import Assessment, Verdict
from facewright.doctor.history import History

SOURCE = "this project, docs/experiments/doctor.md, 'what every look measures'"
BEFORE = 4
"""Looks that an image should be nearer than."""
LATE = 400
"""Steps after which images that are still far are worth a word."""
TOO_FEW = Assessment("cannot tell", f"{BEFORE + 1} looks are needed")


@dataclass(frozen=True)
class RunsAway:
    """NC05. Were images much nearer to photos before?"""

    code: ClassVar[str] = "NC05"
    title: ClassVar[str] = "Images get away from the photos"
    verdict: ClassVar[Verdict] = "divergence"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "go back to the best checkpoint; learning rates x 0.3; in a loop of your own: see that "
        "gradients are set to zero, and what the data loader gives since then"
    )
    source: ClassVar[str] = SOURCE
    blind_spot: ClassVar[str] = "what 16 pixels a side do not show"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        distances = _distances(history)
        if len(distances) <= BEFORE:
            return TOO_FEW
        best, evidence = min(distances), _evidence(distances)
        late = distances[-2:]
        if min(late) > at.AWAY * max(at.NEAR, best):
            now = f"generated images are {distances[-1]:.2g} from held-out photos"
            return Assessment("problem", f"{now}, and were {best:.2g}", evidence)
        return Assessment("ok", "images are about as near to photos as ever", evidence)


@dataclass(frozen=True)
class StaysAway:
    """NC06. Do images come nearer to photos at all?"""

    code: ClassVar[str] = "NC06"
    title: ClassVar[str] = "Images come no nearer to the photos"
    verdict: ClassVar[Verdict] = "stalled"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "usual learning rates (Adam 2e-4, beta1 0.5; SGD needs far larger ones); check that each "
        "optimiser holds the weights of its network, and that photos and images have one range"
    )
    source: ClassVar[str] = SOURCE
    blind_spot: ClassVar[str] = "a training that would begin to learn later"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        distances = _distances(history)
        if len(distances) <= BEFORE + 1:
            return TOO_FEW
        evidence = _evidence(distances)
        if all(_is_no_nearer(distances[: len(distances) - back]) for back in (0, 1)):
            message = (
                f"generated images are {distances[-1]:.2g} from held-out photos, and "
                f"were {min(distances[-BEFORE - 1 : -1]):.2g} in the looks before"
            )
            return Assessment("problem", message, evidence)
        if distances[-1] > at.FAR and history.n_steps >= LATE:
            message = f"generated images are still {distances[-1]:.2g} from photos, and come nearer"
            return Assessment("watch", message, evidence)
        return Assessment("ok", "images come nearer to photos, or are near", evidence)


def _distances(history: History) -> list[float]:
    """From held-out photos, at each look since the generator learns."""
    return [s.distance for s in history.snapshots if s.images_seen > history.held_images]


def _is_no_nearer(distances: list[float]) -> bool:
    """Is the last look far off, and not clearly nearer than those before it?"""
    *before, last = distances[-BEFORE - 1 :]
    return last > at.FAR and last > at.BETTER * min(before)


def _evidence(distances: list[float]) -> dict[str, float]:
    return {"distance": distances[-1], "best": min(distances)}
