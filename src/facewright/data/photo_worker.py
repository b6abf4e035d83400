"""One worker's task: read, hash, decode, crop and store some photos."""

import hashlib
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facewright.data.colour_profile import in_srgb
from facewright.data.crops import FIRST_SIDE, Crop
from facewright.data.duplicates import dhash
from facewright.data.photo import Photo, Unusable, quiet_pillow
from facewright.data.sources.source import Addresses, Reader

STAGES = ("read", "hash", "decode", "twins", "resize", "write")
"""The stages that a worker is timed by."""

MOST_ENLARGED = 4.0
"""Pictures that show a pixel of the photo more often than that, side by side, are never used: of
16 of their pixels, 15 would be made up, and a network would learn the filter that did it."""

TOO_SMALL, SMALLER = "too small", "smaller than --size"
"""Why photos are set aside that would have to be enlarged: in any case, and if that is refused."""

_ROUNDING = 1e-6


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
        pictures: (n,) how many pictures each photo gave.
        enlarged: (pictures,) how much each was enlarged, see `Cut`.
        left_out: further faces of the photos that are too small.
        faults: why a photo cannot be used, by its index in the source.
        seconds: time spent in each of `STAGES`.
    """

    start: int
    digests: np.ndarray
    hashes: np.ndarray
    pictures: np.ndarray
    enlarged: np.ndarray
    left_out: int
    faults: dict[int, Fault]
    seconds: dict[str, float]


@dataclass(frozen=True)
class Shrinker:
    """Turns photos into pictures on disk.

    Args:
        read: of the source.
        crop: which part is kept.
        size: (height, width).
        channels: 1 or 3.
        rows: folder that gets one file for each task, named so that they sort as the photos do:
            `height * width * channels` bytes for each picture. Written, not mapped, so that the
            memory in use does not grow with it.
        enlarge: whether pictures with more pixels than the photo has there are kept, as far as
            `MOST_ENLARGED`.
    """

    read: Reader
    crop: Crop
    size: tuple[int, int]
    channels: int
    rows: Path
    enlarge: bool = True

    def __call__(self, task: Task) -> TaskResult:
        """Shrink the photos of one task and write their pictures to a file."""
        count, clock = len(task.addresses), _Clock()
        digests, hashes = np.zeros((count, 32), np.uint8), np.zeros(count, np.uint64)
        pictures = np.zeros(count, np.int64)
        made: list[tuple[np.ndarray, float]] = []
        faults, left_out = {}, 0
        with quiet_pillow():
            for i, address in enumerate(task.addresses):
                try:
                    digests[i], hashes[i], found = self._one(address, clock)
                    usable = self._usable(found)
                except Unusable as fault:
                    faults[task.start + i] = Fault(fault.reason)
                except Exception as error:  # one bad photo must cost only that photo
                    faults[task.start + i] = Fault.unforeseen(error)
                else:
                    made += usable
                    pictures[i], left_out = len(usable), left_out + len(found) - len(usable)
        file = self.rows / f"{task.start:012}"
        file.write_bytes(b"".join(pixels.data for pixels, _ in made))
        clock.lap("write")
        enlarged = np.array([factor for _, factor in made], np.float32)
        return TaskResult(
            task.start, digests, hashes, pictures, enlarged, left_out, faults, clock.seconds
        )

    def _one(
        self, address: Any, clock: "_Clock"
    ) -> tuple[np.ndarray, int, list[tuple[np.ndarray, float]]]:
        content = self.read(address)
        clock.lap("read")
        digest = np.frombuffer(hashlib.sha256(_bytes(content)).digest(), np.uint8)
        clock.lap("hash")
        photo = Photo(content, FIRST_SIDE)
        clock.lap("decode")
        twins = dhash(photo.at_least())
        clock.lap("twins")
        made = [
            (self._pixels(cut.image, photo.profile), cut.enlarged)
            for cut in self.crop(photo, self.size)
        ]
        clock.lap("resize")
        return digest, twins, made

    def _pixels(self, picture: Image.Image, profile: bytes | None) -> np.ndarray:
        plain = in_srgb(picture, profile).convert("L" if self.channels == 1 else "RGB")
        return np.asarray(plain).reshape(*self.size, self.channels)

    def _usable(self, made: list[tuple[np.ndarray, float]]) -> list[tuple[np.ndarray, float]]:
        """Those of a photo's pictures that are large enough in it, or `Unusable`."""
        most = MOST_ENLARGED if self.enlarge else 1.0
        usable = [one for one in made if one[1] <= most + _ROUNDING]
        if not usable:
            raise Unusable(TOO_SMALL if self.enlarge else SMALLER)
        return usable


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
