"""Finished images of one size, as they come out of any generator."""

from pathlib import Path

import numpy as np

from facewright.data.foreign import remedy
from facewright.data.photo import Unusable, decode, quiet_pillow
from facewright.data.sources.find import local_source
from facewright.data.sources.source import Source
from facewright.errors import DataError

EXPECTED = "a folder, a zip, tar, .npy or .npz of images"


def read_pictures(path: Path, *, channels: int) -> np.ndarray:
    """All images of any local source, untouched: nothing is cropped or resized.

    Args:
        path: whatever `prepare` reads. Arrays stay on disk.
        channels: 1 or 3; gray files are repeated where 3 are wanted, gray arrays are not.

    Returns:
        (N, H, W, channels) uint8, in the order of names.

    Raises:
        DataError: nothing there, an array of another kind, a file that is no image, or
            images of several sizes.
    """
    if not path.exists():
        raise DataError(
            f"{path} does not exist",
            expected=EXPECTED,
            fix="facewright generate MODEL --out IMAGES --count 10000 makes such a folder",
        )
    source = local_source(path)
    if source.set_aside:
        raise _no_image(path, source.set_aside[0].name, source.set_aside[0].reason)
    if not len(source.names):
        raise DataError(
            f"{path} holds no images", expected=EXPECTED, fix="the folder that the images lie in"
        )
    if isinstance(source.addresses, np.ndarray):
        return _array(path, source.addresses, channels)
    return _decoded(path, source, channels)


def _array(path: Path, pixels: np.ndarray, channels: int) -> np.ndarray:
    pixels = pixels.reshape(*pixels.shape[:3], -1)
    if pixels.shape[3] != channels:
        raise DataError(
            f"{path} has images of shape {pixels.shape[1:]}",
            expected=f"(H, W, {channels}): as many channels as the store has",
            fix=f"a store with --channels {pixels.shape[3]}",
        )
    return pixels


def _decoded(path: Path, source: Source, channels: int) -> np.ndarray:
    images: list[np.ndarray] = []
    mode = "L" if channels == 1 else "RGB"
    with quiet_pillow():
        for name, address in zip(source.names, source.addresses, strict=True):
            try:
                image = decode(source.read(address))
            except Unusable as fault:
                raise _no_image(path, name, fault.reason) from None
            images.append(np.asarray(image.convert(mode)).reshape(*image.size[::-1], channels))
            if images[-1].shape != images[0].shape:
                raise DataError(
                    f"{path}: {name} is {image.height}x{image.width}, the first image is "
                    f"{images[0].shape[0]}x{images[0].shape[1]}",
                    expected="images of one size",
                    fix="images as one model draws them, each kind in a folder of its own",
                )
    return np.stack(images)


def _no_image(path: Path, name: str, reason: str) -> DataError:
    return DataError(
        f"{path}: {name} is no usable image ({reason})",
        expected="nothing but images, because each one counts",
        fix=remedy([reason]) or "remove that file",
    )
