"""What keeps this machine busy is seen."""

import psutil
import pytest

from facewright import machine
from facewright.machine import busy_cores, cores


def test_only_cores_that_this_program_may_use_count(monkeypatch):
    asked = []

    def cpu_percent(interval, percpu):
        asked.append((interval, percpu))
        return [100.0, 50.0, 25.0, 100.0]

    monkeypatch.setattr(psutil, "cpu_percent", cpu_percent)
    monkeypatch.setattr(machine, "_own_cores", lambda: {1, 2})
    assert busy_cores(0.3) == 0.75
    assert asked == [(0.3, True)]
    assert cores() == 2


def test_a_core_that_other_programs_keep_busy_is_seen(monkeypatch):
    """Of the second between two looks at the clocks, one core was busy for 0.8."""
    (kind,) = {type(core) for core in psutil.cpu_times(percpu=True)}
    idle = kind(**dict.fromkeys(kind._fields, 0.0))
    later = [idle._replace(idle=1.0), idle._replace(user=0.8, idle=0.2)]
    looks = iter([[idle, idle], later])
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: next(looks))
    monkeypatch.setattr(machine, "_own_cores", lambda: {0, 1})
    assert busy_cores(0.001) == pytest.approx(0.8)
