"""Tensors that no training writes are refused by name, whoever computed the hash."""

import math

import pytest
import torch

from facewright.errors import CheckpointError
from facewright.records.tensors import refuse_others, refuse_unsound
from facewright.schema import Wording

WORDING = Wording(CheckpointError, fix="another file")

SOUND = {
    "generator.0.weight": torch.tensor([[-1.0, 2.0]]),
    "generator.1.running_mean": torch.tensor([-3.0]),
    "generator.1.running_var": torch.tensor([0.0, 1.0]),
    "generator.1.num_batches_tracked": torch.tensor(0),
    "adam.0.exp_avg_sq": torch.tensor([0.0, 2.0]),
    "adam.0.step": torch.tensor(3.0),
}


def test_what_training_writes_is_sound():
    refuse_unsound(SOUND, "file", WORDING)
    refuse_unsound({"w": torch.ones(2).half(), "v": torch.ones(2).bfloat16()}, "file", WORDING)


@pytest.mark.parametrize(
    ("name", "tensor", "said"),
    [
        ("generator.0.weight", torch.tensor([1.0, math.nan]), "not finite"),
        ("generator.0.weight", torch.tensor([1.0, math.inf]), "not finite"),
        ("generator.1.running_var", torch.tensor([1.0, -1e-9]), "is negative"),
        ("generator.1.num_batches_tracked", torch.tensor(-1), "is negative"),
        ("adam.0.exp_avg_sq", torch.tensor([-1.0]), "is negative"),
        ("adam.0.step", torch.tensor(-1.0), "is negative"),
        ("generator.0.weight", torch.tensor([1.0]).double(), "of type torch.float64"),
        ("generator.0.weight", torch.tensor([True]), "of type torch.bool"),
        ("generator.0.weight", torch.tensor([1 + 1j]), "of type torch.complex64"),
    ],
)
def test_what_no_training_writes_is_refused_by_name(name, tensor, said):
    with pytest.raises(CheckpointError, match=f"{name} in file .*{said}") as refused:
        refuse_unsound(SOUND | {name: tensor}, "file", WORDING)
    assert refused.value.expected
    assert refused.value.fix == "another file"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"generator.0.weight": torch.zeros(2, 1)}, r"is \(2, 1\) torch.float32"),
        ({"generator.0.weight": torch.zeros(2)}, r"is \(2,\) torch.float32"),
        ({"generator.0.weight": torch.zeros(1, 2).half()}, "torch.float16"),
        ({"generator.9.weight": torch.zeros(1)}, "has generator.9.weight"),
        ({"adam.0.step": None}, "lacks adam.0.step"),
        (dict.fromkeys(SOUND), "and 3 more"),
    ],
)
def test_tensors_of_other_networks_are_refused(change, said):
    found = {name: one for name, one in (SOUND | change).items() if one is not None}
    with pytest.raises(CheckpointError, match=said):
        refuse_others(found, SOUND, "file", WORDING)


def test_the_same_names_shapes_and_types_are_fine_whatever_the_numbers():
    refuse_others({name: one + 1 for name, one in SOUND.items()}, SOUND, "file", WORDING)
