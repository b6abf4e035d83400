"""Everything that a run carries from one step to the next."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from facewright.conditions import Conditioning
from facewright.config import AugmentConfig, Config
from facewright.errors import CheckpointError
from facewright.networks.build import build_discriminator, build_generator
from facewright.networks.ema import Ema
from facewright.objective.ada import Adaptation
from facewright.objective.techniques import HistoricalAverage
from facewright.records.checkpoints import Checkpoint, TensorGroups
from facewright.records.tensors import refuse_others
from facewright.rng import rng_for
from facewright.schema import Wording

OTHER_NETWORKS = Wording(
    CheckpointError, fix="give back the config.toml that the run began with, or another checkpoint"
)


@dataclass
class Player:
    """One network, its optimiser and, if used, the average of its past weights.

    Args:
        network: the generator or the discriminator.
        weights: the network's parameters; listed once, because walking through the
            modules for them takes longer than many things that are done with them.
        optimiser: over these weights.
        history: of these weights.
    """

    network: nn.Module
    weights: list[nn.Parameter]
    optimiser: Optimizer
    history: HistoricalAverage | None


@dataclass
class TrainState:
    """Both players, the generator's EMA, and how far the run has come.

    A checkpoint holds this and nothing else: all randomness is addressed by
    (seed, step, use) and all data by batch number.

    Args:
        adaptation: how likely distortions have become; `None` where that does not adapt.
    """

    generator: Player
    discriminator: Player
    ema: Ema
    step: int = 0
    images_seen: int = 0
    seconds: float = 0.0
    adaptation: Adaptation | None = None

    def augmentation(self, settings: AugmentConfig) -> AugmentConfig:
        """The settings, with the probability that has been reached where it adapts."""
        if self.adaptation is None:
            return settings
        return replace(settings, probability=self.adaptation.probability)

    def apply(self, config: Config) -> None:
        """Take over learning rates, Adam's betas and the EMA's half-life."""
        settings = config.optimiser
        for player, lr in ((self.generator, settings.lr_g), (self.discriminator, settings.lr_d)):
            (group,) = player.optimiser.param_groups
            group |= {"lr": lr, "betas": (settings.beta1, settings.beta2)}
        self.ema.half_life = config.train.ema_images

    def networks(self) -> dict[str, nn.Module]:
        """By their names in checkpoints."""
        return {
            "generator": self.generator.network,
            "discriminator": self.discriminator.network,
            "ema": self.ema.network,
        }

    def tensor_groups(self) -> TensorGroups:
        """All tensors, by checkpoint file and name."""
        return {
            "weights": {
                name: tensor
                for prefix, network in self.networks().items()
                for name, tensor in _prefixed(prefix, network.state_dict()).items()
            },
            "optimisers": {
                **_prefixed("generator", _player_memory(self.generator)),
                **_prefixed("discriminator", _player_memory(self.discriminator)),
            },
        }

    def counters(self) -> dict[str, Any]:
        """How far the run has come, and the optimisers' current settings, as JSON."""
        counters: dict[str, Any] = {
            "step": self.step,
            "images_seen": self.images_seen,
            "seconds": self.seconds,
            "optimisers": {
                "generator": _settings(self.generator.optimiser),
                "discriminator": _settings(self.discriminator.optimiser),
            },
        }
        return counters | ({"adaptation": asdict(self.adaptation)} if self.adaptation else {})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Become the state that was saved.

        Raises:
            CheckpointError: damaged, or of other networks.
        """
        # Compared before anything is loaded: Adam's compiled loop reads and writes as many
        # numbers as the weights have, wherever that may be.
        weights, memory = (checkpoint.tensors(group) for group in ("weights", "optimisers"))
        expected = self.tensor_groups()["weights"], self._memory_after(checkpoint.state["step"])
        for found, own in zip((weights, memory), expected, strict=True):
            refuse_others(found, own, str(checkpoint.path), OTHER_NETWORKS)
        self._take_weights(weights)
        _restore_memory(self.generator, _under("generator", memory))
        _restore_memory(self.discriminator, _under("discriminator", memory))
        self.step = checkpoint.state["step"]
        self.images_seen = self.ema.age = checkpoint.state["images_seen"]
        self.seconds = checkpoint.state["seconds"]
        saved = checkpoint.state.get("adaptation")
        # Settings may have been changed since (`amend.py`): whether it adapts, and to what.
        if self.adaptation is not None and saved is not None:
            signal = (
                saved["signal"] if saved["of"] == self.adaptation.of else self.adaptation.signal
            )
            self.adaptation = Adaptation(saved["probability"], self.adaptation.of, signal)

    def begin_with(self, checkpoint: Checkpoint) -> None:
        """Take over weights; nothing else is remembered, and the run is at its beginning.

        Raises:
            CheckpointError: damaged, or of other networks.
        """
        weights = checkpoint.tensors("weights")
        refuse_others(
            weights, self.tensor_groups()["weights"], str(checkpoint.path), OTHER_NETWORKS
        )
        self._take_weights(weights)
        for player in (self.generator, self.discriminator):
            if player.history is not None:
                player.history = HistoricalAverage(player.weights)

    def _memory_after(self, step: int) -> dict[str, Tensor]:
        """What the optimisers remember after so many steps, by name, shape and type."""
        players = {"generator": self.generator, "discriminator": self.discriminator}
        return {
            name: tensor
            for prefix, player in players.items()
            for name, tensor in _prefixed(prefix, _memory_of(player, started=step > 0)).items()
        }

    def _take_weights(self, weights: dict[str, Tensor]) -> None:
        for name, network in self.networks().items():
            network.load_state_dict(_under(name, weights))


def about_model(
    config: Config, shape: tuple[int, int, int], conditioning: Conditioning
) -> dict[str, Any]:
    """What a checkpoint says of its networks beside their weights, as JSON.

    Args:
        config: of the run.
        shape: (C, H, W) of the photos.
        conditioning: the labels that the model's conditions stand for.
    """
    return {"shape": list(shape), "config": asdict(config), "conditions": conditioning.as_json()}


def fresh_state(
    config: Config, shape: tuple[int, int, int], device: torch.device, conditions: int = 0
) -> TrainState:
    """Both players as they are before the first step.

    Args:
        config: decides the networks, the optimisers and the seed.
        shape: (C, H, W) of the photos.
        device: where the networks live.
        conditions: length of a condition vector; 0 for a model without.
    """
    seed, settings = config.train.seed, config.optimiser
    generator = build_generator(config.model, shape, rng_for(seed, 0, "init_g"), conditions)
    discriminator = build_discriminator(config.model, shape, rng_for(seed, 0, "init_d"), conditions)
    for network in (generator, discriminator):
        # Filters in the order of the maps: otherwise each convolution first makes a copy of them.
        network.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def player(network: nn.Module, lr: float) -> Player:
        weights = list(network.parameters())
        # Fused: one pass over the weights instead of a dozen small operations.
        optimiser = Adam(weights, lr=lr, betas=(settings.beta1, settings.beta2), fused=True)
        averages = config.loss.historical_averaging > 0
        return Player(network, weights, optimiser, HistoricalAverage(weights) if averages else None)

    augment = config.augment
    return TrainState(
        generator=player(generator, settings.lr_g),
        discriminator=player(discriminator, settings.lr_d),
        ema=Ema(generator, half_life=config.train.ema_images),
        adaptation=Adaptation.beginning(augment.probability, augment.signal)
        if augment.adaptive
        else None,
    )


def _prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}


def _player_memory(player: Player) -> dict[str, Tensor]:
    """Adam's moments as "adam.<parameter number>.<name>", and the historical average."""
    memory = {
        f"adam.{number}.{name}": tensor
        for number, entry in player.optimiser.state_dict()["state"].items()
        for name, tensor in entry.items()
    }
    return memory | _prefixed("history", player.history.state_dict() if player.history else {})


def _memory_of(player: Player, *, started: bool) -> dict[str, Tensor]:
    """What `_player_memory` gives for this player, as far as names, shapes and types go."""
    count = torch.zeros(())
    moments = {
        f"adam.{number}.{name}": tensor
        for number, weight in enumerate(player.weights)
        for name, tensor in (("step", count), ("exp_avg", weight), ("exp_avg_sq", weight))
        if started
    }
    return moments | _prefixed("history", player.history.state_dict() if player.history else {})


def _settings(optimiser: Optimizer) -> dict[str, Any]:
    """Learning rate and the like; the parameters themselves are left out."""
    (group,) = optimiser.state_dict()["param_groups"]
    return {key: value for key, value in group.items() if key != "params"}


def _restore_memory(player: Player, memory: dict[str, Tensor]) -> None:
    entries: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("adam", memory).items():
        number, _, key = name.partition(".")
        weight = player.weights[int(number)]
        # In the order of the weights: Adam's compiled loop pairs numbers by where they lie.
        ordered = tensor if key == "step" else torch.empty_like(weight.detach()).copy_(tensor)
        entries.setdefault(int(number), {})[key] = ordered
    # The learning rate and the like are those of the run's settings now, which may have been
    # changed on purpose since the checkpoint (`amend.py`).
    groups = player.optimiser.state_dict()["param_groups"]
    player.optimiser.load_state_dict({"state": entries, "param_groups": groups})
    if player.history is not None:
        player.history.load_state_dict(_under("history", memory))
