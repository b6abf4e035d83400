"""Where things are kept that can be had again."""

import os
from pathlib import Path
from tempfile import gettempdir

import pytest

from facewright.cache import cache_folder


def test_the_own_variable_comes_first_then_the_desktops_then_the_home_folder(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("FACEWRIGHT_CACHE", "/own")
    monkeypatch.setenv("XDG_CACHE_HOME", "/desktop")
    assert cache_folder("downloads") == Path("/own/downloads")
    monkeypatch.delenv("FACEWRIGHT_CACHE")
    assert cache_folder("features") == Path("/desktop/facewright/features")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder("weights") == Path.home() / ".cache/facewright/weights"


def test_a_user_without_a_home_has_a_cache_too(monkeypatch: pytest.MonkeyPatch):
    for name in ("FACEWRIGHT_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987654)
    assert cache_folder("weights") == Path(gettempdir()) / "facewright-cache-987654" / "weights"
