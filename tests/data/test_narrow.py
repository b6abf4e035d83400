"""Which photos of a source are meant."""

from pathlib import Path

import pytest

from facewright.data.sources.find import find_source
from facewright.errors import DataError
from tests.data.drawings import write_pictures
from tests.data.test_sources import write_parquet


def found(path: Path, *only: str):
    return find_source(str(path), size=(8, 8), only=only)


@pytest.fixture
def tree(tmp_path) -> Path:
    for folder, count in (("train/happy", 3), ("train/sad", 2), ("test/happy", 1)):
        write_pictures(tmp_path / "d" / folder, count)
    return tmp_path / "d"


@pytest.mark.parametrize(
    ("only", "count"), [(("train/*",), 5), (("*/happy/*",), 4), (("test/*", "*/sad/*"), 3)]
)
def test_photos_are_taken_by_their_paths_and_that_is_said(tree, only, count):
    source = found(tree, *only)
    assert len(source.names) == len(source.addresses) == len(source.labels.values) == count
    assert f"{count} of 6 photos, by --only {' '.join(only)}" in source.notes
    happy = source.labels.columns[0].classes.index("happy")
    assert [v == happy for v in source.labels.values[:, 0]] == ["happy" in n for n in source.names]


def test_a_pattern_that_fits_nothing_is_refused_with_an_example(tree):
    with pytest.raises(DataError, match=r"--only nobody/\*: none of 6 photos") as refused:
        found(tree, "nobody/*")
    assert "test/happy/000.png" in refused.value.expected


def test_splits_that_are_put_together_are_counted_and_the_pattern_that_is_said_works(tree):
    (note,) = found(tree).notes
    assert "1 of test, 5 of train" in note
    pattern = note.rpartition("--only ")[2].strip("'")
    assert len(found(tree, pattern).names) == 1


@pytest.mark.parametrize(
    "files",
    [
        ("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"),
        ("train.parquet",),
        ("default/train/0000.parquet", "default/train/0001.parquet"),
    ],
)
def test_splits_of_parquet_files_are_counted_too(tmp_path, files):
    for i, file in enumerate(files):
        write_parquet(tmp_path / file, 3, 3 * i)
    assert "splits" not in " ".join(found(tmp_path).notes)
    write_parquet(tmp_path / files[0].replace("train", "test"), 2)
    (note,) = (note for note in found(tmp_path).notes if note.startswith("splits"))
    assert f"2 of test, {3 * len(files)} of train" in note
    pattern = note.rpartition("--only ")[2].strip("'")
    assert len(found(tmp_path, pattern).names) == 2


@pytest.mark.parametrize(
    "files",
    [
        ("small/train-00000-of-00001.parquet", "large/train-00000-of-00001.parquet"),
        ("small/train/0000.parquet", "large/train/0000.parquet"),
        ("small/0.parquet", "large/0.parquet"),
    ],
)
def test_configurations_are_a_question_with_an_answer(tmp_path, files):
    for file in files:
        write_parquet(tmp_path / file, 3)
    with pytest.raises(DataError, match=r"several configurations.*large \(3\), small \(3\)") as no:
        found(tmp_path)
    assert no.value.fix == "--only 'large/*' for one, --only '*' for all"
    assert len(found(tmp_path, "large/*").names) == 3
    assert len(found(tmp_path, "*").names) == 6


def test_shards_of_parquet_files_are_no_configurations(tmp_path):
    for i in range(2):
        write_parquet(tmp_path / f"part-{i}" / "0.parquet", 3, 3 * i)
    assert len(found(tmp_path).names) == 6


def test_the_same_photos_in_several_sizes_are_a_question_with_an_answer(tmp_path):
    for size, count in (("images1024x1024", 3), ("thumbnails128x128", 2)):
        write_pictures(tmp_path / "ffhq" / size / "00000", count)
    with pytest.raises(
        DataError, match=r"sizes: images1024x1024 \(3\), thumbnails128x128 \(2\)"
    ) as no:
        found(tmp_path)
    assert no.value.fix == "--only '*images1024x1024/*' for one, --only '*' for all"
    assert len(found(tmp_path, "*images1024x1024/*").names) == 3
    assert len(found(tmp_path, "*").names) == 5


def test_other_photos_in_folders_of_sizes_are_no_question(tmp_path):
    for i, size in enumerate(("64x64", "128x128")):
        for name in "ab":
            (write_pictures(tmp_path / size, 1) / "000.png").rename(
                tmp_path / size / f"{name}{i}.png"
            )
    assert len(found(tmp_path).names) == 4
