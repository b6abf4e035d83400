"""Both players of a run, as a checkpoint holds them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from facewright import settings
from facewright.conditions import Conditioning
from facewright.config import Config
from facewright.errors import CheckpointError, nearest
from facewright.networks.build import build_discriminator, build_generator
from facewright.records import checkpoints
from facewright.records.checkpoints import Checkpoint
from facewright.records.run_folder import RunFolder
from facewright.rng import rng_for
from facewright.sampling.sample import LoadedGenerator, generator_of
from facewright.training.schedule import in_force


@dataclass(frozen=True)
class Players:
    """The two players, and the averaged generator, which makes the samples.

    Args:
        generator: the player itself.
        discriminator: the other player.
        averaged: the mean of the generator's recent weights; it does not play.
        config: of the run, with the settings that a schedule had reached here.
        checkpoint: where all of it was saved.
        conditioning: which labels both players are told.
    """

    generator: nn.Module
    discriminator: nn.Module
    averaged: LoadedGenerator
    config: Config
    checkpoint: Checkpoint
    conditioning: Conditioning


def chosen_checkpoint(run: Path, which: str) -> Checkpoint:
    """The newest or the best sound checkpoint, or the one of a name.

    Raises:
        RunError: no run there.
        CheckpointError: none like this.
    """
    folder = RunFolder.open(run).checkpoints
    if which in ("newest", "best"):
        return checkpoints.sound(folder, "best" if which == "best" else "newest")[0]
    names = [checkpoint.path.name for checkpoint in checkpoints.readable(folder)]
    if which not in names:
        raise CheckpointError(
            f"{run} has no checkpoint '{which}'",
            expected=nearest(which, ["newest", "best", *names]),
        )
    return checkpoints.read(folder / which)


def players_of(checkpoint: Checkpoint) -> Players:
    """The networks of a checkpoint, in eval mode.

    Raises:
        CheckpointError: it is damaged, or of other networks.
    """
    config = settings.from_tables(checkpoint.state["config"], origin=str(checkpoint.path))
    channels, height, width = checkpoint.state["shape"]
    weights = checkpoint.tensors("weights")
    told = Conditioning.from_state(checkpoint.state)

    def player(name: str, build: Callable[..., nn.Module]) -> nn.Module:
        rng = rng_for(0, 0, "unused")
        network = build(config.model, (channels, height, width), rng, told.size)
        own = {
            k.removeprefix(f"{name}."): v for k, v in weights.items() if k.startswith(f"{name}.")
        }
        return _loaded(network, own, checkpoint)

    return Players(
        player("generator", build_generator),
        player("discriminator", build_discriminator),
        generator_of(checkpoint),
        in_force(config, checkpoint.state["images_seen"]),
        checkpoint,
        told,
    )


def _loaded(network: nn.Module, weights: dict[str, Tensor], checkpoint: Checkpoint) -> Any:
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(f"{checkpoint.path}: {str(error).splitlines()[0]}") from None
    return network.eval().requires_grad_(False)
