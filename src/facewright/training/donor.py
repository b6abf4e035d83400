"""A trained model, as far as another run may begin with its weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from facewright import settings
from facewright.conditions import Conditioning
from facewright.config import ModelConfig
from facewright.records.checkpoints import Checkpoint
from facewright.records.run_folder import RunFolder

Networks = Mapping[str, Mapping[str, Tensor]]
"""Name of a network -> name of a tensor -> the tensor."""


@dataclass(frozen=True)
class Donor:
    """A trained model, as far as another run may begin with it.

    Args:
        name: for people.
        path: where it was found.
        model: settings of its networks.
        shape: (C, H, W) of its images.
        networks: "generator", and where it has them "discriminator" and "ema".
        sha256: of the weights.
        images_seen: in its training.
        told: which labels it goes by.
        terms: under which it may be used, if they are known; they hold for what comes of it, too.
    """

    name: str
    path: Path
    model: ModelConfig
    shape: tuple[int, int, int]
    networks: Networks
    sha256: str
    images_seen: int
    told: Conditioning = field(default_factory=Conditioning)
    terms: str = ""

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Donor":
        """The model that a run had at one moment.

        Raises:
            CheckpointError: its weights are damaged.
        """
        networks: dict[str, dict[str, Tensor]] = {}
        for name, tensor in checkpoint.tensors("weights").items():
            network, _, own = name.partition(".")
            networks.setdefault(network, {})[own] = tensor
        state, path = checkpoint.state, checkpoint.path.resolve()
        channels, height, width = state["shape"]
        run = RunFolder.holding(path)
        return cls(
            name=f"{run.path.name} at {path.name}",
            path=path,
            model=settings.from_tables(state["config"], origin=str(checkpoint.path)).model,
            shape=(channels, height, width),
            networks=networks,
            sha256=state["sha256"]["weights.safetensors"],
            images_seen=state["images_seen"],
            told=Conditioning.from_state(state),
        )
