"""Which photos are found to be the same, or nearly."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from facewright.data import duplicates
from facewright.data.duplicates import dhash, near_groups
from tests.data.drawings import picture


def bits_apart(one: Image.Image, other: Image.Image) -> int:
    return (dhash(one) ^ dhash(other)).bit_count()


def test_each_bit_says_whether_brightness_rises_to_the_right():
    ramp = np.tile(np.arange(0, 180, 20, dtype=np.uint8), (8, 1))
    assert dhash(Image.fromarray(ramp)) == 2**64 - 1
    assert dhash(Image.fromarray(ramp[:, ::-1].copy())) == 0
    ramp[0] = ramp[0, ::-1]
    assert dhash(Image.fromarray(ramp)) == 2**56 - 1


@pytest.mark.parametrize("seed", range(5))
def test_scaling_brightness_and_gray_leave_the_hash_nearly_alone(seed):
    photo = picture(seed, (180, 160))
    assert bits_apart(photo, photo.resize((90, 80), Image.Resampling.BOX)) <= 2
    assert bits_apart(photo, ImageEnhance.Brightness(photo).enhance(0.8)) <= 2
    assert bits_apart(photo, photo.convert("L")) <= 2


def test_different_photos_are_far_apart():
    assert min(bits_apart(picture(i), picture(i + 1)) for i in range(50)) > 10


def test_known_blind_spot_a_mirrored_copy_is_not_recognised():
    photo = picture(0)
    assert bits_apart(photo, photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 10


def by_comparing_all(hashes: np.ndarray) -> np.ndarray:
    """The same answer by the definition: N squared comparisons, then spreading of labels."""
    near = np.bitwise_count(hashes[:, None] ^ hashes[None, :]) <= 2
    label = np.arange(len(hashes))
    while True:
        lower = np.where(near, label[None, :], len(hashes)).min(axis=1)
        if (lower == label).all():
            return label
        label = lower


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("keys_at_once", [1 << 22, 500])
def test_groups_are_those_that_comparing_all_pairs_finds(seed, keys_at_once, monkeypatch):
    monkeypatch.setattr(duplicates, "_KEYS_AT_ONCE", keys_at_once)
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, 60, dtype=np.uint64)
    flips = np.uint64(1) << rng.integers(0, 64, (3, 240), dtype=np.uint64)
    steps = np.bitwise_xor.reduce(flips, axis=0)  # three bits, two of which may cancel out
    hashes = rng.permutation(np.concatenate([hashes, hashes[rng.integers(0, 60, 240)] ^ steps]))
    expected = by_comparing_all(hashes)
    assert 1 < len(set(expected.tolist())) < 300
    np.testing.assert_array_equal(near_groups(hashes), expected)


@pytest.mark.parametrize(("apart", "together"), [(0, True), (1, True), (2, True), (3, False)])
def test_the_limit_is_two_bits(apart, together):
    one = np.uint64(0x0123456789ABCDEF)
    other = one ^ np.uint64((1 << apart) - 1)
    assert (near_groups(np.array([one, other]))[1] == 0) == together


def test_a_chain_of_twins_is_one_group():
    chain = np.array([(1 << (2 * i)) - 1 for i in range(32)], np.uint64)
    assert set(near_groups(chain[::-1].copy()).tolist()) == {0}


def test_no_photos_have_no_groups():
    assert len(near_groups(np.zeros(0, np.uint64))) == 0


def test_crowded_hashes_do_not_make_it_slow(monkeypatch):
    # 20,000 hashes in 16 bits: nearly every pair shares two of any three bands.
    hashes = np.random.default_rng(0).integers(0, 2**16, 20_000, dtype=np.uint64)
    meetings, compared, joined = duplicates._meetings, [], []

    def counted(unique):
        for one, other in meetings(unique):
            compared.append(len(one))
            yield one, other

    class Minimum:
        __call__ = staticmethod(np.minimum)

        @staticmethod
        def at(root, places, values):
            joined.append(len(places))
            np.minimum.at(root, places, values)

    monkeypatch.setattr(duplicates, "_meetings", counted)
    monkeypatch.setattr(duplicates, "np", SimpleNamespace(**{**vars(np), "minimum": Minimum()}))
    assert set(near_groups(hashes).tolist()) == {0}
    assert 0 < sum(compared) < 65 * len(hashes)
    assert 0 < sum(joined) < 65 * len(hashes)
