"""What keeps this machine busy is seen."""

import subprocess
import sys

import psutil

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


def test_a_program_that_keeps_a_core_busy_is_seen():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert busy_cores(1.0) > 0.3
    finally:
        child.kill()
        child.wait()
