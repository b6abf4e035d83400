"""Colours as a photo's profile means them, in sRGB."""

import functools
import io

import numpy as np
from PIL import Image, ImageCms

_LEVELS = 17
"""Of each channel, tried to see whether a profile changes anything."""

_NOTHING = 1
"""A profile that moves no colour by more than this is sRGB under another name."""


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image with the colours that its profile describes, in sRGB.

    Phones save Display P3, cameras Adobe RGB: taken as sRGB, faces look paler than they were.

    Args:
        image: of mode "L", "RGB" or "CMYK".
        profile: as the file carries it, an ICC profile, if any. A broken one, or one for another
            number of channels, changes nothing, as in browsers.

    Returns:
        An image of mode "L" or "RGB"; "CMYK" only if the profile is of no use.
    """
    transform = _transform(profile, image.mode) if profile else None
    if transform is None:
        return image
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # only in place it gives nothing back
    return converted.getchannel("G") if image.mode == "L" else converted


@functools.lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """To sRGB; `None` if the profile is of no use, or says what is assumed anyway."""
    try:
        meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(meant, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None
    return None if _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Do colours from all over come out as they went in? Never of CMYK, which is no sRGB."""
    if mode == "CMYK":
        return False
    steps = np.linspace(0, 255, _LEVELS).round().astype(np.uint8)
    shape = (-1, len(mode)) if mode == "RGB" else (-1,)
    colours = np.stack(np.meshgrid(*[steps] * len(mode)), axis=-1).reshape(1, *shape)
    converted = ImageCms.applyTransform(Image.fromarray(colours), transform)
    moved = np.asarray(converted).astype(int) - np.asarray(Image.fromarray(colours).convert("RGB"))
    return bool(abs(moved).max() <= _NOTHING)
