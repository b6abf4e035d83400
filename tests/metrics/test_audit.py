"""The verdict: copies are found, honest generators are left in peace, small sets stay open."""

import json

import pytest
import torch

from facewright.errors import MetricError
from facewright.metrics.audit import audit
from facewright.metrics.closeness import AuditSpace
from tests.metrics.clouds import cloud, gaussian_space, holds


def small(seed: int, copied: float = 0.0, noise: float = 0.02, **sizes: int) -> AuditSpace:
    counts = {"train": 200, "val": 200, "fake": 250} | sizes
    return gaussian_space(seed, width=64, copied=copied, noise=noise, **counts)


def test_every_suspect_is_named_in_whichever_space_it_shows():
    copying, other = small(0), small(1)
    copying.fake[[3, 70]] = copying.train[[5, 6]] + 0.001
    other.fake[[70, 9]] = other.train[[0, 1]] + 0.001
    assert audit({"pixels": copying, "face": other}).suspects == (3, 9, 70)
    assert audit({"pixels": small(0)}).suspects == ()


def test_copies_in_one_of_two_spaces_are_enough():
    honest, copying = small(0), small(1, copied=0.1)
    found = audit({"pixels": honest, "face": copying})
    assert found.verdict == "copies found"
    assert len(found.reasons) == 1
    assert found.reasons[0].startswith("In face, 10.0% of the generated images and 0.0% of the")


def test_with_more_spaces_each_must_show_more():
    spaces = {"a": small(0), "b": small(1), "c": small(2)}
    one, three = audit({"a": spaces["a"]}), audit(spaces)
    assert one.spaces["a"].least_noticed < three.spaces["a"].least_noticed


def copies_among_few(copies: int) -> AuditSpace:
    # By Fisher's test with none of 50: of 50, 9 have p 0.0013, 10 have 0.0005.
    return small(0, copied=copies / 50, val=50, fake=50)


def test_the_verdict_turns_where_chance_falls_below_one_in_a_thousand():
    assert audit({"pixels": copies_among_few(9)}).verdict == "cannot tell"
    assert audit({"pixels": copies_among_few(10)}).verdict == "copies found"


@pytest.mark.parametrize("few", ["val", "fake"])
def test_with_too_few_images_it_cannot_tell(few):
    found = audit({"pixels": small(0, **{few: 12})})
    assert found.verdict == "cannot tell"
    assert "go unnoticed" in found.reasons[0]
    assert found.spaces["pixels"].least_noticed > 0.1


def test_altered_copies_leave_it_open():
    found = audit({"pixels": small(0, copied=0.15, noise=0.85)})
    assert found.verdict == "cannot tell"
    assert "among the closest of all" in found.reasons[0]
    assert found.spaces["pixels"].calibrated.fake.value < 0.02


def test_photos_held_out_that_have_twins_in_training_are_allowed_for():
    space = small(0, copied=0.1)
    space.val[:20] = space.train[50:70] + 0.01
    assert audit({"pixels": space}).verdict == "cannot tell"


def test_held_out_photos_and_generated_images_are_not_swapped():
    space = small(0, copied=0.1)
    assert audit({"a": AuditSpace(space.train, space.fake, space.val)}).verdict != "copies found"


def test_the_pairs_are_the_copies_with_their_photos():
    space = small(0)
    space.fake[30:50] = space.train[100:120] + torch.linspace(0.01, 0.2, 20)[:, None]
    pairs = audit({"pixels": space}).pairs
    assert [pair.fake for pair in pairs] == list(range(30, 46))
    assert [pair.train for pair in pairs] == list(range(100, 116))
    ratios = [pair.ratio for pair in pairs]
    assert ratios == sorted(ratios)
    assert 0 < ratios[0] < 0.02
    assert not any(pair.mirrored for pair in pairs)


def test_a_pair_says_that_its_photo_is_mirrored():
    space = small(0)
    mirrored = cloud(200, 64, 77)
    space.fake[5] = mirrored[7]
    found = audit({"a": AuditSpace(space.train, space.val, space.fake, mirrored)})
    first = found.pairs[0]
    assert (first.fake, first.train, first.mirrored, first.ratio) == (5, 7, True, 0)


def test_an_image_close_in_two_spaces_is_shown_once_where_it_is_closest():
    near, nearer = small(0), small(1)
    near.fake[3] = near.train[8] + 0.1
    nearer.fake[3] = nearer.train[9]
    for spaces in ({"a": near, "b": nearer}, {"a": nearer, "b": near}):
        pairs = audit(spaces).pairs
        assert [(p.train, p.ratio) for p in pairs if p.fake == 3] == [(9, 0)]
        assert len(pairs) == 16


def test_suspected_are_images_close_in_any_space():
    left, right = small(0, copied=0.1), small(1)
    right.fake[20:45] = right.train[20:45]
    found = audit({"left": left, "right": right})
    assert found.suspected.fake.value == pytest.approx(45 / 250)
    assert found.spaces["left"].calibrated.fake.value == pytest.approx(25 / 250)


def test_the_counts_are_those_of_the_sets():
    found = audit({"pixels": small(0, train=210, val=220, fake=230)})
    assert (found.n_train, found.n_val, found.n_fake) == (210, 220, 230)


def test_the_same_seed_gives_the_same_audit():
    assert audit({"a": small(0)}, seed=3) == audit({"a": small(0)}, seed=3)


def test_scripts_get_all_of_it_as_plain_json():
    found = audit({"pixels": small(0, copied=0.1)})
    fields = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert fields["verdict"] == "copies found"
    space = fields["spaces"]["pixels"]
    assert space["calibrated"]["fake"]["value"] == 0.1
    assert list(space["quantile_ratios"]) == ["1%", "5%", "50%"]
    assert space["authenticity"]["difference"]["value"] < 0
    assert fields["pairs"][0].keys() == {"fake", "train", "mirrored", "ratio"}


def test_plain_json_holds_even_for_two_images():
    found = audit({"pixels": small(0, val=2, fake=2)})
    assert found.verdict == "cannot tell"
    json.dumps(found.as_json(), allow_nan=False)


def test_a_clean_verdict_still_names_single_suspects():
    space = small(0)
    space.fake[:2] = space.train[:2]
    found = audit({"pixels": space})
    assert found.verdict == "no sign of copying"
    assert "2 of 250 generated images" in found.reasons[-1]


def test_spaces_that_cannot_be_judged_are_refused():
    with pytest.raises(MetricError, match="31 dimensions"):
        audit({"toy": gaussian_space(0, width=31, train=60, val=60, fake=60)})
    with pytest.raises(MetricError, match="2 different numbers"):
        audit({"a": small(0), "b": small(0, fake=60)})
    with pytest.raises(MetricError, match="no space"):
        audit({})


def test_an_honest_generator_is_not_flagged_at_any_of_20_seeds():
    verdicts = [audit({"pixels": small(seed)}).verdict for seed in range(20)]
    assert verdicts == ["no sign of copying"] * 20


@pytest.mark.parametrize("noise", [0.01, 0.02])
def test_replaying_a_tenth_is_flagged_at_each_of_20_seeds(noise):
    found = [audit({"pixels": small(seed, 0.1, noise)}) for seed in range(20)]
    assert [one.verdict for one in found] == ["copies found"] * 20
    assert all(one.suspected.fake.value == 0.1 for one in found)
    assert all(holds(one.suspected.difference, 0.1) for one in found)
