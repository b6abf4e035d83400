"""The sheet of pairs shows the right images in the right places."""

import numpy as np
import pytest
import torch

from facewright.errors import MetricError
from facewright.metrics.pairs import CAPTION, SIDE, Pair, nearest_pairs, pairs_sheet

GAP, INNER = 10, 2


def flat(levels: list[int], size: int = 28, channels: int = 3) -> np.ndarray:
    """Images of one gray level each, with a black left edge."""
    images = np.tile(np.array(levels, np.uint8)[:, None, None, None], (1, size, size, channels))
    images[:, :, 0] = 0
    return images


def tile(sheet: np.ndarray, row: int, column: int, side: int = SIDE) -> np.ndarray:
    height, width = side + 2 * INNER + CAPTION, 2 * side + 3 * INNER
    top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
    return sheet[top : top + height, left : left + width]


def test_generated_left_and_photo_right():
    sheet = pairs_sheet(flat([10, 20]), flat([30, 40, 50]), [Pair(1, 2, False, 0.1)])
    images = tile(sheet, 0, 0)
    assert (images[INNER : SIDE + INNER, INNER + 4 : SIDE + INNER] == 20).all()
    assert (images[INNER : SIDE + INNER, SIDE + 2 * INNER + 4 : -INNER] == 50).all()


def test_pairs_run_along_rows_in_their_order():
    pairs = [Pair(i, 0, False, 0.1) for i in (2, 0, 1)]
    sheet = pairs_sheet(flat([10, 20, 30]), flat([99]), pairs, columns=2)
    assert sheet.shape[:2] == (2 * (SIDE + 22 + GAP) + GAP, 2 * (2 * SIDE + 6 + GAP) + GAP)
    shown = [tile(sheet, *where)[50, 50, 0] for where in ((0, 0), (0, 1), (1, 0))]
    assert shown == [30, 10, 20]


def test_a_mirrored_photo_is_shown_mirrored():
    fake, train = flat([10]), flat([50])
    plain, mirrored = (
        tile(pairs_sheet(fake, train, [Pair(0, 0, flip, 0.1)]), 0, 0)[50] for flip in (False, True)
    )
    assert plain[SIDE + 2 * INNER].tolist() == [0, 0, 0]
    assert plain[-INNER - 1].tolist() == [50, 50, 50]
    assert mirrored[SIDE + 2 * INNER].tolist() == [50, 50, 50]
    assert mirrored[-INNER - 1].tolist() == [0, 0, 0]


def test_the_caption_is_below_and_differs_with_what_it_says():
    def caption(pair: Pair) -> np.ndarray:
        return tile(pairs_sheet(flat([10, 10]), flat([50, 50]), [pair]), 0, 0)[-CAPTION:]

    first = caption(Pair(0, 0, False, 0.12))
    assert first.min() < 100
    for other in (Pair(0, 0, False, 0.13), Pair(1, 0, False, 0.12), Pair(0, 1, False, 0.12)):
        assert (caption(other) != first).any()
    assert (caption(Pair(0, 0, True, 0.12)) != first).any()


def test_gray_images_make_a_gray_sheet():
    gray = flat([10], channels=1)
    assert pairs_sheet(gray, gray, [Pair(0, 0, False, 0.0)]).shape[2] == 1


def test_large_images_keep_their_size():
    large = flat([10], size=200)
    sheet = pairs_sheet(large, large, [Pair(0, 0, False, 0.0)])
    assert sheet.shape[:2] == (200 + 2 * INNER + CAPTION + 2 * GAP, 400 + 3 * INNER + 2 * GAP)


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(MetricError, match="0 pairs"):
        pairs_sheet(flat([10]), flat([10]), [])
    with pytest.raises(MetricError, match="1 pairs of images"):
        pairs_sheet(flat([10]), flat([10], size=32), [Pair(0, 0, False, 0.0)])


def test_each_image_is_paired_with_its_nearest_photo_in_its_own_row():
    train = torch.eye(60)
    fake = train[[7, 0, 33]] * 0.9
    pairs = nearest_pairs(fake, train)
    assert [(pair.fake, pair.train) for pair in pairs] == [(0, 7), (1, 0), (2, 33)]
    far = (0.81 + 1) ** 0.5
    assert pairs[0].ratio == pytest.approx(0.1 / ((0.1 + 49 * far) / 50))
