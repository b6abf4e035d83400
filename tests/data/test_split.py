"""Which photos are kept and which are held out."""

import hashlib

import numpy as np
import pytest

from facewright.data.split import FEWEST, LARGEST_GROUP, Groups, share_for
from facewright.doctor import reference


def digests(contents: list[str]) -> np.ndarray:
    joined = b"".join(hashlib.sha256(text.encode()).digest() for text in contents)
    return np.frombuffer(joined, np.uint8).reshape(-1, 32)


def spread_hashes(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2**64, count, dtype=np.uint64)


def singles(count: int) -> Groups:
    return Groups.of(digests([str(i) for i in range(count)]), spread_hashes(count))


def test_the_doctor_wants_as_many_held_out_photos():
    assert reference.FEWEST == FEWEST


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5])
def test_about_the_wanted_share_is_held_out(fraction):
    held = singles(4000).held_out(fraction)
    assert held.mean() == pytest.approx(fraction, abs=0.03)


def test_a_larger_share_keeps_everyone_who_was_held_out_before():
    groups = singles(1000)
    assert not (groups.held_out(0.1) & ~groups.held_out(0.3)).any()


def test_a_photo_keeps_its_side_when_others_come():
    np.testing.assert_array_equal(singles(500).held_out(0.2), singles(900).held_out(0.2)[:500])


def test_the_side_follows_the_content_and_not_the_order():
    names, hashes = [str(i) for i in range(300)], spread_hashes(300)
    order = np.random.default_rng(1).permutation(300)
    shuffled = Groups.of(digests([names[i] for i in order]), hashes[order])
    straight = Groups.of(digests(names), hashes)
    np.testing.assert_array_equal(shuffled.held_out(0.3), straight.held_out(0.3)[order])


def twins(count: int) -> Groups:
    """Pairs (0, 1), (2, 3), ... whose hashes are one or two bits apart."""
    hashes = spread_hashes(count).repeat(2)
    hashes[1::2] ^= np.uint64(0b101)
    return Groups.of(digests([str(i) for i in range(2 * count)]), hashes)


def test_near_twins_are_never_on_both_sides():
    held = twins(1000).held_out(0.3)
    np.testing.assert_array_equal(held[::2], held[1::2])
    assert held.mean() == pytest.approx(0.3, abs=0.05)  # pairs are drawn as fairly as singles


def test_of_near_twins_the_one_with_the_smallest_digest_is_kept():
    groups = twins(50)
    kept = groups.kept("near")
    assert kept.reshape(-1, 2).sum(axis=1).tolist() == [1] * 50
    for i in range(0, 100, 2):
        first_is_smaller = groups.digests[i].tobytes() < groups.digests[i + 1].tobytes()
        assert kept[i] == first_is_smaller


def test_of_equal_photos_the_first_is_kept():
    hashes = spread_hashes(3)
    groups = Groups.of(digests(["a", "b", "a", "c", "a"]), hashes[[0, 1, 0, 2, 0]])
    assert groups.exact.tolist() == [0, 1, 0, 3, 0]
    assert groups.kept("exact").tolist() == [True, True, False, True, False]
    assert groups.kept("near").tolist() == [True, True, False, True, False]
    assert groups.kept("off").all()


def test_digests_that_end_in_zeros_are_told_apart():
    one, other = np.zeros((2, 1, 32), np.uint8)
    one[0, 0], other[0, 0], other[0, 30] = 1, 1, 1
    groups = Groups.of(np.concatenate([one, other]), spread_hashes(2))
    assert groups.exact.tolist() == [0, 1]


def test_exact_copies_alone_do_not_join_other_photos():
    groups = Groups.of(digests(["a", "b", "c"]), np.array([0, 1, 2**40 - 1], np.uint64))
    assert groups.exact.tolist() == [0, 1, 2]
    assert groups.near.tolist() == [0, 0, 2]


def chain(count: int, *, length: int, contents: list[str] | None = None) -> Groups:
    """Single photos, of which the first `length` have one hash."""
    hashes = spread_hashes(count)
    hashes[:length] = 0
    return Groups.of(digests(contents or [str(i) for i in range(count)]), hashes)


def test_photos_of_a_chain_are_drawn_one_by_one():
    groups = chain(4000, length=3000)
    assert groups.in_chain.sum() == 3000
    assert groups.held_out(0.1)[:3000].mean() == pytest.approx(0.1, abs=0.03)
    np.testing.assert_array_equal(groups.held_out(0.1), singles(4000).held_out(0.1))


@pytest.mark.parametrize(
    ("length", "together"), [(LARGEST_GROUP, True), (LARGEST_GROUP + 1, False)]
)
@pytest.mark.parametrize("others", [0, 20_000])
def test_the_largest_group_of_twins_is_the_same_however_many_photos_there_are(
    length, together, others
):
    groups = chain(length + others, length=length)
    assert (len(set(groups.keeper[:length].tolist())) == 1) == together


def test_exact_copies_do_not_make_a_chain():
    contents = ["one"] * 200 + ["other"] * 200 + [str(i) for i in range(600)]
    groups = chain(1000, length=400, contents=contents)
    assert not groups.in_chain.any()
    assert len(set(groups.keeper[:400].tolist())) == 1


def test_exact_copies_in_a_chain_stay_together():
    contents = [str(i // 3) for i in range(1500)]
    held = chain(1500, length=900, contents=contents).held_out(0.3)
    np.testing.assert_array_equal(held[::3], held[1::3])
    np.testing.assert_array_equal(held[::3], held[2::3])
    assert 0 < held[:900].sum() < 900


def test_of_a_chain_only_exact_copies_are_dropped():
    contents = [str(i) for i in range(1000)]
    contents[7] = contents[3]
    groups = chain(1000, length=500, contents=contents)
    assert np.flatnonzero(~groups.kept("near")).tolist() == [7]


def test_a_small_group_may_be_held_out_however_few_photos_there_are():
    sides = set()
    for salt in range(20):
        groups = Groups.of(digests([f"{salt} {i}" for i in range(30)]), spread_hashes(30))
        sides.add(bool(groups.held_out(0.5)[0]))
    assert sides == {True, False}


def test_something_is_always_left_to_train_on():
    for salt in range(20):
        groups = Groups.of(digests([str(salt)]), spread_hashes(1))
        assert not groups.held_out(0.9).any()


@pytest.mark.parametrize(
    ("photos", "share"), [(10_000, 0.1), (240, 0.1), (100, 0.24), (40, 0.5)], ids=str
)
def test_of_few_photos_a_larger_share_is_held_out(photos, share):
    assert share_for(16, photos) == share
