"""What is wrong with a training, and what to do about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facewright.actions.arguments import assignments
from facewright.doctor.diagnose import Diagnosis
from facewright.doctor.diagnose import diagnose as examine
from facewright.doctor.log_columns import ForeignHistory, foreign_history
from facewright.doctor.recorded import history_of
from facewright.errors import ConfigError
from facewright.models.open_model import refuse_bundle
from facewright.records.foreign_log import is_foreign_log, read_log
from facewright.records.run_history import RunHistory


@dataclass(frozen=True)
class Diagnosed:
    """The verdict on a run, or on another program's log."""

    run: Path
    diagnosis: Diagnosis
    remedies: list[dict[str, Any]]
    """Settings that were changed on the way."""
    log: ForeignHistory | None = None
    """What was found in another program's log."""

    @property
    def unit(self) -> str:
        """In what the fields of images count: other programs' logs may not know images."""
        return self.log.unit if self.log else "images"

    @property
    def exit_status(self) -> int:
        """1 when a problem was found."""
        return int(self.diagnosis.grade == "problem")

    def as_json(self) -> dict[str, Any]:
        """The verdict with all findings."""
        log = self.log and {
            "columns": self.log.columns,
            "rows": self.log.rows,
            "game": self.log.history.game.name,
        }
        found = self.diagnosis.as_json()
        return {
            "run": str(self.run), **found, "remedies": self.remedies, "unit": self.unit, "log": log,
        }  # fmt: skip


def diagnose(run: Path, *, column: tuple[str, ...] = (), game: str = "") -> Diagnosed:
    """Look for known failures in a training: verdict, evidence, since when, remedy.

    The run may still be training. The checks are those that watch a training live.
    Of another program's log of losses they say what losses can show, and what they cannot.
    Exit status: 0 nothing is wrong (or something is to be watched, or nothing gets better any
    more, or it is too early to tell); 1 a problem was found.

    Examples:
        facewright diagnose runs/mine
        facewright diagnose runs/mine --json
        facewright diagnose losses.csv --column d_loss=errD

    Args:
        run: run folder; or another program's log: CSV, JSON lines (StyleGAN's `stats.jsonl`),
            TensorBoard events, an export of W&B, printed lines.
        column: of a log: what one of its columns is, as KIND=NAME, where that cannot be guessed;
            for example --column d_loss=errD --column g_loss=errG.
        game: of a log: the name of the losses, as in `loss.game`, where losses have a scale.

    Raises:
        RunError: no run there, or its records are damaged.
        ConfigError: columns that are not clear, or no such game.
        MissingExtraError: TensorBoard's events without the extra `tensorboard`.
    """
    refuse_bundle(run)
    if is_foreign_log(run):
        pairs = (pair.partition("=") for pair in assignments(column))
        given = {kind: name for kind, _, name in pairs}
        told = foreign_history(read_log(run), given, game)
        return Diagnosed(run, examine(told.history), [], told)
    if column or game:
        raise ConfigError(
            f"--column and --game for {run}",
            expected="a log of another program; a run of ours knows its own",
            fix=f"facewright diagnose {run}",
        )
    history = RunHistory.read(run)
    return Diagnosed(run, examine(history_of(history)), history.remedies)
