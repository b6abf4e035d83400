"""The forward pass equals torch's own transformer layers; other weights are refused by name."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import interpolate

from facewright.errors import MetricError
from facewright.metrics.extractors.dinov2 import (
    DEPTHS,
    DinoV2,
    checked,
    class_token,
    positions,
    shapes,
)

WIDTH = 384
PHOTO = np.random.default_rng(0).integers(0, 256, (2, 20, 20, 3), dtype=np.uint8)


def random_weights(width: int = WIDTH) -> dict[str, Tensor]:
    """Weights at which every part of the network matters."""
    rng = torch.Generator().manual_seed(0)
    weights = {}
    for name, shape in shapes(width, DEPTHS[width]).items():
        weights[name] = torch.randn(shape, generator=rng) * (0.3 if len(shape) == 1 else 0.05)
        if name.endswith(("norm.weight", "norm1.weight", "norm2.weight")):
            weights[name] += 1
    return weights


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return random_weights()


@pytest.fixture
def stored(tmp_path, weights) -> Path:
    torch.save(weights, tmp_path / "dinov2_vits14_pretrain.pth")
    return tmp_path / "dinov2_vits14_pretrain.pth"


def torchs_own_class_token(weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """The same network out of nn.TransformerEncoderLayer; scales go into the last matrices."""
    width = weights["cls_token"].shape[2]
    patches = nn.functional.unfold(images, 14, stride=14).transpose(1, 2)
    patches = patches @ weights["patch_embed.proj.weight"].flatten(1).T
    patches = patches + weights["patch_embed.proj.bias"]
    tokens = torch.cat([weights["cls_token"].expand(len(images), -1, -1), patches], 1)
    tokens = tokens + positions(weights["pos_embed"], images.shape[-1] // 14)
    for number in range(DEPTHS[width]):
        block = {k.removeprefix(f"blocks.{number}."): v for k, v in weights.items()}
        layer = nn.TransformerEncoderLayer(
            width, width // 64, 4 * width, 0.0, "gelu", 1e-6, batch_first=True, norm_first=True
        )
        first, second = block["ls1.gamma"], block["ls2.gamma"]
        state = {
            "self_attn.in_proj_weight": block["attn.qkv.weight"],
            "self_attn.in_proj_bias": block["attn.qkv.bias"],
            "self_attn.out_proj.weight": first[:, None] * block["attn.proj.weight"],
            "self_attn.out_proj.bias": first * block["attn.proj.bias"],
            "linear1.weight": block["mlp.fc1.weight"],
            "linear1.bias": block["mlp.fc1.bias"],
            "linear2.weight": second[:, None] * block["mlp.fc2.weight"],
            "linear2.bias": second * block["mlp.fc2.bias"],
        }
        for norm in ("norm1", "norm2"):
            state |= {f"{norm}.{part}": block[f"{norm}.{part}"] for part in ("weight", "bias")}
        layer.load_state_dict(state)
        tokens = layer.eval()(tokens)
    norm = nn.LayerNorm(width, eps=1e-6)
    norm.load_state_dict({"weight": weights["norm.weight"], "bias": weights["norm.bias"]})
    return norm(tokens)[:, 0]


def test_the_class_token_is_what_torchs_own_layers_compute(weights):
    images = torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours, theirs = class_token(weights, images), torchs_own_class_token(weights, images)
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)
    assert not torch.allclose(ours[0], ours[1], atol=0.1)


def test_the_extractor_resizes_normalises_and_gives_that_token(weights, stored):
    features = DinoV2(stored)(PHOTO)
    large = np.stack(
        [np.asarray(Image.fromarray(p).resize((224, 224), Image.Resampling.BICUBIC)) for p in PHOTO]
    )
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    images = ((torch.from_numpy(large) / 255 - mean) / deviation).permute(0, 3, 1, 2)
    with torch.no_grad():
        expected = torchs_own_class_token(weights, images)
    assert features.shape == (2, WIDTH)
    # Pillow rounds a few pixels the other way.
    torch.testing.assert_close(features, expected, atol=5e-3, rtol=1e-2)


def test_positions_of_the_trained_grid_are_used_as_they_are(weights):
    assert torch.equal(positions(weights["pos_embed"], 37), weights["pos_embed"])


def test_positions_are_resized_over_the_picture_and_the_class_token_keeps_its_own():
    # The learned values are the rows of the grid, so the resized ones are where they look.
    grid = torch.arange(37.0).view(1, 37, 1).expand(1, 37, 37).reshape(1, 37 * 37, 1)
    resized = positions(torch.cat([torch.full((1, 1, 1), -5.0), grid], dim=1), 16)
    assert resized.shape == (1, 1 + 16 * 16, 1)
    assert float(resized[0, 0, 0]) == -5
    rows = resized[0, 1:, 0].view(16, 16)
    torch.testing.assert_close(rows, rows[:, :1].expand(16, 16))
    # The official scale is 16.1 / 37: cell i looks at (i + 0.5) * 37 / 16.1 - 0.5.
    inner = torch.arange(2.0, 14)
    torch.testing.assert_close(rows[2:14, 0], (inner + 0.5) * 37 / 16.1 - 0.5, atol=0.1, rtol=0)


def test_resized_positions_differ_from_those_of_the_plain_size(weights):
    plain = weights["pos_embed"][:, 1:].view(1, 37, 37, WIDTH).permute(0, 3, 1, 2)
    plain = interpolate(plain, size=(16, 16), mode="bicubic").flatten(2).transpose(1, 2)
    assert not torch.allclose(positions(weights["pos_embed"], 16)[:, 1:], plain, atol=1e-3)


def test_the_file_gives_the_identity(stored):
    digest = hashlib.sha256(stored.read_bytes()).hexdigest()
    assert DinoV2(stored).identity == f"dinov2/224-bicubic-fp32@{digest[:12]}"


def test_safetensors_hold_the_same_network(tmp_path, weights, stored):
    save_file(weights, tmp_path / "small.safetensors")
    assert torch.equal(DinoV2(tmp_path / "small.safetensors")(PHOTO[:1]), DinoV2(stored)(PHOTO[:1]))


def test_the_official_mask_token_is_not_missed_and_not_refused(weights):
    assert checked(weights | {"mask_token": torch.zeros(1, WIDTH)}, Path("w")).keys() == (
        weights.keys()
    )


def test_half_precision_weights_are_computed_with_in_float32(weights):
    halves = {name: tensor.half() for name, tensor in weights.items()}
    assert {tensor.dtype for tensor in checked(halves, Path("w")).values()} == {torch.float32}


@pytest.mark.parametrize(("width", "millions"), [(384, 22.06), (768, 86.58), (1024, 304.37)])
def test_each_size_has_as_many_parameters_as_published(width, millions):
    count = sum(int(np.prod(shape)) for shape in shapes(width, DEPTHS[width]).values())
    assert count / 1e6 == pytest.approx(millions, abs=0.01)


def without(name: str):
    return lambda weights: {k: v for k, v in weights.items() if k != name}


@pytest.mark.parametrize(
    ("change", "what", "expected"),
    [
        (without("norm.bias"), "w: norm.bias is missing", "(384,)"),
        (without("cls_token"), "w is not DINOv2 of a known size", "the official names"),
        (
            lambda w: w | {"register_tokens": torch.zeros(1, 4, WIDTH)},
            "w: register_tokens is (1, 4, 384)",
            "no such tensor",
        ),
        (
            lambda w: w | {"blocks.3.attn.qkv.weight": torch.zeros(WIDTH, WIDTH)},
            "w: blocks.3.attn.qkv.weight is (384, 384)",
            "(1152, 384)",
        ),
        (lambda w: w | {"cls_token": torch.zeros(1, 1, 1536)}, "w is not DINOv2", "without regis"),
    ],
)
def test_other_weights_are_refused_by_the_name_of_what_differs(weights, change, what, expected):
    with pytest.raises(MetricError) as caught:
        checked(change(weights), Path("w"))
    assert caught.value.what.startswith(what)
    assert caught.value.expected.startswith(expected) or expected in caught.value.expected


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_a_file_without_tensors_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(MetricError) as caught:
        DinoV2(tmp_path / name)
    assert caught.value.expected == "tensors, as .pth or .safetensors"


def test_a_pickle_that_holds_more_than_tensors_is_not_run(tmp_path):
    torch.save({"model": nn.Linear(1, 1)}, tmp_path / "whole.pth")
    with pytest.raises(MetricError):
        DinoV2(tmp_path / "whole.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(MetricError, match="holds no tensors by name"):
        DinoV2(tmp_path / "list.pth")


def test_weights_that_are_not_there_are_named_with_where_to_get_them(tmp_path):
    with pytest.raises(MetricError) as caught:
        DinoV2(tmp_path / "none.pth")
    assert "none.pth: No such file" in caught.value.what
    assert "dinov2_vitb14_pretrain.pth" in caught.value.fix
