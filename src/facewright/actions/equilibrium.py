"""How far are the two players from a Nash equilibrium?"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from facewright.actions.events import OnEvent, Tally, ignore
from facewright.config import Config
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store, refuse_without_held_out
from facewright.equilibria.budget import FULL, LIVE, Budget
from facewright.equilibria.fresh_discriminator import FreshReading
from facewright.equilibria.held_out import HeldOut
from facewright.equilibria.local import LocalReading, local_reading
from facewright.equilibria.path_angle import PathAngle, network_path_angle, save_figure
from facewright.equilibria.probe import probe_equilibrium
from facewright.equilibria.reading import GAME_FIELDS, EquilibriumReading, fresh_json
from facewright.errors import FacewrightError
from facewright.images import to_model_range
from facewright.metrics.domain import usual_features
from facewright.models.open_model import Model, of_checkpoint
from facewright.networks.build import build_discriminator, build_generator
from facewright.objective.adversarial import game_named
from facewright.records import checkpoints
from facewright.rng import rng_for
from facewright.sampling.image_source import ImageSource
from facewright.sampling.sample import sample
from facewright.training.schedule import in_force

PARTS = "parts of the balance"
"""What progress is told of."""

LOCAL_IMAGES = 128
"""Photos, and generated images, in the batch on which the neighbourhood is looked at."""


@dataclass(frozen=True)
class PathDrawn:
    """The line from the earliest checkpoint to this one, and where it is drawn."""

    angle: PathAngle
    since: str
    figure: Path | None

    def as_json(self) -> dict[str, Any]:
        """The numbers, and the figure."""
        figure = str(self.figure) if self.figure else None
        return {**self.angle.as_json(), "since": self.since, "figure": figure}


@dataclass(frozen=True)
class Balance:
    """What was found about a run, or about images.

    Args:
        name: of what was looked at.
        reading: of the two players; `None` for images.
        samples: what the fresh discriminator makes of the images that `facewright generate` draws
            (from the EMA of the generator), or of somebody's images.
        photos: the same of photos in place of generated images; `None` if not asked.
        budget: what the searches were given.
        local: the neighbourhood of this place; `None` if not asked.
        path: the way here from the checkpoint before; `None` if not asked, or if there is none.
    """

    name: str
    reading: EquilibriumReading | None
    samples: FreshReading
    photos: FreshReading | None
    budget: Budget
    local: LocalReading | None = None
    path: PathDrawn | None = None

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on. `js_bits` is of the generator that plays."""
        if self.reading is not None:
            fields = self.reading.as_json()
        else:
            note = "Images without a discriminator: only the fresh discriminator can say something."
            fields = dict.fromkeys(GAME_FIELDS) | fresh_json(self.samples)
            fields |= {"notes": [note], "budget": dataclasses.asdict(self.budget)}
        return fields | {
            "name": self.name,
            "samples": fresh_json(self.samples),
            "photos": fresh_json(self.photos) if self.photos else None,
            "local": self.local.as_json() if self.local else None,
            "path": self.path.as_json() if self.path else None,
        }


@dataclass(frozen=True)
class TrainedPair:
    """Both players of a run at one moment, with the settings that its schedule had reached."""

    model: Model
    generator: nn.Module
    discriminator: nn.Module
    config: Config

    @classmethod
    def of(cls, model: Model) -> "TrainedPair":
        """The players as the checkpoint holds them, in eval mode."""
        config = in_force(model.config, model.images_seen)
        return cls(model, model.player("generator"), model.player("discriminator"), config)


def equilibrium(
    model: Path,
    *,
    data: Path,
    checkpoint: str = "newest",
    budget: Literal["quick", "full"] = "full",
    restarts: int | None = None,
    local: bool = False,
    figures: Path | None = None,
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> Balance:
    """Measure how far the two players are from a Nash equilibrium.

    Lets each player improve alone, with the other one frozen, and says what it gains on
    held-out photos. A fresh discriminator shows how different generated and real images are.
    Of images without a discriminator only the second is measured. The same holds for bundles:
    the EMA of a generator was never a player.

    Examples:
        facewright equilibrium runs/mine --data stores/mine
        facewright equilibrium faces.npy --data stores/mine

    Args:
        model: run folder; bundle or name of a bundled model; or images: a folder, zip,
            tar, .npy or .npz, uint8 (N,H,W,C).
        data: the store that the run was trained on. Only its held-out photos are used: one
            half to search on, the other to test on. A fresh discriminator trained on photos that
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
        on_event: hears which parts are done.

    Raises:
        FacewrightError: nothing can be measured; the message says why.
    """
    store = Store.open(data)
    refuse_without_held_out(store)
    effort = LIVE if budget == "quick" else FULL
    if restarts is not None:
        if restarts < 0:
            raise FacewrightError(
                f"--restarts {restarts}", expected="0 or more", fix="--restarts 4"
            )
        effort = dataclasses.replace(effort, restarts=restarts)
    if checkpoint == "all":
        raise FacewrightError(
            "--checkpoint all", expected="one checkpoint", fix="--checkpoint best"
        )
    source = ImageSource.open(model, checkpoint)
    source.warn_of_other_photos(store)
    if source.model is None or source.model.checkpoint is None:
        if local:
            raise FacewrightError(
                f"--local for {model}",
                expected="a run, which has two players",
                fix="the run that it was exported from",
            )
        return _of_images(source, store, effort, seed, partial(Tally(on_event), PARTS, 1, 2))
    if figures is not None and not local:
        raise FacewrightError("--figures without --local", expected="both", fix="--local")
    pair = TrainedPair.of(source.model)
    done = partial(Tally(on_event), PARTS, 1, 5 if local else 3)
    found = _of_run(pair, store, effort, seed, done)
    if not local:
        return found
    losses = _losses(pair, store, seed)
    near = _neighbourhood(pair, store, losses, seed)
    done()
    path = _path_to(pair, losses, figures)
    done()
    return dataclasses.replace(found, local=near, path=path)


def _of_run(
    pair: TrainedPair, store: Store, budget: Budget, seed: int, done: Callable[[], None]
) -> Balance:
    """Both players, and the samples, which the EMA of the generator draws."""
    conditions = PhotoConditions.for_model(store, pair.model.conditioning)
    photos = HeldOut.of(store, mirror=pair.config.data.flip, seed=seed, photo_conditions=conditions)
    reading = probe_equilibrium(
        pair.generator,
        pair.discriminator,
        loss=pair.config.loss,
        optimiser=pair.config.optimiser,
        search_real=photos.search,
        test_real=photos.test,
        z_dim=pair.config.model.z_dim,
        conditions=photos.conditions,
        seed=seed,
        budget=budget,
    )
    done()
    pixels = sample(pair.model, count=budget.pool + len(photos.test), seed=seed)
    samples = photos.fresh_reading(pixels, budget)
    done()
    null = photos.null(store, budget)
    done()
    return Balance(pair.model.name, reading, samples, null, budget)


def _of_images(
    source: ImageSource, store: Store, budget: Budget, seed: int, done: Callable[[], None]
) -> Balance:
    """A bundle, or somebody's images: there is no discriminator to ask."""
    photos = HeldOut.of(store, mirror=usual_features(store.train) != "digits", seed=seed)
    (images,) = source.images(store, count=None, seed=seed)
    samples = photos.fresh_reading(images.pixels, budget)
    done()
    null = photos.null(store, budget)
    done()
    return Balance(images.name, None, samples, null, budget)


def _losses(pair: TrainedPair, store: Store, seed: int) -> dict[str, Any]:
    """What makes both losses functions of the weights alone: game, weights and one batch.

    Photos that were trained on, as gradients there move the players.
    """
    loss = pair.config.loss
    real = to_model_range(store.train[:LOCAL_IMAGES])
    conditions = PhotoConditions.for_model(store, pair.model.conditioning)
    rng = rng_for(seed, 0, "equilibrium local")
    return {
        "game": game_named(loss.game, loss.real_target),
        "weights": loss,
        "real": real,
        "z": torch.randn(len(real), pair.config.model.z_dim, generator=rng),
        "conditions": conditions.train[slice(LOCAL_IMAGES)],
    }


def _neighbourhood(
    pair: TrainedPair, store: Store, losses: dict[str, Any], seed: int
) -> LocalReading:
    """Are the players at rest here, and is it an equilibrium at least nearby?"""
    config, shape = pair.config, store.shape
    # The weights that the run began with show how long a gradient is that is not small.
    begun, length = config.train.seed, pair.model.conditioning.size
    return local_reading(
        pair.generator,
        pair.discriminator,
        seed=seed,
        fresh=(
            build_generator(config.model, shape, rng_for(begun, 0, "init_g"), length),
            build_discriminator(config.model, shape, rng_for(begun, 0, "init_d"), length),
        ),
        **losses,
    )


def _path_to(pair: TrainedPair, losses: dict[str, Any], figures: Path | None) -> PathDrawn | None:
    """The way from the earliest checkpoint; `None` where this is the first one."""
    here, run = pair.model.checkpoint, pair.model.run
    assert here is not None
    assert run is not None
    kept = checkpoints.readable(run.checkpoints)
    earlier = [one for one in kept if one.state["step"] < here.state["step"]]
    if not earlier:
        return None
    before = TrainedPair.of(of_checkpoint(earlier[0]))
    angle = network_path_angle(
        (before.generator, before.discriminator),
        (pair.generator, pair.discriminator),
        **losses,
    )
    figure = figures / "path-angle.png" if figures else None
    if figure is not None:
        save_figure(angle, figure)
    return PathDrawn(angle, earlier[0].path.name, figure)
