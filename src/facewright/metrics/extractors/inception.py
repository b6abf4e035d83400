"""The features that FID is defined with."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from facewright.metrics.extractors.base import Extractor
from facewright.metrics.extractors.inception_network import InceptionNetwork
from facewright.metrics.extractors.inception_weights import INCEPTION, locate_inception
from facewright.metrics.extractors.resize import Convention, network_input
from facewright.metrics.extractors.torchscript import read_tensors

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Inception(Extractor):
    """Features of TensorFlow's Inception of 2015-12-05, for FID, KID and their like.

    The network itself is never run from the archive: its weights are read, and the
    forward pass is ours. The archive ends at the last pooling, so there are no logits,
    and no Inception Score of this network.

    Args:
        weights: the archive; looked for if None, see `locate_inception`.
        resize: "legacy" is what pytorch-fid does, "tensorflow" what StyleGAN and
            torch-fidelity do, "clean" what clean-fid does; see `resize.py`.
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
