"""Files of others are read within bounds, or refused as what they are."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from facewright import outside
from facewright.errors import RunError
from facewright.schema import Wording

WORDING = Wording(RunError, fix="another file")


def lists(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_what_is_json_comes_back(tmp_path):
    file = tmp_path / "a.json"
    file.write_text('{"a": [1, "ü", null, Infinity]}')
    assert outside.json_of(file, WORDING) == {"a": [1, "ü", None, float("inf")]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b'{"a": ' + 5000 * b"9" + b"}", "is no JSON"),
        (b'"\xff"', "is no text: byte 1"),
        (lists(65).encode(), "nested too deeply"),
        (lists(100_000).encode(), "nested too deeply"),
        ((64 * '{"a":' + "[]" + 64 * "}").encode(), "nested too deeply"),
    ],
    ids=["nothing", "cut", "digits", "bytes", "deep", "deeper", "objects"],
)
def test_what_is_no_json_is_refused_with_the_file(tmp_path, content, said):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RunError, match=said) as refused:
        outside.json_of(tmp_path / "a.json", WORDING)
    assert "a.json" in refused.value.what
    assert refused.value.expected
    assert refused.value.fix == "another file"
    assert len(str(refused.value)) < 500 + len(str(tmp_path))


def test_sixty_four_levels_are_fine(tmp_path):
    (tmp_path / "a.json").write_text(lists(64))
    outside.json_of(tmp_path / "a.json", WORDING)


@pytest.mark.parametrize("content", ["a = " + lists(300), "a = " + 5000 * "9", "= 3", "[a", "\0"])
def test_what_is_no_toml_is_refused(tmp_path, content):
    (tmp_path / "a.toml").write_text(content)
    with pytest.raises(RunError, match=r"a\.toml is (no TOML|nested)"):
        outside.toml_of(tmp_path / "a.toml", WORDING)


def test_toml_of_an_editor_that_writes_a_mark_first_is_read(tmp_path):
    (tmp_path / "a.toml").write_text("\ufeffa = 1\n", encoding="utf-8")
    assert outside.toml_of(tmp_path / "a.toml", WORDING) == {"a": 1}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "no regular file"),
        (Path.mkdir, "directory"),
        (lambda path: path.symlink_to("/dev/zero"), "no regular file"),
        (lambda path: path.symlink_to(path), "symbolic links"),
    ],
    ids=["pipe", "folder", "device", "loop"],
)
def test_what_is_no_file_is_refused_and_not_waited_for(
    tmp_path, make: Callable[[Path], object], said
):
    make(tmp_path / "a.json")
    with pytest.raises(RunError, match=said):
        outside.json_of(tmp_path / "a.json", WORDING)


def test_what_is_missing_is_missing(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "nowhere", tmp_path / "file" / "below"):
        with pytest.raises(FileNotFoundError):
            outside.json_of(path, WORDING)


def test_a_text_of_any_size_takes_no_more_memory_than_the_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(outside, "LARGEST", 1 << 20)
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing
    with pytest.raises(RunError, match="larger than 1 MiB"):
        outside.json_of(tmp_path / "a.json", WORDING)
