"""What processes that share a batch send each other, counted: what holds beyond one machine."""

import logging

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from facewright.data.stream import BatchStream
from facewright.networks.processes import average
from facewright.planning.recipes import read_recipe
from facewright.settings import override
from facewright.training.loop import train_until
from facewright.training.state import TrainState, fresh_state
from tests.networks.together import by_threads

FLOAT = 4
CPU = torch.device("cpu")
NUMBERS = {"discriminator": 9, "generator": 1}
"""Of each update that are recorded, but for the length of the gradient."""


def sent_in_one_step(recipe: str) -> tuple[list[int], TrainState]:
    """Bytes of each message of one of two processes, and a state with the same networks."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    config = override(read_recipe(recipe), ["model.width=4", "train.images=16", "train.batch=16"])
    pixels = np.random.default_rng(0).integers(0, 256, (32, 28, 28, 3), dtype=np.uint8)
    states = [fresh_state(config, (3, 28, 28), CPU) for _ in range(2)]

    def work(rank: int) -> None:
        train_until(
            states[rank],
            config,
            batches=BatchStream(pixels, batch=16, seed=0, flip=True, share=(rank, 2)),
            fabric=Fabric(accelerator="cpu", devices=1),
            callbacks=[],
            should_stop=lambda: False,
        )

    sent: list[int] = []
    by_threads(work, range(2), sent)
    return sent, states[0]


@pytest.mark.parametrize(("recipe", "messages"), [("fast-28", 14), ("classic-celeba28", 12)])
def test_a_step_sends_each_gradient_once_and_each_norm_once_there_and_once_back(recipe, messages):
    sent, state = sent_in_one_step(recipe)
    players = {"discriminator": state.discriminator, "generator": state.generator}
    weights = {name: sum(w.numel() for w in player.weights) for name, player in players.items()}
    gradients = sum(weights[name] + 2 * NUMBERS[name] for name in players)

    def norms(player):
        """Numbers of all its norms: from each process means, variances and a count."""
        return sum(
            2 * (2 * layer.num_features + 1)
            for layer in player.network.modules()
            if isinstance(layer, nn.BatchNorm2d)
        )

    # The generator draws once; the discriminator looks at photos, fakes, and fakes once more.
    passes = norms(state.generator) + 3 * norms(state.discriminator)
    assert len(sent) == messages
    assert sum(sent) == FLOAT * (gradients + 2 * passes)


def test_gradients_are_averaged_in_one_message_with_what_each_process_notes():
    shares = torch.arange(12.0).view(3, 4)
    sent: list[int] = []

    def work(share):
        tensors = [share[:2].clone(), share[2:].view(1, 2).clone()]
        return tensors, average(tensors, share[:1])

    for (first, second), notes in by_threads(work, shares, sent):
        torch.testing.assert_close(torch.cat([first, second[0]]), shares.mean(0))
        assert notes.tolist() == [[0.0], [4.0], [8.0]]
    assert sent == [FLOAT * (4 + 3)]
