"""Shape checks on, one thread, and the real photographs where they exist."""

from pathlib import Path

import pytest
import torch
from jaxtyping import install_import_hook

CHECKED = ["facewright.networks", "facewright.objective"]
SHAPE_CHECKS = install_import_hook(CHECKED, "beartype.beartype")

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


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


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)
