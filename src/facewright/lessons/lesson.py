"""What a lesson is: a question, an experiment, and claims that the experiment may refute."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facewright.data.store import Store
from facewright.errors import DataError
from facewright.records.run_folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER_OF_2020 = "the paper of 2020 that this project began with"
"""The source of claims, for their readers."""


@dataclass(frozen=True)
class Setting:
    """What a lesson may use.

    Args:
        seed: the first of its seeds; every random number follows from it.
        quick: less of everything, in seconds: enough to see the page, too little for claims.
        data: a training store, if one was named.
        run: the run folder to look at, if one was named.
        runs: folder for the runs that the lesson trains; finished ones are used again.
        say: shows one line of progress.
        make_doctor: builds the callback that takes snapshots of a run and records findings.
    """

    seed: int = 0
    quick: bool = False
    data: Path | None = None
    run: Path | None = None
    runs: Path = Path("runs/lessons")
    say: Callable[[str], None] = lambda _line: None
    make_doctor: Callable[[RunFolder, Store], Any] | None = None

    def seeds(self, full: int) -> range:
        """The seeds to repeat an experiment with."""
        return range(self.seed, self.seed + (1 if self.quick else full))

    def amount(self, full: int, quick: int) -> int:
        """Images, steps or samples: fewer of them in a quick run."""
        return quick if self.quick else full

    def digits(self) -> Store:
        """The store of handwritten digits.

        Raises:
            DataError: none was named, or it holds something else.
        """
        how = "facewright prepare mnist --out stores/mnist28 --size 28 --crop none"
        if self.data is None:
            raise DataError(
                "this lesson needs handwritten digits",
                expected="--data STORE",
                fix=f"{how}, then --data stores/mnist28",
            )
        store = Store.open(self.data)
        if store.shape[0] != 1:
            raise DataError(
                f"{self.data} holds photos in colour",
                expected="gray images of digits, white on black",
                fix=f"{how}, then --data stores/mnist28",
            )
        return store


@dataclass(frozen=True)
class Claim:
    """A sentence that the lesson's own measurement may refute.

    Args:
        sentence: what is claimed.
        holds: what was found; `None` where this measurement cannot tell.
        measured: the numbers that decide, in words.
        source: where it is claimed.
    """

    sentence: str
    holds: bool | None
    measured: str
    source: str = ""

    @property
    def verdict(self) -> str:
        """In one or two words."""
        return {True: "holds", False: "does not hold", None: "cannot tell"}[self.holds]

    def as_json(self) -> dict[str, Any]:
        """What scripts may rely on."""
        return {
            "claim": self.sentence,
            "holds": self.holds,
            "measured": self.measured,
            "source": self.source,
        }


@dataclass(frozen=True)
class Lecture:
    """What came out of one run of a lesson; the text around it is `text/NAME.md`.

    Args:
        figures: by the name under which the text shows them: `![what to see](NAME)`.
        claims: decided by the numbers of this run.
        numbers: everything measured, as JSON.
        words: Markdown for the text's places `{{NAME}}`: tables, and what only this run knows.
        trained_seconds: that runs used again had taken when they were trained.
    """

    figures: Mapping[str, "Figure"]
    claims: Sequence[Claim]
    numbers: Mapping[str, Any]
    words: Mapping[str, str] = field(default_factory=dict)
    trained_seconds: float = 0.0


@dataclass(frozen=True)
class Lesson:
    """One chapter.

    Args:
        name: on the command line.
        title: of its page.
        question: that it answers.
        teach: runs the experiment.
        options: that the command needs besides the name, as a reader would type them.
    """

    name: str
    title: str
    question: str
    teach: Callable[[Setting], Lecture] = field(repr=False)
    options: str = ""
