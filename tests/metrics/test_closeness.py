"""Neighbours in training photos, mirrored ones included."""

import numpy as np
import pytest
import torch

from facewright.errors import MetricError
from facewright.metrics.closeness import (
    LARGEST_SIDE,
    NEAREST,
    AuditSpace,
    Closeness,
    closeness,
    pixel_space,
)
from tests.metrics.clouds import cloud


def photos(count: int, seed: int, size: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def test_on_a_line_all_distances_are_known():
    train = torch.arange(60.0)[:, None] ** 2
    near = closeness(
        AuditSpace(train, torch.tensor([[0.25], [3.0]]), torch.tensor([[5.0], [16.0]]))
    )
    assert near.val.indices[:, 0].tolist() == [0, 2]
    assert near.val.distances[:, 0].tolist() == [0.25, 1]
    assert near.fake.indices[:, 0].tolist() == [2, 4]
    assert near.fake.distances[:, 0].tolist() == [1, 0]
    assert near.own[[0, 2, 4]].tolist() == [1, 3, 7]
    assert near.own.isnan().sum() == 57


def test_the_ratio_is_the_nearest_over_the_mean_of_fifty():
    train = torch.cat([torch.tensor([[1.0]]), torch.full((49, 1), 3.0), torch.full((9, 1), 9.0)])
    near = closeness(AuditSpace(train, torch.zeros(2, 1), -torch.ones(2, 1)))
    assert near.val_ratio.tolist() == pytest.approx([1 / (148 / 50)] * 2)
    assert near.fake_ratio.tolist() == pytest.approx([2 / (198 / 50)] * 2)


def test_an_image_that_equals_fifty_photos_has_the_ratio_of_a_copy():
    near = closeness(AuditSpace(torch.ones(60, 3), torch.ones(2, 3), torch.zeros(2, 3)))
    assert near.val_ratio.tolist() == [0, 0]
    assert near.fake_ratio.tolist() == [1, 1]


def zeros_of(near: Closeness) -> list[int]:
    """The images whose nearest photo equals another photo."""
    return (near.own[near.fake.indices[:, 0] % 60] == 0).nonzero().flatten().tolist()


def test_photos_that_occur_twice_are_no_distance_apart():
    train = cloud(60, 4, 0)
    train[7] = train[3]
    assert zeros_of(closeness(AuditSpace(train, cloud(2, 4, 1), train))) == [3, 7]


def test_a_mirrored_copy_is_found_and_named():
    train = photos(60, 0)
    near = closeness(pixel_space(train, photos(2, 1), train[[5, 9]][:, :, ::-1]))
    assert near.fake.distances[:, 0].tolist() == [0, 0]
    assert near.fake.indices[:, 0].tolist() == [60 + 5, 60 + 9]


def test_without_mirroring_it_is_not():
    train = photos(60, 0)
    near = closeness(pixel_space(train, photos(2, 1), train[:2, :, ::-1], mirror=False))
    assert near.fake.distances[:, 0].min() > 1


def test_a_photo_is_not_the_neighbour_of_its_own_mirror_image():
    train = photos(60, 0)
    train[:, :, 4:] = train[:, :, :4][:, :, ::-1]  # symmetric faces
    mirrored = closeness(pixel_space(train, photos(2, 1), train))
    plain = closeness(pixel_space(train, photos(2, 1), train, mirror=False))
    assert mirrored.own.min() > 1
    assert torch.equal(mirrored.own, plain.own)


def test_a_photo_is_the_neighbour_of_another_ones_mirror_image():
    train = photos(60, 0)
    train[8] = train[2, :, ::-1]
    assert zeros_of(closeness(pixel_space(train, photos(2, 1), train))) == [2, 8]


def test_black_and_white_are_one_apart_in_each_number():
    black, white = np.zeros((60, 8, 8, 1), np.uint8), np.full((2, 8, 8, 1), 255, np.uint8)
    near = closeness(pixel_space(black, white, white))
    assert near.val.distances[:, 0].tolist() == [8, 8]


def test_every_one_of_many_images_keeps_its_row():
    many = photos(2100, 0, size=2)
    space = pixel_space(many, many, many[::-1])
    assert torch.equal(space.fake, space.train.flip(0))
    assert space.train[2099, 0] == pytest.approx(many[2099, 0, 0, 0] / 255)
    assert space.train[1023:1025, 0].tolist() == pytest.approx(many[1023:1025, 0, 0, 0] / 255)


def test_large_images_are_averaged_down():
    stripes = np.zeros((60, 64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    space = pixel_space(stripes, stripes, stripes)
    assert space.train.shape == (60, LARGEST_SIDE**2 * 3)
    assert torch.allclose(space.train, torch.tensor(0.5))


@pytest.mark.parametrize("role", range(3))
def test_images_of_another_size_are_refused(role):
    sets = [photos(60, 0), photos(60, 1), photos(60, 2)]
    sets[role] = photos(60, 3, size=6)
    with pytest.raises(MetricError, match="images of"):
        pixel_space(*sets)


def test_too_few_training_photos_are_refused():
    with pytest.raises(MetricError, match="50 training photos"):
        AuditSpace(cloud(NEAREST, 3, 0), cloud(9, 3, 1), cloud(9, 3, 2))


def test_features_that_do_not_belong_together_are_refused():
    with pytest.raises(MetricError, match="features"):
        AuditSpace(cloud(60, 3, 0), cloud(9, 4, 1), cloud(9, 3, 2))
    with pytest.raises(MetricError, match="1 real samples"):
        AuditSpace(cloud(60, 3, 0), cloud(1, 3, 1), cloud(9, 3, 2))
    with pytest.raises(MetricError, match="59 mirrored"):
        AuditSpace(cloud(60, 3, 0), cloud(9, 3, 1), cloud(9, 3, 2), cloud(59, 3, 3))
