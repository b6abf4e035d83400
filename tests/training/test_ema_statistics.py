"""The EMA generator is looked at and saved with statistics of its own."""

import numpy as np
import pytest
import torch

from facewright.conditions import Conditioning
from facewright.config import Config
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.rng import rng_for
from facewright.training.ema_statistics import EmaStatistics, generated
from facewright.training.job import Extras
from facewright.training.state import TrainState, fresh_state
from tests.training.conftest import small


def restored(run, config: Config, store: Store, told: Conditioning) -> TrainState:
    state = fresh_state(config, store.shape, torch.device("cpu"), told.size)
    state.restore(checkpoints.readable(RunFolder(run).checkpoints)[-1])
    return state


def statistics(network) -> dict[str, torch.Tensor]:
    return {name: b.clone() for name, b in network.named_buffers() if "running" in name}


@pytest.mark.parametrize(
    "changes", [(), ('data.labels=["reddish"]',), ("train.images=40",)], ids=str
)
def test_a_checkpoint_holds_its_own_and_not_those_of_training(changes, train, store):
    config = small(*changes)
    run, _ = train("run", config)
    told = PhotoConditions.of(Store.open(store), config.data.labels).meaning
    state = restored(run, config, Store.open(store), told)
    saved = statistics(state.ema.network)
    EmaStatistics(config, told, shown=8).take(state)
    assert all(tensor.equal(saved[name]) for name, tensor in statistics(state.ema.network).items())
    training = statistics(state.generator.network)
    assert not any(tensor.equal(saved[name]) for name, tensor in training.items())


def test_scores_are_of_what_is_saved_at_the_same_moment(train, store):
    seen = []
    extras = Extras(score=lambda _real, fake: seen.append(fake) or [])
    run, _ = train("run", small("train.images=32"), extras)
    state = restored(run, small(), Store.open(store), Conditioning())
    z = torch.randn(len(seen[-1]), 8, generator=rng_for(0, 0, "score"))
    drawn = generated(state, z, torch.zeros(len(z), 0), Store.open(store).shape)
    assert np.array_equal(seen[-1], drawn)
