"""Shape checks on, the same chance for every test, and nothing handed on to the next one."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
import torch

from tests.processes import SHARING_A_BATCH

CHECKED = ["facewright.networks", "facewright.objective"]
SHAPE_CHECKS = jaxtyping.install_import_hook(CHECKED, "beartype.beartype")
CHECKED_IN = {"networks", "objective", "training"}
"""Tests that go through every network and every loss; a tenth of the time of all others."""

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SHARED = pytest.StashKey[dict[pytest.FixtureDef[Any], Path]]()
"""What fixtures of several tests gave: a folder each, or a file in it."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with CelebA, UTKFace and MNIST; tests that need it skip without it."""
    if not DATA.is_dir():
        pytest.skip(f"no photographs at {DATA}")
    return DATA


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    """Nothing that a test keeps reaches the user's cache, and nothing from there a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEWRIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that share a batch start in a second; as users have it takes both cores ten."""
    monkeypatch.setattr("facewright.training.launch.SEVERAL", SHARING_A_BATCH)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Whatever ran before it, a test begins with one thread and the same random numbers."""
    is_near = not CHECKED_IN.isdisjoint(item.path.parts)
    jaxtyping.config.update("jaxtyping_disable", not is_near)
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """What several tests share is made alike, whichever of them comes first."""
    if fixturedef.scope == "function":
        return (yield)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        value = yield
    if isinstance(value, Path):
        request.config.stash.setdefault(SHARED, {})[fixturedef] = value
    return value


def pytest_fixture_post_finalizer(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> None:
    request.config.stash.get(SHARED, {}).pop(fixturedef, None)


@pytest.fixture(autouse=True)
def _shared_folders_stay_as_they_were(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Who wants to write into what several tests share takes a copy: the others may be next."""
    places, here = request.config.stash.get(SHARED, {}).values(), tmp_path_factory.getbasetemp()
    folders = {place if place.is_dir() else place.parent for place in places}
    folders = {folder for folder in folders if folder.is_relative_to(here)}
    before = set().union(*map(_files, folders))
    yield
    changed = before ^ set().union(*map(_files, folders))
    names = sorted({path for path, *_ in changed})
    assert not changed, f"other tests share what this one changed: {names}"


def _files(folder: Path) -> set[tuple[str, int, int]]:
    """Each with what a change of it changes."""
    found = [(str(path), path.stat()) for path in folder.rglob("*")]
    return {(path, look.st_mtime_ns, look.st_size) for path, look in found}


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """pytest-randomly names it in the header, which `-q` leaves out."""
    seed = config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"the same order again: --randomly-seed={seed}")
