"""Every layer that looks at the whole batch, in two real processes that share it."""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from facewright.networks.blocks import BatchNorm2d, Verdict
from facewright.networks.processes import mean_over_processes
from facewright.objective.penalties import r1_penalty
from facewright.objective.techniques import feature_matching_loss
from tests.networks.together import by_processes


class Judge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 3, 3, 2), BatchNorm2d(3), nn.Tanh(), nn.Flatten())
        self.verdict = Verdict(12, kernels=4)

    def forward(self, images: Tensor) -> Tensor:
        return self.verdict(self.layers(images))


def gradients(case: tuple[dict[str, Tensor], Tensor, Tensor]) -> dict[str, Tensor]:
    """Of everything that a player's loss may hold, for the process's share of the batch."""
    weights, real, fake = case
    judge = Judge()
    judge.load_state_dict(weights)
    loss = softplus(-judge(real)).mean() + softplus(judge(fake)).mean()
    loss = loss + r1_penalty(judge, real).mean()
    means = [mean_over_processes(judge.layers(x).mean(0, keepdim=True)) for x in (real, fake)]
    (loss + feature_matching_loss(*means)).backward()
    return {name: p.grad for name, p in judge.named_parameters() if p.grad is not None}


def test_their_averaged_gradients_are_those_of_one_process_with_the_whole_batch(tmp_path):
    torch.manual_seed(0)
    weights = Judge().state_dict()
    real, fake = torch.randn(2, 8, 1, 5, 5)
    whole = gradients((weights, real, fake))
    assert len(whole) == len(list(Judge().parameters()))
    shares = [(weights, real[part], fake[part]) for part in (slice(0, 4), slice(4, 8))]
    found = by_processes(gradients, shares, tmp_path)
    for name, wanted in whole.items():
        averaged = (found[0][name] + found[1][name]) / 2
        torch.testing.assert_close(averaged, wanted, rtol=1e-3, atol=1e-5, msg=name)
