"""A change of structure changes no number and no field: equal to what was before the first move."""

import json

import pytest

from facewright.training import ema_statistics
from tests.golden import take

TAKEN = json.loads((take.HERE / "golden.json").read_text())


@pytest.mark.skipif(
    TAKEN["machine"] != take.machine(), reason=f"hashes were taken on {TAKEN['machine']}"
)
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_command_gives_what_it_gave_before(tmp_path, monkeypatch):
    # The tests of training take fewer, in every process that has collected them.
    monkeypatch.setattr(ema_statistics, "LATENTS", 1024)
    taken = take.take(tmp_path)
    assert {name: taken[name] for name in taken} == {k: v for k, v in TAKEN.items() if k in taken}
    assert taken.keys() == TAKEN.keys() - {"machine"}
