"""Data from outside is what its dataclass says, or it is refused with its place and the remedy."""

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal, NotRequired, TypedDict

import pytest

from facewright.errors import BundleError, ConfigError, FacewrightError
from facewright.schema import Bound, Number, WholeNumber, Wording, parsed


@dataclass(frozen=True)
class Part:
    name: str
    kind: Literal["small", "large"] = "small"


@dataclass(frozen=True)
class Whole:
    count: Annotated[int, Bound(1, below=10)]
    share: Annotated[float, Bound(0, at_most=1)] = 0.5
    parts: tuple[Part, ...] = ()
    size: tuple[int, int] = (1, 1)
    note: str | None = None
    sums: dict[str, float] = field(default_factory=dict)
    side: Literal[1, 3] = 1


def test_what_is_allowed_is_read_as_its_types_say():
    value = {"count": 9, "share": 1, "parts": [{"name": "a"}], "size": [2, 3], "sums": {"x": 1}}
    whole = parsed(Whole, value, "f")
    assert whole == Whole(9, 1.0, (Part("a"),), (2, 3), None, {"x": 1.0})
    assert type(whole.share) is type(whole.sums["x"]) is float


@pytest.mark.parametrize(
    ("change", "what", "expected"),
    [
        ({"cuont": 1}, "unknown field f.cuont", "did you mean 'count'?"),
        ({"count": True}, "f.count = True", "a value of type int"),
        ({"count": 1.0}, "f.count = 1.0", "a value of type int"),
        ({"count": "1"}, "f.count = '1'", "a value of type int"),
        ({"count": 0}, "f.count = 0", "at least 1"),
        ({"count": 10}, "f.count = 10", "below 10"),
        ({"share": 1.5}, "f.share = 1.5", "at most 1"),
        ({"share": math.nan}, "f.share = nan", "a finite number"),
        ({"sums": {"x": math.inf}}, "f.sums.x = inf", "a finite number"),
        ({"sums": [1]}, "f.sums = [1]", "an object"),
        ({"parts": "a"}, "f.parts = 'a'", 'a list, such as [1, 2] or ["a"]'),
        ({"parts": [{}]}, "f.parts[0] lacks name", "all fields"),
        ({"parts": [3]}, "f.parts[0] = 3", "an object"),
        (
            {"parts": [{"name": "a", "kind": "smal"}]},
            "f.parts[0].kind = 'smal'",
            "did you mean 'small'?",
        ),
        ({"side": True}, "f.side = True", "one of 1, 3"),
        ({"side": 2}, "f.side = 2", "one of 1, 3"),
        ({"size": [1]}, "f.size = [1]", "2 values"),
        ({"note": 3}, "f.note = 3", "a value of type str"),
        ({"note": ["x" * 1000]}, "f.note = ['" + "x" * 58, "a value of type str"),
    ],
)
def test_a_mistake_is_named_with_its_place(change, what, expected):
    with pytest.raises(BundleError) as refusal:
        parsed(Whole, {"count": 1} | change, "f")
    assert (refusal.value.what, refusal.value.expected) == (what, expected)


def test_a_refusal_is_worded_for_its_reader():
    with pytest.raises(FacewrightError) as refusal:
        parsed(Whole, {"cuont": 1}, "f", Wording(ConfigError, "", "setting", "recipe.toml"))
    assert isinstance(refusal.value, ConfigError)
    assert refusal.value.what == "unknown setting f.cuont in recipe.toml"


@pytest.mark.parametrize(
    ("value", "demand"), [(0, "at least 1"), (1, ""), (5, ""), (6, "at most 5"), (7, "at most 5")]
)
def test_a_bound_includes_its_ends(value, demand):
    assert Bound(1, at_most=5).demand(value) == demand


@pytest.mark.parametrize(("value", "demand"), [(0.999, ""), (1, "below 1")])
def test_values_below_a_bound_do_not_include_it(value, demand):
    assert Bound(below=1).demand(value) == demand


class Noted(TypedDict):
    name: str
    loss: Number
    step: NotRequired[WholeNumber]
    parts: NotRequired[list[Part]]


def test_a_typed_mapping_lets_other_fields_stand_beside_its_own():
    value = {"name": "a", "loss": 1, "later": [1], "step": 2**53}
    assert parsed(Noted, value, "f") == value
    assert parsed(Noted, value | {"loss": math.inf}, "f")["loss"] == math.inf
    assert math.isnan(parsed(Noted, value | {"loss": math.nan}, "f")["loss"])
    assert parsed(Noted, value | {"parts": [{"name": "b"}]}, "f").get("parts") == [Part("b")]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"loss": "1"}, "f.loss = '1'"),
        ({"loss": True}, "f.loss = True"),
        ({"step": -1}, "f.step = -1"),
        ({"step": 2**53 + 1}, f"f.step = {2**53 + 1}"),
        ({"step": None}, "f.step = None"),
        ({"parts": {"name": "b"}}, "f.parts = {'name': 'b'}"),
        ({"parts": [{"name": "b"}, 3]}, "f.parts[1] = 3"),
    ],
)
def test_the_fields_that_a_typed_mapping_names_are_checked(change, what):
    with pytest.raises(BundleError) as refused:
        parsed(Noted, {"name": "a", "loss": 1.0} | change, "f")
    assert refused.value.what == what


def test_a_typed_mapping_demands_what_is_required_only():
    with pytest.raises(BundleError, match="f lacks loss, name"):
        parsed(Noted, {"step": 1}, "f")


def test_a_name_as_long_as_a_file_is_cut_short():
    with pytest.raises(BundleError) as refused:
        parsed(Whole, {"count": 1, "x" * 10**6: 1}, "f")
    assert len(str(refused.value)) < 300


def test_a_number_without_end_is_refused_where_one_with_a_point_stands():
    with pytest.raises(BundleError, match=r"f\.loss = 1000"):
        parsed(Noted, {"name": "a", "loss": 10**400}, "f")
