"""What an equilibrium probe may cost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """How long each search goes on, and on how many images it is scored.

    Every result is a lower bound that grows with the budget: compare only numbers of the
    same one.

    Args:
        name: to show.
        fresh_steps: of the fresh discriminator.
        warm_steps: of searches from the discriminator's weights.
        generator_steps: of searches from the generator's weights.
        every: steps between two evaluations of the held-out score.
        batch: images of each kind in a step.
        test_images: held-out photos, and generated images, at most; in two halves.
        restarts: searches of each player from perturbed weights, besides the one from its
            present weights.
        nash_conv: also search with the losses of training (two searches more).
    """

    name: str
    fresh_steps: int
    warm_steps: int
    generator_steps: int
    every: int = 25
    batch: int = 64
    test_images: int = 1000
    restarts: int = 0
    nash_conv: bool = False

    @property
    def pool(self) -> int:
        """Generated images to train the fresh discriminator on; bounded by memory."""
        return min(LARGEST_POOL, self.fresh_steps * self.batch)


LARGEST_POOL = 10_000


LIVE = Budget("quick", fresh_steps=100, warm_steps=50, generator_steps=50)
"""Seconds at 28 pixels: for a probe every few thousand steps of training."""

FULL = Budget(
    "full",
    fresh_steps=300,
    warm_steps=100,
    generator_steps=100,
    test_images=10_000,
    restarts=1,
    nash_conv=True,
)
"""A minute or so at 28 pixels: for a checkpoint, afterwards."""
