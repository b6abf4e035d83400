"""The embedding is dlib's own, its file is the one described, and it knows people at 28 px."""

import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from scripts.face_weights import folded, parameters
from torch.nn.functional import conv2d

from facewright.errors import MetricError
from facewright.metrics.extractors.face import CHIP, FRAMINGS, DlibFace, framed

SHIPPED = "7a41131d69cea1cb98b252099089cf2b216cce033605d5f5d97992c766d57bba"

# dlib 20.0.1's own first eight numbers for `waves()` and for it upside down.
DLIB = [
    [-0.09403, 0.13392, 0.09034, -0.01515, -0.06753, -0.05056, -0.0817, -0.00245],
    [-0.0536, 0.11067, 0.05999, -0.01138, -0.08412, -0.03355, -0.07569, 0.00766],
]
DLIB_LENGTH = 1.29713


def waves(size: int = CHIP) -> np.ndarray:
    """A colourful picture that a formula draws."""
    y, x = np.mgrid[:size, :size] / size
    colours = np.stack([np.sin(9 * x + 2 * y), np.cos(5 * y - 3 * x * y), np.sin(20 * x * y)], 2)
    return (127.5 + 127.5 * colours).round().astype(np.uint8)


@pytest.fixture(scope="module")
def face() -> DlibFace:
    return DlibFace()


def test_the_embedding_is_the_one_that_dlib_computes(face):
    embeddings = face(np.stack([waves(), waves()[::-1]]))
    torch.testing.assert_close(embeddings[:, :8], torch.tensor(DLIB), atol=4e-4, rtol=0)
    assert float(embeddings[0].norm()) == pytest.approx(DLIB_LENGTH, abs=5e-4)


def test_the_weights_are_those_that_the_readme_describes(face):
    assert face.weights_hash == SHIPPED


def test_bf16_gives_nearly_the_same_embedding_and_is_another_protocol(face):
    fast = DlibFace(precision="bf16")
    assert fast.network.stem.weight.dtype == torch.bfloat16
    # Against a length of 1.3 and distances between people of 0.7.
    assert float((fast(waves()[None]) - face(waves()[None])).norm()) < 0.02
    assert fast.identity != face.identity


def test_an_embedding_does_not_depend_on_the_images_beside_it(face):
    pictures = np.stack([waves(), waves()[::-1], waves()[:, ::-1]])
    torch.testing.assert_close(face(pictures)[1:2], face(pictures[1:2]), atol=1e-5, rtol=0)


def test_gray_images_are_embedded_as_colour_images_without_colour(face):
    gray = waves(28)[None, :, :, :1]
    assert torch.equal(face(gray), face(gray.repeat(3, axis=3)))


def test_building_it_leaves_the_random_numbers_of_others_alone():
    before = torch.get_rng_state()
    DlibFace()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("framing", list(FRAMINGS))
def test_a_framing_looks_at_its_part_of_the_image(framing):
    # Pixel values are the coordinates, so the corners of the chip tell where it lies.
    left, top, right, bottom = FRAMINGS[framing]
    ramp = np.broadcast_to(np.linspace(0, 250, 251), (251, 251))
    where = torch.from_numpy(np.stack([ramp, ramp.T]).astype(np.uint8))[None]
    chip = framed(where, FRAMINGS[framing])[0].float() / 250
    assert chip.shape == (2, CHIP, CHIP)
    assert float(chip[0, 0, 0]) == pytest.approx(left, abs=0.01)
    assert float(chip[1, 0, 0]) == pytest.approx(top, abs=0.01)
    assert float(chip[0, -1, -1]) == pytest.approx(min(right, 1), abs=0.01)
    assert float(chip[1, -1, -1]) == pytest.approx(min(bottom, 1), abs=0.01)


@pytest.mark.parametrize(
    ("framing", "box", "frame_eyes"),
    [
        ("celeba-108", (35, 55, 143, 163), (69, 108, 111)),
        ("celeba-128", (25, 57, 153, 185), (69, 108, 111)),
    ],
)
def test_a_framing_puts_celebas_mean_eyes_where_dlib_has_them(framing, box, frame_eyes):
    left, top, right, bottom = FRAMINGS[framing]
    x0, y0, side = box[0], box[1], box[2] - box[0]
    first, second, height = ((v - o) / side for v, o in zip(frame_eyes, (x0, x0, y0), strict=True))
    assert (height - top) / (bottom - top) == pytest.approx(0.313, abs=0.01)
    assert (second - first) / (right - left) == pytest.approx(0.36, abs=0.01)
    assert ((first + second) / 2 - left) / (right - left) == pytest.approx(0.5, abs=0.01)


def test_each_framing_is_another_protocol():
    assert len({DlibFace(framing).identity for framing in FRAMINGS}) == len(FRAMINGS)
    assert DlibFace("celeba-108").identity == f"face/celeba-108-fp32@{SHIPPED[:12]}"


def test_the_framing_that_is_named_is_the_one_in_use(face):
    assert not torch.allclose(DlibFace("celeba-108")(waves()[None]), face(waves()[None]), atol=0.05)


def test_an_unknown_framing_names_the_nearest():
    with pytest.raises(MetricError) as caught:
        DlibFace("celeba108")
    assert caught.value.what == "no framing named 'celeba108'"
    assert caught.value.expected == "did you mean 'celeba-108'?"


def test_folding_leaves_what_two_layers_compute():
    rng = torch.Generator().manual_seed(0)
    filters, bias = torch.randn(4, 3, 3, 3, generator=rng), torch.randn(4, generator=rng)
    scale, shift = torch.randn(4, generator=rng), torch.randn(4, generator=rng)
    one = folded(torch.cat([filters.flatten(), bias]), torch.cat([scale, shift]), 3, 3)
    image = torch.randn(2, 3, 5, 5, generator=rng)
    two = conv2d(image, filters, bias) * scale[:, None, None] + shift[:, None, None]
    torch.testing.assert_close(
        conv2d(image.double(), one["weight"], one["bias"]).float(), two, atol=1e-5, rtol=1e-5
    )


def test_layers_are_found_in_dlibs_format_and_not_among_their_numbers():
    numbers = np.frombuffer(b"con_4\x01\x02".ljust(24, b"."), "<f4")
    data = b"junk\x01\x05con_4\x01\x02\x01\x06\x01\x01\x01\x01\x01\x01" + numbers.tobytes()
    data += b"\x01\x07affine_\x01\x02\x02\x02\x00\x01\x01\x01\x01\x01\x01" + b"\0\0\x80?" * 2
    (first, six), (second, two) = parameters(data)
    assert (first, second) == ("con", "affine")
    assert six.numpy().tobytes() == numbers.tobytes()
    assert two.tolist() == [1.0, 1.0]


def test_at_28_px_a_changed_photo_is_nearer_than_anybody_else(shared_data, face):
    """Mirrored, shifted by 4 %, darkened and saved as JPEG, among 100 other adults."""
    with zipfile.ZipFile(shared_data / "utkface.zip") as archive:
        names = sorted(n for n in archive.namelist() if n.startswith("UTKFace/3"))[::40][:100]
        photos = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    plain = np.stack([np.asarray(photo.resize((28, 28))) for photo in photos])
    changed = np.stack([np.asarray(_changed(photo).resize((28, 28))) for photo in photos])
    nearest = torch.cdist(face(changed), face(plain)).argmin(dim=1)
    found = (nearest == torch.arange(len(photos))).float().mean()
    before, after = (torch.from_numpy(p).flatten(1).float() for p in (plain, changed))
    in_pixels = torch.cdist(after, before)
    found_in_pixels = (in_pixels.argmin(dim=1) == torch.arange(len(photos))).float().mean()
    assert found > 0.9 > 0.5 > found_in_pixels


def _changed(photo: Image.Image) -> Image.Image:
    mirrored = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    shifted = mirrored.crop((8, 8, 200, 200)).point(lambda value: value * 0.75)
    file = io.BytesIO()
    shifted.save(file, "JPEG", quality=50)
    return Image.open(file)
