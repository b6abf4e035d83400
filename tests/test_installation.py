"""The command against a missing extra works for how Facewright was installed."""

import json
import shlex
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from facewright import installation
from facewright.installation import install_extra, pip_install, reinstall

EXTRAS = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]


class Installed:
    """A distribution that pip noted the origin of, or not."""

    def __init__(self, url: str | None) -> None:
        self.url = url

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.url is None else json.dumps({"url": self.url, "archive_info": {}})


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Facewright in site-packages, from some place."""
    monkeypatch.setattr(installation, "__file__", str(tmp_path / "lib" / "a" / "b" / "i.py"))

    def from_place(url: str | None) -> None:
        monkeypatch.setattr(metadata, "distribution", lambda _name: Installed(url))

    lines = [f"{need}; extra == '{name}'" for name, needs in EXTRAS.items() for need in needs]
    monkeypatch.setattr(metadata, "requires", lambda _name: ["torch>=2.6", *lines])
    return from_place


def words(command: str) -> list[str]:
    """What follows `pip install`, for the Python that runs."""
    python, *rest = shlex.split(command)
    assert python == sys.executable
    assert rest[:3] == ["-m", "pip", "install"]
    return rest[3:]


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_checkout_is_installed_with_the_extra(extra):
    """The tests run in one."""
    checkout = Path(__file__).resolve().parents[1]
    assert words(install_extra(extra)) == ["--editable", f"{checkout}[{extra}]"]


def test_a_wheel_that_is_still_there_is_installed_again(installed, tmp_path):
    wheel = tmp_path / "my wheels" / "facewright-0.1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    installed(wheel.as_uri())
    assert words(install_extra("faces")) == [f"{wheel}[faces]"]
    assert words(reinstall()) == ["--force-reinstall", "--no-deps", str(wheel)]


@pytest.mark.parametrize("url", [None, "file:///gone/facewright-0.1.0-py3-none-any.whl"])
@pytest.mark.parametrize("extra", ["faces", "hub", "onnx", "tensorboard"])
def test_where_the_origin_is_not_there_the_packages_themselves_are_named(installed, extra, url):
    installed(url)
    assert words(install_extra(extra)) == EXTRAS[extra]


def test_an_environment_without_pip_is_told_of_uv(monkeypatch):
    monkeypatch.setattr(installation.importlib.util, "find_spec", lambda _name: None)
    uv = ["uv", "pip", "install", "--python", sys.executable, "x>=1"]
    assert shlex.split(pip_install("x>=1")) == uv
