"""Children that need not import everything anew: a second each, not five."""

import multiprocessing

FORKED = multiprocessing.get_context("forkserver")
"""Each is forked from a server that has imported the training once."""
FORKED.set_forkserver_preload(["facewright.training.run", "tests.training.conftest"])
