"""How often the doctor is right, how soon, and how often it raises a false alarm."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.failures.oracle import Facts
from benchmarks.failures.recipe import Recipe
from facewright.doctor.diagnose import GRACE_STEPS, Diagnosis
from facewright.doctor.finding import Verdict

BAD = 1.3
"""Fréchet distance over that of healthy runs on the same photos, from which on one is bad."""
BY_HEART = 0.3
"""Cohen's d between verdicts on training photos and on others."""


@dataclass(frozen=True)
class Case:
    """One training: its label, what is known of it, and what the doctor said.

    Args:
        recipe: of the training.
        seed: of it.
        facts: measured by the oracle.
        healthy_distance: median of `bn` runs on the same photos.
        diagnosis: at the end.
        detected: step at which the doctor first gave a right verdict; `None` if never.
    """

    recipe: Recipe
    seed: int
    facts: Facts
    healthy_distance: float
    diagnosis: Diagnosis
    detected: int | None

    @property
    def right(self) -> tuple[Verdict, ...]:
        """Verdicts that fit."""
        return (self.recipe.label, *self.recipe.also)

    @property
    def said(self) -> Verdict:
        """The verdict; as its label where another one fits too."""
        verdict = self.diagnosis.verdict
        return self.recipe.label if verdict in self.right else verdict

    @property
    def delay(self) -> float | None:
        """From onset to detection, as a share of the run."""
        onset = max(self.recipe.fault.at, GRACE_STEPS)
        return None if self.detected is None else max(self.detected - onset, 0) / self.recipe.steps

    @property
    def false_alarms(self) -> int:
        """Harmful findings in the whole of a healthy run, also those that passed."""
        return sum(finding.grade == "problem" for finding in self.diagnosis.findings)

    @property
    def verified(self) -> bool:
        """Is the training what its label says? The doctor's signals play no part."""
        return _VERIFIED[self.recipe.label](self)

    @property
    def is_bad(self) -> bool:
        """Does the generator end clearly worse than those of healthy runs?"""
        if not self.facts.finite or not self.facts.distance:
            return True
        return self.facts.distance[max(self.facts.distance)] > BAD * self.healthy_distance


def _is_collapsed(case: Case) -> bool:
    limit = case.recipe.fault.latents
    return case.facts.different <= limit if limit else case.is_bad


def _has_set(case: Case) -> bool:
    distances = [case.facts.distance[step] for step in sorted(case.facts.distance)]
    return len(distances) == 2 and distances[1] > 0.7 * distances[0]


_VERIFIED: dict[Verdict, Callable[[Case], bool]] = {
    "healthy": lambda case: not case.is_bad,
    "mode-collapse": _is_collapsed,
    "discriminator-dominance": lambda case: case.is_bad,
    "generator-dominance": lambda case: case.is_bad,
    "oscillation": lambda case: case.is_bad,
    "divergence": lambda case: case.is_bad,
    "discriminator-overfitting": lambda case: case.facts.by_heart > BY_HEART,
    "weak-discriminator": lambda case: case.is_bad,
    "stalled": lambda case: case.is_bad or case.facts.change < 1e-3,
    "plateau": _has_set,
}


def f1(cases: Sequence[Case], label: str) -> float:
    """Harmonic mean of precision and recall of one verdict."""
    hit = sum(case.said == label == case.recipe.label for case in cases)
    said = sum(case.said == label for case in cases)
    true = sum(case.recipe.label == label for case in cases)
    return 2 * hit / (said + true) if said + true else 0.0


def macro_f1(cases: Sequence[Case]) -> float:
    """Mean of `f1` over all labels that occur."""
    labels = {case.recipe.label for case in cases}
    return sum(f1(cases, label) for label in labels) / len(labels)


def summary(cases: Sequence[Case]) -> dict[str, float]:
    """The numbers that the doctor is held to."""
    healthy = [case for case in cases if case.recipe.label == "healthy"]
    ill = [case for case in cases if case.recipe.label not in ("healthy", "plateau")]
    delays = [case.delay for case in ill if case.delay is not None]
    return {
        "runs": len(cases),
        "macro_f1": macro_f1(cases),
        "accuracy": sum(case.said == case.recipe.label for case in cases) / len(cases),
        "healthy_runs": len(healthy),
        "false_alarms_per_healthy_run": sum(c.false_alarms for c in healthy) / max(len(healthy), 1),
        "detected": len(delays) / max(len(ill), 1),
        "median_delay": median(delays) if delays else float("nan"),
        "within_a_fifth": sum(delay <= 0.2 for delay in delays) / max(len(ill), 1),
    }


def confusion(cases: Sequence[Case]) -> list[str]:
    """One line for each label: how often which verdict was given."""
    table: dict[str, Counter[str]] = {}
    for case in cases:
        table.setdefault(case.recipe.label, Counter())[case.said] += 1
    width = max(map(len, table))
    return [
        f"{label:<{width}}  " + ", ".join(f"{n} {said}" for said, n in counts.most_common())
        for label, counts in table.items()
    ]
