"""A run as one page that can be read anywhere."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from facewright.actions.keeping import kept
from facewright.config import LossConfig
from facewright.errors import RunError
from facewright.models.open_model import refuse_bundle
from facewright.objective.adversarial import game_named
from facewright.records.run_history import RunHistory
from facewright.records.sinks import write_csv
from facewright.reporting.charts import Draws
from facewright.reporting.page import write_report


@dataclass(frozen=True)
class Report:
    """What was written, and where the run stands."""

    page: Path
    csv: Path | None
    status: str
    images_seen: int
    steps: int
    seconds: float
    images_per_second: float

    def as_json(self) -> dict[str, Any]:
        """The files, and the run's status and cost."""
        return {
            "page": str(self.page),
            "csv": None if self.csv is None else str(self.csv),
            "status": self.status,
            "images_seen": self.images_seen,
            "steps": self.steps,
            "seconds": self.seconds,
            "images_per_second": self.images_per_second,
        }


def report(
    run: Path,
    *,
    out: Path | None = None,
    csv: Path | None = None,
) -> Report:
    """Write one page about a run: verdict, curves, samples through time, settings, cost.

    The page is a single HTML file that loads nothing, so it can be read offline and mailed.
    The run may still be training.

    Examples:
        facewright report runs/mine
        facewright report runs/mine --out mine.html --csv steps.csv

    Args:
        run: run folder.
        out: HTML file to write; report.html in the run folder if not given, or in the present
            folder, with the run's name, if that one cannot be written.
        csv: also write every recorded step to this CSV file.

    Raises:
        RunError: no run there, or its records are damaged.
    """
    refuse_bundle(run)
    history = RunHistory.read(run)
    page = out or history.folder.report
    for path in filter(None, (page, csv)):
        if path.is_dir():
            raise RunError(
                f"{path} is a folder",
                expected="the name of a file",
                fix=f"--out {path / 'report.html'}",
            )
    write = partial(write_report, history, draws=draws_of(history.config.loss))
    if out is not None:
        write(page)
    elif not kept(partial(write, page), "the report beside the run is"):
        page = Path(f"{history.name}-report.html")
        write(page)
    if csv is not None:
        write_csv(history, csv)
    return Report(
        page=page,
        csv=csv,
        status=history.status,
        images_seen=history.images_seen,
        steps=history.n_steps,
        seconds=history.cost.seconds,
        images_per_second=history.cost.images_per_second,
    )


def draws_of(loss: LossConfig) -> Draws:
    """Where both players' losses sit when neither is ahead."""
    game = game_named(loss.game, loss.real_target)
    # Feature matching gives the generator another loss, which the game does not know.
    return Draws(game.d_draw, None if loss.feature_matching else game.g_draw)
