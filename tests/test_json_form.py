"""JSON that every reader accepts, also with numbers that are not finite."""

import json
import math

import pytest

from facewright.json_form import dumps, plain, restored


def test_infinity_and_nan_are_words_at_any_depth():
    table = {"a": [1.0, -math.inf], "b": {"c": (math.inf, None)}, "d": "inf", "e": True}
    assert plain(table) == {"a": [1.0, "-inf"], "b": {"c": ["inf", None]}, "d": "inf", "e": True}
    assert json.loads(dumps({"x": math.nan}), parse_constant=pytest.fail) == {"x": "nan"}


def test_what_was_written_is_given_back():
    table = {"a": [1.5, -math.inf], "b": {"c": math.inf}, "d": "words", "e": None, "f": 3}
    assert restored(json.loads(dumps(table))) == table
    assert math.isnan(restored(["nan"])[0])
