"""A run's numbers for other programs: CSV and TensorBoard."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from facewright.errors import MissingExtraError
from facewright.records.record import STEP_FIELDS, write_atomically
from facewright.records.run_history import RunHistory

WHOLE_NUMBERS = ("step", "images_seen")


def write_csv(history: RunHistory, path: Path) -> None:
    """Every recorded step as one line of CSV, without loss of precision.

    What was not recorded, or was not a number, is written as "nan".
    """
    columns = [
        history.steps[field].astype(int).tolist()
        if field in WHOLE_NUMBERS
        else history.steps[field].tolist()
        for field in STEP_FIELDS
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(STEP_FIELDS)
    writer.writerows(zip(*columns, strict=True))
    write_atomically(path, text.getvalue())


class TensorBoardSink:
    """Sends recorded steps to TensorBoard while a run is trained.

    The first step written hides what an earlier, killed session sent from there on.

    Args:
        folder: gets the event files; made if missing.

    Raises:
        MissingExtraError: the extra `tensorboard` is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError:
            raise MissingExtraError.of("tensorboard", "writing TensorBoard events") from None
        self._open = lambda images_seen: SummaryWriter(str(folder), purge_step=images_seen)
        self._writer: SummaryWriter | None = None

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add the numbers of some steps, on the disk when this returns.

        Their horizontal axis is images seen.
        """
        for row in rows:
            self._writer = self._writer or self._open(row["images_seen"])
            for field in STEP_FIELDS:
                if field not in WHOLE_NUMBERS and row.get(field) is not None:
                    self._writer.add_scalar(field, row[field], row["images_seen"])
        if self._writer:
            self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        if self._writer:
            self._writer.close()
