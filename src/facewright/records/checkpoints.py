"""Checkpoints: named tensors and a little JSON, written whole or not at all.

Nothing in a checkpoint is code, and nothing in it is trusted: hashes find damage, and types, shapes
and ranges are checked because anyone can compute a hash.
"""

import contextlib
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from facewright import outside
from facewright.errors import CheckpointError
from facewright.json_form import dumps, plain, restored
from facewright.records.rows import CheckpointState
from facewright.schema import LONGEST_SHOWN, Wording, parsed

if TYPE_CHECKING:  # `runs` reads what a checkpoint says of itself, without loading torch
    from torch import Tensor

TensorGroups = Mapping[str, Mapping[str, "Tensor"]]
"""File name without suffix -> tensor name -> tensor."""

Which = Literal["newest", "best"]

FORMAT = 1
LEAST_SHOWN, MOST_SHOWN = 2, 1 << 24
"""Real images that a step can have shown."""
SUFFIX = ".safetensors"
WORDS = ("config", "conditions")
"""Parts that hold words of users, among them perhaps "nan", and only finite numbers."""

FOREIGN = Wording(CheckpointError, fix="an older checkpoint, or a copy of this one")


@dataclass(frozen=True)
class Checkpoint:
    """One moment that can be gone back to.

    Args:
        path: its folder.
        state: step, images_seen, seconds and what else the writer put in; never tensors.
    """

    path: Path
    state: dict[str, Any]

    def tensors(self, group: str) -> "dict[str, Tensor]":
        """The tensors of one file, after checking its hash.

        Raises:
            CheckpointError: the file is missing, cut short or altered, or holds what no
                training writes.
        """
        file = self.path / f"{group}{SUFFIX}"
        expected = self.state["sha256"].get(file.name)
        try:
            with outside.opened(file, FOREIGN) as opened:
                content = opened.read()
        except FileNotFoundError:
            raise FOREIGN.refusal(f"{file} is missing", "the checkpoint's own file") from None
        if hashlib.sha256(content).hexdigest() != expected:
            found = f"{file} is damaged: its content is not what was saved"
            raise FOREIGN.refusal(found, f"sha256 {expected}")
        import safetensors.torch

        from facewright.records.tensors import refuse_unsound

        try:
            tensors = safetensors.torch.load(content)
        except (safetensors.SafetensorError, ValueError, KeyError) as error:
            raise FOREIGN.refusal(f"{file} holds no tensors: {error}"[:300], "tensors") from None
        refuse_unsound(tensors, str(file), FOREIGN)
        return tensors


def write(folder: Path, name: str, groups: TensorGroups, state: Mapping[str, Any]) -> Checkpoint:
    """Save one checkpoint: it appears under its name complete, or not at all.

    Args:
        folder: where checkpoints lie; made if missing.
        name: of the new checkpoint; a checkpoint of that name is replaced.
        groups: the tensors, one file for each group.
        state: JSON values; gets the files' hashes added.

    Raises:
        OSError: disk full, read-only. Nothing under `name` has changed then.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    temporary = folder / f".{name}.new.tmp"
    temporary.mkdir()
    try:
        hashes = {}
        for group, tensors in groups.items():
            content = save({k: v.contiguous() for k, v in tensors.items()})
            hashes[f"{group}{SUFFIX}"] = hashlib.sha256(content).hexdigest()
            _write_durably(temporary / f"{group}{SUFFIX}", content)
        full_state = plain({"format": FORMAT, **state, "sha256": hashes})
        full_state["state_sha256"] = _state_hash(full_state)
        _write_durably(temporary / "state.json", dumps(full_state, indent=1).encode())
        _sync_folder(temporary)
        if (folder / name).exists():  # a damaged one that the run has gone past again
            _remove(folder / name)
        os.replace(temporary, folder / name)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_folder(folder)
    return Checkpoint(folder / name, _restored(full_state))


def read(path: Path) -> Checkpoint:
    """The state of one checkpoint, its hash checked; its tensors are read on demand.

    Raises:
        CheckpointError: no readable state, or one that no training writes.
    """
    file = path / "state.json"
    try:
        state = outside.json_of(file, FOREIGN)
    except FileNotFoundError:
        found = f"{path} is no checkpoint: state.json is missing"
        raise FOREIGN.refusal(found, "a folder below `checkpoints` of a run") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise FOREIGN.refusal(f"{path} has an unknown format", f"format {FORMAT}")
    checked = parsed(CheckpointState, _restored(state), str(file), FOREIGN)
    if checked["state_sha256"] != _state_hash(state):
        raise FOREIGN.refusal(f"{file} is damaged: its content is not what was saved", "its hash")
    _refuse_impossible(checked, file)
    return Checkpoint(path, dict(checked))


def _refuse_impossible(state: CheckpointState, file: Path) -> None:
    """Refuse counters of which one cannot belong to the other, and names of files elsewhere."""
    step, images_seen = state["step"], state["images_seen"]
    if not LEAST_SHOWN * step <= images_seen <= MOST_SHOWN * step:
        found = f"{file}: {images_seen:,} images in {step:,} steps"
        raise FOREIGN.refusal(found, f"{LEAST_SHOWN} to {MOST_SHOWN:,} images a step")
    for name in state["sha256"]:
        if Path(name).name != name or not name.endswith(SUFFIX):
            found = f"{file}: sha256 of {name[:LONGEST_SHOWN]!r}"
            raise FOREIGN.refusal(found, f"files such as weights{SUFFIX}")


def _restored(state: dict[str, Any]) -> dict[str, Any]:
    return {name: one if name in WORDS else restored(one) for name, one in state.items()}


def sound(folder: Path, which: Which = "newest") -> tuple[Checkpoint, list[str]]:
    """The newest, or the best, checkpoint whose every byte is as saved.

    Args:
        folder: where checkpoints lie.
        which: "best" has the lowest score, of those scored in the same way as the newest
            scored one; without any scored one it is the newest.

    Returns:
        The checkpoint, and one sentence for each damaged one that was passed over.

    Raises:
        CheckpointError: there is none.
    """
    candidates, damaged = [], []
    for path in folder.glob("[!.]*"):
        try:
            candidates.append(read(path))
        except CheckpointError as error:
            damaged.append(error.what)
    for checkpoint in _best_first(candidates) if which == "best" else sorted(candidates, key=_age):
        try:
            check(checkpoint)
        except CheckpointError as error:
            damaged.append(error.what)
        else:
            return checkpoint, damaged
    raise CheckpointError(
        f"no usable checkpoint in {folder}" + "".join(f"; {d}" for d in damaged),
        expected="at least one",
        fix="start again: facewright train ...",
    )


def check(checkpoint: Checkpoint) -> None:
    """Is every tensor as it was saved?

    Raises:
        CheckpointError: one file is not.
    """
    for file in checkpoint.state["sha256"]:
        checkpoint.tensors(file.removesuffix(SUFFIX))


def set_aside_all_but_older(folder: Path, step: int) -> None:
    """Hide what is damaged, or newer than a step that the run has gone back to.

    Such checkpoints would count as the newest, be spared in place of sound ones, and block
    the names that the run needs again. They stay in the folder as `.NAME.damaged`.
    """
    for path in folder.glob("[!.]*"):
        try:
            checkpoint = read(path)
            check(checkpoint)
            keep = checkpoint.state["step"] <= step
        except CheckpointError:
            keep = False
        if not keep:
            hidden = path.with_name(f".{path.name}.damaged")
            shutil.rmtree(hidden, ignore_errors=True)
            os.replace(path, hidden)


def best(folder: Path) -> Checkpoint | None:
    """The checkpoint with the lowest score; `None` when none has a score."""
    found = readable(folder)
    return next((c for c in _best_first(found) if c.state.get("score") is not None), None)


def prune(folder: Path, keep_last: int) -> None:
    """Remove all checkpoints but the newest few and the best."""
    spared = best(folder)
    for checkpoint in readable(folder)[: -max(keep_last, 1)]:
        if spared is None or checkpoint.path != spared.path:
            _remove(checkpoint.path)


def readable(folder: Path) -> list[Checkpoint]:
    """All checkpoints whose state can be read, oldest first."""
    found = []
    for path in folder.glob("[!.]*"):
        with contextlib.suppress(CheckpointError):
            found.append(read(path))
    return sorted(found, key=lambda c: c.state["step"])


def _remove(path: Path) -> None:
    # Renamed first, so that a kill in the middle leaves no half checkpoint under its name.
    doomed = path.with_name(f".{path.name}.tmp")
    os.replace(path, doomed)
    shutil.rmtree(doomed)


def _best_first(found: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Lowest score first; those without one, or scored in another way, last and newest first.

    Scores of different metrics or features are never compared. The newest decides which count.
    """
    newest_first = sorted(found, key=_age)
    ways = [c.state.get("score_of") for c in newest_first if c.state.get("score") is not None]

    def rank(checkpoint: Checkpoint) -> tuple[float, int]:
        score = checkpoint.state.get("score")
        if score is None or checkpoint.state.get("score_of") != ways[0]:
            score = math.inf
        return (score, _age(checkpoint))

    return sorted(newest_first, key=rank)


def _age(checkpoint: Checkpoint) -> int:
    """Newest first."""
    return -checkpoint.state["step"]


def _state_hash(state: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in state.items() if key != "state_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _sweep(folder: Path) -> None:
    """Remove what a killed writer left half done."""
    for leftover in folder.glob(".*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
