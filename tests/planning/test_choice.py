"""The recipe's size and device, matched with the photos' size and this device."""

import numpy as np
import pytest

from facewright.data.store import Store
from facewright.errors import ConfigError
from facewright.planning.choice import StoreSummary, candidates
from facewright.planning.measured import Table
from tests.planning.conftest import entry, photos, recipe
from tests.stores import write_photos, write_store

TABLE = Table(
    (
        entry("cpu-28"),
        entry("cpu-28-too"),
        entry("cpu-32", size=32),
        entry("gpu-64", size=64, device="cuda"),
        entry("gpu-128", size=128, device="cuda"),
        entry("digits-28", kind="digits"),
    ),
    {},
)
RESIDUAL = recipe("model.name=resnext", "model.widths=[32, 32, 32, 32]", "model.group_width=8")
CONFIGS = dict.fromkeys((e.name for e in TABLE.recipes), recipe())
CONFIGS |= {"gpu-64": RESIDUAL, "gpu-128": RESIDUAL}  # sides that are multiples of 8


def chosen(size: int, device: str, kind: str = "faces", width: int | None = None) -> list[str]:
    shape = (3, size, width or size)
    found = candidates(photos(shape=shape, kind=kind), device, TABLE, CONFIGS)
    return [one.name for one in found]


@pytest.mark.parametrize(
    ("size", "device", "names"),
    [
        (28, "cpu", ["cpu-28", "cpu-28-too"]),
        (32, "cpu", ["cpu-32"]),
        (31, "cpu", ["cpu-32"]),
        (29, "cpu", ["cpu-28", "cpu-28-too"]),
        (64, "cpu", ["cpu-32"]),
        (28, "cuda", ["cpu-28", "cpu-28-too"]),
        (40, "cuda", ["cpu-32"]),
        (64, "cuda", ["gpu-64"]),
        (80, "cuda", ["gpu-64"]),
        (96, "cuda", ["gpu-128"]),
        (100, "cuda", ["cpu-32"]),
        (256, "cuda", ["gpu-128"]),
    ],
)
def test_the_nearest_size_that_can_be_built_and_that_suits_the_device(size, device, names):
    assert chosen(size, device) == names


def test_of_recipes_for_one_size_a_gpu_gets_what_was_made_for_it():
    table = Table((entry("slow", size=64), entry("fast", size=64, device="cuda")), {})
    configs = {"slow": recipe(), "fast": recipe()}
    for device, name in (("cpu", "slow"), ("cuda", "fast")):
        found = candidates(photos(shape=(3, 64, 64)), device, table, configs)
        assert [one.name for one in found] == [name]


def test_a_cpu_gets_a_recipe_for_gpus_where_nothing_else_can_be_built():
    table = Table((entry("huge", size=64, device="cuda"),), {})
    assert candidates(photos(), "cpu", table, {"huge": recipe()}) == list(table.recipes)


def test_digits_get_the_recipe_for_digits():
    assert chosen(28, "cpu", kind="digits") == ["digits-28"]


def test_the_size_of_a_rectangle_is_that_of_a_square_with_as_many_pixels():
    assert photos(shape=(3, 16, 64)).size == 32
    assert chosen(32, "cpu", width=24) == ["cpu-28", "cpu-28-too"]


def test_a_size_that_no_recipe_can_have_is_refused_with_those_that_can():
    with pytest.raises(ConfigError) as refusal:
        chosen(8, "cpu", kind="digits")
    assert "digits of 8x8" in refusal.value.what
    assert "28 px" in refusal.value.expected
    assert "64" not in refusal.value.expected


def test_a_store_says_how_many_photos_of_what_size_it_has(tmp_path):
    store = write_store(tmp_path / "blobs", count=96, size=16)
    found = StoreSummary.of(Store.open(store))
    assert (found.count, found.held_out, found.shape, found.kind) == (72, 24, (3, 16, 16), "faces")
    gray = np.random.default_rng(0).random((40, 28, 28, 1))
    assert StoreSummary.of(Store.open(write_photos(tmp_path / "noise", gray, {}))).kind == "faces"
