"""Batch norm in one process and in several, maxout, and the last layer."""

import copy

import torch
from torch import nn

from facewright.networks.blocks import BatchNorm2d, Maxout, Verdict
from tests.networks.together import by_threads


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def normalised(layer, maps, pull, twist):
    """Outputs, a gradient, a second gradient, and the layer with what it remembers."""
    layer, maps = copy.deepcopy(layer), maps.clone().requires_grad_(True)
    out = layer(maps)
    (gradient,) = torch.autograd.grad((out * pull).sum(), maps, create_graph=True)
    (second,) = torch.autograd.grad((gradient * twist).sum(), maps)
    return out, gradient, second, layer


def test_processes_normalise_like_one_with_the_whole_batch():
    plain, ours = nn.BatchNorm2d(4), BatchNorm2d(4)
    nn.init.normal_(plain.weight, 1, 0.5, generator=torch.Generator().manual_seed(0))
    nn.init.normal_(plain.bias, 0, 0.5, generator=torch.Generator().manual_seed(4))
    ours.load_state_dict(plain.state_dict())
    # A mean far from zero: a variance from squares alone would lose its digits.
    case = [normal(8, 4, 5, 3, seed=1) + 50, normal(8, 4, 5, 3, seed=2), normal(8, 4, 5, 3, seed=3)]

    *whole, layer = normalised(plain, *case)
    shares = list(zip(*(tensor.split([3, 5]) for tensor in case), strict=True))
    parts = by_threads(lambda share: normalised(ours, *share), shares)
    for number, wanted in enumerate(whole):
        together = torch.cat([part[number] for part in parts])
        torch.testing.assert_close(together, wanted, rtol=1e-4, atol=2e-5)
    for part in parts:
        for name, value in layer.state_dict().items():
            torch.testing.assert_close(part[3].state_dict()[name], value, rtol=1e-5, atol=1e-5)


def test_processes_normalise_bf16_maps_in_fp32_and_return_bf16():
    layer, maps = BatchNorm2d(2), (normal(6, 2, 4, 4, seed=1) + 100).bfloat16()
    found = by_threads(layer, maps.split(3))
    assert {part.dtype for part in found} == {torch.bfloat16}
    wanted = nn.BatchNorm2d(2)(maps.float())
    torch.testing.assert_close(torch.cat(found).float(), wanted, rtol=0.01, atol=0.01)


def test_outside_training_processes_use_what_they_remember():
    layer, maps = BatchNorm2d(4).eval(), normal(6, 4, 5, 3, seed=1)
    layer.get_buffer("running_mean").fill_(2.0)
    found = by_threads(layer, maps.split(3))
    torch.testing.assert_close(torch.cat(found), layer(maps))
    torch.testing.assert_close(layer(maps), maps - 2, rtol=1e-4, atol=1e-4)


def test_in_one_process_it_is_torchs_batch_norm_to_the_bit():
    ours, torchs = BatchNorm2d(4), nn.BatchNorm2d(4)
    maps = normal(6, 4, 5, 5, seed=1)
    assert torch.equal(ours(maps), torchs(maps))
    assert torch.equal(ours.eval()(maps), torchs.eval()(maps))
    assert all(torch.equal(a, b) for a, b in zip(ours.buffers(), torchs.buffers(), strict=True))


def test_maxout_takes_the_largest_piece():
    layer = Maxout(1, units=2, pieces=2)
    with torch.no_grad():
        layer.linear.weight.copy_(torch.tensor([[1.0], [-1.0], [2.0], [3.0]]))
        layer.linear.bias.copy_(torch.tensor([0.0, 0.0, 0.0, -2.0]))
    # |x| from the first pair of pieces; max(2 x, 3 x - 2) from the second.
    expected = torch.tensor([[1.0, -2.0], [4.0, 10.0]])
    torch.testing.assert_close(layer(torch.tensor([[-1.0], [4.0]])), expected)


def test_the_verdict_keeps_its_digits_under_autocast():
    verdict = Verdict(2, kernels=0)
    with torch.no_grad():
        verdict.linear.weight.copy_(torch.tensor([[1.0, 1.0]]))
        verdict.linear.bias.zero_()
    with torch.autocast("cpu", torch.bfloat16):
        # In bf16, 8 + 1/64 is 8.
        logits = verdict(torch.tensor([[8.0, 1 / 64]], dtype=torch.bfloat16))
    assert logits.item() == 8 + 1 / 64


def test_the_verdict_is_linear_and_as_exact_as_its_features():
    verdict, features = Verdict(3, kernels=0).double(), normal(5, 3, seed=1).double()
    wanted = features @ verdict.linear.weight[0] + verdict.linear.bias
    torch.testing.assert_close(verdict(features), wanted)


def test_minibatch_discrimination_lets_the_verdict_see_the_other_images():
    features = normal(4, 6, seed=1)
    alone, beside = Verdict(6, kernels=0), Verdict(6, kernels=5)
    torch.testing.assert_close(alone(features)[:2], alone(features[:2]))
    assert not torch.allclose(beside(features)[:2], beside(features[:2]))
