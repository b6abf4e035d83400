"""Photos whose labels are in their names or in the folders they lie in."""

import re
from pathlib import PurePosixPath

import numpy as np

from facewright.data.labels import LabelColumn, Labels, class_column
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
    for known in (_utkface, _lfw):
        if source := known(files):
            return source
    return _source(files, "photos", OWN_PHOTOS, _folder_labels(files))


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


def _folder_labels(files: Files) -> Labels:
    """The outermost folder that tells photos apart, if there is one."""
    parents = [PurePosixPath(name).parts[:-1] for name in files.names]
    depth = 0
    while len({parts[: depth + 1] for parts in parents}) == 1 and len(parents[0]) > depth:
        depth += 1
    folders = [parts[depth] if len(parts) > depth else None for parts in parents]
    if len({folder for folder in folders if folder}) < 2:
        return Labels.none(len(parents))
    return class_column("folder", folders)


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
