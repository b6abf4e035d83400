"""Features from any ONNX model that the user names."""

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from facewright.errors import MetricError, MissingExtraError
from facewright.metrics.extractors.base import Extractor

Values = Literal["imagenet", "unit", "symmetric", "bytes"]

VALUES: dict[Values, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "unit": ((0.0,), (255.0,)),
    "symmetric": ((127.5,), (127.5,)),
    "bytes": ((0.0,), (1.0,)),
}
"""What is subtracted from pixels of 0 to 255, and what divides them, for each convention."""


class Onnx(Extractor):
    """Features of a network of your own.

    Images are resized to the model's input (bilinear, antialiased) as RGB; whatever shape
    the output has for one image becomes one vector.

    Args:
        path: a model in one file with one input, (N, C, H, W) or (N, H, W, C) float32, C 1
            or 3. Weights beside the file are refused: its hash would not know them.
        size: (height, width) of the input, where the model leaves it open.
        values: the numbers it was trained on: "imagenet" (less ImageNet's mean, by its
            deviation), "unit" [0, 1], "symmetric" [-1, 1], "bytes" [0, 255]. A file does
            not say; the wrong ones give poor features without any error.
        output: name of the output to use, where there are several.

    Raises:
        MetricError: no model, or one of another kind.
        MissingExtraError: onnxruntime is not installed.
    """

    name = "onnx"

    def __init__(
        self,
        path: Path,
        *,
        size: tuple[int, int] | None = None,
        values: Values = "imagenet",
        output: str | None = None,
    ) -> None:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise MetricError(
                f"{path}: {error.strerror}", expected="an ONNX model", fix="the path of a file"
            ) from None
        self.weights_hash = hashlib.sha256(data).hexdigest()
        self.session = _session(data, path)
        self.output = _output(self.session, output, path)
        self._read_input(path, size)
        self.mean, self.deviation = (
            torch.tensor(numbers)[:, None, None] for numbers in VALUES[values]
        )
        if len(self.mean) > self.channels:
            raise MetricError(
                f"{path} takes gray images, ImageNet's numbers are for colour",
                expected="values 'unit', 'symmetric' or 'bytes'",
                fix="values=unit",
            )
        height, width = self.size
        self.protocol = f"{height}x{width}-bilinear-{values}-{self.output}"
        # Run once to find the width: the shape that a model declares may be open or wrong.
        self.width = self.embed(np.zeros((1, height, width, self.channels), np.uint8)).shape[1]

    def _read_input(self, path: Path, size: tuple[int, int] | None) -> None:
        """Take name, layout, channels, size and batch from the model."""
        inputs = self.session.get_inputs()
        if len(inputs) != 1:
            names = ", ".join(taken.name for taken in inputs)
            raise MetricError(
                f"{path} has {len(inputs)} inputs ({names})",
                expected="one",
                fix="a model of images alone",
            )
        taken = inputs[0]
        shape = taken.shape
        channels_at = next((at for at in (1, 3) if len(shape) == 4 and shape[at] in (1, 3)), None)
        if taken.type != "tensor(float)" or channels_at is None:
            raise MetricError(
                f"{path} takes {taken.type} of shape {shape}",
                expected="float32 (N, C, H, W) or (N, H, W, C) with C = 1 or 3",
                fix="torch.onnx.export of a network with one float input",
            )
        self.input, self.channels_last, self.channels = (
            taken.name,
            channels_at == 3,
            shape[channels_at],
        )
        own = shape[1:3] if self.channels_last else shape[2:4]
        fixed = all(isinstance(side, int) for side in own)
        if not fixed and size is None:
            raise MetricError(
                f"{path} takes images of any size",
                expected="size=(height, width), as in training",
                fix="--features MODEL.onnx,size=224x224",
            )
        if fixed and size is not None and tuple(own) != size:
            raise MetricError(
                f"size {size}",
                expected=f"{tuple(own)}, the only one {path} takes",
                fix=f"size={own[0]}x{own[1]}",
            )
        self.size: tuple[int, int] = size if size is not None else tuple(own)
        self.fixed_batch = isinstance(shape[0], int)
        if self.fixed_batch:
            self.batch = shape[0]

    def embed(self, pixels: np.ndarray) -> Tensor:
        """(B, H, W, channels) uint8 -> (B, width)."""
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        images = interpolate(images, size=self.size, mode="bilinear", antialias=True)
        images = (images - self.mean) / self.deviation
        if self.fixed_batch and len(images) < self.batch:
            missing = self.batch - len(images)
            images = torch.cat([images, images[:1].expand(missing, -1, -1, -1)])
        if self.channels_last:
            images = images.permute(0, 2, 3, 1)
        features = self._run(images.contiguous().numpy())
        return torch.from_numpy(features).flatten(1)[: len(pixels)]

    def _run(self, images: np.ndarray) -> np.ndarray:
        """The model's output for a batch."""
        try:
            (features,) = self.session.run([self.output], {self.input: images})
        except Exception as error:  # as in _session
            raise MetricError(
                f"the model fails on {images.shape}: {_first_line(error)}",
                expected="an input size that it was made for",
                fix="another size=HxW",
            ) from error
        if np.shape(features)[:1] != (len(images),):
            raise MetricError(
                f"output '{self.output}' of shape {np.shape(features)} for {len(images)} images",
                expected="one entry for each image",
                fix="an output with the batch as its first axis",
            )
        return features


def _session(data: bytes, path: Path) -> Any:
    """onnxruntime, ready to run the model on the CPU."""
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError.of("onnx", "running ONNX models") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors; they are raised as well
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no other parent in common
        raise MetricError(
            f"{path}: {_first_line(error)}",
            expected="an ONNX model in one file",
            fix="export it again, with its weights in the same file",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _output(session: Any, wanted: str | None, path: Path) -> str:
    """The name of the one output, or of the wanted one."""
    outputs = session.get_outputs()
    names = [output.name for output in outputs if output.type.startswith("tensor(")]
    if wanted is None and len(names) == 1:
        wanted = names[0]
    if wanted is None or wanted not in names:
        found = "no choice" if wanted is None else f"no output '{wanted}'"
        raise MetricError(
            f"{path}: {found} of output",
            expected=f"one of {', '.join(names)}",
            fix=f"output={names[0]}",
        )
    return wanted
