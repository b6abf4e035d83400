"""Eigenvalues of a game's Jacobian, without ever writing the matrix down.

The Jacobian J is the derivative of the gradient operator F by both players' vectors. Where
both follow F downhill, a small displacement d changes as dd/dt = -J d: along an eigenvector
whose eigenvalue has a positive real part it shrinks, and it turns as fast as the imaginary
part says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facewright.equilibria.games import TwoPlayerGame

Product = Callable[[Tensor], Tensor]
"""(N,) vectors to the product of a fixed (N, N) matrix with them."""


@dataclass(frozen=True)
class Spectrum:
    """Some eigenvalues of a matrix, and how exact each is.

    Args:
        values: (K,) complex, the largest in absolute value first.
        errors: (K,) each is an exact eigenvalue of a matrix that differs from ours by no
            more than this. For a symmetric matrix it bounds the eigenvalue's own error.
        products: of the matrix with a vector that it took.
        is_complete: are these all eigenvalues?
    """

    values: NDArray[np.complex128]
    errors: NDArray[np.float64]
    products: int
    is_complete: bool

    @property
    def radius(self) -> float:
        """The largest absolute value."""
        return float(np.abs(self.values[0]))


class Jacobian:
    """The derivative of F at one place, to be multiplied with vectors.

    Args:
        game: whose gradient operator is meant.
        x: (X,) where the first player stands.
        y: (Y,) where the second stands.
    """

    def __init__(self, game: TwoPlayerGame, x: Tensor, y: Tensor) -> None:
        self._game = game
        self._x, self._y = x.detach().requires_grad_(), y.detach().requires_grad_()

    @cached_property
    def gradients(self) -> tuple[Tensor, Tensor]:
        """F, (X,) and (Y,), attached to what is needed to differentiate it."""
        return self._game.gradients(self._x, self._y, differentiable=True)

    def dense(self) -> Tensor:
        """The whole (X + Y, X + Y) matrix: for small games."""
        return _dense(self._times, len(self._x) + len(self._y), like=self._x)

    def spectrum(self, *, products: int, rng: torch.Generator) -> Spectrum:
        """Eigenvalues of the whole Jacobian: will both players together come to rest?

        Args:
            products: of J with a vector that may be spent. A Jacobian no larger than that
                gives all its eigenvalues exactly.
            rng: where the search begins.
        """
        return _spectrum(self._times, len(self._x) + len(self._y), products, rng, like=self._x)

    def curvatures(self, *, products: int, rng: torch.Generator) -> tuple[Spectrum, Spectrum]:
        """Eigenvalues of each player's own block: is it at a minimum of its own loss?

        Args:
            products: for each player.
            rng: where the searches begin.

        Returns:
            Of d^2 L_x / dx^2 and of d^2 L_y / dy^2, both real.
        """
        by_x, by_y = self.gradients
        return (
            _curvature(by_x, self._x, products, rng),
            _curvature(by_y, self._y, products, rng),
        )

    def _times(self, vector: Tensor) -> Tensor:
        # One backward pass gives J' v, not J v; the eigenvalues are the same.
        product = torch.cat(self.gradients) @ vector
        return torch.cat(
            torch.autograd.grad(
                product, (self._x, self._y), retain_graph=True, materialize_grads=True
            )
        )


def _curvature(gradient: Tensor, place: Tensor, products: int, rng: torch.Generator) -> Spectrum:
    def times(vector: Tensor) -> Tensor:
        return torch.autograd.grad(
            gradient @ vector, place, retain_graph=True, materialize_grads=True
        )[0]

    return _spectrum(times, len(place), products, rng, like=place, symmetric=True)


def _spectrum(
    times: Product,
    size: int,
    products: int,
    rng: torch.Generator,
    *,
    like: Tensor,
    symmetric: bool = False,
) -> Spectrum:
    is_small = size <= products
    if is_small:
        matrix, leak = _dense(times, size, like=like).double().cpu().numpy(), 0.0
    else:
        start = torch.randn(size, generator=rng, dtype=torch.float64).to(like)
        matrix, leak = _arnoldi(times, start, products)
    if symmetric:
        values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    else:
        values, vectors = np.linalg.eig(matrix)
    # What a Ritz vector's product has outside the space searched: its last entry times the
    # length that the next direction would have had.
    errors = leak * np.abs(vectors[-1])
    order = np.argsort(-np.abs(values), kind="stable")
    return Spectrum(values[order].astype(complex), errors[order], len(matrix), is_small)


def _dense(times: Product, size: int, *, like: Tensor) -> Tensor:
    """The matrix whose transpose `times` multiplies with: row i is its product with unit i."""
    return torch.stack([times(unit) for unit in torch.eye(size).to(like)])


def _arnoldi(times: Product, start: Tensor, products: int) -> tuple[NDArray[np.float64], float]:
    """A small matrix whose extreme eigenvalues are close to those of the large one.

    Products of the matrix with the last direction, cleared of all directions before, span a
    space in which the matrix is nearly closed at both ends of its spectrum: the largest and
    the leftmost eigenvalues come out of one search, since shifting a matrix leaves this space
    as it is. Unlike scipy's `eigs`, which restarts to save memory, it takes exactly as many
    products as it was given and leaves an error bound for what has not settled yet.

    Returns:
        (K, K) the matrix within the space, K the products taken, and how much it leaks out.

    Source: Arnoldi 1951; Saad, Numerical Methods for Large Eigenvalue Problems, chapter 6.
    """
    directions = start.new_empty(products + 1, len(start))
    directions[0] = start / start.norm()
    small, leak = np.zeros((products + 1, products)), 0.0
    for k in range(products):
        product = times(directions[k])
        known = directions[: k + 1]
        for _ in range(2):  # once leaves rounding errors that grow from step to step
            overlap = known @ product
            product = product - overlap @ known
            small[: k + 1, k] += overlap.double().cpu().numpy()
        leak = float(product.norm())
        small[k + 1, k] = leak
        if leak <= 1e-12 * np.abs(small).max():  # the space is closed: nothing more to find
            return small[: k + 1, : k + 1], 0.0
        directions[k + 1] = product / leak
    return small[:products], leak
