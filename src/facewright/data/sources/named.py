"""Photos whose labels are in their names or in the folders they lie in."""

import re
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from facewright.data.cells import label_of_words
from facewright.data.labels import LabelColumn, Labels, class_column
from facewright.data.photo_names import likely_photos
from facewright.data.sources.celeba import tables_above
from facewright.data.sources.folder_roles import are_shards, are_splits, masks_among
from facewright.data.sources.metadata import read_metadata
from facewright.data.sources.source import OWN_PHOTOS, Files, Source

_MOST = 0.8  # share of names in a form, from which on the collection is taken for that one

_UTKFACE = re.compile(r"(\d{1,3})_([01])_([0-4])_\d+\..*", re.IGNORECASE)
_UTKFACE_COLUMNS = (
    LabelColumn("age", "number", meaning="years, estimated by the authors' model and checked"),
    LabelColumn("gender", "class", ("male", "female"), "as labelled by the authors"),
    LabelColumn(
        "race",
        "class",
        ("white", "black", "asian", "indian", "other"),
        "as labelled by the authors",
    ),
)


def photos_by_name(files: Files) -> Source:
    """UTKFace, LFW, folders as classes, or simply photos: whatever the names say."""
    masks = masks_among(files.names)
    labels, said, tables = read_metadata(files)
    photos = files.where(lambda name: name not in masks and name not in tables)
    for known in (_utkface, _lfw):
        if source := known(photos):
            break
    else:
        folder, notes = _folder_labels(photos)
        if above := tables_above(files.root):
            notes += (f"not read: {above[0]}; if these are CelebA's photos, give it by --labels",)
        source = _source(photos, "photos", OWN_PHOTOS, folder, notes)
    if masks:
        note = f"{len(masks):,} masks or other maps of photos left out, such as {min(masks)}"
        source = replace(source, notes=(*source.notes, note))
    kept = [i for i, name in enumerate(files.names) if name not in masks and name not in tables]
    return source.labelled(replace(labels, values=labels.values[kept]), said)


def _utkface(files: Files) -> Source | None:
    """UTKFace: AGE_GENDER_RACE_TIME.jpg.

    Source: Zhang et al. 2017, arXiv:1702.08423.
    """
    matches = [_UTKFACE.fullmatch(PurePosixPath(name).name) for name in files.names]
    if not _most(matches):
        return None
    unknown = (np.nan,) * len(_UTKFACE_COLUMNS)
    values = [tuple(map(float, m.groups())) if m else unknown for m in matches]
    malformed = matches.count(None)
    return _source(
        files,
        "utkface",
        "UTKFace: non-commercial research only, no redistribution",
        Labels(_UTKFACE_COLUMNS, np.array(values, np.float32)),
        (f"{malformed} names are not AGE_GENDER_RACE_TIME, their labels are unknown",)
        if malformed
        else (),
    )


def _lfw(files: Files) -> Source | None:
    """Labeled Faces in the Wild: Some_Name/Some_Name_0001.jpg.

    Source: Huang et al. 2007, University of Massachusetts, report 07-49.
    """
    people = [_lfw_person(name) for name in files.names]
    if not _most(people):
        return None
    return _source(
        files,
        "lfw",
        "LFW: photographs from news sites, for research; their rights lie with the publishers",
        class_column("identity", people, "person, by name"),
    )


def _lfw_person(name: str) -> str | None:
    path = PurePosixPath(name)
    is_one = re.fullmatch(re.escape(path.parent.name) + r"_\d{4}\.\w+", path.name)
    return path.parent.name if path.parent.name and is_one else None


def _folder_labels(files: Files) -> tuple[Labels, tuple[str, ...]]:
    """The outermost folder that tells photos apart as classes do, if there is one."""
    paths = [PurePosixPath(name) for name in files.names]
    likely = [paths[row] for row in likely_photos(files.names)]
    notes: tuple[str, ...] = ()
    for depth in range(max((len(path.parts) for path in paths), default=0)):
        deep = [path for path in likely if len(path.parts) > depth + 1]
        places = [(path.parts[depth], path.name) for path in deep]
        folders = {folder for folder, _ in places}
        if len(folders) < 2 or are_splits(folders):
            continue
        if are_shards(places):
            some = f"{min(folders)} to {max(folders)}"
            notes = (f"folders {some} are parts of one collection, and no label",)
            continue
        words = [path.parts[depth] if len(path.parts) > depth + 1 else None for path in paths]
        label = label_of_words("folder", [word if word in folders else None for word in words])
        if all(folder.isdecimal() for folder in folders):
            some = f"{min(folders)} to {max(folders)}"
            notes = (f"folders {some} are taken for classes, not for parts of a collection",)
        if label is None:
            notes = (f"{len(folders):,} folders hold so few photos each that they are no label",)
        return label or Labels.none(len(paths)), notes
    return Labels.none(len(paths)), notes


def _most(found: list) -> bool:
    return sum(bool(one) for one in found) > _MOST * len(found)


def _source(
    files: Files, kind: str, licence: str, labels: Labels, notes: tuple[str, ...] = ()
) -> Source:
    return Source(
        kind=kind,
        place=files.root.name,
        licence=licence,
        names=files.names,
        addresses=files.addresses,
        read=files.read,
        labels=labels,
        hidden=files.hidden,
        set_aside=files.set_aside,
        notes=notes,
    )
