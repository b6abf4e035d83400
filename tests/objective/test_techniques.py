"""Feature matching and historical averaging against sums done by hand."""

import pytest
import torch
from jaxtyping import TypeCheckError
from torch import nn

from facewright.objective.techniques import HistoricalAverage, feature_matching_loss


def test_two_constants_are_their_squared_difference_apart_in_every_feature():
    real, fake = torch.full((8, 4), 3.0), torch.full((8, 4), 1.0)
    assert feature_matching_loss(real, fake).item() == 16  # 4 features * (3 - 1)^2


def test_known_blind_spot_only_the_mean_of_a_batch_counts():
    spread = torch.tensor([[-2.0, 0.0], [2.0, 2.0]])
    collapsed = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    assert feature_matching_loss(spread, collapsed).item() == 0


def test_the_generator_is_pulled_towards_the_mean_of_the_real_features():
    real = torch.tensor([[1.0, 5.0], [3.0, 5.0]])
    fake = torch.zeros(2, 2, requires_grad=True)
    feature_matching_loss(real, fake).backward()
    # 2 * (mean fake - mean real) / batch
    torch.testing.assert_close(fake.grad, torch.tensor([[-2.0, -5.0], [-2.0, -5.0]]))


def test_at_a_draw_it_is_twice_the_variance_over_the_batch_size():
    rng = torch.Generator().manual_seed(0)
    found = [
        feature_matching_loss(
            torch.randn(10, 100, generator=rng), torch.randn(10, 100, generator=rng)
        ).item()
        for _ in range(100)
    ]
    assert sum(found) / 100 == pytest.approx(100 * 2 / 10, rel=0.05)


def test_bf16_features_are_averaged_in_fp32():
    real = torch.tensor([[256.0], [1.0], [1.0], [2.0]]).bfloat16()  # bf16 has no 260
    loss = feature_matching_loss(real, torch.zeros(4, 1).bfloat16())
    assert loss.dtype is torch.float32
    assert loss.item() == 65.0**2


@pytest.mark.shapes
def test_features_of_another_layer_are_refused():
    with pytest.raises(TypeCheckError):
        feature_matching_loss(torch.zeros(4, 8), torch.zeros(4, 1))


def weight_at(value):
    return nn.Parameter(torch.tensor([float(value)]))


def move(weight, value):
    with torch.no_grad():
        weight.fill_(value)


def test_a_history_of_three_values_by_hand():
    weight = weight_at(0)
    average = HistoricalAverage([weight])
    assert average().item() == 0
    move(weight, 3)
    assert average().item() == 9  # the past is 0
    average.update()
    assert average().item() == 2.25  # the past is (0 + 3) / 2
    move(weight, 6)
    assert average().item() == 20.25
    average.update()
    assert average().item() == 9  # the past is (0 + 3 + 6) / 3


def test_the_pull_is_towards_the_past():
    weight = weight_at(1)
    average = HistoricalAverage([weight])
    move(weight, 4)
    average().backward()
    assert weight.grad is not None
    assert weight.grad.item() == 2 * (4 - 1)


def test_every_weight_of_a_player_counts():
    network = nn.Linear(3, 2)
    average = HistoricalAverage(network.parameters())
    with torch.no_grad():
        for weight in network.parameters():
            weight += 1
    assert average().item() == pytest.approx(8)  # 6 weights and 2 biases


def test_the_past_does_not_learn():
    network = nn.Linear(3, 2)
    average = HistoricalAverage(network.parameters())
    assert not any(mean.requires_grad for mean in average.parameters())


def test_a_restored_history_continues_exactly():
    def walk(weight, average, values):
        for value in values:
            move(weight, value)
            average.update()

    weight = weight_at(0.1)
    average = HistoricalAverage([weight])
    walk(weight, average, [0.7, 0.3])
    stored = {name: tensor.clone() for name, tensor in average.state_dict().items()}
    walk(weight, average, [1.9, 0.2])

    again = weight_at(0.3)
    restored = HistoricalAverage([again])
    restored.load_state_dict(stored)
    walk(again, restored, [1.9, 0.2])
    assert restored().item() == average().item() > 0
    assert all(type(tensor) is torch.Tensor for tensor in stored.values())


def test_the_player_is_not_part_of_its_history():
    average = HistoricalAverage(nn.Linear(3, 2).parameters())
    assert set(average.state_dict()) == {"count", "means.0", "means.1"}
