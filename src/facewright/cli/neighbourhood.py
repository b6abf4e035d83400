"""The neighbourhood of a checkpoint: would training stay there, and how did it get there?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facewright.cli.players import Players, players_of
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.equilibria.local import LocalReading, local_reading
from facewright.equilibria.path_angle import PathAngle, network_path_angle, save_figure
from facewright.images import to_model_range
from facewright.networks.build import build_discriminator, build_generator
from facewright.objective.adversarial import game_named
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.rng import rng_for

IMAGES = 128
"""Photos, and generated images, in the batch that is looked at."""


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

    def sentences(self) -> list[str]:
        """For people."""
        drawn = [str(self.figure)] if self.figure else []
        return [f"On the line from {self.since}:", *self.angle.verdict, *drawn]


def neighbourhood(players: Players, store: Store, *, seed: int) -> LocalReading:
    """Are the players at rest here, and is it an equilibrium at least nearby?"""
    config, loss, shape = players.config, players.config.loss, store.shape
    # The weights that the run began with: what a gradient is that is not small.
    begun, length = config.train.seed, players.conditioning.size
    real, z, told = _batch(players, store, seed)
    return local_reading(
        players.generator,
        players.discriminator,
        game=game_named(loss.game, loss.real_target),
        real=real,
        z=z,
        conditions=told,
        r1=loss.r1,
        r2=loss.r2,
        gradient_penalty=loss.gradient_penalty,
        seed=seed,
        fresh=(
            build_generator(config.model, shape, rng_for(begun, 0, "init_g"), length),
            build_discriminator(config.model, shape, rng_for(begun, 0, "init_d"), length),
        ),
    )


def path_to(
    run: Path, players: Players, store: Store, figures: Path | None, seed: int
) -> PathDrawn | None:
    """The way from the earliest checkpoint; `None` where it is the first one."""
    step = players.checkpoint.state["step"]
    kept = checkpoints.readable(RunFolder.open(run).checkpoints)
    earlier = [checkpoint for checkpoint in kept if checkpoint.state["step"] < step]
    if not earlier:
        return None
    before, loss = players_of(earlier[0]), players.config.loss
    real, z, told = _batch(players, store, seed)
    angle = network_path_angle(
        (before.generator, before.discriminator),
        (players.generator, players.discriminator),
        game=game_named(loss.game, loss.real_target),
        real=real,
        z=z,
        conditions=told,
        r1=loss.r1,
        r2=loss.r2,
        gradient_penalty=loss.gradient_penalty,
    )
    figure = figures / "path-angle.png" if figures else None
    if figure is not None:
        save_figure(angle, figure)
    return PathDrawn(angle, earlier[0].path.name, figure)


def _batch(players: Players, store: Store, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Photos that were trained on, because gradients there move the players; latents; labels."""
    real = to_model_range(store.train[:IMAGES])
    told = PhotoConditions.for_model(store, players.conditioning).train[slice(IMAGES)]
    rng = rng_for(seed, 0, "equilibrium local")
    return real, torch.randn(len(real), players.config.model.z_dim, generator=rng), told
