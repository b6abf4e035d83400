"""Which photos make up a batch: every one once an epoch, mirrored half of the time."""

import numpy as np
import torch

from facewright.conditions import Conditioning
from facewright.data.photo_conditions import ConditionRows
from facewright.data.stream import BatchStream
from facewright.images import to_pixels


def numbered(count: int) -> np.ndarray:
    """Photos that can be told apart, with a left and a right."""
    pixels = np.zeros((count, 2, 2, 1), np.uint8)
    pixels[:, :, 0, 0] = np.arange(count)[:, None]
    pixels[:, :, 1, 0] = 200
    return pixels


def shown(stream: BatchStream, batches: int) -> list[int]:
    images = to_pixels(torch.cat([stream.at(i) for i in range(batches)]))
    return images[:, 0, 0, 0].tolist()


def test_an_epoch_shows_every_photo_once():
    stream = BatchStream(numbered(12), batch=4, seed=0, flip=False)
    assert sorted(shown(stream, 3)) == list(range(12))


def test_epochs_that_do_not_fit_the_batch_lose_and_repeat_nothing():
    stream = BatchStream(numbered(10), batch=4, seed=0, flip=False)
    assert sorted(shown(stream, 5)) == sorted([*range(10), *range(10)])


def test_a_batch_may_be_larger_than_the_store():
    stream = BatchStream(numbered(3), batch=7, seed=0, flip=False)
    assert sorted(shown(stream, 3)) == sorted([*range(3)] * 7)


def test_the_order_changes_from_epoch_to_epoch_and_from_seed_to_seed():
    one = shown(BatchStream(numbered(50), batch=50, seed=0, flip=False), 2)
    other = shown(BatchStream(numbered(50), batch=50, seed=1, flip=False), 2)
    assert one[:50] != one[50:]
    assert one != other


def test_a_batch_is_found_by_its_number_alone():
    forwards = BatchStream(numbered(30), batch=7, seed=3, flip=True)
    backwards = BatchStream(numbered(30), batch=7, seed=3, flip=True)
    ahead = [forwards.at(i) for i in range(20)]
    back = [backwards.at(i) for i in reversed(range(20))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(ahead, back, strict=True))


def test_processes_share_a_batch_without_overlap_or_gap():
    whole = BatchStream(numbered(30), batch=9, seed=0, flip=True)
    parts = [
        BatchStream(numbered(30), batch=9, seed=0, flip=True, share=(rank, 2)) for rank in (0, 1)
    ]
    assert torch.equal(whole.at(4), torch.cat([part.at(4) for part in parts]))


def test_half_of_the_photos_are_mirrored():
    stream = BatchStream(numbered(100), batch=100, seed=0, flip=True)
    images = to_pixels(torch.cat([stream.at(i) for i in range(20)]))
    mirrored = (images[:, 0, 0, 0] == 200).mean()
    assert 0.46 < mirrored < 0.54  # 2000 coin flips: 3.6 standard deviations
    assert not np.any((images[:, 0, 0, 0] == 200) & (images[:, 0, 1, 0] == 200))


def test_the_store_is_left_alone():
    pixels = numbered(10)
    before = pixels.copy()
    BatchStream(pixels, batch=10, seed=0, flip=True).at(0).add_(1)
    assert np.array_equal(pixels, before)


def labelled(count: int, **settings) -> BatchStream:
    """Photos whose label is 1 where their number is odd."""
    odd = (np.arange(count) % 2).astype(np.float32).reshape(-1, 1)
    meaning = Conditioning.of(["odd"], [{"name": "odd", "kind": "binary"}], odd)
    rows = ConditionRows(meaning, odd)
    return BatchStream(numbered(count), seed=0, conditions=rows, **settings)


def test_labels_are_dealt_with_their_photos_mirrored_or_not():
    stream = labelled(30, batch=7, flip=True)
    for number in range(12):  # across the borders of epochs
        photos = to_pixels(stream.at(number)).min(axis=(1, 2, 3))  # its number, on either side
        assert stream.conditions_at(number)[:, 0].tolist() == (photos % 2 * 2.0 - 1).tolist()


def test_processes_share_the_labels_of_a_batch_like_its_photos():
    whole = labelled(30, batch=9, flip=True).conditions_at(4)
    parts = [labelled(30, batch=9, flip=True, share=(rank, 2)).conditions_at(4) for rank in (0, 1)]
    assert torch.equal(whole, torch.cat(parts))


def test_photos_without_labels_have_conditions_of_no_length():
    stream = BatchStream(numbered(12), batch=4, seed=0, flip=False)
    assert stream.conditions_at(1).shape == (4, 0)


def test_labels_change_nothing_about_the_photos_dealt():
    plain = BatchStream(numbered(30), batch=7, seed=0, flip=True)
    assert torch.equal(plain.at(5), labelled(30, batch=7, flip=True).at(5))
