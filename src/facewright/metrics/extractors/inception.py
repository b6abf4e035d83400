"""The features that FID is defined with, and the three ways to bring images to their network.

The ways give different FIDs, so each has a name and is part of an extractor's identity:

| name | resize to 299 pixels | normalised | as in |
|---|---|---|---|
| `legacy` | bilinear, image edges aligned | 2x / 255 - 1 | pytorch-fid |
| `tensorflow` | bilinear, shifted to the top left | (x - 128) / 128 | StyleGAN, torch-fidelity |
| `clean` | bicubic with antialiasing, clipped, not rounded | (x - 128) / 128 | clean-fid |

Each is linear in the rows and in the columns, so each is a matrix.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from facewright.metrics.extractors.base import Extractor
from facewright.metrics.extractors.inception_network import InceptionNetwork
from facewright.metrics.extractors.inception_weights import (
    INCEPTION,
    locate_inception,
    read_tensors,
)

Convention = Literal["legacy", "tensorflow", "clean"]

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Inception(Extractor):
    """Features of TensorFlow's Inception of 2015-12-05, for FID, KID and their like.

    The network itself is never run from the archive: its weights are read, and the
    forward pass is ours. The archive ends at the last pooling, so there are no logits,
    and no Inception Score of this network.

    Args:
        weights: the archive; looked for if None, see `locate_inception`.
        resize: "legacy" is what pytorch-fid does, "tensorflow" what StyleGAN and
            torch-fidelity do, "clean" what clean-fid does; see above.
        precision: "bf16" is about twice as fast on processors that know it.
        download: whether the weights may be downloaded.

    Raises:
        MetricError: no weights, or not the published ones.

    Source: Heusel et al. 2017, arXiv:1706.08500.

    Blind spot: it was trained to tell a thousand kinds of things apart, none of them
    faces; on faces FID hardly looks at the face (Kynkäänniemi et al. 2022,
    arXiv:2203.06026). Small images are enlarged tenfold, which it never saw.
    """

    name = "inception"
    width = 2048
    batch = 8  # its activations still fit into the caches

    def __init__(
        self,
        weights: Path | None = None,
        *,
        resize: Convention = "legacy",
        precision: Literal["fp32", "bf16"] = "fp32",
        download: bool = True,
    ) -> None:
        tensors = read_tensors(locate_inception(weights, download=download))
        layers = {name.removeprefix("net.layers."): tensor for name, tensor in tensors.items()}
        self._network = InceptionNetwork(layers, _DTYPES[precision])
        self._resize: Convention = resize
        self.protocol = f"{resize}-{precision}"
        self.weights_hash = INCEPTION.sha256

    def embed(self, pixels: np.ndarray) -> Tensor:
        """See `Extractor`; any size of image."""
        return self._network(network_input(pixels, self._resize))


def network_input(pixels: np.ndarray, convention: Convention, size: int = 299) -> Tensor:
    """Images as the Inception network sees them.

    Args:
        pixels: (B, H, W, C) uint8.
        convention: see above.
        size: side of the result.

    Returns:
        (B, C, size, size) float32, about in [-1, 1].

    Source: Parmar et al. 2022, arXiv:2104.11222, on what the conventions do to FID.
    """
    # Copied, because a memory-mapped store is read-only and torch has no read-only tensors.
    planes = torch.tensor(pixels).permute(0, 3, 1, 2).float()
    rows, columns = (_matrix(convention, side, size) for side in planes.shape[2:])
    resized = rows @ (planes @ columns.T)
    if convention == "legacy":
        return resized.mul_(2 / 255).sub_(1)
    if convention == "clean":  # bicubic weights are partly negative and overshoot at edges
        resized.clamp_(0, 255)
    return resized.sub_(128).div_(128)


def _matrix(convention: Convention, before: int, after: int) -> Tensor:
    """(after, before) float32: what each pixel of one column takes from those before."""
    scale = before / after
    old, new = torch.arange(before).double(), torch.arange(after).double()
    if convention == "clean":
        # Where the image shrinks the kernel widens: that is the antialiasing.
        reach = max(scale, 1.0)
        weights = _cubic((old - ((new + 0.5) * scale - 0.5)[:, None]) / reach)
        return (weights / weights.sum(dim=1, keepdim=True)).float()
    centres = new * scale if convention == "tensorflow" else (new + 0.5) * scale - 0.5
    distance = (old - centres.clamp(0, before - 1)[:, None]).abs()
    return (1 - distance).clamp(min=0).float()


def _cubic(x: Tensor) -> Tensor:
    """Keys' kernel with a = -1/2, as in PIL; 0 beyond 2."""
    x = x.abs()
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
