"""A bundle comes back as it was written, or not at all."""

import json
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import torch
from safetensors.torch import load_file, save_file

from facewright.conditions import Conditioning, Label
from facewright.config import ModelConfig
from facewright.errors import BundleError
from facewright.models import bundle
from facewright.models.bundle import KEY, content_hash, halved
from facewright.models.open_model import open_model
from facewright.networks.build import build_discriminator
from tests.models.examples import ABOUT, MODEL, SHAPE, networks, write_bundle


@pytest.fixture
def file(tmp_path) -> Path:
    return write_bundle(tmp_path / "tiny.safetensors")


def forged(file: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The same bundle saying something else of itself, with a hash that fits."""
    with safetensors.safe_open(file, "pt") as opened:
        label = json.loads(opened.metadata()[KEY])
    change(label["about"])
    tensors = load_file(file)
    label["sha256"] = content_hash(label["about"], tensors)
    save_file(tensors, file, {KEY: json.dumps(label)})
    return file


def test_what_was_written_comes_back(file):
    found = bundle.read(file)
    assert found.about == ABOUT
    assert found.networks.keys() == {"generator"}
    written = networks()["generator"]
    assert found.networks["generator"].keys() == written.keys()
    for name, tensor in found.networks["generator"].items():
        if tensor.ndim > 1:
            assert tensor.dtype == torch.float32
            torch.testing.assert_close(tensor, written[name], rtol=2**-11, atol=1e-7)
        else:
            assert torch.equal(tensor, written[name])


def test_settings_that_are_lists_come_back_too(tmp_path):
    model = ModelConfig(name="resnext", widths=(16, 16))
    place = write_bundle(tmp_path / "x.safetensors", model=model)
    assert bundle.read(place).about.model == model


def test_labels_come_back_and_a_bundle_without_any_says_nothing_of_them(file, tmp_path):
    told = Conditioning(
        (Label("Smiling"),), np.array([[1], [np.nan]], np.float32), np.array([3, 1])
    )
    place = write_bundle(tmp_path / "x.safetensors", conditioning=told)
    assert bundle.read(place).about.conditioning.as_json() == told.as_json()
    assert bundle.read(file).about.conditioning.size == 0
    assert "conditions" not in ABOUT.as_json()


def test_labels_that_do_not_fit_together_are_refused(tmp_path):
    told = Conditioning((Label("Smiling"),), np.array([[1]], np.float32), np.array([3]))
    place = write_bundle(tmp_path / "x.safetensors", conditioning=told)
    forged(place, lambda about: about["conditions"].update(counts=[0]))
    with pytest.raises(BundleError, match=r"conditions\.counts"):
        bundle.read(place)


@pytest.mark.parametrize("field", ["conditions", "card"])
def test_what_is_nested_deeper_than_any_bundle_is_refused(file, tmp_path, field):
    nested: list[Any] = []
    for _ in range(100):
        nested = [nested]
    place = tmp_path / "deep.safetensors"
    place.write_bytes(file.read_bytes())
    forged(place, lambda about: about.update({field: nested}))
    with pytest.raises(BundleError, match="nested too deeply"):
        bundle.read(place)


@pytest.mark.parametrize(("shape", "columns"), [((64, 3), "3"), ((64, 1, 1), "1, 1"), ((), "")])
def test_weights_for_other_conditions_than_the_labels_are_refused(tmp_path, shape, columns):
    told = Conditioning((Label("Smiling"),), np.array([[1]], np.float32), np.array([3]))
    place = tmp_path / "x.safetensors"
    other = {"generator": {**networks()["generator"], "embed.weight": torch.zeros(shape)}}
    refused = re.escape(f"the generator has weights for [{columns}] conditions")
    for about in (ABOUT, replace(ABOUT, conditioning=told)):
        bundle.write(place, about, other)
        with pytest.raises(BundleError, match=refused):
            bundle.read(place)
    bundle.write(place, replace(ABOUT, conditioning=told), networks())
    with pytest.raises(BundleError, match=r"\[0\] conditions(.|\n)*the labels' 1"):
        bundle.read(place)


def judge(normalisation: str) -> dict[str, dict[str, torch.Tensor]]:
    """First weights of a player that is told one label."""
    model, rng = replace(MODEL, normalisation=normalisation), torch.Generator().manual_seed(0)
    return {"discriminator": build_discriminator(model, SHAPE, rng, 1).state_dict()}


@pytest.mark.parametrize("normalisation", ["none", "spectral"])
def test_a_judge_with_labels_comes_back_however_it_is_normalised(tmp_path, normalisation):
    told = Conditioning((Label("Smiling"),), np.array([[1]], np.float32), np.array([3]))
    written = {**networks(conditions=1), **judge(normalisation)}
    place = tmp_path / "x.safetensors"
    bundle.write(place, replace(ABOUT, conditioning=told), written)
    found = bundle.read(place).networks["discriminator"]
    assert found.keys() == written["discriminator"].keys()


@pytest.mark.parametrize("normalisation", ["none", "spectral"])
def test_a_judge_of_other_labels_is_refused_however_it_is_normalised(tmp_path, normalisation):
    place = tmp_path / "x.safetensors"
    bundle.write(place, ABOUT, {**networks(), **judge(normalisation)})
    with pytest.raises(BundleError, match=r"discriminator has weights for \[1\] conditions"):
        bundle.read(place)


def test_more_blocks_than_the_file_has_weights_for_are_not_built(file):
    tensors = len(load_file(file))
    half = tensors // 2 + 1
    claim = {"name": "resnext", "widths": [8, 8], "blocks": half}
    forged(file, lambda about: about["model"].update(claim))
    with pytest.raises(BundleError, match=f"{2 * half} blocks, and {tensors} tensors for them"):
        bundle.read(file)


def test_nothing_but_the_content_decides_the_bytes(file, tmp_path):
    again = write_bundle(tmp_path / "again.safetensors")
    assert again.read_bytes() == file.read_bytes()
    assert write_bundle(again, seed=1).read_bytes() != file.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_matrices_are_halved_and_vectors_and_counters_are_not():
    third = torch.tensor([1 / 3])
    assert halved("w", third[None])[0].item() == 0.333251953125  # 1365 / 4096
    assert halved("w", third[None]).dtype == torch.float16
    assert torch.equal(halved("bias", third), third)
    counter = torch.tensor(100_001)
    assert torch.equal(halved("count", counter), counter)


@pytest.mark.parametrize("number", [70_000.0, float("nan"), float("-inf")])
def test_numbers_that_half_precision_cannot_hold_are_refused(number):
    with pytest.raises(BundleError, match=r"layer\.weight"):
        halved("layer.weight", torch.full((2, 2), number))


def test_a_changed_byte_is_noticed_wherever_it_is(file):
    content = file.read_bytes()
    places = np.linspace(0, len(content) - 1, 150).astype(int)
    unnoticed = []
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1
        file.write_bytes(changed)
        try:
            bundle.read(file)
        except BundleError:
            continue
        unnoticed.append(place)
    assert unnoticed == []


def test_a_file_cut_short_is_refused(file):
    content = file.read_bytes()
    for length in (0, 4, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        with pytest.raises(BundleError, match="no bundle"):
            bundle.read(file)


def test_other_files_are_refused_by_name(tmp_path):
    place = tmp_path / "x.safetensors"
    with pytest.raises(BundleError, match="does not exist"):
        bundle.read(place)
    place.write_text("hello")
    with pytest.raises(BundleError, match="no bundle"):
        bundle.read(place)
    save_file({"weight": torch.zeros(2)}, place)
    with pytest.raises(BundleError, match="another format"):
        bundle.read(place)
    place.write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
    with pytest.raises(BundleError, match="no bundle"):
        bundle.read(place)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.update(shap=[1]), r"unknown field .*\.shap"),
        (lambda a: a.pop("shape"), "lacks shape"),
        (lambda a: a.update(shape=[3, 16]), "3 values"),
        (lambda a: a.update(shape=[3, 16, 10**9]), "images of shape"),
        (lambda a: a.update(shape=[2, 16, 16]), "images of shape"),
        (lambda a: a["model"].update(widht=4), r"unknown setting model\.widht"),
        (lambda a: a["model"].update(z_dim="8"), r"model\.z_dim = '8'"),
        (lambda a: a["model"].update(name="evil"), r"model\.name = 'evil'"),
        (lambda a: a["card"].update(forced=1), r"card\.forced = 1"),
        (lambda a: a["card"]["photos"].update(licence=None), r"photos\.licence"),
        (lambda a: a["card"]["scores"][0].update(value="good"), r"scores\[0\]\.value"),
        (lambda a: a["card"].update(attributes={}), r"card\.attributes"),
        (lambda a: a.update(card=[]), "an object"),
    ],
)
def test_a_forged_description_is_refused_with_the_place(file, change, message):
    refusal = None
    try:
        bundle.read(forged(file, change))
    except Exception as error:
        refusal = error
    assert isinstance(refusal, BundleError)  # whatever a file says, reading it never crashes
    assert re.search(message, str(refusal))


@pytest.mark.parametrize("width", [5, 10**5, 10**12, 10**30])
def test_a_network_that_the_weights_do_not_fit_is_refused_before_it_takes_memory(file, width):
    forged(file, lambda about: about["model"].update(width=width))
    with pytest.raises(BundleError, match=r"tiny\.safetensors"):
        _ = open_model(file).generator


def test_a_generator_must_be_in_it_and_nothing_unknown(tmp_path):
    place = tmp_path / "x.safetensors"
    weights = networks()["generator"]
    bundle.write(place, ABOUT, {"painter": weights})
    with pytest.raises(BundleError, match=r"painter\."):
        bundle.read(place)
    bundle.write(place, ABOUT, {"discriminator": weights})
    with pytest.raises(BundleError, match="no generator"):
        bundle.read(place)
    bundle.write(place, ABOUT, {"generator": {"w": torch.zeros(2, dtype=torch.float64)}})
    with pytest.raises(BundleError, match="float64"):
        bundle.read(place)
    bundle.write(place, ABOUT, {"generator": weights, "discriminator": {"w": torch.ones(2, 2)}})
    assert bundle.read(place).networks["discriminator"]["w"].sum() == 4
