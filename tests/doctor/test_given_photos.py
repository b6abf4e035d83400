"""Photos of any program are taken as they are, and told apart where they are none."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from facewright.doctor import given_photos
from facewright.doctor.given_photos import photos_of
from facewright.errors import DataError

FLOATS = torch.rand(20, 3, 6, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
BYTES = np.random.default_rng(0).integers(0, 256, (20, 6, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "source",
    [
        FLOATS,
        FLOATS.permute(0, 2, 3, 1),
        FLOATS.numpy(),
        FLOATS.permute(0, 2, 3, 1).numpy(),
        list(FLOATS),
        [(image, 1) for image in FLOATS],
        [{"image": image, "label": 1} for image in FLOATS],
        TensorDataset(FLOATS, torch.zeros(20)),
        DataLoader(TensorDataset(FLOATS, torch.zeros(20)), batch_size=6),
    ],
    ids=["tensor", "nhwc", "array", "nhwc array", "list", "pairs", "dicts", "dataset", "loader"],
)
def test_floating_point_photos_become_one_tensor_with_channels_first(source):
    found = photos_of(source)
    assert isinstance(found, torch.Tensor)
    torch.testing.assert_close(found, FLOATS)


@pytest.mark.parametrize(
    "source",
    [
        BYTES,
        BYTES.transpose(0, 3, 1, 2),
        torch.from_numpy(BYTES),
        torch.from_numpy(BYTES).permute(0, 3, 1, 2),
        [Image.fromarray(image) for image in BYTES],
    ],
    ids=["array", "nchw array", "tensor", "nchw tensor", "pictures"],
)
def test_photos_of_bytes_become_one_array_with_channels_last(source):
    found = photos_of(source)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, BYTES)


def test_gray_photos_need_no_channel():
    assert photos_of(FLOATS[:, 0]).shape == (20, 1, 6, 8)
    assert photos_of(BYTES[..., 0]).shape == (20, 6, 8, 1)


def test_of_what_never_ends_the_first_photos_are_kept(monkeypatch):
    monkeypatch.setattr(given_photos, "KEPT", 7)
    assert len(photos_of(iter(lambda: FLOATS[0], None))) == 7


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (3, "photos as int"),
        ([], "no photo at all"),
        ([FLOATS[0], FLOATS[0, :, 1:]], "different sizes"),
        (torch.zeros(4, 5), r"shape \(4, 5\)"),
        (torch.zeros(4, 7, 6, 8), r"shape \(4, 7, 6, 8\)"),
        (np.zeros((4, 6, 8, 3), np.int64), "photos of int64"),
    ],
)
def test_what_is_no_photo_is_said(source, found):
    with pytest.raises(DataError, match=found):
        photos_of(source)
