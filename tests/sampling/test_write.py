"""Where generated images go, and where they do not."""

import numpy as np
import pytest

from facewright.errors import FacewrightError
from facewright.sampling.provenance import Provenance
from facewright.sampling.sample import write

MAKER = Provenance("0" * 64, 0)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)


def test_a_folder_takes_no_images_beside_those_of_somebody_else(tmp_path):
    write(images(5), tmp_path / "mine", as_grid=False, maker=MAKER)
    with pytest.raises(FacewrightError, match="holds 2 other images, such as 000003") as refusal:
        write(images(3), tmp_path / "mine", as_grid=False, maker=MAKER)
    assert refusal.value.fix
    assert len(list((tmp_path / "mine").iterdir())) == 5


def test_the_same_again_replaces_them(tmp_path):
    for pixels in (images(3), 255 - images(3)):
        write(pixels, tmp_path / "mine", as_grid=False, maker=MAKER)
    assert len(list((tmp_path / "mine").iterdir())) == 3


@pytest.mark.parametrize(
    ("name", "as_grid", "fix"),
    [
        ("faces.zip", False, "faces"),
        ("faces.jpg", False, "faces"),
        ("faces.npz", False, "faces"),
        ("faces.npy", True, "faces.png"),
        ("faces", True, "faces.png"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_not_made_a_folder(name, as_grid, fix, tmp_path):
    with pytest.raises(FacewrightError) as refusal:
        write(images(3), tmp_path / name, as_grid=as_grid, maker=MAKER)
    assert refusal.value.fix == f"--out {tmp_path / fix}"
    assert not (tmp_path / name).exists()
