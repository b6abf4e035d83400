"""From photos to a store, whole or not at all."""

import errno
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from facewright.actions.events import Event, Note
from facewright.actions.prepare import Prepared, prepare
from facewright.cli.prepare import shown
from facewright.data.crops import Cut
from facewright.data.photo import Photo, Unusable
from facewright.data.photo_worker import Shrinker
from facewright.data.sources.find import find_source
from facewright.data.store import Store
from facewright.errors import DataError
from tests.data.drawings import encoded, picture, write_pictures


def made(source: Path | str, out: Path, **options) -> Store:
    return prepare(str(source), out=out, **{"size": 8, "workers": 1, **options}).store


def names(store: Store) -> list[str]:
    return (store.path / "names.txt").read_text(encoding="utf-8").splitlines()


def sides(store: Store) -> dict[str, str]:
    train = store.manifest["counts"]["train"]
    return {name: "train" if i < train else "val" for i, name in enumerate(names(store))}


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """60 pictures, three of them a copy and two near twins of others."""
    folder = write_pictures(tmp_path_factory.mktemp("photos"), 60)
    for i in (3, 30, 31):
        shutil.copy(folder / f"{i:03d}.png", folder / f"copy-{i}.png")
    for i in (7, 50):
        (folder / f"twin-{i}.jpg").write_bytes(encoded(picture(i), "JPEG", quality=95))
    return folder


def test_rows_are_the_photos_in_the_order_of_their_names(photos, tmp_path):
    store = made(photos, tmp_path / "s", size=60, crop="none", val_fraction=0.3)
    for part in ("train", "val"):
        listed = [name for name, side in sides(store).items() if side == part]
        assert listed == sorted(listed)
        for row, name in zip(getattr(store, part), listed, strict=True):
            if "twin" not in name:
                seed = int(Path(name).stem.removeprefix("copy-"))
                np.testing.assert_array_equal(row, picture(seed))


def test_the_manifest_tells_what_was_done(photos, tmp_path):
    store = made(photos, tmp_path / "s", size="8x6", val_fraction=0.2)
    manifest = json.loads((tmp_path / "s" / "manifest.json").read_text())
    assert manifest == store.manifest
    assert manifest["counts"] == {
        "found": 65,
        "train": len(store.train),
        "val": len(store.val),
        "quarantined": 0,
        "dropped": 0,
        "hidden": 0,
        "exact_copies": 3,
        "near_groups": 2,
        "in_chains": 0,
        "further_faces": 0,
        "faces_left_out": 0,
        "enlarged": 0,
    }
    assert manifest["enlarge"] == "allow"
    assert manifest["notes"] == []
    assert (manifest["size"], manifest["channels"]) == ([8, 6], 3)
    assert manifest["crop"]["name"] == "center"
    assert "LANCZOS" in manifest["resize_filter"]
    assert manifest["val_fraction"] == 0.2
    assert manifest["source"] == {"kind": "photos", "name": photos.name}
    assert manifest["licence"] == "not stated: you are responsible for rights and consent"
    assert manifest["duplicates"]["exact"] == [
        ["003.png", "copy-3.png"],
        ["030.png", "copy-30.png"],
        ["031.png", "copy-31.png"],
    ]
    assert manifest["duplicates"]["near"] == [["007.png", "twin-7.jpg"], ["050.png", "twin-50.jpg"]]
    assert manifest["duplicates"]["near_photos"] == 4
    assert {"facewright", "created", "split_rule", "content_hash"} <= manifest.keys()
    store.verify()


def notes_of(heard: list[Event]) -> str:
    return "\n".join(event.text for event in heard if isinstance(event, Note))


def test_the_result_says_what_scripts_want_to_know(photos, tmp_path):
    result = prepare(str(photos), out=tmp_path / "s", size=8, workers=1)
    assert isinstance(result, Prepared)
    found = json.loads(json.dumps(result.as_json()))
    assert found["store"] == str(tmp_path / "s")
    assert found["train"] + found["val"] == 65
    assert found["content_hash"] == result.store.content_hash
    assert found["images_per_second"] > 0
    assert str(shown(result)).startswith(f"{tmp_path / 's'}: ")
    assert found["labels"] == []
    assert found["preview"] == str(tmp_path / "s" / "preview.png")
    assert str(shown(result)).endswith(f"\nlook at this first: {found['preview']}")
    assert (tmp_path / "s" / "preview.png").is_file()
    assert "labels of the photos" not in str(shown(result))


def test_the_labels_of_the_photos_are_named(tmp_path):
    result = prepare("drawn", out=tmp_path / "s", size=16, count=20, workers=1)
    names = [label["name"] for label in result.store.manifest["labels"]]
    assert names
    assert result.as_json()["labels"] == names
    assert f"\nlabels of the photos: {', '.join(names)}\n" in str(shown(result))


@pytest.mark.parametrize(("dedupe", "left"), [("off", 65), ("exact", 62), ("near", 60)])
def test_copies_are_dropped_on_request(photos, tmp_path, dedupe, left):
    store = made(photos, tmp_path / "s", dedupe=dedupe)
    assert len(store.train) + len(store.val) == left
    assert store.manifest["counts"]["dropped"] == 65 - left
    if dedupe != "off":
        assert not [name for name in names(store) if name.startswith("copy")]


def test_copies_and_twins_are_on_one_side_whatever_the_share(photos, tmp_path):
    seen = set()
    for percent in range(5, 100, 10):
        side = sides(made(photos, tmp_path / "s", val_fraction=percent / 100, overwrite=True))
        for one, other in (
            ("003.png", "copy-3.png"),
            ("007.png", "twin-7.jpg"),
            ("050.png", "twin-50.jpg"),
        ):
            assert side[one] == side[other]
            seen.add(side[one])
    assert seen == {"train", "val"}


def test_a_photo_has_one_side_for_every_size_and_crop(photos, tmp_path):
    one = made(photos, tmp_path / "a", size=8, crop="center", val_fraction=0.3)
    other = made(photos, tmp_path / "b", size="20x12", crop="none", channels=1, val_fraction=0.3)
    assert sides(one) == sides(other)
    assert other.shape == (1, 20, 12)


def test_adding_photos_moves_none_of_the_others(photos, tmp_path):
    more = shutil.copytree(photos, tmp_path / "more")
    write_pictures(more / "new", 30, first=1000)
    before = sides(made(photos, tmp_path / "a", val_fraction=0.3))
    after = sides(made(more, tmp_path / "b", val_fraction=0.3))
    assert {name: after[name] for name in before} == before
    assert len(after) == 95


def test_neither_workers_nor_the_order_on_disk_change_the_store(photos, tmp_path):
    shuffled = tmp_path / "photos"
    shuffled.mkdir()
    files = sorted(photos.iterdir())
    random.Random(0).shuffle(files)
    for file in files:
        shutil.copy(file, shuffled)
    one = made(photos, tmp_path / "a", workers=1)
    other = made(shuffled, tmp_path / "b", workers=3)
    assert one.content_hash == other.content_hash
    assert names(one) == names(other)


def test_a_zip_packed_in_another_order_gives_the_same_store(photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for file in sorted(photos.iterdir(), reverse=True):
            archive.write(file, file.name)
    assert (
        made(photos, tmp_path / "a").content_hash
        == made(tmp_path / "p.zip", tmp_path / "b").content_hash
    )


def test_what_a_label_file_was_taken_for_is_said_in_output_manifest_and_json(photos, tmp_path):
    table = tmp_path / "ages.csv"
    table.write_text("file;age\n000.png;20,5\n001.png;21,5\n")
    heard: list[Event] = []
    result = prepare(
        str(photos), out=tmp_path / "s", size=8, workers=1, labels=(table,), on_event=heard.append
    )
    for note in (
        "ages.csv: photos are named by file",
        "ages.csv describes 2 of 65 photos, the others' labels are unknown",
        "age: commas are read as decimal points",
        "unknown of 63 of 65 photos: age",
    ):
        assert note in notes_of(heard)
        assert note in result.store.manifest["notes"]
        assert note in result.as_json()["notes"]


def test_notes_name_files_whatever_their_bytes_are(tmp_path):
    root = write_pictures(tmp_path / "photos", 3)
    with open(os.path.join(os.fsencode(root), b"caf\xe9.csv"), "wb") as file:
        file.write(b"file,age\n")
    store = made(root, tmp_path / "s")
    assert any("caf\\xe9.csv" in note for note in store.manifest["notes"])


def test_labels_follow_their_photos(photos, tmp_path):
    table = tmp_path / "ages.csv"
    table.write_text("file,age\n" + "".join(f"{i:03d}.png,{i}\n" for i in range(0, 60, 2)))
    store = made(photos, tmp_path / "s", labels=table, val_fraction=0.3)
    assert store.labels is not None
    assert store.labels.dtype == np.float32
    assert store.manifest["labels"] == [{"name": "age", "kind": "number"}]
    assert "unknown of 35 of 65 photos: age" in store.manifest["notes"]
    for name, (age,) in zip(names(store), store.labels, strict=True):
        known = name.startswith("0") and int(name[:3]) % 2 == 0
        assert age == int(name[:3]) if known else np.isnan(age)


def test_a_share_far_from_the_wanted_one_is_said(tmp_path):
    """90 near twins are one group: the half that was asked for cannot be met."""
    root = tmp_path / "photos"
    root.mkdir()
    for i in range(90):
        (root / f"{i}.jpg").write_bytes(encoded(picture(0), "JPEG", quality=6 + i))
    write_pictures(root, 10, first=1)
    heard: list[Event] = []
    store = made(root, tmp_path / "s", val_fraction=0.5, on_event=heard.append)
    said = notes_of(heard)
    assert f"{len(store.val)} of 100 photos are held out where 50 were asked for" in said


def test_too_few_held_out_photos_are_said_with_the_share_that_gives_enough(tmp_path):
    heard: list[Event] = []
    few = made(write_pictures(tmp_path / "few", 60), tmp_path / "s", on_event=heard.append)
    said = notes_of(heard)
    assert f"held out: {len(few.val)}, too few for augmentation that adapts" in said
    assert "--val-fraction 0.4, or more photos" in said  # 24 of 60 are 16 all but surely
    heard.clear()
    enough = {"val_fraction": 0.4, "on_event": heard.append}
    assert len(made(tmp_path / "few", tmp_path / "t", **enough).val) >= 16
    assert "too few" not in notes_of(heard)
    fewer = write_pictures(tmp_path / "fewer", 12)
    made(fewer, tmp_path / "u", val_fraction=0.5, on_event=heard.append)
    assert "which want 16: more photos" in notes_of(heard)


def test_nothing_is_said_of_a_share_as_near_as_chance_allows(photos, tmp_path, capsys):
    made(photos, tmp_path / "s", val_fraction=0.3)
    assert "asked for" not in capsys.readouterr().err


def test_some_photos_are_drawn_by_chance_with_their_labels_and_stay_on_their_sides(
    photos, tmp_path
):
    there = sorted(path.name for path in photos.iterdir())
    table = tmp_path / "places.csv"
    table.write_text("file,place\n" + "".join(f"{n},{i}\n" for i, n in enumerate(there)))
    whole = sides(made(photos, tmp_path / "all", val_fraction=0.3))
    chosen = {}
    for seed in (0, 1):
        store = made(
            photos, tmp_path / str(seed), labels=table, val_fraction=0.3, count=20, seed=seed
        )
        chosen[seed] = sides(store)
        assert len(chosen[seed]) == 20
        assert chosen[seed].items() <= whole.items()
        assert store.labels is not None
        assert store.labels[:, 0].tolist() == [there.index(name) for name in names(store)]
        assert f"20 of {len(there)} photos, drawn by chance (seed {seed})" in str(store.manifest)
    assert chosen[0] != chosen[1]


def test_photos_that_are_no_more_than_asked_for_are_all_taken(photos, tmp_path):
    store = made(photos, tmp_path / "s", count=1000)
    assert len(names(store)) == len(list(photos.iterdir()))


# photos with few pixels, and photos with several faces


def mixed_sizes(folder: Path) -> Path:
    """Pictures of 16, 12, 8, 4, 3 and 1 pixels a side."""
    folder.mkdir()
    for seed, side in enumerate((16, 12, 8, 4, 3, 1)):
        picture(seed, (side, side)).save(folder / f"{side:02d}.png")
    return folder


def quarantine(store: Store) -> dict[str, str]:
    return {entry["name"]: entry["reason"] for entry in store.manifest["quarantined"]}


def test_enlarged_photos_are_counted_and_said_with_the_worst(tmp_path):
    heard: list[Event] = []
    store = made(
        mixed_sizes(tmp_path / "p"), tmp_path / "s", size=12, val_fraction=0, on_event=heard.append
    )
    assert names(store) == ["03.png", "04.png", "08.png", "12.png", "16.png"]
    assert store.manifest["counts"]["enlarged"] == 3
    (note,) = store.manifest["notes"]
    assert note.startswith("3 of 5 pictures have fewer pixels than --size and are enlarged")
    assert "at most 4.00 times (03.png)" in note
    assert note in notes_of(heard)


@pytest.mark.parametrize("enlarge", ["allow", "refuse"])
def test_a_photo_of_few_pixels_is_set_aside_in_any_case(tmp_path, enlarge):
    store = made(mixed_sizes(tmp_path / "p"), tmp_path / "s", size=12, enlarge=enlarge)
    assert "01.png" in quarantine(store)
    assert store.manifest["enlarge"] == enlarge


def test_photos_with_fewer_pixels_than_the_size_are_set_aside_on_request(tmp_path):
    store = made(mixed_sizes(tmp_path / "p"), tmp_path / "s", size=12, enlarge="refuse")
    assert sorted(names(store)) == ["12.png", "16.png"]
    assert set(quarantine(store).values()) == {"smaller than --size"}
    assert store.manifest["counts"]["enlarged"] == 0
    assert store.manifest["notes"] == []


@pytest.mark.parametrize(
    ("options", "said", "fix"),
    [
        ({"size": 100}, "6 x too small", "a smaller --size"),
        ({"size": 17, "enlarge": "refuse"}, "6 x smaller than --size", "--enlarge allow"),
    ],
)
def test_a_folder_of_nothing_but_small_photos_is_refused_with_the_way_out(
    tmp_path, options, said, fix
):
    with pytest.raises(DataError, match=said) as caught:
        made(mixed_sizes(tmp_path / "p"), tmp_path / "s", **options)
    assert fix in caught.value.fix


class Several:
    """Stands for a crop that finds in each photo as many faces as its name's seed says."""

    description: ClassVar = {"name": "face", "faces": "all"}

    def __call__(self, photo: Photo, size: tuple[int, int]) -> list[Cut]:
        image = photo.at_least(1)
        count = int(np.asarray(image)[0, 0, 0])
        if not count:
            raise Unusable("no face found")
        return [
            Cut(
                Image.new("RGB", (size[1], size[0]), (count, number, 0)),
                9.0 if number == 3 else 1.0,
            )
            for number in range(count)
        ]


@pytest.fixture
def crowds(tmp_path, monkeypatch) -> Path:
    """20 photos, in turn without a face and with one to four of them."""
    monkeypatch.setattr("facewright.data.prepare.crop_named", lambda *_, **__: Several())
    folder = tmp_path / "crowds"
    folder.mkdir()
    for i in range(20):
        photo = picture(i)
        photo.putpixel((0, 0), (i % 5, 0, 0))
        photo.save(folder / f"{i:02d}.png")
    return folder


def test_every_face_is_a_picture_on_the_side_of_its_photo_with_its_labels(crowds, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("file,number\n" + "".join(f"{i:02d}.png,{i}\n" for i in range(20)))
    store = made(crowds, tmp_path / "s", labels=table, val_fraction=0.4)
    counts = store.manifest["counts"]
    # Of every five photos: none, 1, 2, 3 and 4 faces, the fourth of which is too small.
    assert counts["train"] + counts["val"] == 4 * (1 + 2 + 3 + 3)
    assert (counts["quarantined"], counts["further_faces"]) == (4, 4 * (1 + 2 + 2))
    assert counts["faces_left_out"] == 4
    assert store.labels is not None
    pixels = np.concatenate([store.train, store.val])[:, 0, 0]
    side = sides(store)
    for name, (faces, face, _), (number,) in zip(names(store), pixels, store.labels, strict=True):
        photo, _, nth = name.partition("#")
        assert int(photo[:2]) == number
        assert int(nth or 1) == face + 1
        assert faces == number % 5
        assert side[name] == side[photo]
    assert {name.partition("#")[0] for name in side} == {f"{i:02d}.png" for i in range(20) if i % 5}


def test_further_faces_are_said(crowds, tmp_path):
    heard: list[Event] = []
    made(crowds, tmp_path / "s", on_event=heard.append)
    assert "20 pictures of further faces in the same photos" in notes_of(heard)
    assert "4 further faces left out as too small" in notes_of(heard)


def test_pictures_lie_in_the_order_of_their_photos_whatever_the_tasks(
    crowds, tmp_path, monkeypatch
):
    one = made(crowds, tmp_path / "a").content_hash
    monkeypatch.setattr("facewright.data.prepare._PHOTOS_IN_A_TASK", 3)
    monkeypatch.setattr("facewright.data.arrange._COPY_BYTES", 200)
    assert made(crowds, tmp_path / "b").content_hash == one


def test_drawn_faces_make_a_store(tmp_path):
    store = made("drawn", tmp_path / "s", size=32, count=12, seed=5)
    assert len(store.train) + len(store.val) == 12
    assert store.labels is not None
    assert store.labels.shape[0] == 12
    assert (
        store.content_hash == made("drawn", tmp_path / "t", size=32, count=12, seed=5).content_hash
    )
    assert (
        store.content_hash != made("drawn", tmp_path / "u", size=32, count=12, seed=6).content_hash
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "--size 0"),
        ({"count": 0}, "--count 0"),
        ({"size": "8*8"}, r"--size 8\*8"),
        ({"size": 5000}, "--size 5000"),
        ({"val_fraction": 1.0}, "--val-fraction 1.0"),
        ({"val_fraction": -0.1}, "--val-fraction -0.1"),
        ({"channels": 2}, "--channels 2"),
        ({"workers": -1}, "--workers -1"),
        ({"crop": "celeba-108", "size": "8x9"}, "celeba-108 is square"),
    ],
)
def test_options_out_of_range_are_refused_before_anything_is_written(
    photos, tmp_path, options, message
):
    with pytest.raises(DataError, match=message):
        made(photos, tmp_path / "s", **options)
    assert not any(tmp_path.iterdir())


# whole or not at all


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_store_is_not_replaced_without_being_asked(photos, tmp_path):
    before = made(photos, tmp_path / "s").content_hash
    with pytest.raises(DataError, match="s exists") as caught:
        made(photos, tmp_path / "s", size=16)
    assert "--overwrite" in caught.value.fix
    assert Store.open(tmp_path / "s").content_hash == before
    assert made(photos, tmp_path / "s", size=16, overwrite=True).shape == (3, 16, 16)
    assert left_behind(tmp_path) == ["s"]


def test_a_folder_that_is_no_store_is_never_replaced(photos, tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.tex").write_text("years of work")
    (tmp_path / "s" / "manifest.json").write_text('{"format": "of something else"}')
    with pytest.raises(DataError, match="exists and is no training store"):
        made(photos, tmp_path / "s", overwrite=True)
    assert (tmp_path / "s" / "thesis.tex").exists()


def test_an_empty_folder_may_become_the_store(photos, tmp_path):
    (tmp_path / "s").mkdir()
    made(photos, tmp_path / "s").verify()


def test_an_error_half_way_leaves_nothing_and_the_former_store_intact(
    photos, tmp_path, monkeypatch
):
    before = made(photos, tmp_path / "s").content_hash

    def full(self, task):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Shrinker, "__call__", full)
    with pytest.raises(DataError, match="No space left on device"):
        made(photos, tmp_path / "s", overwrite=True)
    assert left_behind(tmp_path) == ["s"]
    assert Store.open(tmp_path / "s").content_hash == before


def test_a_place_that_cannot_be_written_is_a_clear_error(photos, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be written"):
        made(photos, tmp_path / "file" / "s")


@contextmanager
def begun_prepare(tmp_path: Path, photos: Path, workers: int) -> Iterator[subprocess.Popen[str]]:
    """`prepare` in a process of its own, which stands still after its first photo."""
    script = (
        # Tests that run in the background ignore SIGINT, and so would their children.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, time; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from facewright.actions import prepare as command\n"
        "from facewright.data import prepare as work\n"
        "work._PHOTOS_IN_A_TASK = 1\n"
        "def standing(event): print('one', flush=True); time.sleep(1000)\n"
        f"out = Path({str(tmp_path / 's')!r})\n"
        f"command.prepare({str(photos)!r}, out=out, size=8, workers={workers},\n"
        "                on_event=standing)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "one\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_prepare_leaves_nothing(photos, tmp_path, workers, sent):
    with begun_prepare(tmp_path, photos, workers) as process:
        assert left_behind(tmp_path) != []
        os.killpg(process.pid, sent) if sent == signal.SIGINT else process.send_signal(sent)
        _, errors = process.communicate()
    assert process.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1  # the caller's own; workers say nothing
    assert left_behind(tmp_path) == []


def test_what_a_killed_prepare_left_is_removed_by_the_next(photos, tmp_path):
    with begun_prepare(tmp_path, photos, 1) as process:
        process.kill()
        process.communicate()
    assert len(left_behind(tmp_path)) == 1
    made(photos, tmp_path / "s")
    assert left_behind(tmp_path) == ["s"]


def leftover(store: Path, end: str = "") -> Path:
    return store.with_name(f".{store.name}.partial-0123abcd{end}")


def test_a_store_that_was_being_replaced_when_the_process_was_killed_comes_back(photos, tmp_path):
    before = made(photos, tmp_path / "s").content_hash
    (tmp_path / "s").rename(leftover(tmp_path / "s", "-former"))
    with pytest.raises(DataError, match="s exists"):
        made(photos, tmp_path / "s")
    assert Store.open(tmp_path / "s").content_hash == before
    assert left_behind(tmp_path) == ["s"]


def test_the_present_folder_may_become_the_store(photos, tmp_path, monkeypatch):
    (tmp_path / "s").mkdir()
    monkeypatch.chdir(tmp_path / "s")
    made(photos, Path())
    Store.open(tmp_path / "s").verify()


def test_the_work_of_a_living_process_is_left_alone(photos, tmp_path):
    with begun_prepare(tmp_path, photos, 1) as process:
        busy = left_behind(tmp_path)
        made(photos, tmp_path / "s")
        assert left_behind(tmp_path) == sorted([*busy, "s"])
        process.terminate()
        process.communicate()
    assert left_behind(tmp_path) == ["s"]


@pytest.mark.parametrize(
    ("module", "name", "answer"),
    [(os, "kill", None), (socket, "gethostname", "another-host")],
    ids=["same number", "other host"],
)
def test_a_leftover_is_known_by_its_lock_and_by_no_process_number_or_host(
    photos, tmp_path, monkeypatch, module, name, answer
):
    """Containers that start again have other host names, and the process numbers of before."""
    with begun_prepare(tmp_path, photos, 1) as process:
        process.kill()
        process.communicate()
    monkeypatch.setattr(module, name, lambda *_: answer)
    made(photos, tmp_path / "s")
    assert left_behind(tmp_path) == ["s"]


def test_leftovers_of_a_store_with_a_longer_name_are_not_touched(photos, tmp_path):
    other = leftover(tmp_path / "s.partial-x")
    other.mkdir()
    (other / "rows.tmp").write_bytes(b"x")
    made(photos, tmp_path / "s")
    assert (other / "rows.tmp").exists()


def test_preparing_does_not_import_torch(tmp_path):
    script = (
        "import sys, facewright.data.prepare, facewright.data.photo_worker\n"
        "import facewright.actions.prepare, facewright.data.preview\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


# the real collections


def part_of(archive: Path, target: Path, every: int, extra: tuple[str, ...] = ()) -> Path:
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(target, "w") as part:
        photos = [name for name in whole.namelist() if name.endswith(".jpg")]
        for name in [*photos[::every], *extra]:
            part.writestr(name, whole.read(name))
    return target


def test_celeba_gives_faces_and_attributes(shared_data, tmp_path):
    archive = part_of(
        shared_data / "celeba-10k.zip", tmp_path / "c.zip", 33, ("list_attr_celeba.txt",)
    )
    store = made(archive, tmp_path / "s", size=54, crop="celeba-108")
    assert store.manifest["source"]["kind"] == "celeba"
    assert store.manifest["counts"]["quarantined"] == 0
    assert store.labels is not None
    assert store.labels.shape == (304, 40)
    # Pupils are darker than the cheeks below them, where the mean landmarks say they are.
    mean = np.concatenate([store.train, store.val]).mean(axis=(0, 3))
    for x in (69, 108):
        column, row = (x - 35) // 2, (111 - 55) // 2
        assert mean[row - 1 : row + 2, column - 1 : column + 2].mean() < mean[row + 8, column] - 40
    smiling = [c["name"] for c in store.manifest["labels"]].index("Smiling")
    assert 0.3 < store.labels[:, smiling].mean() < 0.7


def test_utkface_gives_faces_and_ages(shared_data, tmp_path):
    store = made(
        part_of(shared_data / "utkface.zip", tmp_path / "u.zip", 60), tmp_path / "s", size=28
    )
    assert store.manifest["source"]["kind"] == "utkface"
    assert store.labels is not None
    ages = store.labels[:, 0]
    assert 1 <= np.nanmin(ages) < 5
    assert 25 < np.nanmean(ages) < 40


def test_mnist_is_gray_and_keeps_its_pixels(shared_data, tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        shutil.copy(shared_data / "mnist" / name, folder)
    store = made(folder, tmp_path / "s", size=28, crop="none")
    source = find_source(str(folder), size=(28, 28))
    assert store.shape == (1, 28, 28)
    total = int(store.train.sum(dtype=np.int64)) + int(store.val.sum(dtype=np.int64))
    assert total == int(np.asarray(source.addresses).sum(dtype=np.int64))
    assert store.labels is not None
    assert np.bincount(store.labels[:, 0].astype(int)).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip


@pytest.mark.parametrize("crop", ["none", "center"])
def test_photos_of_wide_colour_spaces_become_the_store_of_their_copies(tmp_path, crop):
    cases = Path(__file__).resolve().parents[3] / "shared" / "cases" / "icc"
    if not cases.is_dir():
        pytest.skip(f"no photos at {cases}")
    stores = {
        space: prepare(str(cases / space), out=tmp_path / space, size=28, crop=crop, workers=1)
        for space in ("srgb", "p3", "adobe")
    }
    # Held out by content, which the profile is part of: sorted by name they are the same photos.
    meant, p3, adobe = (in_order(made.store) for made in stores.values())
    for found in (p3, adobe):
        assert abs(found - meant).mean() < 1


def in_order(store: Store) -> np.ndarray:
    """All photos by their names."""
    names = (store.path / "names.txt").read_text().splitlines()
    return np.concatenate([store.train, store.val]).astype(int)[np.argsort(names)]
