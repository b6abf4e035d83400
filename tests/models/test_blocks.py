"""Batch norm in one process and in two, and the last layer."""

import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

from facewright.models.blocks import BatchNorm2d, Verdict

# One of two processes: normalises its share of the batch and saves what came of it.
WORKER = """
import sys
import torch
import torch.distributed as dist
from facewright.models.blocks import BatchNorm2d

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
case = torch.load(f"{folder}/case.pt")
share = slice(0, 3) if rank == 0 else slice(3, None)
layer = BatchNorm2d(4)
layer.load_state_dict(case["layer"])
maps = case["maps"][share].requires_grad_(True)
out = layer(maps)
(gradient,) = torch.autograd.grad((out * case["pull"][share]).sum(), maps, create_graph=True)
(second,) = torch.autograd.grad((gradient * case["twist"][share]).sum(), maps)
torch.save(
    {"out": out.detach(), "gradient": gradient.detach(), "second": second,
     "layer": layer.state_dict()},
    f"{folder}/{rank}.pt",
)
dist.destroy_process_group()
"""


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_two_processes_normalise_like_one_with_the_whole_batch(tmp_path):
    layer = nn.BatchNorm2d(4)
    nn.init.normal_(layer.weight, 1, 0.5, generator=torch.Generator().manual_seed(0))
    # A mean far from zero: a variance from squares alone would lose its digits.
    maps = (normal(8, 4, 5, 3, seed=1) + 50).requires_grad_(True)
    pull, twist = normal(8, 4, 5, 3, seed=2), normal(8, 4, 5, 3, seed=3)
    case = {"layer": layer.state_dict(), "maps": maps.detach(), "pull": pull, "twist": twist}
    torch.save(
        {**case, "layer": {k: v.clone() for k, v in case["layer"].items()}}, tmp_path / "case.pt"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(rank), str(tmp_path)], stderr=subprocess.PIPE
        )
        for rank in (0, 1)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors.decode()

    out = layer(maps)
    (gradient,) = torch.autograd.grad((out * pull).sum(), maps, create_graph=True)
    (second,) = torch.autograd.grad((gradient * twist).sum(), maps)
    parts = [torch.load(Path(tmp_path, f"{rank}.pt")) for rank in (0, 1)]
    for name, whole in (("out", out), ("gradient", gradient), ("second", second)):
        together = torch.cat([part[name] for part in parts])
        torch.testing.assert_close(together, whole.detach(), rtol=1e-4, atol=2e-5)
    for part in parts:
        for name, value in layer.state_dict().items():
            torch.testing.assert_close(part["layer"][name], value, rtol=1e-5, atol=1e-5)


def test_in_one_process_it_is_torchs_batch_norm_to_the_bit():
    ours, torchs = BatchNorm2d(4), nn.BatchNorm2d(4)
    maps = normal(6, 4, 5, 5, seed=1)
    assert torch.equal(ours(maps), torchs(maps))
    assert torch.equal(ours.eval()(maps), torchs.eval()(maps))
    assert all(torch.equal(a, b) for a, b in zip(ours.buffers(), torchs.buffers(), strict=True))


def test_the_verdict_keeps_its_digits_under_autocast():
    verdict = Verdict(2, kernels=0)
    with torch.no_grad():
        verdict.linear.weight.copy_(torch.tensor([[1.0, 1.0]]))
        verdict.linear.bias.zero_()
    with torch.autocast("cpu", torch.bfloat16):
        # In bf16, 8 + 1/64 is 8.
        logits = verdict(torch.tensor([[8.0, 1 / 64]], dtype=torch.bfloat16))
    assert logits.item() == 8 + 1 / 64


def test_minibatch_discrimination_lets_the_verdict_see_the_other_images():
    features = normal(4, 6, seed=1)
    alone, beside = Verdict(6, kernels=0), Verdict(6, kernels=5)
    torch.testing.assert_close(alone(features)[:2], alone(features[:2]))
    assert not torch.allclose(beside(features)[:2], beside(features[:2]))
