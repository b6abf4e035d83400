"""What a store holds, and what was set aside for it, on one sheet to look at."""

import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from facewright.data.colour_profile import in_srgb
from facewright.data.photo import Photo, Unusable, quiet_pillow
from facewright.data.sources.source import Source
from facewright.data.store import Store
from facewright.images import save_png

PREVIEW, SET_ASIDE = "preview.png", "set_aside.png"
"""Files in a store's folder: the sheet, and the part of it that takes the photos to draw."""

PICTURES = 32
"""Of the store, on its sheet."""

_SET_ASIDE_SHOWN = 16
_ATTEMPTS = 64  # photos opened in search of so many that can be shown
_COLUMNS, _GAP = 8, 4
_TILE = 96  # pixels: smaller pictures are magnified by a whole factor, so that each pixel is seen
_LINE, _LETTER = 14, 6.5  # pixels, of Pillow's own font


def store_sheet(store: Store, count: int = PICTURES, seed: int = 0) -> np.ndarray:
    """Some pictures of a store, and below them some photos that were set aside for it.

    Args:
        store: that is looked at.
        count: how many of its pictures, at most.
        seed: which of them.

    Returns:
        (H, W, 3) uint8.
    """
    train, total = len(store.train), len(store.train) + len(store.val)
    chosen = sorted(np.random.default_rng(seed).permutation(total)[:count].tolist())
    pixels = (store.train[i] if i < train else store.val[i - train] for i in chosen)
    pictures = [Image.fromarray(p[..., 0] if p.shape[2] == 1 else p) for p in pixels]
    width, height = _tile(store.shape[1:])
    large = [picture.resize((width, height), Image.Resampling.NEAREST) for picture in pictures]
    sheet = _sheet(f"{len(large):,} of {total:,} pictures", large, [""] * len(large))
    with quiet_pillow():
        try:
            below = Photo((store.path / SET_ASIDE).read_bytes()).at_least(1)
        except (OSError, Unusable):  # an older store, or none was set aside
            return np.asarray(sheet)
    whole = Image.new("RGB", (max(sheet.width, below.width), sheet.height + below.height), "white")
    whole.paste(sheet, (0, 0))
    whole.paste(below, (0, sheet.height))
    return np.asarray(whole)


def draw_set_aside(
    folder: Path, source: Source, reasons: Mapping[int, str], size: tuple[int, int]
) -> None:
    """Write `SET_ASIDE` into a store's folder, if any photo that was set aside can be shown.

    Args:
        folder: of the store.
        source: of the photos.
        reasons: why photos were set aside, by their index in the source.
        size: (height, width) of the store's pictures.
    """
    tiles: list[Image.Image] = []
    captions: list[str] = []
    with quiet_pillow():
        for i in _some_of_each_kind(reasons)[:_ATTEMPTS]:
            try:
                photo = Photo(source.read(source.addresses[i]), max(_tile(size)))
                tiles.append(_fitted(photo, _tile(size)))
            except Exception:  # whatever it was set aside for: no sheet is worth a store
                continue
            captions.append(reasons[i])
            if len(tiles) == _SET_ASIDE_SHOWN:
                break
    if tiles:
        sheet = _sheet(f"{len(tiles)} of {len(reasons):,} photos set aside", tiles, captions)
        save_png(np.asarray(sheet), folder / SET_ASIDE)


def _some_of_each_kind(reasons: Mapping[int, str]) -> list[int]:
    """The first photo of each reason, then the second of each, and so on."""
    seen: Counter[str] = Counter()
    ranks = []
    for i, reason in sorted(reasons.items()):
        ranks.append((seen[reason], i))
        seen[reason] += 1
    return [i for _, i in sorted(ranks)]


def _tile(size: tuple[int, ...]) -> tuple[int, int]:
    """(width, height) that a picture of (height, width) has on the sheet."""
    factor = max(1, round(_TILE / max(size)))
    return size[1] * factor, size[0] * factor


def _fitted(photo: Photo, tile: tuple[int, int]) -> Image.Image:
    """The whole photo, in the middle of a gray tile."""
    small = in_srgb(ImageOps.contain(photo.at_least(), tile), photo.profile).convert("RGB")
    around = Image.new("RGB", tile, "lightgray")
    around.paste(small, ((tile[0] - small.width) // 2, (tile[1] - small.height) // 2))
    return around


def _sheet(title: str, tiles: list[Image.Image], captions: list[str]) -> Image.Image:
    """Tiles of one size under a title, each above its caption."""
    width, height = tiles[0].size
    texts = ["\n".join(textwrap.wrap(text, max(1, int(width / _LETTER)))) for text in captions]
    below = _LINE * max(text.count("\n") + bool(text) for text in texts)
    rows, head = -(-len(tiles) // _COLUMNS), _LINE + 2 * _GAP
    size = (_COLUMNS * (width + _GAP) + _GAP, head + rows * (height + below + _GAP))
    sheet = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(_LINE - 2)
    pen.text((_GAP, _GAP), title, fill="black", font=font)
    for i, (tile, text) in enumerate(zip(tiles, texts, strict=True)):
        left = _GAP + i % _COLUMNS * (width + _GAP)
        top = head + i // _COLUMNS * (height + below + _GAP)
        sheet.paste(tile, (left, top))
        pen.text((left, top + height), text, fill="black", font=font, spacing=1)
    return sheet
