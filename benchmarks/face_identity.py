"""Does the `face` extractor tell people apart, also in 28 x 28 pixels?

    OMP_NUM_THREADS=1 python benchmarks/face_identity.py

No file here says who is on a photo. Pairs of photos of one person are therefore found by the
same network on the largest pictures: adults nearer than 0.35 whose pictures differ (difference
hash over 12 of 64 bits). Of pairs found in this way we looked at 80 of UTKFace and at
CelebA's 40 nearest: all but a few are of one person. What is measured is how many of these
pairs it still finds in small pictures, among pairs of different people with the same gender
(and, in UTKFace, race) label. Pairs that it misses in large pictures are not counted: rates at
64 pixels and more say little, the loss from there to 28 and between framings says much. Many
are of celebrities, whom the network may have seen when it was trained.

Two checks do not depend on the network: a photo that was mirrored, shifted, darkened and saved
as JPEG is searched among 1,000 others, and a linear probe reads UTKFace's labels.
"""

import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from facewright.data.crops import CropName, crop_named
from facewright.data.photo import Photo
from facewright.metrics.extractors.face import DlibFace

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SAME, DIFFERENT = 0.35, 0.45  # distances in large pictures
FALSE_ACCEPTANCE = 0.01


def cropped(photos: list[bytes], crop: CropName, size: int) -> np.ndarray:
    """(N, size, size, 3), as `facewright prepare` makes them."""
    cut = crop_named(crop, (size, size))
    pictures = (cut(Photo(photo), (size, size))[0].image for photo in photos)
    return np.stack([np.asarray(picture.convert("RGB")) for picture in pictures])


def difference_hash(pixels: np.ndarray) -> torch.Tensor:
    """(N, 64) whether each of 8 x 8 cells is darker than its right neighbour."""
    gray = [Image.fromarray(p).convert("L").resize((9, 8)) for p in pixels]
    small = np.stack([np.asarray(p, np.int16) for p in gray])
    return torch.from_numpy(small[:, :, 1:] > small[:, :, :-1]).flatten(1)


def pairs_of_one_person(features: torch.Tensor, hashes: torch.Tensor) -> np.ndarray:
    """(P, 2) pairs; an image is in two at most, so that no star dominates."""
    near = torch.triu(torch.cdist(features, features) < SAME, diagonal=1).nonzero()
    unlike = (hashes[near[:, 0]] != hashes[near[:, 1]]).sum(dim=1) > 12
    seen: Counter[int] = Counter()
    kept = []
    for a, b in np.random.default_rng(0).permutation(near[unlike].numpy()):
        if max(seen[a], seen[b]) < 2:
            seen.update((a, b))
            kept.append((a, b))
    return np.array(kept)


def pairs_of_two_people(features: torch.Tensor, groups: np.ndarray) -> np.ndarray:
    """Pairs within groups among 800 images, without those that may be one person."""
    pool = np.random.default_rng(1).permutation(len(groups))[:800]
    pairs = pool[np.column_stack(np.triu_indices(len(pool), 1))]
    pairs = pairs[groups[pairs[:, 0]] == groups[pairs[:, 1]]]
    distances = (features[pairs[:, 0]] - features[pairs[:, 1]]).norm(dim=1).numpy()
    return pairs[distances > DIFFERENT]


def verify(title: str, features: torch.Tensor, same: np.ndarray, different: np.ndarray) -> None:
    """One line: how well a threshold on the distance separates the pairs."""
    near, far = (
        (features[pairs[:, 0]] - features[pairs[:, 1]]).norm(dim=1).numpy()
        for pairs in (same, different)
    )
    truth = np.repeat([1, 0], [len(near), len(far)])
    auc = roc_auc_score(truth, -np.concatenate([near, far]))
    found = (near < np.quantile(far, FALSE_ACCEPTANCE)).mean()
    # Threshold from one half of the pairs, accuracy from the other.
    thresholds = np.linspace(0.1, 1.2, 111)[:, None]
    chosen = ((near[::2] < thresholds).mean(1) + (far[::2] >= thresholds).mean(1)).argmax()
    limit = thresholds[chosen, 0]
    accuracy = ((near[1::2] < limit).mean() + (far[1::2] >= limit).mean()) / 2
    print(
        f"{title:>34}  AUC {auc:.4f}  found at 1 % false {found:.3f}  accuracy {accuracy:.3f}"
        f"  medians {np.median(near):.2f} / {np.median(far):.2f}"
    )


def utkface() -> tuple[list[bytes], np.ndarray]:
    """12,000 photos and their (age, gender, race)."""
    with zipfile.ZipFile(DATA / "utkface.zip") as archive:
        names = [n for n in sorted(archive.namelist()) if n.count("_") == 3]
        names = [str(n) for n in np.random.default_rng(0).permutation(names)[:12_000]]
        labels = [[int(part) for part in Path(n).name.split("_")[:3]] for n in names]
        return [archive.read(n) for n in names], np.array(labels)


def identities_of_utkface(photos: list[bytes], labels: np.ndarray) -> None:
    """Pairs among adults, at four sizes."""
    adults = np.flatnonzero(labels[:, 0] >= 20)
    large = cropped([photos[i] for i in adults], "none", 150)
    reference = DlibFace(precision="bf16")(large)
    same = pairs_of_one_person(reference, difference_hash(large))
    different = pairs_of_two_people(reference, labels[adults, 1] * 10 + labels[adults, 2])
    print(f"UTKFace, {len(adults):,} adults: {len(same)} pairs of one person")
    used = np.unique(np.concatenate([same, different]))
    same, different = np.searchsorted(used, same), np.searchsorted(used, different)
    chosen = [photos[i] for i in adults[used]]
    for size in (28, 64, 128):
        verify(f"{size} px", DlibFace()(cropped(chosen, "none", size)), same, different)
    verify("28 px, bf16", DlibFace(precision="bf16")(cropped(chosen, "none", 28)), same, different)
    plain = torch.from_numpy(cropped(chosen, "none", 28)).flatten(1).float()
    verify("28 px, pixels instead", plain / plain.std() / 40, same, different)


def identities_of_celeba() -> None:
    """Pairs at 28 pixels in both crops, with the right framing and without."""
    with zipfile.ZipFile(DATA / "celeba-10k.zip") as archive:
        photos = [archive.read(n) for n in sorted(archive.namelist()) if n.endswith(".jpg")]
        header, *rows = archive.read("list_attr_celeba.txt").decode().splitlines()[1:]
    male = 1 + header.split().index("Male")
    genders = np.array([row.split()[male] == "1" for row in rows if row])
    large = cropped(photos, "celeba-128", 64)
    reference = DlibFace("celeba-128", precision="bf16")(large)
    same = pairs_of_one_person(reference, difference_hash(large))
    different = pairs_of_two_people(reference, genders)
    print(f"CelebA, {len(photos):,} photos: {len(same)} pairs of one person", end="")
    print(f" (gender labels agree in {(genders[same[:, 0]] == genders[same[:, 1]]).mean():.1%})")
    used = np.unique(np.concatenate([same, different]))
    same, different = np.searchsorted(used, same), np.searchsorted(used, different)
    chosen = [photos[i] for i in used]
    crops: tuple[CropName, ...] = ("celeba-108", "celeba-128")
    for crop in crops:
        small = cropped(chosen, crop, 28)
        for framing in (crop, "whole"):
            verify(f"28 px {crop}, seen as {framing}", DlibFace(framing)(small), same, different)


def changed(photo: bytes) -> bytes:
    """Mirrored, shifted by 4 %, darkened and saved as a poor JPEG."""
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).crop((8, 8, 200, 200))
    file = io.BytesIO()
    image.point(lambda value: value * 0.75).save(file, "JPEG", quality=50)
    return file.getvalue()


def search(photos: list[bytes]) -> None:
    """How often is a changed photo nearest to its original?"""
    print(f"Changed photos searched among {len(photos):,}")
    copies = [changed(photo) for photo in photos]
    for size in (28, 64, 128):
        before, after = (DlibFace()(cropped(p, "none", size)) for p in (photos, copies))
        found = torch.cdist(after, before).argmin(dim=1) == torch.arange(len(photos))
        print(f"{size:>31} px  first {found.float().mean():.3f}")


def probe(photos: list[bytes], labels: np.ndarray) -> None:
    """What a linear model reads from the embedding of photos that it was not fitted to."""
    reference = DlibFace(precision="bf16")(cropped(photos, "none", 150))
    twins = torch.triu(torch.cdist(reference, reference) < 0.2, diagonal=1).any(dim=0).numpy()
    photos, labels = [p for p, t in zip(photos, twins, strict=True) if not t], labels[~twins]
    cut = len(photos) * 3 // 4
    print(f"Linear probes fitted to {cut:,} photos, read from {len(photos) - cut:,} others")
    for size in (28, 64, 128):
        features = DlibFace()(cropped(photos, "none", size)).numpy()
        features = StandardScaler().fit(features[:cut]).transform(features)
        read = {}
        for name, column in (("gender", 1), ("race", 2)):
            model = LogisticRegression(max_iter=2000, C=0.1)
            model.fit(features[:cut], labels[:cut, column])
            read[name] = model.score(features[cut:], labels[cut:, column])
        ages = Ridge(100.0).fit(features[:cut], labels[:cut, 0]).predict(features[cut:])
        read["age (R2)"] = r2_score(labels[cut:, 0], ages)
        shown = "  ".join(f"{name} {value:.3f}" for name, value in read.items())
        print(f"{size:>31} px  {shown}")
    largest = [np.bincount(labels[cut:, column]).max() / (len(labels) - cut) for column in (1, 2)]
    print(f"{'always the largest class':>34}  gender {largest[0]:.3f}  race {largest[1]:.3f}")


def main() -> None:
    """Print all tables."""
    photos, labels = utkface()
    identities_of_utkface(photos, labels)
    identities_of_celeba()
    search(photos[:1_000])
    probe(photos[:3_000], labels[:3_000])


if __name__ == "__main__":
    main()
