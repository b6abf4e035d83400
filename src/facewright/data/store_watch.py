"""Is a store still what it was when a training on it began? It is read in place, never copied."""

import hashlib
import logging

import numpy as np

from facewright.data.store import Store
from facewright.errors import DataError

log = logging.getLogger(__name__)

SAMPLED = 256
"""Photos whose bytes are compared. Of a store that is overwritten, one would do."""


class StoreChangedError(DataError):
    """Photos were overwritten while somebody trained on them."""


class StoreWatch:
    """Compares a store with what it was at first.

    A store that was moved or removed has not changed: the system keeps what is in use.

    Args:
        store: as it should stay.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._stamps, self._missed = store.stamps(), False
        rng = np.random.default_rng(0)
        self._rows = [
            np.sort(rng.choice(len(part), min(SAMPLED, len(part)), replace=False))
            for part in (store.train, store.val)
        ]
        self._sampled = self._sample()

    def look(self) -> None:
        """Compare size and time of the files: takes microseconds, unless one was written to.

        Raises:
            StoreChangedError: the content is another one.
        """
        stamps = self.store.stamps()
        if stamps == self._stamps:
            return
        if any(before != now == (0, 0) for before, now in zip(self._stamps, stamps, strict=True)):
            if not self._missed:
                log.warning("%s was moved or removed; training goes on", self.store.path)
            self._missed = True
            return
        if [size for size, _ in stamps] != [size for size, _ in self._stamps]:
            raise self._changed("of another size")
        try:
            self.store.verify()
        except DataError as error:
            raise self._changed("with other content") from error
        self._stamps = stamps

    def compare(self) -> None:
        """The same, and some photos byte by byte: not every write changes a file's time.

        Raises:
            StoreChangedError: the content is another one.
        """
        self.look()
        if self._sample() != self._sampled:
            raise self._changed("with other content")

    def _sample(self) -> str:
        digest = hashlib.sha256()
        for part, rows in zip((self.store.train, self.store.val), self._rows, strict=True):
            digest.update(np.ascontiguousarray(part[rows]).data)
        return digest.hexdigest()

    def _changed(self, how: str) -> StoreChangedError:
        return StoreChangedError(
            f"{self.store.path} was overwritten while it was trained on, {how}",
            expected=f"content {self.store.content_hash[:12]} to the end",
            fix="give back the old store",
        )
