"""One worker's task: read, hash, decode, crop and store some photos."""

import hashlib
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facewright.data.colour_profile import in_srgb
from facewright.data.crops import Crop
from facewright.data.duplicates import dhash
from facewright.data.photo import Unusable, decode_in_its_colours, quiet_pillow
from facewright.data.sources.source import Addresses, Reader

STAGES = ("read", "hash", "decode", "twins", "resize", "write")
"""The stages that a worker is timed by."""


@dataclass(frozen=True)
class Task:
    """Neighbouring photos of a source.

    Args:
        start: index of the first.
        addresses: where they are, for the source's reader.
    """

    start: int
    addresses: Addresses


@dataclass(frozen=True)
class Fault:
    """Why a photo cannot be used.

    Args:
        reason: a few words that are the same for every photo with this fault.
        detail: of an error that nobody foresaw: its type and text, and where it was raised.
    """

    reason: str
    detail: str = ""

    @classmethod
    def unforeseen(cls, error: Exception) -> "Fault":
        """An error that may well be ours, although only some photos bring it about."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}"
        kind = type(error).__name__
        return cls(f"cannot be processed ({kind})", f"{kind}: {error} ({place})")


@dataclass(frozen=True)
class TaskResult:
    """What a task found out about its n photos; small, as it is sent between processes.

    Args:
        start: index of the first.
        digests: (n, 32) uint8, SHA-256 of each photo's bytes or pixels.
        hashes: (n,) uint64, see `dhash`.
        faults: why a photo cannot be used, by its index in the source.
        seconds: time spent in each of `STAGES`.
    """

    start: int
    digests: np.ndarray
    hashes: np.ndarray
    faults: dict[int, Fault]
    seconds: dict[str, float]


@dataclass(frozen=True)
class Shrinker:
    """Turns photos into rows of an array on disk.

    Args:
        read: of the source.
        crop: which part is kept.
        size: (height, width).
        channels: 1 or 3.
        rows: file of `height * width * channels` bytes for each photo of the source. Written,
            not mapped, so that the memory in use does not grow with it.
    """

    read: Reader
    crop: Crop
    size: tuple[int, int]
    channels: int
    rows: Path

    @property
    def row_bytes(self) -> int:
        """Size of one photo in `rows`."""
        return self.size[0] * self.size[1] * self.channels

    def __call__(self, task: Task) -> TaskResult:
        """Shrink the photos of one task and write them to their rows."""
        count, clock = len(task.addresses), _Clock()
        pixels = np.zeros((count, *self.size, self.channels), np.uint8)
        digests, hashes = np.zeros((count, 32), np.uint8), np.zeros(count, np.uint64)
        faults = {}
        with quiet_pillow():
            for i, address in enumerate(task.addresses):
                try:
                    digests[i], hashes[i], pixels[i] = self._one(address, clock)
                except Unusable as fault:
                    faults[task.start + i] = Fault(fault.reason)
                except Exception as error:  # one bad photo must cost only that photo
                    faults[task.start + i] = Fault.unforeseen(error)
        with self.rows.open("r+b", buffering=0) as file:
            file.seek(task.start * self.row_bytes)
            file.write(pixels.data)
        clock.lap("write")
        return TaskResult(task.start, digests, hashes, faults, clock.seconds)

    def _one(self, address: Any, clock: "_Clock") -> tuple[np.ndarray, int, np.ndarray]:
        content = self.read(address)
        clock.lap("read")
        digest = np.frombuffer(hashlib.sha256(_bytes(content)).digest(), np.uint8)
        clock.lap("hash")
        photo, profile = decode_in_its_colours(content)
        clock.lap("decode")
        twins = dhash(photo)
        clock.lap("twins")
        small = in_srgb(self.crop(photo, self.size), profile)
        small = small.convert("L" if self.channels == 1 else "RGB")
        clock.lap("resize")
        return digest, twins, np.asarray(small).reshape(*self.size, self.channels)


def _bytes(content: bytes | np.ndarray) -> bytes | memoryview:
    return content if isinstance(content, bytes) else np.ascontiguousarray(content).data


class _Clock:
    """Adds up where the time goes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] += now - self._last
        self._last = now
