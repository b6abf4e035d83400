"""What labels become, how often they are asked for, and what is no label to go by."""

import logging
import math

import numpy as np
import pytest
import torch

from facewright.conditions import MOST_COMBINATIONS, Conditioning
from facewright.errors import ConfigError
from facewright.rng import rng_for

COLUMNS = [
    {"name": "Male", "kind": "binary"},
    {"name": "race", "kind": "class", "classes": ["white", "black", "asian"]},
    {"name": "age", "kind": "number"},
]
BOTH = ["Male", "race"]
NAN = math.nan
VALUES = np.array([[1, 2]] * 6 + [[0, 0]] * 3 + [[0, NAN]], np.float32)


def told(names=BOTH, values=VALUES, columns=COLUMNS) -> Conditioning:
    return Conditioning.of(names, columns, values)


def test_a_vector_is_known_on_paper():
    found = told().encode(np.array([[1, 2], [0, 0], [0, NAN], [NAN, NAN]], np.float32))
    expected = torch.tensor([[1, 0, 0, 1], [-1, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 0.0]])
    torch.testing.assert_close(found, expected / math.sqrt(2))


def test_a_vector_has_length_1_where_everything_is_known():
    found = told().encode(np.array([[1, 2], [0, 1], [1, 0]], np.float32))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))


def test_no_labels_are_no_numbers_and_draw_nothing():
    rng = rng_for(0, 0, "test")
    assert Conditioning().size == 0
    assert Conditioning().draw(5, rng).shape == (5, 0)
    assert Conditioning().encode(np.zeros((5, 0), np.float32)).shape == (5, 0)
    assert torch.equal(torch.rand(3, generator=rng), torch.rand(3, generator=rng_for(0, 0, "test")))


def shares(conditioning: Conditioning, count=4000) -> dict[tuple[float, ...], float]:
    drawn = conditioning.draw(count, rng_for(0, 0, "shares"))
    rows, counts = torch.unique(drawn, dim=0, return_counts=True)
    return {tuple(row): n / count for row, n in zip(rows.tolist(), counts.tolist(), strict=True)}


def as_vector(*values: float) -> tuple[float, ...]:
    return tuple(told().encode(np.array([values], np.float32))[0].tolist())


def test_labels_are_drawn_together_as_often_as_photos_have_them():
    found = shares(told())
    assert found.keys() == {as_vector(1, 2), as_vector(0, 0), as_vector(0, NAN)}
    assert found[as_vector(1, 2)] == pytest.approx(0.6, abs=0.03)  # 4 standard errors
    assert found[as_vector(0, 0)] == pytest.approx(0.3, abs=0.03)


def test_what_is_not_asked_for_is_drawn_as_photos_like_these_have_it():
    assert shares(told().given(["Male=1"])) == {as_vector(1, 2): 1.0}
    found = shares(told().given(["Male=0"]))
    assert found[as_vector(0, 0)] == pytest.approx(0.75, abs=0.03)
    assert found[as_vector(0, NAN)] == pytest.approx(0.25, abs=0.03)


def test_what_no_photo_has_together_can_be_asked_for_and_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        found = shares(told().given(["Male=1", "race=black"]))
    assert found == {as_vector(1, 1): 1.0}
    assert "no training photo has Male=1 and race=black" in caplog.text


def test_the_same_numbers_draw_the_same_labels():
    one, other = (told().draw(20, rng_for(3, 0, "labels")) for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("male=1", "'Male'"),
        ("Male", "--label Male=1"),
        ("race", "--label race=asian"),
        ("Mael", "--label Male=1"),
        ("Male=2", "0 or 1"),
        ("Male=yes", "0 or 1"),
        ("race=whte", "'white'"),
        ("race=unknown", "one of asian, black, white"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_with_what_could_be(label, hint):
    with pytest.raises(ConfigError) as refusal:
        told().given([label])
    assert hint in str(refusal.value)


def test_a_label_is_asked_for_once():
    with pytest.raises(ConfigError, match=r"race=white --label race=black(.|\n)*each label once"):
        told().given(["race=white", "race=black"])


def test_a_model_without_labels_says_so():
    assert Conditioning().given([]).size == 0
    with pytest.raises(ConfigError, match="trained without labels"):
        Conditioning().given(["Male=1"])


@pytest.mark.parametrize(
    ("names", "values", "hint"),
    [
        (["Mael"], VALUES[:, :1], "'Male'"),
        (["age"], VALUES[:, :1], "words for ranges of age"),
        (["Male", "Male"], VALUES, "each label once"),
        (["Male"], np.full((4, 1), NAN, np.float32), "no training photo has a known 'Male'"),
        (["Male"], np.array([[0], [0.5]], np.float32), "0 and 1"),
        (["race"], np.array([[0], [3]], np.float32), "0 to 2"),
    ],
)
def test_what_is_no_label_to_go_by_is_refused(names, values, hint):
    with pytest.raises(ConfigError) as refusal:
        told(names, values)
    assert hint in str(refusal.value)


def test_a_name_that_could_not_be_asked_for_is_refused():
    column = {"name": "hair=x", "kind": "binary"}
    with pytest.raises(ConfigError, match="could not be asked for"):
        told(["hair=x"], np.ones((2, 1), np.float32), [column])


def test_a_store_without_labels_says_how_to_get_some():
    with pytest.raises(ConfigError) as refusal:
        told(["Male"], VALUES[:, :1], [])
    assert "--labels FILE.csv" in refusal.value.fix


def test_thousands_of_classes_are_too_many():
    names = [f"person {i}" for i in range(1001)]
    column = {"name": "identity", "kind": "class", "classes": names}
    with pytest.raises(ConfigError, match="1,001 of them of 'identity'"):
        told(["identity"], np.zeros((2, 1), np.float32), [column])


def test_how_much_is_unknown_is_known():
    assert told().unknown == {"race": pytest.approx(0.1)}


def test_of_very_many_combinations_some_thousand_stand_for_all(caplog):
    count, bits = 20_000, 16
    values = ((np.arange(count)[:, None] >> np.arange(bits)) & 1).astype(np.float32)
    columns = [{"name": f"bit {i}", "kind": "binary"} for i in range(bits)]
    found = told([c["name"] for c in columns], values, columns)
    assert len(found.combinations) == found.counts.sum() == MOST_COMBINATIONS
    found_means, means = found.combinations[:, :14].mean(axis=0), values[:, :14].mean(axis=0)
    assert np.allclose(found_means, means, atol=4 * 0.5 / math.sqrt(MOST_COMBINATIONS))
    remembered = {tuple(row) for row in found.combinations.astype(int).tolist()}
    photo = next(row for row in values.astype(int).tolist() if tuple(row) not in remembered)
    found.given([f"bit {i}={bit}" for i, bit in enumerate(photo)])
    assert "no photo among the 4,096 that this model remembers has bit 0=" in caplog.text
