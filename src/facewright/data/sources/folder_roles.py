"""What folders are for: classes, splits, shards that number on, masks beside photos."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from facewright.data.photo_names import is_file_name, split_of

_SHARD = re.compile(r"(shard|part|chunk|batch|split|fold|images|imgs)[-_ ]?\d+", re.IGNORECASE)
_STEPS = (10, 100, 500, 1000, 2000, 5000, *(10**k for k in range(4, 9)))
"""How many photos a shard may hold."""

_MASKS = re.compile(
    r"(.*[-_ ])?(masks?|seg|segs|segmentations?|segmaps?|anno|annotations?|labels?|parsings?"
    r"|landmarks?|depth|mattes?|alphas?|trimaps?|gt)",
    re.IGNORECASE,
)
_OF_PHOTO = re.compile(r"(.+?)[-_. ](mask|seg|segmentation|matte|alpha|depth|landmarks?)", re.I)


def is_shard(folder: str) -> bool:
    """Does the name say that the folder is one of many parts?"""
    return _SHARD.fullmatch(folder) is not None


def are_splits(folders: Iterable[str]) -> bool:
    """Are these train, val or test, perhaps with something beside them?"""
    folders = set(folders)
    splits = [folder for folder in folders if split_of(folder)]
    return len(splits) > 1 or (bool(splits) and len(splits) == len(folders))


def are_shards(places: Sequence[tuple[str, str]]) -> bool:
    """Do folders only keep a numbered collection in parts?

    So it is where their names say it, and where each folder's number follows from those of its
    photos, as in 69000/69123.png. Classes that are numbered, such as ages, number their photos
    anew, or without regard to the class.

    Args:
        places: folder and name of each photo.
    """
    folders = {folder for folder, _ in places}
    if all(is_shard(folder) for folder in folders):
        return True
    if not all(folder.isdecimal() for folder in folders):
        return False
    numbers = [
        (int(folder), re.findall(r"\d+", PurePosixPath(name).stem)) for folder, name in places
    ]
    numbered = [(folder, int(found[-1][-18:])) for folder, found in numbers if found]
    return len(numbered) == len(numbers) and any(
        all(folder in (n // step, n // step * step) for folder, n in numbered) for step in _STEPS
    )


def masks_among(names: Sequence[str]) -> set[str]:
    """Names of the files that are masks or other maps of photos, to go by folder and name.

    They must go with a photo each: folders such as with_mask and without_mask are classes.
    """
    photos = [PurePosixPath(name) for name in names if is_file_name(name)]
    folders = {part for path in photos for part in path.parts[:-1]}
    mapped = {folder for folder in folders if _MASKS.fullmatch(folder)}
    if any("mask" in folder.lower() for folder in folders - mapped):
        mapped = {folder for folder in mapped if "mask" not in folder.lower()}
    beside = [path for path in photos if mapped.isdisjoint(path.parts[:-1])]
    known = {_number(path.stem) for path in beside}
    inside = [path for path in photos if not mapped.isdisjoint(path.parts[:-1])]
    paired = sum(_goes_with(path.stem, known) for path in inside)
    found = {str(path) for path in inside} if beside and 2 * paired >= len(inside) else set()
    here = {(path.parent, path.stem) for path in beside}
    for path in beside:
        match = _OF_PHOTO.fullmatch(path.stem)
        if match and (path.parent, match[1]) in here:
            found.add(str(path))
    return found


def _goes_with(stem: str, photos: set[str]) -> bool:
    """Is there a photo of this name, or of its first part: 7 for 00007_hair?"""
    cut = re.split(r"[-_. ]", stem)
    return any(_number("_".join(cut[:end])) in photos or _number(stem) in photos
               for end in range(1, len(cut) + 1))  # fmt: skip


def _number(stem: str) -> str:
    """Numbers without zeros before them, anything else with small letters."""
    return str(int(stem)) if stem.isdecimal() and len(stem) < 20 else stem.casefold()
