"""Finished images of one size, as they come out of any generator."""

import zipfile
from pathlib import Path

import numpy as np

from facewright.data.photo import Unusable, decode, quiet_pillow
from facewright.data.sources.archive import list_zip
from facewright.data.sources.folder import list_folder
from facewright.data.sources.source import Files
from facewright.errors import DataError


def read_pictures(path: Path, *, channels: int) -> np.ndarray:
    """All images of a folder, a zip or an array, untouched: nothing is cropped or resized.

    Args:
        path: a folder (recursive) or `.zip` of image files, or a `.npy` array.
        channels: 1 or 3; gray files are repeated where 3 are wanted.

    Returns:
        (N, H, W, channels) uint8, in the order of names.

    Raises:
        DataError: nothing there, an array of another kind, a file that is no image, or
            images of several sizes.
    """
    if not path.exists():
        raise DataError(
            f"{path} does not exist", expected="a folder, a .zip or a .npy file of images"
        )
    if path.is_dir():
        return _decoded(path, list_folder(path), channels)
    if path.suffix == ".npy":
        return _array(path, channels)
    if zipfile.is_zipfile(path):
        return _decoded(path, list_zip(path), channels)
    raise DataError(f"{path} is one file", expected="a folder, a .zip or a .npy file of images")


def _array(path: Path, channels: int) -> np.ndarray:
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}", expected="a .npy file") from None
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or not len(pixels):
        raise DataError(
            f"{path} holds {pixels.dtype} numbers of shape {pixels.shape}",
            expected="uint8 images of shape (N, H, W, C)",
            fix="np.clip((x + 1) * 127.5, 0, 255).round().astype(np.uint8), if x is in [-1, 1] and "
            "has its channels last",
        )
    if pixels.shape[3] != channels:
        raise DataError(
            f"{path} has images of shape {pixels.shape[1:]}",
            expected=f"(H, W, {channels}): channels last, as many as the store has",
            fix="images.transpose(0, 2, 3, 1) where the channels come first",
        )
    return pixels


def _decoded(path: Path, files: Files, channels: int) -> np.ndarray:
    if not files.names:
        raise DataError(f"{path} holds no files", expected="images")
    images: list[np.ndarray] = []
    mode = "L" if channels == 1 else "RGB"
    with quiet_pillow():
        for name, address in zip(files.names, files.addresses, strict=True):
            try:
                image = decode(files.read(address))
            except Unusable as reason:
                raise DataError(
                    f"{path}: {name} is no usable image ({reason})",
                    expected="nothing but images, because each one counts",
                    fix="remove that file",
                ) from None
            images.append(np.asarray(image.convert(mode)).reshape(*image.size[::-1], channels))
            if images[-1].shape != images[0].shape:
                raise DataError(
                    f"{path}: {name} is {image.height}x{image.width}, the first image is "
                    f"{images[0].shape[0]}x{images[0].shape[1]}",
                    expected="images of one size",
                )
    return np.stack(images)
