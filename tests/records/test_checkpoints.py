"""A checkpoint is whole or it is not there; a damaged one is named and passed over."""

import json
import math
import os
import pickle

import pytest
import torch

from facewright.errors import CheckpointError
from facewright.records import checkpoints


def save(folder, step: int, score: float | None = None, name: str | None = None):
    tensors = {"weights": {"w": torch.full((3, 2), float(step))}}
    state = {"step": step, "images_seen": step * 10, "seconds": 1.0, "score": score}
    return checkpoints.write(folder, name or f"{step:06d}k", tensors, state)


def names(folder) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_what_was_saved_comes_back(tmp_path):
    save(tmp_path, 3)
    checkpoint, damaged = checkpoints.sound(tmp_path)
    assert checkpoint.state["step"] == 3
    assert torch.equal(checkpoint.tensors("weights")["w"], torch.full((3, 2), 3.0))
    assert not damaged


def test_a_score_that_is_not_finite_is_json_and_comes_back(tmp_path):
    saved = save(tmp_path, 3, score=math.inf)
    json.loads((saved.path / "state.json").read_text(), parse_constant=pytest.fail)
    checkpoint, damaged = checkpoints.sound(tmp_path)
    assert saved.state["score"] == checkpoint.state["score"] == math.inf
    assert not damaged


def test_a_word_of_the_user_stays_a_word(tmp_path):
    words = {
        "conditions": {"labels": [{"name": "inf", "classes": ["black", "nan"]}]},
        "config": {"data": {"labels": ["inf"]}},
    }
    counters = {"step": 3, "images_seen": 24, "seconds": 1.0}
    saved = checkpoints.write(tmp_path, "3", {"weights": {"w": torch.zeros(2)}}, counters | words)
    for checkpoint in (saved, checkpoints.read(saved.path)):
        assert {name: checkpoint.state[name] for name in words} == words


def test_where_folders_cannot_be_opened_files_are_saved_all_the_same(tmp_path, monkeypatch):
    """As on Windows."""
    really = os.open

    def open_files_only(path, *settings, **more):
        if os.path.isdir(path):
            raise PermissionError(path)
        return really(path, *settings, **more)

    monkeypatch.delattr(os, "O_DIRECTORY")
    monkeypatch.setattr(os, "open", open_files_only)
    save(tmp_path, 3)
    assert checkpoints.sound(tmp_path)[0].state["step"] == 3


@pytest.mark.parametrize("file", ["weights.safetensors", "state.json"])
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "remove"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path, file, harm):
    save(tmp_path, 1)
    save(tmp_path, 2)
    victim = tmp_path / "000002k" / file
    content = bytearray(victim.read_bytes())
    if harm == "flip":
        content[len(content) // 2] ^= 1
    if harm == "remove":
        victim.unlink()
    else:
        victim.write_bytes({"flip": content, "cut": content[:-7], "empty": b""}[harm])
    checkpoint, damaged = checkpoints.sound(tmp_path)
    assert checkpoint.state["step"] == 1
    (sentence,) = damaged
    assert "000002k" in sentence


def test_an_altered_counter_is_noticed(tmp_path):
    save(tmp_path, 1)
    state = save(tmp_path, 2).path / "state.json"
    state.write_text(state.read_text().replace('"step": 2', '"step": 7'))
    checkpoint, damaged = checkpoints.sound(tmp_path)
    assert checkpoint.state["step"] == 1
    assert len(damaged) == 1


def test_the_best_sound_checkpoint_is_found_behind_a_damaged_better_one(tmp_path):
    for step, score in enumerate([2.0, 3.0, 1.0, None], start=1):
        save(tmp_path, step, score)
    (tmp_path / "000003k" / "weights.safetensors").write_bytes(b"")
    best, damaged = checkpoints.sound(tmp_path, "best")
    assert best.state["step"] == 1
    assert len(damaged) == 1


def test_without_scores_the_best_is_the_newest(tmp_path):
    save(tmp_path, 1)
    save(tmp_path, 2)
    assert checkpoints.sound(tmp_path, "best")[0].state["step"] == 2


def test_what_a_run_goes_back_behind_is_set_aside_not_lost(tmp_path):
    for step in (1, 2, 3):
        save(tmp_path, step)
    (tmp_path / "000001k" / "weights.safetensors").write_bytes(b"")
    checkpoints.set_aside_all_but_older(tmp_path, step=2)
    assert names(tmp_path) == [".000001k.damaged", ".000003k.damaged", "000002k"]


def test_without_any_good_checkpoint_every_damage_is_listed(tmp_path):
    for step in (1, 2):
        save(tmp_path, step)
        (tmp_path / f"{step:06d}k" / "weights.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"(?s)000002k.*000001k"):
        checkpoints.sound(tmp_path)


def test_a_pickle_in_place_of_the_weights_is_not_run(tmp_path):
    path = save(tmp_path, 1).path
    ran = tmp_path / "ran"
    (path / "weights.safetensors").write_bytes(pickle.dumps(Bomb(str(ran))))
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoints.read(path).tensors("weights")
    assert not ran.exists()


def test_even_a_pickle_whose_hash_is_right_is_not_run(tmp_path):
    """An attacker can write the hash too; the format itself holds no code."""
    import hashlib
    import json

    path = save(tmp_path, 1).path
    ran = tmp_path / "ran"
    bomb = pickle.dumps(Bomb(str(ran)))
    (path / "weights.safetensors").write_bytes(bomb)
    state = json.loads((path / "state.json").read_text())
    state["sha256"]["weights.safetensors"] = hashlib.sha256(bomb).hexdigest()
    state["state_sha256"] = checkpoints._state_hash(state)
    (path / "state.json").write_text(json.dumps(state))
    with pytest.raises(CheckpointError, match="holds no tensors"):
        checkpoints.read(path).tensors("weights")
    assert not ran.exists()


class Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_the_newest_and_the_best_are_kept(tmp_path):
    for step, score in enumerate([5.0, 1.0, 4.0, None, 3.0], start=1):
        save(tmp_path, step, score)
        checkpoints.prune(tmp_path, keep_last=2)
    assert names(tmp_path) == ["000002k", "000004k", "000005k"]
    best = checkpoints.best(tmp_path)
    assert best is not None
    assert best.state["step"] == 2


def test_pruning_forgets_neither_the_only_checkpoint_nor_an_unscored_newest(tmp_path):
    save(tmp_path, 1)
    checkpoints.prune(tmp_path, keep_last=1)
    assert names(tmp_path) == ["000001k"]
    assert checkpoints.best(tmp_path) is None


def test_a_full_disk_leaves_the_old_checkpoint_and_nothing_half_done(tmp_path, monkeypatch):
    save(tmp_path, 1)

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, 2)
    assert names(tmp_path) == ["000001k"]


def test_leftovers_of_a_killed_writer_are_swept_away(tmp_path):
    (tmp_path / ".000009k.new.tmp").mkdir(parents=True)
    save(tmp_path, 1)
    assert names(tmp_path) == ["000001k"]
