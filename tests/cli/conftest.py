"""Trainings by command, as quick as their tests allow."""

import pytest


@pytest.fixture(autouse=True, scope="package")
def _brief():
    """What takes long and is not asked about here: how busy the cores are before each training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("facewright.actions.announcement.busy_cores", lambda: 0.0)
        yield
