"""`facewright equilibrium`: how far are the two players from a Nash equilibrium?"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro
from torch import Tensor

from facewright.cli.balance import Balance
from facewright.cli.neighbourhood import neighbourhood, path_to
from facewright.cli.players import Players, chosen_checkpoint, players_of
from facewright.cli.subject import (
    is_run,
    refuse_without_held_out,
    subjects,
    warn_of_another_store,
)
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.equilibria.budget import FULL, LIVE, Budget
from facewright.equilibria.fresh_discriminator import Judged, js_from_fresh_judge
from facewright.equilibria.probe import probe_equilibrium
from facewright.errors import FacewrightError
from facewright.metrics.domain import usual_features
from facewright.rng import numpy_rng_for
from facewright.sampling.sample import sample

MOST = 2 * FULL.test_images
"""Images of one kind that are taken into memory: half of them to learn from, half to be asked."""


def equilibrium(
    model: Annotated[Path, tyro.conf.Positional],
    *,
    data: Path,
    checkpoint: str = "newest",
    budget: Literal["quick", "full"] = "full",
    restarts: int | None = None,
    local: bool = False,
    figures: Path | None = None,
    seed: int = 0,
) -> Balance:
    """Measure how far the two players are from a Nash equilibrium.

    Lets each player improve alone, with the other one frozen, and says what it gains on
    held-out photos; and asks a fresh judge how different generated and real images are.
    Of images without a discriminator only the second is told; so of bundles, whose averaged
    generator was never a player.

    Args:
        model: run folder; bundle or name of a bundled model; or a folder, .zip or .npy of
            images, uint8 (N,H,W,C).
        data: the store that the run was trained on. Only its held-out photos are used: one
            half to search on, the other to test on. A judge who learned from photos that
            the generator was shown would not notice a generator that replays them.
        checkpoint: newest, best, or the name of one, such as 000090k.
        budget: full takes a minute or two at 28 pixels; quick a quarter of that, and
            finds less. Compare only numbers of one budget.
        restarts: searches of each player from perturbed weights; the budget's own number
            (quick 0, full 1) if not said.
        local: also look at the neighbourhood: are the players at rest, at a minimum of their
            own losses, and would training settle here or circle?
        figures: with --local, folder for the path-angle plot, between the checkpoint before
            this one and this one.
        seed: of everything random.

    Raises:
        FacewrightError: nothing can be measured; the message says why.
    """
    store = Store.open(data)
    refuse_without_held_out(store)
    effort = LIVE if budget == "quick" else FULL
    if restarts is not None:
        if restarts < 0:
            raise FacewrightError(f"--restarts {restarts}", expected="0 or more")
        effort = dataclasses.replace(effort, restarts=restarts)
    warn_of_another_store(model, store)
    if not is_run(model):
        if local:
            raise FacewrightError(f"--local for {model}", expected="a run, which has two players")
        return _of_images(model, store, effort, seed)
    if figures is not None and not local:
        raise FacewrightError("--figures without --local", expected="both", fix="--local")
    players = players_of(chosen_checkpoint(model, checkpoint))
    found = _of_run(f"{model.name} at {players.checkpoint.path.name}", players, store, effort, seed)
    if not local:
        return found
    near = neighbourhood(players, store, seed=seed)
    return dataclasses.replace(
        found, local=near, path=path_to(model, players, store, figures, seed)
    )


def _of_run(name: str, players: Players, store: Store, budget: Budget, seed: int) -> Balance:
    """Both players, and the samples, which the averaged generator makes."""
    known = PhotoConditions.for_model(store, players.conditioning)
    photos = HeldOut.of(store, mirror=players.config.data.flip, seed=seed, known=known)
    reading = probe_equilibrium(
        players.generator,
        players.discriminator,
        loss=players.config.loss,
        optimiser=players.config.optimiser,
        search_real=photos.search,
        test_real=photos.test,
        z_dim=players.config.model.z_dim,
        conditions=photos.conditions,
        seed=seed,
        budget=budget,
    )
    pixels = sample(players.averaged, count=budget.pool + len(photos.test), seed=seed)
    judged = photos.judge(pixels, budget)
    return Balance(name, reading, judged, photos.null(store, budget), budget)


def _of_images(path: Path, store: Store, budget: Budget, seed: int) -> Balance:
    """A bundle, or somebody's images: only the fresh judge has something to say."""
    photos = HeldOut.of(store, mirror=usual_features(store.train) != "digits", seed=seed)
    (subject,) = subjects(path, store, count=None, seed=seed, checkpoint="newest")
    judged = photos.judge(subject.pixels, budget)
    return Balance(subject.name, None, judged, photos.null(store, budget), budget)


@dataclass(frozen=True)
class HeldOut:
    """Photos that no generator was trained on, in two parts.

    Args:
        search: for searching, (N, H, W, C) uint8.
        test: for scoring.
        mirror: mirror half of the photos, as training does, so that nobody tells generated
            images from real ones by their direction.
        seed: of the order, of mirroring and of judges.
        conditions: what a conditional pair is told of `search` and of `test`, (N, C) each.
    """

    search: np.ndarray
    test: np.ndarray
    mirror: bool
    seed: int
    conditions: tuple[Tensor, Tensor]

    @classmethod
    def of(
        cls, store: Store, *, mirror: bool, seed: int, known: PhotoConditions | None = None
    ) -> "HeldOut":
        """One half of a store's held-out photos for each part."""
        photos = _shuffled(store.val, mirror=mirror, seed=seed)
        told = (known or PhotoConditions.of(store, ())).val[_order(len(photos), seed)]
        half = len(photos) // 2
        return cls(photos[:half], photos[half:], mirror, seed, (told[:half], told[half:]))

    def judge(self, pixels: np.ndarray, budget: Budget) -> Judged:
        """What a fresh judge says of other images; as many as there are photos test it."""
        pixels = _shuffled(pixels, mirror=False, seed=self.seed)
        held_out = min(len(self.test), budget.test_images, len(pixels) // 2)
        return js_from_fresh_judge(
            self.search,
            self.test[: budget.test_images],
            pixels[held_out:],
            pixels[:held_out],
            seed=self.seed,
            budget=budget,
        )

    def null(self, store: Store, budget: Budget) -> Judged | None:
        """What it says of photos, in place of generated images: as near 0 as it gets.

        Only with the full budget: it takes as long as the judge itself.
        """
        if budget.name != FULL.name:
            return None
        count = budget.pool + len(self.test)
        photos = _shuffled(store.train[:count], mirror=self.mirror, seed=self.seed)
        return self.judge(photos, budget)


def _shuffled(pixels: np.ndarray, *, mirror: bool, seed: int) -> np.ndarray:
    """The images in another order, or as many as are used, half of them mirrored if wanted."""
    rng = numpy_rng_for(seed, 0, "equilibrium photos")
    pixels = pixels[rng.permutation(len(pixels))[:MOST]]
    if mirror:
        turned = rng.random(len(pixels)) < 0.5
        pixels[turned] = pixels[turned, :, ::-1]
    return pixels


def _order(count: int, seed: int) -> np.ndarray:
    """The one in which `_shuffled` puts so many images."""
    return numpy_rng_for(seed, 0, "equilibrium photos").permutation(count)[:MOST]
