"""Trainings by command, as quick as their tests allow."""

from dataclasses import replace

import pytest

from facewright.doctor import js_estimate


@pytest.fixture(autouse=True, scope="package")
def _brief():
    """What takes long and is not asked about here: the steps of the doctor's fresh judge, and
    the look at how busy the cores are before each training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(js_estimate, "BUDGET", replace(js_estimate.BUDGET, fresh_steps=25, batch=8))
        patch.setattr("facewright.actions.announcement.busy_cores", lambda: 0.0)
        yield
