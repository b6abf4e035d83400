"""Children that need not import everything anew: a second each, not five."""

import multiprocessing

from lightning_fabric.strategies import STRATEGY_REGISTRY
from lightning_fabric.strategies.ddp import DDPStrategy

FORKED = multiprocessing.get_context("forkserver")
"""Each is forked from a server that has imported the training once."""
FORKED.set_forkserver_preload(["facewright.training.run", "tests.training.conftest"])

SHARING_A_BATCH = "ddp_forkserver"
"""The same for processes that share a batch; in place of `launch.SEVERAL`."""
STRATEGY_REGISTRY.register(SHARING_A_BATCH, DDPStrategy, override=True, start_method="forkserver")
