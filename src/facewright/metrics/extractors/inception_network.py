"""TensorFlow's Inception of 2015-12-05 up to its last pooling, in plain torch."""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d

BATCH_NORM_EPSILON = 1e-3
LAST_BLOCKS = ("mixed_9.", "mixed_10.")

_halved = partial(max_pool2d, kernel_size=3, stride=2)
# The graph's averages count only pixels inside the image: padding does not darken edges.
_smoothed = partial(avg_pool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False)


class InceptionNetwork:
    """(B, 3, 299, 299) images about in [-1, 1] -> (B, 2048) features.

    This is the graph that FID was defined with, and not the Inception of torchvision,
    which has other weights and averages with padding.

    Args:
        weights: for each layer its `weight`, and its batch norm's `beta`, `mean` and `var`,
            by the names of the graph ("mixed_4.tower_1.conv_2.weight").
        dtype: of weights and activations, but for the last two blocks: these are float32.
            Rounding in them adds noise to the features themselves, which no average evens
            out: at 1000 images it took 0.15 off a FID of 42, and 0.02 with them in float32.

    Source: Szegedy et al. 2015, arXiv:1512.00567; Heusel et al. 2017, arXiv:1706.08500
    (FID). Batch norm is folded into the convolutions, and the average pools come after
    the 1x1 convolutions that follow them: both are linear, and there are fewer channels.
    """

    def __init__(self, weights: Mapping[str, Tensor], dtype: torch.dtype) -> None:
        self._layers = {
            name: _folded(name, weights, torch.float32 if name.startswith(LAST_BLOCKS) else dtype)
            for name in (key.removesuffix(".weight") for key in weights if key.endswith(".weight"))
        }
        # On a processor without bf16, oneDNN refuses it and torch has a slow way of its own.
        self._fused = torch.backends.mkldnn.is_available() and (
            dtype is not torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        )

    def __call__(self, images: Tensor) -> Tensor:
        """The features, as float32."""
        x = images.contiguous(memory_format=torch.channels_last)
        x = self._conv(x, "conv", stride=2)
        x = self._conv(x, "conv_1", padded=False)
        x = _halved(self._conv(x, "conv_2"))
        x = self._conv(x, "conv_3")
        x = _halved(self._conv(x, "conv_4", padded=False))
        for name in ("mixed", "mixed_1", "mixed_2"):
            x = self._block(x, name, tower=2, tower_1=3)
        x = _joined(
            self._conv(x, "mixed_3.conv", stride=2),
            self._tower(x, "mixed_3.tower", 3, stride=2),
            _halved(x),
        )
        for name in ("mixed_4", "mixed_5", "mixed_6", "mixed_7"):
            x = self._block(x, name, tower=3, tower_1=5)
        x = _joined(
            self._tower(x, "mixed_8.tower", 2, stride=2),
            self._tower(x, "mixed_8.tower_1", 4, stride=2),
            _halved(x),
        )
        x = self._last_block(x, "mixed_9", self._smoothed_conv)
        # TensorFlow's graph takes the maximum here, where the paper averages.
        x = self._last_block(x, "mixed_10", self._widened_conv)
        return x.mean(dim=(2, 3))

    def _block(self, x: Tensor, name: str, *, tower: int, tower_1: int) -> Tensor:
        return _joined(
            self._conv(x, f"{name}.conv"),
            self._tower(x, f"{name}.tower", tower),
            self._tower(x, f"{name}.tower_1", tower_1),
            self._smoothed_conv(x, f"{name}.tower_2.conv"),
        )

    def _last_block(self, x: Tensor, name: str, pooled: Callable[[Tensor, str], Tensor]) -> Tensor:
        near = self._conv(x, f"{name}.tower_conv")
        far = self._conv(self._conv(x, f"{name}.tower_1_conv"), f"{name}.tower_1_conv_1")
        return _joined(
            self._conv(x, f"{name}.conv"),
            self._conv(near, f"{name}.tower_mixed_conv"),
            self._conv(near, f"{name}.tower_mixed_conv_1"),
            self._conv(far, f"{name}.tower_1_mixed_conv"),
            self._conv(far, f"{name}.tower_1_mixed_conv_1"),
            pooled(x, f"{name}.tower_2_conv"),
        )

    def _tower(self, x: Tensor, name: str, layers: int, *, stride: int = 1) -> Tensor:
        """Convolutions one after the other, of which the last takes the stride."""
        for i in range(layers - 1):
            x = self._conv(x, _numbered(name, i))
        return self._conv(x, _numbered(name, layers - 1), stride=stride)

    def _smoothed_conv(self, x: Tensor, name: str) -> Tensor:
        return _smoothed(self._conv(x, name, rectified=False)).relu_()

    def _widened_conv(self, x: Tensor, name: str) -> Tensor:
        return self._conv(max_pool2d(x, 3, stride=1, padding=1), name)

    def _conv(
        self, x: Tensor, name: str, *, stride: int = 1, padded: bool = True, rectified: bool = True
    ) -> Tensor:
        """Strided convolutions are never padded, in this graph."""
        kernel, bias = self._layers[name]
        x = x.to(kernel.dtype)
        sides = [side // 2 if padded and stride == 1 else 0 for side in kernel.shape[2:]]
        if not self._fused:
            x = conv2d(x, kernel, bias, stride, sides)
            return x.relu_() if rectified else x
        # What torch.compile makes of a convolution and its rectifier; by hand, because the
        # compiler would need a C++ compiler on the user's machine. A third faster in fp32.
        if not kernel.is_mkldnn:
            # Once, into the order of numbers that suits this processor and this size of image.
            kernel = torch.ops.mkldnn._reorder_convolution_weight(
                kernel, sides, [stride] * 2, [1, 1], 1, list(x.shape)
            )
            self._layers[name] = (kernel, bias)
        rectifier = "relu" if rectified else "none"
        return torch.ops.mkldnn._convolution_pointwise(
            x, kernel, bias, sides, [stride] * 2, [1, 1], 1, rectifier, [], ""
        )


def _folded(name: str, weights: Mapping[str, Tensor], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Kernel and bias of a convolution that does its batch norm's work too."""
    beta, mean, variance = (weights[f"{name}.{part}"].double() for part in ("beta", "mean", "var"))
    scale = (variance + BATCH_NORM_EPSILON).rsqrt()
    kernel = weights[f"{name}.weight"].double() * scale[:, None, None, None]
    bias = beta - mean * scale
    return kernel.to(dtype, memory_format=torch.channels_last), bias.to(dtype)


def _numbered(name: str, i: int) -> str:
    return f"{name}.conv_{i}" if i else f"{name}.conv"


def _joined(*branches: Tensor) -> Tensor:
    return torch.cat(branches, dim=1)
