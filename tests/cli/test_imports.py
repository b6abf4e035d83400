"""What a command loads: nobody waits for torch to read a line of help."""

import subprocess
import sys

import pytest

import facewright
from facewright.cli.main import main
from tests.stores import write_store

SLOW = ("torch", "scipy.stats", "sklearn", "lightning_fabric", "matplotlib")
NEVER_ASKED_FOR = ("torch._dynamo", "scipy.stats", "sklearn", "lightning_fabric", "matplotlib")

PROGRAM = """
import sys
from facewright.cli.main import main
try:
    main(sys.argv[2:])
except SystemExit:
    pass
print("loaded:", *(name for name in sys.argv[1].split(",") if name in sys.modules))
"""


def loaded(names: tuple[str, ...], *words: str) -> list[str]:
    """Which of these modules a command has loaded, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(names), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.rpartition("loaded:")[2].split()


@pytest.mark.parametrize("name", facewright.COMMANDS)
def test_help_loads_nothing_that_is_slow(name):
    assert loaded(SLOW, name, "--help") == []


@pytest.mark.parametrize("words", [("train", "--dta", "x"), ("resume",), ("evaluate", "--count")])
def test_a_mistyped_command_is_refused_before_anything_slow_is_loaded(words):
    assert loaded(SLOW, *words) == []


def test_runs_are_listed_without_torch(tmp_path):
    store = write_store(tmp_path / "blobs")
    settings = ["model.width=4", "model.z_dim=8", "train.batch=8", "loss.game=hinge"]
    words = ["--data", str(store), "--out", str(tmp_path / "run"), "--images", "16"]
    assert main(["train", "--recipe", "drawn-32", *words, "--set", *settings]) == 0
    assert loaded(SLOW, "runs", str(tmp_path)) == []


def test_generating_loads_torch_and_nothing_beyond(tmp_path):
    words = ("generate", "faces-28", "--out", str(tmp_path / "one.png"), "--count", "1")
    assert loaded(NEVER_ASKED_FOR, *words) == []
    assert (tmp_path / "one.png").is_file()
