"""What general training doctors of the package index say of GAN trainings, beside ours.

    python -m benchmarks.other_doctors --out runs/campaign --python OTHER/bin/python

Every recorded training of `benchmarks/failures` is written as a CSV of both losses and the
generator's gradient, its loss also as `train/loss`, by which these programs know a loss. Each
program reads that file. Counted is who is told of an error: in trainings labelled healthy, and in
broken ones. The others are made for losses that fall, which a GAN's do not: this says where they
should not be used, and nothing about what they are for. Two more work through hooks alone and
stay out: pulseml and arc-training.

OTHER is an environment with runmedic, trainspotter and gradsnitch.
"""

import argparse
import csv
import json
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.failures.recipes import RECIPES
from benchmarks.failures.record import load
from facewright.actions.diagnose import diagnose as diagnose_log
from facewright.doctor.diagnose import diagnose
from facewright.doctor.history import History

Doctor = Callable[[Path], bool]
"""A CSV file -> is there an error in this training?"""

GRADSNITCH = "import sys, gradsnitch; [print(f) for f in gradsnitch.lint_csv(sys.argv[1])]"


def write_log(history: History, path: Path) -> None:
    """The losses as another program would have logged them."""
    fields = ("step", "d_loss", "g_loss", "g_loss", "g_grad_norm")
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["step", "d_loss", "g_loss", "train/loss", "grad_norm"])
        rows.writerows(zip(*(history.steps[field].tolist() for field in fields), strict=True))


def others(python: Path) -> dict[str, Doctor]:
    """The other programs, by name and version."""

    def said(*words: str | Path) -> str:
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout

    def version(name: str) -> str:
        code = f"import importlib.metadata as m; print(m.version('{name}'))"
        return f"{name} {said(python, '-c', code).strip()}"

    def runmedic(log: Path) -> bool:
        (run,) = json.loads(said(python.with_name("runmedic"), "diagnose", log, "--json"))
        return any(found["severity"] == "critical" for found in run["findings"])

    def trainspotter(log: Path) -> bool:
        words = ("analyze", log, "--output", "json")
        found = json.loads(said(python.with_name("trainspotter"), *words))
        return found["summary"]["by_severity"]["error"] > 0

    def gradsnitch(log: Path) -> bool:
        return "[ERROR]" in said(python, "-c", GRADSNITCH, log)

    doctors = {"runmedic": runmedic, "trainspotter": trainspotter, "gradsnitch": gradsnitch}
    return {version(name): doctor for name, doctor in doctors.items()}


def count(out: Path, names: Sequence[str], doctors: dict[str, Doctor]) -> None:
    """Print, for each doctor, in how many healthy and broken trainings it saw an error."""
    errors: Counter[tuple[str, bool]] = Counter()
    trainings: Counter[bool] = Counter()
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log.csv"
        for path in sorted(out.glob("*/record.json")):
            recipe = RECIPES.get(path.parent.name.rpartition("-")[0])
            if recipe is None or (names and recipe.name not in names):
                continue
            history, is_broken = load(recipe, path), recipe.label != "healthy"
            write_log(history, log)
            trainings[is_broken] += 1
            answers = {name: doctor(log) for name, doctor in doctors.items()}
            answers["facewright, the same log"] = diagnose_log(log).exit_status == 1
            answers["facewright, with looks"] = diagnose(history).grade == "problem"
            errors.update((name, is_broken) for name, answer in answers.items() if answer)
    print("| doctor | errors in healthy trainings | in broken ones |\n|---|---|---|")
    for name in (*doctors, "facewright, the same log", "facewright, with looks"):
        cells = [f"{errors[name, broken]} of {trainings[broken]}" for broken in (False, True)]
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    count(options.out, options.only, others(options.python))


if __name__ == "__main__":
    main()
