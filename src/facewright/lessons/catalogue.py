"""All lessons, in the order in which they build on each other."""

from facewright.errors import FacewrightError, nearest
from facewright.lessons import (
    activations,
    collapse,
    convergence,
    convolutions,
    minimax,
    nash,
    techniques,
)
from facewright.lessons.lesson import Lesson

LESSONS: dict[str, Lesson] = {
    lesson.name: lesson
    for lesson in (
        minimax.LESSON,
        nash.LESSON,
        collapse.LESSON,
        convergence.LESSON,
        activations.LESSON,
        convolutions.LESSON,
        techniques.LESSON,
    )
}


def lesson_named(name: str) -> Lesson:
    """One of `LESSONS`.

    Raises:
        FacewrightError: there is no such lesson.
    """
    if name not in LESSONS:
        raise FacewrightError(
            f"no lesson '{name}'", expected=nearest(name, LESSONS), fix="facewright lesson"
        )
    return LESSONS[name]
