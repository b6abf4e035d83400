"""DINOv2 in plain torch, for users who have its weights."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import (
    conv2d,
    gelu,
    interpolate,
    layer_norm,
    linear,
    scaled_dot_product_attention,
)

from facewright.errors import MetricError
from facewright.metrics.extractors.base import Extractor

Weights = dict[str, Tensor]

PATCH, SIDE, HEAD = 14, 224, 64
"""Pixels of a patch, pixels of the input, channels of an attention head in every size."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

DEPTHS = {384: 12, 768: 12, 1024: 24}
"""Blocks by width: ViT-S/14, ViT-B/14, ViT-L/14."""


class DinoV2(Extractor):
    """Features of a network that was trained on images without labels.

    Stein et al. recommend them instead of Inception's: the Fréchet distance in them
    ("FD-DINOv2") agrees better with human ratings.

    Args:
        weights: the official checkpoint (dinov2_vits14_pretrain.pth, or vitb14, vitl14; its
            key names), as .pth or .safetensors. The size is read from the tensors.

    Raises:
        MetricError: no such file, or weights of another network.

    Source: Oquab et al. 2023, arXiv:2304.07193; as features Stein et al. 2023,
    arXiv:2306.04675: the class token, images resized to 224 (bicubic), ImageNet's mean and
    deviation.

    Blind spot: small faces are enlarged eightfold, far from anything it was trained on.
    """

    name = "dinov2"
    protocol = "224-bicubic-fp32"
    batch = 32

    def __init__(self, weights: Path) -> None:
        try:
            self.weights_hash = hashlib.sha256(weights.read_bytes()).hexdigest()
        except OSError as error:
            raise MetricError(
                f"{weights}: {error.strerror}",
                expected="weights of DINOv2",
                fix="download dinov2_vitb14_pretrain.pth from github.com/facebookresearch/dinov2",
            ) from None
        self.weights = checked(_load(weights), weights)
        self.width = self.weights["cls_token"].shape[2]

    def embed(self, pixels: np.ndarray) -> Tensor:
        """(B, H, W, 3) uint8 -> (B, width)."""
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        # On bytes, as in all code that resizes with Pillow before the network.
        images = interpolate(images, size=(SIDE, SIDE), mode="bicubic", antialias=True)
        mean, deviation = (torch.tensor(v)[:, None, None] for v in (MEAN, DEVIATION))
        return class_token(self.weights, (images / 255 - mean) / deviation)


def class_token(weights: Weights, images: Tensor) -> Tensor:
    """The class token of (B, 3, S, S) images after the last norm, (B, width)."""
    width = weights["cls_token"].shape[2]
    patches = conv2d(
        images, weights["patch_embed.proj.weight"], weights["patch_embed.proj.bias"], stride=PATCH
    )
    cells = patches.shape[-1]
    tokens = torch.cat(
        [
            weights["cls_token"].expand(len(images), 1, width),
            patches.flatten(2).transpose(1, 2),
        ],
        dim=1,
    )
    tokens = tokens + positions(weights["pos_embed"], cells)
    for number in range(DEPTHS[width]):
        tokens = _block(weights, f"blocks.{number}.", tokens)
    return _norm(weights, "norm", tokens[:, 0])


def positions(learned: Tensor, cells: int) -> Tensor:
    """What is added to each token: learned for 37 x 37 patches, resized to cells x cells."""
    width = learned.shape[2]
    side = round((learned.shape[1] - 1) ** 0.5)
    if side == cells:
        return learned
    grid = learned[:, 1:].view(1, side, side, width).permute(0, 3, 1, 2)
    # The published numbers were made with this tenth of a patch too much in the scale.
    scale = (cells + 0.1) / side
    grid = interpolate(grid, scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([learned[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)


def _block(weights: Weights, prefix: str, tokens: Tensor) -> Tensor:
    """Attention, then two layers on each token; both added, scaled by channel."""
    batch, count, width = tokens.shape
    qkv = _linear(weights, prefix + "attn.qkv", _norm(weights, prefix + "norm1", tokens))
    query, key, value = qkv.view(batch, count, 3, width // HEAD, HEAD).permute(2, 0, 3, 1, 4)
    mixed = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    tokens = tokens + weights[prefix + "ls1.gamma"] * _linear(weights, prefix + "attn.proj", mixed)
    hidden = _linear(weights, prefix + "mlp.fc1", _norm(weights, prefix + "norm2", tokens))
    change = _linear(weights, prefix + "mlp.fc2", gelu(hidden))
    return tokens + weights[prefix + "ls2.gamma"] * change


def _linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _norm(weights: Weights, name: str, x: Tensor) -> Tensor:
    return layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-6)


def shapes(width: int, depth: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a DINOv2 network."""

    def affine(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
        return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}

    expected: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, 1 + 37 * 37, width),
        **affine("patch_embed.proj", width, 3, PATCH, PATCH),
        **affine("norm", width),
    }
    for number in range(depth):
        block = f"blocks.{number}."
        expected |= {
            **affine(block + "norm1", width),
            **affine(block + "attn.qkv", 3 * width, width),
            **affine(block + "attn.proj", width, width),
            block + "ls1.gamma": (width,),
            **affine(block + "norm2", width),
            **affine(block + "mlp.fc1", 4 * width, width),
            **affine(block + "mlp.fc2", width, 4 * width),
            block + "ls2.gamma": (width,),
        }
    return expected


def checked(tensors: Weights, source: Path) -> Weights:
    """The tensors that are needed, in float32, if they are DINOv2's.

    Raises:
        MetricError: naming the first tensor that is missing, of another shape, or unknown.
    """
    # Trained with the network but used only in training.
    found = {name: tensor for name, tensor in tensors.items() if name != "mask_token"}
    width = found["cls_token"].shape[-1] if "cls_token" in found else 0
    if width not in DEPTHS:
        raise MetricError(
            f"{source} is not DINOv2 of a known size",
            expected="the official names (cls_token, blocks.0.attn.qkv.weight, ...) of "
            "ViT-S/14, ViT-B/14 or ViT-L/14 without registers",
            fix="the weights that Meta publishes",
        )
    expected = shapes(width, DEPTHS[width])
    for name in expected | found:
        here = tuple(found[name].shape) if name in found else "missing"
        if here != expected.get(name):
            raise MetricError(
                f"{source}: {name} is {here}",
                expected=f"{expected.get(name, 'no such tensor')}",
                fix="the weights that Meta publishes, whole",
            )
    return {name: tensor.float() for name, tensor in found.items()}


def _load(path: Path) -> Weights:
    """The tensors in a file; loading never runs code."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise MetricError(
            f"{path}: {str(error).splitlines()[0]}",
            expected="tensors, as .pth or .safetensors",
            fix="the file again, or its safetensors version",
        ) from error
    if not isinstance(loaded, dict) or not all(isinstance(t, Tensor) for t in loaded.values()):
        raise MetricError(
            f"{path} holds no tensors by name",
            expected="a state dict",
            fix="torch.save(model.state_dict(), FILE)",
        )
    return loaded
