"""The pictures of a store, to be looked at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facewright.actions.prepare import remarks
from facewright.data.preview import PICTURES, PREVIEW, store_sheet
from facewright.data.store import Store
from facewright.errors import DataError
from facewright.images import save_png

MOST = 256
"""Pictures on one sheet."""


@dataclass(frozen=True)
class Looked:
    """A sheet with pictures of a store.

    Args:
        store: whose they are.
        sheet: the PNG file.
        remarks: what is known of the store besides its pictures, as sentences.
    """

    store: Store
    sheet: Path
    remarks: list[str]

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on."""
        return {
            "store": str(self.store.path),
            "sheet": str(self.sheet),
            "counts": self.store.manifest["counts"],
            "size": self.store.manifest["size"],
            "channels": self.store.manifest["channels"],
            "crop": self.store.crop,
            "remarks": self.remarks,
        }


def look(store: Path, *, out: Path | None = None, count: int = PICTURES, seed: int = 0) -> Looked:
    """Draw pictures of a store on one sheet, with some of the photos that were set aside for it.

    Examples:
        facewright look stores/faces
        facewright look stores/faces --out sheet.png --count 100 --seed 1

    Args:
        store: training store, made by `facewright prepare`.
        out: PNG file; preview.png in the store's folder if not given.
        count: how many pictures, 256 at most.
        seed: which of them.

    Raises:
        DataError: there is no such store.
    """
    if not 1 <= count <= MOST:
        raise DataError(f"--count {count}", expected=f"1 to {MOST}", fix=f"--count {PICTURES}")
    opened = Store.open(store)
    sheet = out or store / PREVIEW
    pixels = store_sheet(opened, count, seed)
    try:
        save_png(pixels, sheet)
    except OSError as error:
        raise DataError(
            f"{sheet} cannot be written: {error.strerror or error}",
            expected="the name of a PNG file, in a folder that may be written",
            fix="--out sheet.png",
        ) from None
    return Looked(opened, sheet, list(remarks(opened)))
