"""How much faster does `prepare` turn a camera's JPEGs into faces when it decodes them coarsely?

    python benchmarks/large_photos.py [PHOTOS] [--size 64] [--rounds 5]

By turns in one run: each photo decoded whole, then as coarsely as suffices. Processor time, the
least of all rounds, because other programs on the machine only ever add to it. Without PHOTOS,
photos of 4000x3000 pixels are made of UTKFace: a face of 1,000 to 2,400 pixels, coloured ground,
noise like a sensor's.
"""

import argparse
import io
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from facewright.data.crops import FIRST_SIDE, CropName, crop_named
from facewright.data.duplicates import dhash
from facewright.data.photo import Photo

UTKFACE = Path(__file__).resolve().parents[2] / "shared" / "data" / "utkface.zip"
WIDTH, HEIGHT, FACES = 4000, 3000, (1000, 1600, 2400)


def camera_photo(face: Image.Image, side: int, seed: int) -> bytes:
    """A JPEG of twelve million pixels with this face in its middle."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(60, 200, (20, 27, 3)).astype(np.uint8)
    photo = Image.fromarray(cells).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    place = ((WIDTH - side) // 2, (HEIGHT - side) // 2)
    photo.paste(face.resize((side, side), Image.Resampling.BICUBIC), place)
    noisy = np.asarray(photo) + rng.normal(0, 5, (HEIGHT, WIDTH, 1))
    content = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(content, "JPEG", quality=88)
    return content.getvalue()


def photos(folder: Path | None) -> list[bytes]:
    """The files of a folder, or nine photos made of UTKFace."""
    if folder:
        return [path.read_bytes() for path in sorted(folder.iterdir())]
    with zipfile.ZipFile(UTKFACE) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[5::2500][:9]
        faces = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    return [camera_photo(face, FACES[i % 3], i) for i, face in enumerate(faces)]


def main() -> None:
    """Print a line for each crop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("photos", nargs="?", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    contents, size = photos(options.photos), (options.size, options.size)
    crops: tuple[CropName, ...] = ("face", "center")
    for name in crops:
        crop = crop_named(name, size)
        crop(Photo(contents[0]), size)  # loads the detector
        seconds = np.full((2, len(contents)), np.inf)
        difference = []
        for _ in range(options.rounds):
            for i, content in enumerate(contents):
                pictures = []
                for way, side in enumerate((None, FIRST_SIDE)):
                    start = time.process_time()
                    photo = Photo(content, side)
                    dhash(photo.at_least())
                    pictures.append(np.asarray(crop(photo, size)[0].image).astype(int))
                    seconds[way, i] = min(seconds[way, i], time.process_time() - start)
                difference.append(abs(pictures[0] - pictures[1]).mean())
        whole, coarse = 1000 * seconds.mean(axis=1)
        print(
            f"--crop {name} --size {options.size}: {whole:.0f} ms a photo decoded whole, "
            f"{coarse:.0f} ms coarsely ({coarse / whole:.2f}); the pictures differ by "
            f"{np.median(difference):.2f} levels (median of {len(contents)} photos), at most "
            f"{max(difference):.2f}"
        )


if __name__ == "__main__":
    main()
