"""A long history is judged as a short one."""

import numpy as np

from facewright.doctor import convergence
from facewright.doctor.convergence import Divergence
from tests.doctor.histories import history


def test_gradients_that_run_away_are_seen_in_a_thinned_history_too(monkeypatch):
    monkeypatch.setattr(convergence, "ENOUGH", 50)
    known = history()
    for factor, level in ((1.0, "ok"), (1e6, "problem")):
        norms = np.ones(known.n_steps)
        norms[-20:] *= factor
        steps = {**known.steps, "d_grad_norm": norms, "g_grad_norm": np.ones(known.n_steps)}
        assert Divergence().examine(known.with_steps(steps)).level == level
