"""What a short pass through every command gives, as hashes and as the shapes of its JSON.

Taken before the structure changes, compared after each step: `python -m tests.golden.take`
writes the file for this machine. Only the command line is used, so nothing here knows where
code lives. Goes with the last step of the restructuring.
"""

import contextlib
import hashlib
import io
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

from facewright.cli.main import main

HERE = Path(__file__).parent
SECONDS = ("seconds", "images_per_second")
BRIEF = ["record.final_samples=0", "record.snapshot_images=0", "record.equilibrium_images=0"]
BRIEF += ["record.sample_images=320", "record.checkpoint_images=320", "record.score_samples=64"]


def machine() -> str:
    """Other processors, and other builds of torch, round differently."""
    with contextlib.suppress(OSError):
        names = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in names if "model name" in line), "")
        return f"{cpu}, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"
    return f"{platform.processor()}, torch {torch.__version__}"


def take(folder: Path) -> dict[str, Any]:
    """Run every command in a folder, and tell what came out.

    Args:
        folder: empty; everything is written into it.
    """
    with contextlib.chdir(folder):
        return dict(_commands())


def _commands() -> Iterator[tuple[str, Any]]:
    said: dict[str, Any] = {}

    def call(name: str, *words: str, status: int = 0) -> dict[str, Any]:
        out, start = io.StringIO(), time.perf_counter()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as err:
            ended = main([name, *words, "--json"])
        assert ended == status, f"{name} {words}: {ended}: {err.getvalue()}"
        print(name, words[:1], round(time.perf_counter() - start, 1), file=sys.__stderr__)
        said.setdefault(name, shape_of(json.loads(out.getvalue())))
        return json.loads(out.getvalue())

    call("prepare", "facewright-faces", "--out", "faces", "--size", "28", "--crop", "none",
         "--count", "256", "--val-fraction", "0.3", "--workers", "1")  # fmt: skip
    call("prepare", "drawn", "--out", "drawn", "--size", "28", "--count", "192",
         "--val-fraction", "0.4", "--workers", "1")  # fmt: skip
    yield "store", {name: store(Path(name)) for name in ("faces", "drawn")}

    def trained(name: str, recipe: str, data: str, *settings: str) -> None:
        words = [w for s in (*BRIEF, "train.precision=fp32", *settings) for w in ("--set", s)]
        call("train", "--recipe", recipe, "--data", data, "--out", name, "--images", "640",
             "--device", "cpu", *words)  # fmt: skip

    trained("fast", "fast-28", "faces", "record.snapshot_images=640")
    trained("classic", "classic-celeba28", "faces")
    trained("told", "fast-28", "drawn", "data.labels=glasses,hair", "loss.r1=1",
            "loss.slope=antithetic-noise", "augment.adaptive=false")  # fmt: skip
    trained("odd", "fast-28", "faces", "loss.game=relativistic", "loss.r1=0.5", "loss.r2=0.5",
            "loss.gradient_penalty=1", "loss.slope=exact", "train.micro_batch=8", "train.d_steps=2",
            "model.normalisation=none", "train.batch=8")  # fmt: skip
    shutil.copytree("fast", "more")
    call("resume", "more", "--images", "960")
    yield "runs", {name: run(Path(name)) for name in ("fast", "classic", "told", "odd", "more")}

    call("generate", "fast", "--out", "images.npy", "--count", "70")
    call("generate", "faces-28", "--out", "sheet.png", "--grid", "--count", "9")
    call("generate", "faces-64", "--out", "one.png", "--count", "1")
    yield "images", {n: sha(Path(n)) for n in ("images.npy", "sheet.png", "one.png")}

    scored = call("evaluate", "fast", "--data", "faces", "--metrics", "kid@face,prdc@face",
                  "--count", "100")  # fmt: skip
    audited = call("audit", "fast", "--data", "faces", "--count", "100", "--out", "pairs.png")
    found = call("diagnose", "fast")
    balance = call("equilibrium", "odd", "--data", "faces", "--budget", "quick")
    judged = call("equilibrium", "faces-28", "--data", "faces", "--budget", "quick")
    yield "numbers", _plain([scored, audited, found, balance, judged])

    call("export", "fast", "--out", "fast.safetensors", "--count", "100", "--force",
         "--checkpoint", "newest", "--with-discriminator")  # fmt: skip
    call("export", "told", "--out", "told.safetensors", "--count", "100", "--force",
         "--checkpoint", "newest")  # fmt: skip
    yield "bundles", {n: bundle(Path(n)) for n in ("fast.safetensors", "told.safetensors")}

    call("report", "fast")
    call("runs", ".")
    call("lesson")
    yield "json", said


def shape_of(value: Any) -> Any:
    """Keys and types; of a list the shapes that occur in it."""
    if isinstance(value, dict):
        return {key: shape_of(one) for key, one in value.items()}
    if isinstance(value, list):
        return [json.loads(one) for one in sorted({json.dumps(shape_of(one)) for one in value})]
    return type(value).__name__


def store(path: Path) -> dict[str, str]:
    """Pixels, labels, and what the manifest says of them."""
    manifest = json.loads((path / "manifest.json").read_text())
    del manifest["created"]
    arrays = {file.name: sha(file) for file in sorted(path.glob("*.npy"))}
    return arrays | {"manifest": digest(manifest)}


def run(path: Path) -> dict[str, Any]:
    """Weights, optimisers, samples and logs; not how long they took."""
    kept = sorted((path / "checkpoints").iterdir())
    return {
        "config": sha(path / "config.toml"),
        "checkpoints": {
            c.name: {f.name: tensors(f) for f in sorted(c.glob("*.safetensors"))} for c in kept
        },
        "states": digest([_state(c / "state.json") for c in kept]),
        "samples": {file.name: sha(file) for file in sorted((path / "samples").iterdir())},
        **{
            log: digest(rows(path / f"{log}.jsonl"))
            for log in ("steps", "metrics", "snapshots", "findings")
        },
    }


def bundle(path: Path) -> dict[str, Any]:
    """Its tensors, and the shape of what it says of itself."""
    length = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + length])["__metadata__"]
    facts = {k: shape_of(json.loads(v)) if v[:1] in "{[" else k for k, v in header.items()}
    return {"tensors": tensors(path), "header": facts}


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a log, without times."""
    if not path.exists():
        return []
    return [_plain(json.loads(line)) for line in path.read_text().splitlines()]


def _state(path: Path) -> dict[str, Any]:
    state = _plain(json.loads(path.read_text()))
    del state["state_sha256"]  # of the seconds too
    return state


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k not in SECONDS}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def tensors(path: Path) -> str:
    """Of all tensors of a file, by name."""
    held = load_file(path)
    whole = hashlib.sha256()
    for name in sorted(held):
        whole.update(name.encode())
        whole.update(np.ascontiguousarray(held[name]).tobytes())
    return whole.hexdigest()[:16]


def sha(path: Path) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def digest(value: Any) -> str:
    """Of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


if __name__ == "__main__":
    torch.set_num_threads(1)
    with TemporaryDirectory() as place:
        os.environ["FACEWRIGHT_CACHE"] = f"{place}/cache"
        (Path(place) / "work").mkdir()
        taken = {"machine": machine(), **take(Path(place) / "work")}
        if keep := os.environ.get("GOLDEN_KEEP"):
            shutil.copytree(Path(place) / "work", keep)
    (HERE / "golden.json").write_text(json.dumps(taken, indent=1) + "\n")
