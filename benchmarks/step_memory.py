"""How near is the estimate of memory to what two steps of training take of this machine?

    python -m benchmarks.step_memory [--batch 256]

Each case in a process of its own: what a process freed before hides what it takes next. The
tests count what torch allots instead, which is the same on every machine; here is the resident
memory, with what convolutions take beside that. Ends with status 1 if a case is out of bounds.
"""

import argparse
import sys
from multiprocessing import get_context

import numpy as np
import torch

from facewright.config import Config
from facewright.data.stream import BatchStream
from facewright.networks.device import resolve_precision
from facewright.planning.speed import peak_memory
from facewright.settings import override
from facewright.training.launch import fabric_of
from facewright.training.loop import train_until
from facewright.training.memory import estimate
from facewright.training.state import fresh_state

BOUND = 1.8
SHAPE = (3, 28, 28)
CPU = torch.device("cpu")


def cases(batch: int) -> dict[str, Config]:
    """Runs that keep different things for the way back, with batches that fill the weights' part.

    Args:
        batch: of all but the residual networks, which take a quarter, as they keep much more.
    """
    whole = override(Config(), ["model.width=64", "model.z_dim=100", f"train.batch={batch}"])
    tried = override(
        whole, ["model.width=32", "loss.r1=1", "loss.r2=1", "loss.slope=finite-difference"]
    )
    residual = ["model.name=resnext", "model.widths=[64, 64, 32]", "model.group_width=16"]
    residual += [f"train.batch={batch // 4}", "loss.game=relativistic", "loss.r1=1"]
    return {
        "whole": whole,
        "in portions": override(
            whole, ["model.normalisation=none", f"train.micro_batch={batch // 4}"]
        ),
        "slopes tried": tried,
        "antithetic noise": override(
            tried, ["loss.slope=antithetic-noise", "loss.instance_noise=0.1"]
        ),
        "exact slopes": override(tried, ["loss.slope=exact"]),
        "residual": override(Config(), [*residual, "loss.slope=finite-difference"]),
    }


def two_steps(config: Config) -> None:
    """Train fresh players for two steps, on the CPU, with nobody looking on."""
    cpu, batch = fabric_of(config, "cpu"), config.train.batch
    photos = np.random.default_rng(0).integers(0, 256, (batch, 28, 28, 3), np.uint8)
    train_until(
        fresh_state(config, SHAPE, cpu.device),
        override(config, [f"train.images={2 * batch}"]),
        batches=BatchStream(photos, batch=batch, seed=0, flip=False),
        fabric=cpu,
        callbacks=(),
        should_stop=lambda: False,
    )


def risen(config: Config) -> int:
    """How far two steps raise the peak of this process's resident memory, in bytes."""
    torch.set_num_threads(1)
    # Once in small: what torch sets up at its first convolution belongs to the program.
    two_steps(override(config, ["train.batch=4", "train.micro_batch=0"]))
    before = peak_memory(CPU)
    two_steps(config)
    after = peak_memory(CPU)
    assert before is not None, "the peak is read from /proc"
    assert after is not None
    return after - before


def main() -> None:
    """Measure every case and print how far the estimate is off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--batch", type=int, default=256)
    options = parser.parse_args()
    precisions = sorted({"fp32", resolve_precision("auto", CPU)})
    outside = 0
    print(f"estimate / measured, each at most {BOUND} times the other")
    for precision in precisions:
        for name, case in cases(options.batch).items():
            config = override(case, [f"train.precision={precision}"])
            with get_context("spawn").Pool(1) as alone:
                measured = alone.apply(risen, (config,))
            need = estimate(config, SHAPE)
            expected = need.weights + need.activations
            outside += not measured / BOUND < expected < measured * BOUND
            print(
                f"{name + ', ' + precision:>24}  {expected / measured:.2f}  "
                f"({expected / 2**20:,.0f} MiB of {measured / 2**20:,.0f})"
            )
    sys.exit(outside > 0)


if __name__ == "__main__":
    main()
