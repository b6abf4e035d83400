"""A checkpoint that somebody has altered, with every hash right, is refused before it is loaded."""

import shutil
from pathlib import Path

import pytest
import torch

from facewright.data.store import Store
from facewright.errors import CheckpointError
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.training.job import Job
from facewright.training.run import begin, execute
from tests.training.conftest import small

CONFIG = ("train.images=48",)


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory) -> Path:
    """Two of six steps."""
    run = tmp_path_factory.mktemp("trained") / "run"
    job = Job(small(*CONFIG, "train.images=16"), Store.open(store), run, "cpu")
    begin(job)
    execute(job)
    return run


def one_of_floats(groups) -> str:
    return next(n for n, t in groups["weights"].items() if t.is_floating_point())


def transposed(groups, state):
    name = next(
        n for n, t in groups["optimisers"].items() if t.dim() == 2 and len(set(t.shape)) > 1
    )
    groups["optimisers"][name] = groups["optimisers"][name].T.contiguous()


def a_weight_less(groups, state):
    del groups["weights"][next(iter(groups["weights"]))]


def a_weight_more(groups, state):
    groups["weights"]["generator.more"] = torch.zeros(1)


def no_optimiser(groups, state):
    groups["optimisers"] = {"discriminator.adam.0.step": torch.zeros(())}


def whole_numbers(groups, state):
    name = one_of_floats(groups)
    groups["weights"][name] = groups["weights"][name].int()


def not_a_number(groups, state):
    groups["weights"][one_of_floats(groups)].view(-1)[0] = torch.nan


def negative_variance(groups, state):
    name = next(n for n in groups["weights"] if n.endswith("running_var"))
    groups["weights"][name][0] = -1


def before_the_beginning(groups, state):
    state["step"] = -5


def more_images_than_steps_can_show(groups, state):
    state["images_seen"] = 10**15


def a_step_that_never_was(groups, state):
    state["step"] = 10**300


@pytest.mark.parametrize(
    "harm",
    [
        transposed,
        a_weight_less,
        a_weight_more,
        no_optimiser,
        whole_numbers,
        not_a_number,
        negative_variance,
        before_the_beginning,
        more_images_than_steps_can_show,
        a_step_that_never_was,
    ],
)
def test_it_is_refused_and_nothing_is_trained(harm, trained, store, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    folder = RunFolder(run).checkpoints
    *older, newest = checkpoints.readable(folder)
    for one in older:
        shutil.rmtree(one.path)
    groups = {group: newest.tensors(group) for group in ("weights", "optimisers")}
    state = {k: v for k, v in newest.state.items() if k not in ("format", "sha256", "state_sha256")}
    harm(groups, state)
    checkpoints.write(folder, newest.path.name, groups, state)
    steps = RunFolder(run).steps.read_bytes()
    with pytest.raises(CheckpointError):
        execute(Job(small(*CONFIG), Store.open(store), run, "cpu"))
    assert RunFolder(run).steps.read_bytes() == steps
    assert [path.name for path in folder.glob("[!.]*")] == [newest.path.name]
