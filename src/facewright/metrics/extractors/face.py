"""dlib's face embedding: a network that was trained to tell people apart, in plain torch."""

import hashlib
from importlib import resources
from typing import Literal, NamedTuple

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, pad

from facewright.errors import MetricError, nearest
from facewright.metrics.extractors.base import Extractor


class BlockSpec(NamedTuple):
    """One residual block: its channels, and whether it halves the picture."""

    width: int
    halves: bool = False


STEM = (32, 7)
"""Channels and kernel of the first convolution."""

BLOCKS = (
    *(BlockSpec(32), BlockSpec(32), BlockSpec(32)),
    *(BlockSpec(64, halves=True), BlockSpec(64), BlockSpec(64), BlockSpec(64)),
    *(BlockSpec(128, halves=True), BlockSpec(128), BlockSpec(128)),
    *(BlockSpec(256, halves=True), BlockSpec(256), BlockSpec(256)),
    BlockSpec(256, halves=True),
)

WIDTH = 128

CHIP = 150
"""Side of the only input that works: the same faces at 120 or 103 px are other people to it."""

MEAN = (122.782, 117.001, 104.298)

FRAMINGS = {
    "whole": (0.0, 0.0, 1.0, 1.0),
    "celeba-108": (0.0, 0.204, 1.0, 1.204),
    "celeba-128": (0.074, 0.156, 0.918, 1.0),
    "face": (0.153, 0.257, 0.847, 0.951),
}
"""Where in an image (left, top, right, bottom, as fractions) lies what dlib would cut out.

dlib puts the eyes at 0.313 of the height, 0.36 of the width apart. UTKFace is cut like that;
for the crops of `facewright prepare` the box follows from CelebA's mean landmarks, eyes at
(69, 111) and (108, 111), mouth at 152, in its frame of 178 x 218 or in FFHQ's geometry.
What lies outside the image repeats its edge.
"""


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inputs: int, block: BlockSpec) -> None:
        super().__init__()
        self.halves = block.halves
        stride, padding = (2, 0) if block.halves else (1, 1)
        self.first = nn.Conv2d(inputs, block.width, 3, stride, padding)
        self.second = nn.Conv2d(block.width, block.width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, width, H, W), or half of H and W."""
        change = self.second(self.first(x).relu_())
        if not self.halves:
            return change.add_(x).relu_()
        # Without padding the convolution loses a row and a column that the pool keeps where
        # the side is even, and it can have more channels: dlib adds zeros in both places.
        total = pad(avg_pool2d(x, 2), (0, 0, 0, 0, 0, change.shape[1] - x.shape[1]))
        total[:, :, : change.shape[2], : change.shape[3]] += change
        return total.relu_()


class FaceNet(nn.Module):
    """(B, 3, 150, 150) photos, normalised as dlib does -> (B, 128) embeddings."""

    def __init__(self) -> None:
        super().__init__()
        width, kernel = STEM
        self.stem = nn.Conv2d(3, width, kernel, stride=2)
        blocks = []
        for block in BLOCKS:
            blocks.append(Residual(width, block))
            width = block.width
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(width, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 150, 150) -> (B, 128)."""
        x = max_pool2d(self.stem(x).relu_(), 3, stride=2)
        return self.last(self.blocks(x).mean(dim=(2, 3)))


class DlibFace(Extractor):
    """Features in which photos of one person are near each other, and photos of two are far.

    Euclidean distances are about 0.35 between photos of one adult and 0.75 between two
    adults of the same gender and race label; dlib's own threshold for "same person" is 0.6.

    Args:
        framing: which part of an image to look at, a name in `FRAMINGS`: the crop the images
            were prepared with, or "whole" for faces cut as dlib or UTKFace do. It matters:
            at 28 px a wrong one loses a third of the pairs that the right one finds
            (benchmarks/face_identity.py).
        precision: bf16 is about twice as fast and changes distances by less than 0.01.

    Raises:
        MetricError: a framing that is not known.

    Source: D. King, dlib 19.3 (dlib_face_recognition_resnet_model_v1, 99.38 % on LFW), CC0;
    weights/README.md says how the shipped file was made from it.

    Blind spot: babies and small children look alike to it: in UTKFace nearly all wrong
    matches below 0.35 are of them, most of them East Asian. It sees a tight cut, so little
    of the hair and hardly any background.
    """

    name = "face"
    width = WIDTH

    def __init__(
        self, framing: str = "whole", *, precision: Literal["fp32", "bf16"] = "fp32"
    ) -> None:
        if framing not in FRAMINGS:
            raise MetricError(
                f"no framing named '{framing}'",
                expected=nearest(framing, FRAMINGS),
                fix=f"framing='{next(iter(FRAMINGS))}'",
            )
        self.box = FRAMINGS[framing]
        self.protocol = f"{framing}-{precision}"
        self.dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]

        stored = resources.files("facewright.metrics").joinpath("weights", "face.safetensors")
        data = stored.read_bytes()
        self.weights_hash = hashlib.sha256(data).hexdigest()
        # On "meta" nothing is drawn at random, so building it leaves the caller's RNG alone.
        with torch.device("meta"):
            self.network = FaceNet()
        weights = {name: tensor.to(self.dtype) for name, tensor in load(data).items()}
        self.network.load_state_dict(weights, assign=True)

    def embed(self, pixels: np.ndarray) -> Tensor:
        """(B, H, W, 3) uint8 -> (B, 128)."""
        chips = framed(torch.from_numpy(pixels).permute(0, 3, 1, 2), self.box).float()
        chips = (chips - torch.tensor(MEAN)[:, None, None]) / 256
        # Channels last: 1.5 times as fast on CPUs.
        return self.network(chips.to(self.dtype, memory_format=torch.channels_last))


def framed(pixels: Tensor, box: tuple[float, float, float, float]) -> Tensor:
    """The part of (B, C, H, W) uint8 images inside the box, at 150 x 150; edges repeat."""
    left, top, right, bottom = box
    height, width = round(CHIP / (bottom - top)), round(CHIP / (right - left))
    # Bicubic tells more people apart at 28 px than bilinear does.
    large = interpolate(pixels, size=(height, width), mode="bicubic", antialias=True)
    rows = (torch.arange(CHIP) + round(top * height)).clamp(0, height - 1)
    columns = (torch.arange(CHIP) + round(left * width)).clamp(0, width - 1)
    return large[:, :, rows][:, :, :, columns]
