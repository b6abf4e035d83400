"""Best responses with known answers: games of two points, and small networks."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from facewright.equilibria.response import (
    Effort,
    Mean,
    as_trained,
    best_of,
    best_response,
    deviating,
    perturbed,
    still_rising,
)
from facewright.rng import rng_for

LONG = Effort(steps=500, every=10, lr=0.04)


def point(*numbers: float) -> nn.ParameterList:
    """A player of an analytic game."""
    return nn.ParameterList([torch.tensor(numbers, dtype=torch.float64)])


def found(value, *start: float | nn.Module, effort=LONG, after_step=None):
    """The largest value that the player of one point reaches."""

    def score(player: nn.Module) -> Tensor:
        return value(player[0]).detach().reshape(1)  # pyright: ignore[reportIndexIssue]

    def payoff(player: nn.Module, step: int) -> Tensor:
        return value(player[0])  # pyright: ignore[reportIndexIssue]

    given = start[0]
    player = given if isinstance(given, nn.Module) else point(*start)  # pyright: ignore[reportArgumentType]
    return best_response(
        player, payoff, score=score, report=score, effort=effort, after_step=after_step
    )


def regrets(game, x: Tensor, y: Tensor, after_step=None) -> tuple[float, float]:
    """(V - M2, M1 - V) where x wants the game small and y wants it large."""
    value = float(game(x, y))
    m1 = found(lambda y: game(x, y), *y.tolist(), after_step=after_step).reported.value
    m2 = -found(lambda x: -game(x, y), *x.tolist(), after_step=after_step).reported.value
    return value - m2, m1 - value


def test_a_search_that_never_reaches_the_present_value_reports_less_than_it():
    # The game's value now is 0; the search begins far below and may take two small steps.
    answer = found(lambda y: -y.square().sum(), 5.0, effort=Effort(steps=2, every=1, lr=0.1))
    assert answer.reported.value < -20
    assert answer.still_rising


def test_one_half_chooses_and_the_other_reports():
    """The payoff pulls to 3, the first half wants 1, and the second says what 1 is worth."""
    x = lambda player: player[0].detach()  # noqa: E731
    answer = best_response(
        point(0.0),
        lambda player, step: -(player[0] - 3).square().sum(),  # pyright: ignore[reportIndexIssue]
        score=lambda player: -(x(player) - 1).square(),
        report=lambda player: 10 * x(player),
        effort=Effort(steps=300, every=1, lr=0.02),
    )
    assert answer.best_score == pytest.approx(0, abs=1e-3)
    assert answer.reported.value == pytest.approx(10, abs=0.3)
    assert not answer.still_rising


def test_what_helps_only_the_searched_images_is_not_kept():
    answer = best_response(
        point(0.0),
        lambda player, step: player[0].sum(),  # pyright: ignore[reportIndexIssue]
        score=lambda player: -player[0].detach().square(),  # pyright: ignore[reportIndexIssue]
        report=lambda player: player[0].detach(),  # pyright: ignore[reportIndexIssue]
        effort=Effort(steps=50, every=5, lr=0.1),
    )
    assert (answer.best_step, answer.reported.value) == (0, 0.0)


def test_the_best_search_is_chosen_by_the_half_that_reports_nothing():
    def search(report: float):
        return best_response(
            point(report),
            lambda player, step: -player[0].square().sum(),  # pyright: ignore[reportIndexIssue]
            score=lambda player: -player[0].detach().square(),  # pyright: ignore[reportIndexIssue]
            report=lambda player: player[0].detach(),  # pyright: ignore[reportIndexIssue]
            effort=Effort(steps=1, every=1, lr=1e-9),
        )

    near, far = search(1.0), search(2.0)
    assert far.reported.value > near.reported.value
    assert best_of([far, near]) is near


def test_numbers_that_are_not_finite_end_a_search_and_are_not_kept():
    blow_up = lambda x: torch.where(x > 1, torch.inf, 1.0).sum() * x.sum()  # noqa: E731
    answer = found(blow_up, 0.0, effort=Effort(steps=100, every=1, lr=0.1))
    assert answer.steps < 100
    assert math.isfinite(answer.reported.value)


@pytest.mark.parametrize(
    ("scores", "error", "rising"),
    [
        ([0, 1, 2, 3, 4], 0.0, True),
        ([0, 3, 3.9, 3.99, 4], 0.0, False),  # settled
        ([0, 1, 2, 4, 3], 0.0, False),  # past its best
        ([0, 1, 2, 3, 4], 2.0, False),  # a rise within chance
        ([0, 1, 2, 3, 4], 0.5, True),
        ([0, 0, 0, 0, 0], 0.0, False),
        ([0, 1, 2, 3, 4, 5, 6, 6.9, 7], 0.0, True),  # slowing down, but not over yet
        ([0, 1, 2, 3, 4, 5, 6, 8, 5.9], 0.0, True),  # its best came late
    ],
)
def test_a_search_is_still_rising_when_the_last_part_of_it_mattered(scores, error, rising):
    assert still_rising(list(enumerate(scores)), error) is rising


def test_a_mean_carries_its_standard_error():
    numbers = torch.tensor([1.0, 2.0, 3.0, 6.0])
    found = Mean.of(numbers)
    assert (found.value, found.error) == (3.0, pytest.approx(math.sqrt(14 / 3 / 4)))
    assert Mean.of(numbers[:1]) == Mean(1.0, 0.0)


def test_noise_is_measured_by_each_tensor_of_weights():
    quiet, loud = nn.Linear(200, 50), nn.Linear(200, 50)
    player = nn.Sequential(quiet, loud)
    with torch.no_grad():
        loud.weight.mul_(100)
    pushed = perturbed(player, rng_for(0, 0, "noise"), relative=0.5)
    again = perturbed(player, rng_for(0, 0, "noise"), relative=0.5)
    players = (player, pushed, again)
    for weights in zip(*(p.parameters() for p in players), strict=True):
        before, after, twice = (tensor.detach() for tensor in weights)
        assert (after - before).std() == pytest.approx(0.5 * float(before.std()), rel=0.3)
        assert torch.equal(after, twice)


def test_players_and_random_numbers_of_the_caller_are_left_alone():
    player = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 1))
    player.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in player.state_dict().items()}
    state, images = torch.get_rng_state(), torch.randn(16, 3, generator=rng_for(0, 0, "images"))
    state = torch.get_rng_state()
    answer = best_response(
        player,
        lambda player, step: player(images).mean(),
        score=lambda player: player(images).detach().squeeze(1),
        report=lambda player: player(images).detach().squeeze(1),
        effort=Effort(steps=5, every=2, lr=0.01),
    )
    assert answer.best_step == 5
    assert player.training
    assert not any(weight.requires_grad for weight in player.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in player.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())


def test_batch_norm_goes_by_the_batch_and_dropout_is_off():
    player = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout())
    images = 5 + 3 * torch.randn(64, 4, generator=rng_for(0, 0, "images"))
    seen = as_trained(player)(images)
    assert seen.mean(0).abs().max() < 1e-5
    assert torch.equal(seen, as_trained(player.eval())(images))


def test_spectral_normalisation_holds_while_a_player_searches():
    layer = spectral_norm(nn.Linear(6, 6))
    answer = best_response(
        layer,
        lambda player, step: player(torch.ones(1, 6)).sum(),
        score=lambda player: player.weight.detach().sum().view(1),  # pyright: ignore
        report=lambda player: player.weight.detach().sum().view(1),  # pyright: ignore
        effort=Effort(steps=60, every=10, lr=0.1),
    )
    assert answer.best_step > 0
    weight = answer.player.weight
    assert isinstance(weight, Tensor)
    assert torch.linalg.matrix_norm(weight, 2) == pytest.approx(1, abs=0.05)
    assert deviating(layer).training is False


@pytest.mark.parametrize(("x", "y"), [(1.0, -0.5), (-0.7, 0.9), (0.0, 0.0)])
def test_regrets_of_the_quadratic_game_are_those_of_the_formula(x, y):
    game = lambda x, y: (3 * x**2 - y**2 + 4 * x * y).sum()  # noqa: E731
    regret_x, regret_y = regrets(game, torch.tensor([x]).double(), torch.tensor([y]).double())
    assert regret_x == pytest.approx(3 * x**2 + 4 * x * y + 4 / 3 * y**2, abs=1e-4)
    assert regret_y == pytest.approx(4 * x**2 - 4 * x * y + y**2, abs=1e-4)
    assert regret_x + regret_y == pytest.approx(7 * x**2 + 7 / 3 * y**2, abs=1e-4)


def test_the_gap_of_any_quadratic_game_is_that_of_the_formula():
    rng = rng_for(0, 0, "quadratic")
    draw = lambda *shape: torch.randn(*shape, generator=rng).double()  # noqa: E731
    a, b, c = (m @ m.T + torch.eye(3) for m in (draw(3, 3), draw(3, 3), draw(3, 3)))
    x, y = draw(3) / 3, draw(3) / 3
    game = lambda x, y: x @ a @ x / 2 + x @ b @ y - y @ c @ y / 2  # noqa: E731
    gap = x @ (a + b @ c.inverse() @ b.T) @ x / 2 + y @ (c + b.T @ a.inverse() @ b) @ y / 2
    assert sum(regrets(game, x, y)) == pytest.approx(float(gap), abs=1e-3)


def test_the_gap_of_a_bilinear_game_on_a_box_is_that_of_the_formula():
    matrix = torch.tensor([[1.0, -2.0], [0.5, 3.0]]).double()
    x, y = torch.tensor([0.3, -0.2]).double(), torch.tensor([0.1, 0.4]).double()

    def back_into_the_box(player: nn.Module) -> None:
        with torch.no_grad():
            player[0].clamp_(-1, 1)  # pyright: ignore[reportIndexIssue]

    gap = (matrix @ y).abs().sum() + (matrix.T @ x).abs().sum()
    found = sum(regrets(lambda x, y: x @ matrix @ y, x, y, after_step=back_into_the_box))
    assert found == pytest.approx(float(gap), abs=1e-6)


def hilly(x: Tensor, y: Tensor) -> Tensor:
    """Sidheekh et al. 2020, arXiv:2012.06723, supplement; x wants it large, y small."""
    hills = (0.3 * x**2 + y).square() + (x + 0.5 * y**2).square()
    return ((-0.01 * (x**2 + y**2)).exp() * hills).sum()


def test_a_stationary_point_looks_like_an_equilibrium_until_the_player_is_pushed():
    zero, effort = torch.zeros(1).double(), Effort(steps=400, every=10, lr=0.1)
    climb = lambda start: found(lambda x: hilly(x, zero), start, effort=effort)  # noqa: E731
    stuck = climb(point(0.0))
    assert stuck.reported.value == 0
    pushed = climb(perturbed(point(0.0), rng_for(0, 1, "push"), absolute=0.1))
    # The paper's search stops at 49.217. The top is at x^2 = u with 0.0009 u^2 - 0.17 u - 1 = 0.
    u = (0.17 + math.sqrt(0.17**2 + 4 * 0.0009)) / (2 * 0.0009)
    assert pushed.reported.value > 49.217
    assert pushed.reported.value == pytest.approx(math.exp(-0.01 * u) * (0.09 * u**2 + u), abs=1e-3)
    assert best_of([stuck, pushed]) is pushed


def test_at_a_local_equilibrium_pushed_players_come_back():
    # The paper's (-12.43373, -8.78737) is near it, but its gap there is 0.9, not 0.001.
    x, y = torch.tensor([-12.476604]).double(), torch.tensor([-8.677926]).double()
    value = float(hilly(x, y))
    for noise in (0.0, 0.3):
        start = perturbed(nn.ParameterList([x]), rng_for(0, 1, "x"), absolute=noise)
        assert found(lambda x: hilly(x, y), start).reported.value == pytest.approx(value, abs=1e-3)
        start = perturbed(nn.ParameterList([y]), rng_for(0, 1, "y"), absolute=noise)
        answer = found(lambda y: -hilly(x, y), start)
        assert answer.reported.value == pytest.approx(-value, abs=1e-3)
