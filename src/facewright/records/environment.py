"""On what machine, with what software and on which photos was a run trained?"""

import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from facewright import outside
from facewright.errors import RunError
from facewright.json_form import dumps
from facewright.machine import cores, memory
from facewright.records import checkpoints
from facewright.records.record import write_atomically
from facewright.records.rows import EnvironmentNote
from facewright.records.run_folder import RunFolder
from facewright.schema import Wording, parsed

PACKAGES = ("facewright", "torch", "numpy", "lightning-fabric")
"""Distributions whose version can change a run's numbers."""


def snapshot() -> dict[str, Any]:
    """Which machine and software is this process running on?

    The host's and the user's name are private and left out; so is the home folder
    where it appears in the command line.

    Returns:
        `os`, `python`, `versions`, `cpu`, `cores` (those this process may use), `threads`
        (that torch uses), `memory_gib`, `gpus`, `git` (commit of the checkout, "-dirty"
        when changed; `None` when installed otherwise) and `command`.
    """
    import torch

    gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    return {
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "cpu": _cpu_model(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "memory_gib": round(memory() / 2**30, 1),
        "gpus": [torch.cuda.get_device_name(index) for index in gpus],
        "git": _git_commit(),
        "command": _command_line(sys.argv),
    }


def begin_session(
    folder: RunFolder, store: Mapping[str, Any], images_seen: int, *, recipe: str = ""
) -> None:
    """Note in `environment.json` that training starts or goes on.

    A session that never noted its end was killed, and is marked so.

    Args:
        folder: the run.
        store: what identifies the photos: path, content_hash, counts.
        images_seen: at the moment of starting; above 0 for a resumed run.
        recipe: what the settings started from; of a file only its name, because the path to it is
            private. Empty keeps what an earlier session noted.
    """
    before = read(folder)
    sessions = before["sessions"]
    for session in sessions:
        if session["ended"] is None:
            session["status"] = "killed"
    sessions.append(
        {
            "started": _now(),
            "ended": None,
            "images_from": images_seen,
            "images_to": None,
            "seconds": None,
            "status": "running",
            "process": {"id": os.getpid(), "started": _process_start(os.getpid())},
            **snapshot(),
        }
    )
    facewright = {
        "version": _version("facewright"),
        "recipe": Path(recipe).name or before["facewright"].get("recipe", ""),
        "init_from": before["facewright"].get("init_from") or _began_with(folder),
    }
    _write(folder, {"store": dict(store), "facewright": facewright, "sessions": sessions})


def end_session(
    folder: RunFolder,
    images_seen: int,
    seconds: float,
    status: Literal["finished", "interrupted", "failed"],
) -> None:
    """Note how the session that `begin_session` opened ended.

    Args:
        folder: the run.
        images_seen: at the end, over all sessions.
        seconds: training time of this session alone.
        status: `finished` when all planned images were seen.
    """
    environment = read(folder)
    environment["sessions"][-1] |= {
        "ended": _now(),
        "images_to": images_seen,
        "seconds": seconds,
        "status": status,
    }
    _write(folder, environment)


def read(folder: RunFolder) -> dict[str, Any]:
    """The content of `environment.json`; without sessions where none has begun.

    Raises:
        RunError: it is damaged.
    """
    damaged = Wording(RunError, fix="remove it, and resume with --data STORE")
    try:
        found = outside.json_of(folder.environment, damaged)
    except FileNotFoundError:
        return {"store": {}, "facewright": {}, "sessions": []}
    return dict(parsed(EnvironmentNote, found, str(folder.environment), damaged))


def is_alive(session: Mapping[str, Any]) -> bool:
    """Is the process of this session still there, on this machine?

    Process numbers are reused, so the process must also have started at the same moment.
    A run that is still being trained on another machine counts as gone.
    """
    process = session.get("process", {})
    start = process.get("started")
    return start is not None and _process_start(process["id"]) == start


def _began_with(folder: RunFolder) -> dict[str, Any] | None:
    """The model whose weights the run began with: name, path, sha256, images_seen."""
    return checkpoints.read(folder.init).state["init_from"] if folder.init.exists() else None


def _write(folder: RunFolder, environment: Mapping[str, Any]) -> None:
    write_atomically(folder.environment, dumps(environment, indent=1) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None  # run from a copy of the sources


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    named = models[0] if models else _output_of("sysctl", "-n", "machdep.cpu.brand_string")
    return named or platform.processor() or platform.machine()


def _git_commit() -> str | None:
    here = Path(__file__).resolve()
    # A virtual environment may lie inside the repository of another project.
    if not _output_of("git", "-C", str(here.parent), "ls-files", here.name):
        return None
    describe = ("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    return _output_of("git", "-C", str(here.parent), *describe) or None


def _command_line(argv: list[str]) -> str:
    home = str(Path.home()) + os.sep
    arguments = [argument.replace(home, "~/") for argument in argv[1:]]
    return shlex.join([Path(argv[0]).name, *arguments])


def _process_start(process_id: int) -> str | None:
    """When a process started, in the system's own words; `None` when it is gone."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8")
    except OSError:
        return _output_of("ps", "-o", "lstart=", "-p", str(process_id)) or None
    # The second field is the program's name, which may hold spaces and brackets.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]


def _output_of(*command: str) -> str:
    """What a system program prints; nothing when it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
