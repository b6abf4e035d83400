"""The user's model is run as its file says, and refused with the reason where it cannot be."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from facewright.errors import MetricError, MissingExtraError
from facewright.installation import install_extra
from facewright.metrics.extractors.build import _onnx_options
from facewright.metrics.extractors.onnx import Onnx

FLOAT, UINT8 = 1, 2  # element types in the ONNX format
Shape = list[int | str]

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 6, 6, 3), dtype=np.uint8)


def field(number: int, value: int | str | bytes) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def value_info(name: str, shape: Shape, kind: int = FLOAT) -> bytes:
    sides = b"".join(field(1, field(1 if isinstance(s, int) else 2, s)) for s in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, sides)))


def model(
    shape: Shape,
    *,
    operator: str = "Flatten",
    inputs: int = 1,
    outputs: tuple[str, ...] = ("features",),
    kind: int = FLOAT,
) -> bytes:
    """An ONNX file in which one operator after another reads the first input."""
    names = [f"images{number or ''}" for number in range(inputs)]
    nodes = b"".join(
        field(1, field(1, names[0]) + field(2, output) + field(4, operator)) for output in outputs
    )
    rank = {"Flatten": 2}.get(operator, len(shape))
    graph = nodes + field(2, "graph")
    graph += b"".join(field(11, value_info(name, shape, kind)) for name in names)
    open_shape: Shape = [f"side{number}" for number in range(rank)]
    graph += b"".join(field(12, value_info(output, open_shape, kind)) for output in outputs)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


@pytest.fixture
def written(tmp_path):
    def write(data: bytes) -> Path:
        path = tmp_path / "model.onnx"
        path.write_bytes(data)
        return path

    return write


def test_features_are_the_models_output_laid_flat(written):
    extractor = Onnx(written(model(["n", 3, 6, 6])), values="bytes")
    assert extractor.width == 3 * 6 * 6
    expected = torch.from_numpy(PIXELS).permute(0, 3, 1, 2).flatten(1).float()
    torch.testing.assert_close(extractor(PIXELS), expected)


def test_a_model_that_wants_channels_last_gets_them(written):
    features = Onnx(written(model(["n", 6, 6, 3])), values="bytes")(PIXELS)
    torch.testing.assert_close(features, torch.from_numpy(PIXELS).flatten(1).float())


def test_an_output_with_axes_is_laid_flat_too(written):
    extractor = Onnx(written(model(["n", 3, 6, 6], operator="GlobalAveragePool")), values="unit")
    expected = torch.from_numpy(PIXELS).double().mean(dim=(1, 2)) / 255
    torch.testing.assert_close(extractor(PIXELS), expected.float())


@pytest.mark.parametrize(
    ("values", "black", "white"),
    [
        ("bytes", [0, 0, 0], [255, 255, 255]),
        ("unit", [0, 0, 0], [1, 1, 1]),
        ("symmetric", [-1, -1, -1], [1, 1, 1]),
        # (0 - 0.485) / 0.229 and so on, as torchvision documents its models
        ("imagenet", [-2.1179, -2.0357, -1.8044], [2.2489, 2.4286, 2.6400]),
    ],
)
def test_each_convention_has_its_numbers_for_black_and_white(written, values, black, white):
    path = written(model(["n", 3, 6, 6], operator="GlobalAveragePool"))
    extremes = np.stack([np.zeros((6, 6, 3), np.uint8), np.full((6, 6, 3), 255, np.uint8)])
    expected = torch.tensor([black, white], dtype=torch.float32)
    torch.testing.assert_close(Onnx(path, values=values)(extremes), expected, atol=1e-4, rtol=0)


def test_imagenets_numbers_are_the_default(written):
    path = written(model(["n", 3, 6, 6]))
    assert Onnx(path).identity == Onnx(path, values="imagenet").identity


def test_images_are_resized_to_the_models_input(written):
    extractor = Onnx(written(model(["n", 3, 2, 3])), values="bytes")
    image = np.zeros((1, 2, 6, 3), np.uint8)
    image[:, :, 4:] = 90
    features = extractor(image).view(3, 2, 3)
    # Antialiased halving: a tent over four pixels weighs 1, 3, 3, 1; the last has no fourth.
    expected = torch.tensor([0, 90 / 8, 90 * 6 / 7])
    torch.testing.assert_close(features[0, 0], expected, atol=1e-3, rtol=0)


def test_an_open_size_must_be_named_and_is_then_used(written):
    path = written(model(["n", 3, "height", "width"]))
    with pytest.raises(MetricError, match="takes images of any size"):
        Onnx(path)
    assert Onnx(path, size=(4, 5)).width == 3 * 4 * 5


def test_a_size_that_the_model_does_not_take_is_refused(written):
    with pytest.raises(MetricError) as caught:
        Onnx(written(model(["n", 3, 6, 6])), size=(8, 8))
    assert caught.value.what == "size (8, 8)"
    assert caught.value.expected.startswith("(6, 6), the only one")


def test_a_fixed_batch_is_filled_up_and_cut_again(written):
    path = written(model([2, 3, 6, 6]))
    extractor = Onnx(path, values="bytes")
    assert extractor.batch == 2
    assert extractor.embed(PIXELS[:1]).shape == (1, 3 * 6 * 6)
    expected = torch.from_numpy(PIXELS).permute(0, 3, 1, 2).flatten(1).float()
    torch.testing.assert_close(extractor(PIXELS), expected)


def test_a_gray_model_refuses_colour(written):
    extractor = Onnx(written(model(["n", 1, 6, 6])), values="unit")
    assert extractor(PIXELS[..., :1]).shape == (5, 36)
    with pytest.raises(MetricError) as caught:
        extractor(PIXELS)
    assert caught.value.what == "3 channels"


def test_imagenets_numbers_are_refused_for_a_gray_model(written):
    with pytest.raises(MetricError, match="takes gray images"):
        Onnx(written(model(["n", 1, 6, 6])))


def test_the_identity_names_file_size_values_and_output(written):
    data = model(["n", 3, 6, 6])
    extractor = Onnx(written(data), values="unit")
    digest = hashlib.sha256(data).hexdigest()
    assert extractor.identity == f"onnx/6x6-bilinear-unit-features@{digest[:12]}"


def test_one_of_several_outputs_has_to_be_chosen(written):
    path = written(model(["n", 3, 6, 6], outputs=("logits", "features")))
    with pytest.raises(MetricError) as caught:
        Onnx(path)
    assert caught.value.expected == "one of logits, features"
    assert Onnx(path, output="features").identity != Onnx(path, output="logits").identity
    with pytest.raises(MetricError, match="no output 'feature'"):
        Onnx(path, output="feature")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (model(["n", 3, 6, 6], inputs=2), "has 2 inputs (images, images1)"),
        (model(["n", 4, 6, 6]), "takes tensor(float) of shape ['n', 4, 6, 6]"),
        (model(["n", 3]), "takes tensor(float) of shape ['n', 3]"),
        (model(["n", 3, 6, 6], kind=UINT8), "takes tensor(uint8)"),
        (b"no model at all", "model.onnx: "),
        (b"", "model.onnx: "),
    ],
)
def test_what_is_no_image_model_is_refused_with_what_it_is(written, data, text):
    with pytest.raises(MetricError) as caught:
        Onnx(written(data))
    assert text in caught.value.what
    assert caught.value.expected


def test_an_output_that_is_not_one_entry_for_each_image_is_refused(written):
    with pytest.raises(MetricError) as caught:
        Onnx(written(model(["n", 3, 6, 6], operator="Transpose")))
    assert caught.value.what == "output 'features' of shape (6, 6, 3, 1) for 1 images"
    assert caught.value.expected == "one entry for each image"


def test_a_size_on_which_the_model_fails_is_refused_with_its_own_words(written):
    path = written(model(["n", 3, "height", "width"], operator="DepthToSpace"))
    with pytest.raises(MetricError) as caught:
        Onnx(path, size=(4, 4))
    assert "model" in caught.value.what


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MetricError, match="No such file"):
        Onnx(tmp_path / "none.onnx")


def test_without_onnxruntime_the_extra_is_named(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError) as caught:
        Onnx(written(model(["n", 3, 6, 6])))
    assert caught.value.fix == install_extra("onnx")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", {}),
        ("size=224", {"size": (224, 224)}),
        ("size=32x48&values=unit", {"size": (32, 48), "values": "unit"}),
    ],
)
def test_options_stand_behind_the_name(text, options):
    assert _onnx_options(text) == options


@pytest.mark.parametrize("text", ["sise=3", "size=big"])
def test_options_that_mean_nothing_are_refused(text):
    with pytest.raises(MetricError):
        _onnx_options(text)
