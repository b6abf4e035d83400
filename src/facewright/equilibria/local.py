"""What the neighbourhood of two trained networks says: rest, minimum, rotation."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facewright.config import LossConfig
from facewright.equilibria.games import Pair, TwoPlayerGame
from facewright.equilibria.local_words import sentences
from facewright.equilibria.networks import as_game, flat
from facewright.equilibria.spectrum import Jacobian, Spectrum
from facewright.errors import MetricError
from facewright.json_form import plain
from facewright.objective.adversarial import Game
from facewright.objective.penalties import UNPENALISED
from facewright.rng import rng_for

Stability = Literal["stable", "circling", "unstable", "cannot tell"]
Answer = Literal["yes", "no", "cannot tell"]

FLAT = 1e-4
"""Eigenvalues below this share of the largest count as 0: what rounding leaves of one in fp32.
Networks always have such directions, along which neither player's loss changes."""
SETTLED = 0.01
"""The leftmost eigenvalue has to be known to this share of the largest one."""
FEWEST_PRODUCTS = 5
REST = 0.01
"""Gradients this much shorter than those of fresh networks count as 0."""


@dataclass(frozen=True)
class Curvature:
    """How one player's own loss bends around the place, the other player held still.

    Args:
        smallest: eigenvalue of the player's Hessian; negative where a move of its own would
            lower its loss in the second order.
        largest: eigenvalue.
        at_minimum: is no direction downhill in the second order?
    """

    smallest: float
    largest: float
    at_minimum: Answer


@dataclass(frozen=True)
class LocalReading:
    """What the neighbourhood of one place in a game looks like. Generator before discriminator.

    Args:
        gradient_norms: length of each player's gradient of its own loss.
        relative_norms: the same, divided by that of fresh networks; `None` without such.
        at_rest: are both gradients as good as 0? `None` without fresh networks, unless they
            are 0 exactly.
        eigenvalues: of the Jacobian of F, the largest in absolute value first. Convention of
            F = (dL_G, dL_D): a positive real part pulls back to the place.
        settled: how many of them are known to 1 % of the largest.
        leftmost: the eigenvalue with the smallest real part.
        stability: "stable": all displacements shrink, but for flat directions; "circling":
            some only turn; "unstable": some grow; "cannot tell": not settled.
        curvatures: of each player's own loss.
        local_nash: does neither player gain by a small move of its own?
        rotation: largest |Im / Re|. 0: straight into the place; 10: ten radians of turning
            while the distance falls to a third. `inf`: only turns. `None`: not settled.
        admissible_step: simultaneous gradient descent comes to rest here only with a smaller
            learning rate than this; 0.0: with none. An upper bound unless all eigenvalues are
            known. `None`: not settled.
        products: of the Jacobian or a Hessian with a vector, that were spent.
        images: photos, and generated images, in the batch; 0 for a game without images.
    """

    gradient_norms: tuple[float, float]
    relative_norms: tuple[float, float] | None
    at_rest: bool | None
    eigenvalues: tuple[complex, ...]
    settled: int
    leftmost: complex
    stability: Stability
    curvatures: tuple[Curvature, Curvature]
    local_nash: Answer
    rotation: float | None
    admissible_step: float | None
    products: int
    images: int = 0

    @property
    def verdict(self) -> list[str]:
        """The reading in plain sentences."""
        return sentences(self)

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`; complex numbers as [re, im], a rotation without bound as "inf"."""
        names = ("generator", "discriminator")
        table = asdict(self) | {
            "eigenvalues": [[value.real, value.imag] for value in self.eigenvalues],
            "leftmost": [self.leftmost.real, self.leftmost.imag],
            "rotation": plain(self.rotation),
            "verdict": self.verdict,
        }
        for key in ("gradient_norms", "relative_norms", "curvatures"):
            if table[key] is not None:
                table[key] = dict(zip(names, table[key], strict=True))
        return table


def local_reading(
    generator: nn.Module,
    discriminator: nn.Module,
    *,
    game: Game,
    real: Tensor,
    z: Tensor,
    conditions: Tensor | None = None,
    weights: LossConfig = UNPENALISED,
    seed: int = 0,
    fresh: tuple[nn.Module, nn.Module] | None = None,
    eigenvalues: int = 20,
    products: int = 40,
    dtype: torch.dtype = torch.float32,
) -> LocalReading:
    """Would these two networks stay here, and is it an equilibrium at least nearby?

    Looks at the linearised game on one fixed batch, with batch norm as in training and
    dropout off. The networks stay untouched.

    Args:
        generator: the trained weights, not their average: the place that training is at.
        discriminator: the trained one beside it.
        game: both losses.
        real: (B, C, H, W) photos in [-1, 1]; 128 are enough, time and memory grow with them.
        z: (B, Z) latents, as many as photos.
        conditions: (B, C) of the photos, for both players; nothing if not given.
        weights: of the penalties on the discriminator.
        seed: of the search's beginning.
        fresh: the pair before training, to tell whether gradients are small.
        eigenvalues: how many to list.
        products: of the Jacobian, and of each player's Hessian, with a vector. Each costs
            about as much as two training steps on the batch. The search keeps that many
            vectors as long as all weights.
        dtype: double precision takes twice the time; single is exact to 1e-6 of the largest.

    Returns:
        Read `verdict` first. A generator at a saddle of its own loss is no failure.

    Source: Berard et al. 2020, arXiv:1906.04848; step size: Mescheder et al. 2017,
    arXiv:1705.10461, lemma 4. They restart Arnoldi's search; we do not (`spectrum`).

    Blind spot: Adam, whose rescaling of gradients changes eigenvalues, though not where the
    players rest nor what is a minimum; noise of small batches; everything further away: a
    perfectly calm place may be a collapsed generator.
    """
    place = {"game": game, "real": real, "z": z, "conditions": conditions}
    place |= {"weights": weights, "seed": seed, "dtype": dtype}
    reference = None
    if fresh is not None:
        by_x, by_y = as_game(*fresh, **place).gradients(*(flat(n, dtype) for n in fresh))
        reference = (float(by_x.norm()), float(by_y.norm()))
    return read_place(
        as_game(generator, discriminator, **place),
        (flat(generator, dtype), flat(discriminator, dtype)),
        reference=reference,
        eigenvalues=eigenvalues,
        products=products,
        seed=seed,
        images=len(real),
    )


def read_place(
    game: TwoPlayerGame,
    place: Pair,
    *,
    reference: tuple[float, float] | None = None,
    eigenvalues: int = 20,
    products: int = 40,
    seed: int = 0,
    images: int = 0,
) -> LocalReading:
    """The same for any game of two vectors.

    Args:
        game: whose gradient operator is meant.
        place: (X,) and (Y,), where the players stand.
        reference: lengths of gradients that are not small.
        eigenvalues: how many to list.
        products: of the Jacobian, and of each player's Hessian, with a vector.
        seed: of the search's beginning.
        images: to be mentioned in the reading.

    Raises:
        MetricError: too few products to see anything.
    """
    if products < FEWEST_PRODUCTS:
        raise MetricError(
            f"{products} products",
            expected=f"at least {FEWEST_PRODUCTS}",
            fix=f"{FEWEST_PRODUCTS} or more",
        )
    jacobian = Jacobian(game, *place)
    norms = _pair(float(gradient.detach().norm()) for gradient in jacobian.gradients)
    relative = None
    if reference is not None:
        relative = _pair(norm / before for norm, before in zip(norms, reference, strict=True))
    at_rest = True if max(norms) == 0 else None
    if relative is not None:
        at_rest = max(relative) <= REST
    rng = rng_for(seed, 0, "spectrum")
    whole = jacobian.spectrum(products=products, rng=rng)
    own = jacobian.curvatures(products=products, rng=rng)
    scale = max(spectrum.radius for spectrum in (whole, *own))
    first, second = (_curvature(spectrum, scale) for spectrum in own)
    stability = _stability(whole)
    return LocalReading(
        gradient_norms=norms,
        relative_norms=relative,
        at_rest=at_rest,
        eigenvalues=tuple(whole.values[:eigenvalues].tolist()),
        settled=int(_settled(whole)[:eigenvalues].sum()),
        leftmost=complex(whole.values[np.argmin(whole.values.real)]),
        stability=stability,
        curvatures=(first, second),
        local_nash=_nash(first, second, at_rest),
        rotation=_rotation(whole),
        admissible_step=_admissible_step(whole, stability),
        products=sum(spectrum.products for spectrum in (whole, *own)),
        images=images,
    )


def _pair(numbers: Any) -> tuple[float, float]:
    first, second = numbers
    return first, second


def _settled(spectrum: Spectrum) -> NDArray[np.bool_]:
    return spectrum.errors <= SETTLED * spectrum.radius


def _lively(spectrum: Spectrum) -> NDArray[np.complex128]:
    """The eigenvalues that are settled and not flat."""
    is_flat = np.abs(spectrum.values) <= FLAT * spectrum.radius
    return spectrum.values[_settled(spectrum) & ~is_flat]


def _stability(spectrum: Spectrum) -> Stability:
    flat_below = FLAT * spectrum.radius
    if (spectrum.values.real + spectrum.errors < -flat_below).any():
        return "unstable"
    leftmost = np.argmin(spectrum.values.real)
    if not _settled(spectrum)[leftmost] or spectrum.values[leftmost].real < -flat_below:
        return "cannot tell"
    lively = _lively(spectrum)
    if not len(lively):
        return "cannot tell"
    # What does not pull in must turn, since flat directions are left out.
    return "circling" if (lively.real <= flat_below).any() else "stable"


def _curvature(spectrum: Spectrum, scale: float) -> Curvature:
    values = spectrum.values.real
    lowest = int(np.argmin(values))
    answer: Answer = "cannot tell"
    # However rough the search: somewhere the loss bends as much as it says, or more.
    if values[lowest] < -FLAT * scale:
        answer = "no"
    elif spectrum.errors[lowest] <= SETTLED * scale:
        answer = "yes"
    return Curvature(float(values[lowest]), float(values.max()), answer)


def _nash(first: Curvature, second: Curvature, at_rest: bool | None) -> Answer:
    answers = {first.at_minimum, second.at_minimum}
    if at_rest is False or "no" in answers:
        return "no"
    return "cannot tell" if "cannot tell" in answers else "yes"


def _rotation(spectrum: Spectrum) -> float | None:
    values = _lively(spectrum)
    if not len(values):
        return None
    # A real part within rounding of 0 is 0: its size would be an accident.
    pull = np.where(np.abs(values.real) <= FLAT * np.abs(values), 0.0, np.abs(values.real))
    ratios = [abs(v.imag) / p if p else math.inf for v, p in zip(values, pull, strict=True)]
    return float(max(ratios))


def _admissible_step(spectrum: Spectrum, stability: Stability) -> float | None:
    """The largest h with |1 - h * eigenvalue| < 1 for all eigenvalues: 2 Re / |.|^2 for each."""
    values = _lively(spectrum)
    if stability == "cannot tell" or not len(values):
        return None
    if stability != "stable":
        return 0.0
    return float((2 * values.real / np.abs(values) ** 2).min())
