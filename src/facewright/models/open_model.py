"""The one way from a path or a name to a trained model: run, checkpoint, bundle or bundled name."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from torch import Tensor, nn

from facewright import settings
from facewright.conditions import Conditioning
from facewright.config import Config, ModelConfig
from facewright.errors import CheckpointError, ConfigError, RunError, nearest, quoted
from facewright.models import bundle as bundles
from facewright.models.bundle import Bundle, Networks, refuse_too_deep
from facewright.models.bundle_labels import conditioning_in
from facewright.models.bundled import bundle_path, refuse_unknown
from facewright.networks.build import build_discriminator, build_generator, unfilled_generator
from facewright.records import checkpoints, environment
from facewright.records.checkpoints import FOREIGN, Checkpoint
from facewright.records.rows import ModelState
from facewright.records.run_folder import RunFolder
from facewright.records.tensors import refuse_others
from facewright.rng import rng_for
from facewright.schema import LONGEST_SHOWN, Wording, parsed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A trained model, however it was kept. Weights are read when they are first used.

    Args:
        name: for people.
        path: of the checkpoint's folder or of the bundle.
        architecture: settings of its networks.
        shape: (C, H, W) of its images.
        images_seen: real images shown in its training.
        sha256: of the checkpoint's weights or of the whole bundle.
        source: what it was read from.
        conditioning: which labels it goes by; without labels, none.
        terms: under which it may be used, where they are known.
    """

    name: str
    path: Path
    architecture: ModelConfig
    shape: tuple[int, int, int]
    images_seen: int
    sha256: str
    source: Checkpoint | Bundle = field(repr=False)
    # Its arrays cannot be compared by ==.
    conditioning: Conditioning = field(default_factory=Conditioning, compare=False)
    terms: str = ""

    @cached_property
    def networks(self) -> Networks:
        """Weights by network: "generator", and where they were kept "discriminator" and "ema".

        Raises:
            CheckpointError: the file is damaged.
        """
        if isinstance(self.source, Bundle):
            return self.source.networks
        networks: dict[str, dict[str, Tensor]] = {}
        for name, tensor in self.source.tensors("weights").items():
            network, _, own = name.partition(".")
            networks.setdefault(network, {})[own] = tensor
        if missing := {"generator", "discriminator", "ema"} - networks.keys():
            found = f"{self.path} has no weights of the {' and '.join(sorted(missing))}"
            raise FOREIGN.refusal(found, "weights of all networks")
        return networks

    @cached_property
    def generator(self) -> nn.Module:
        """The EMA of the generator, which draws the samples; in eval mode.

        It maps (B, z_dim) latents to (B, C, H, W) images in [-1, 1]; of a conditional model it
        takes (B, conditioning.size) beside them.

        Raises:
            BundleError, CheckpointError: the weights are those of another network.
        """
        weights = self.networks.get("ema", self.networks["generator"])
        refuse_too_deep(self.architecture, len(weights), str(self.path), self._foreign)
        try:
            network = unfilled_generator(self.architecture, self.shape, self.conditioning.size)
        # A forged file can name settings that no network has, or sizes beyond 64 bits.
        except (ConfigError, RuntimeError, TypeError) as error:
            found = f"{self.path}: {str(error).splitlines()[0][:LONGEST_SHOWN]}"
            raise self._foreign.refusal(found, "settings of a network") from None
        refuse_others(weights, network.state_dict(), str(self.path), self._foreign)
        own = {name: tensor.clone() for name, tensor in weights.items()}
        network.load_state_dict(own, assign=True)
        return network.eval().requires_grad_(False)

    def player(self, name: Literal["generator", "discriminator"]) -> nn.Module:
        """One of the two networks that were trained against each other, in eval mode.

        Raises:
            CheckpointError: the weights are those of another network.
        """
        build = build_generator if name == "generator" else build_discriminator
        rng = rng_for(0, 0, "unused")
        network = build(self.architecture, self.shape, rng, self.conditioning.size)
        refuse_others(self.networks[name], network.state_dict(), str(self.path), self._foreign)
        network.load_state_dict(self.networks[name])
        return network.eval().requires_grad_(False)

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The moment of a run; `None` for a bundle."""
        return self.source if isinstance(self.source, Checkpoint) else None

    @property
    def run(self) -> RunFolder | None:
        """The run that a checkpoint lies in; `None` for a bundle."""
        return RunFolder.holding(self.path.resolve()) if self.checkpoint else None

    @property
    def photos(self) -> str:
        """Content hash of the store that it was trained on; "" where it is not noted.

        Raises:
            RunError: the run's environment.json is damaged.
        """
        if isinstance(self.source, Bundle):
            return self.source.about.card.photos.content_hash
        run = RunFolder.holding(self.path.resolve())
        return environment.read(run)["store"].get("content_hash", "")

    @property
    def config(self) -> Config:
        """All settings of the run, as they were at its beginning."""
        assert self.checkpoint is not None, "a bundle holds no settings of a training"
        state = self.checkpoint.state
        return settings.from_tables(state["config"], origin=str(self.path))

    @property
    def _foreign(self) -> Wording:
        """How a file is refused that holds another network than it says."""
        return checkpoints.FOREIGN if self.checkpoint else bundles.FOREIGN


def open_model(model: Path | str, checkpoint: str = "newest") -> Model:
    """The trained model that somebody means.

    Args:
        model: a run folder, one of its checkpoints, a bundle (NAME.safetensors), or the name of
            a bundled model. A file or folder of that name comes first.
        checkpoint: of a run: "newest", "best" (by its score on held-out photos) or a name.

    Raises:
        RunError: no model there.
        BundleError: a bundle that is damaged or foreign.
        CheckpointError: no usable checkpoint, or none of this name.
        ConfigError: a choice among checkpoints where there is only one.
    """
    path = Path(model)
    refuse_unknown(path)
    kind = kind_of(path)
    if kind in ("bundle", "checkpoint") and checkpoint != "newest":
        raise ConfigError(
            f"--checkpoint {checkpoint} of {path}, which is a {kind}",
            expected=f"a run: a {kind} has one generator",
            fix="leave --checkpoint out",
        )
    if file := bundle_path(path):
        return of_bundle(bundles.read(file))
    if kind == "checkpoint":
        return of_checkpoint(checkpoints.read(path))
    folder = RunFolder.open(path).checkpoints
    if checkpoint in ("newest", "best"):
        chosen, damaged = checkpoints.sound(folder, "best" if checkpoint == "best" else "newest")
        for sentence in damaged:
            log.warning("%s; using %s", sentence, chosen.path.name)
        return of_checkpoint(chosen)
    names = [saved.path.name for saved in checkpoints.readable(folder)]
    if checkpoint not in names:
        raise CheckpointError(
            f"{path} has no checkpoint '{checkpoint}'",
            expected=nearest(checkpoint, ["newest", "best", *names]),
            fix="--checkpoint newest",
        )
    return of_checkpoint(checkpoints.read(folder / checkpoint))


def open_checkpoints(run: Path) -> Iterator[Model]:
    """Every checkpoint of a run, oldest first; a damaged one is left out with a warning.

    Raises:
        RunError: no run there, or none of its checkpoints can be used.
    """
    usable = 0
    for saved in checkpoints.readable(RunFolder.open(run).checkpoints):
        model = of_checkpoint(saved)
        try:
            _ = model.generator
        except (CheckpointError, OSError) as error:  # or pruned by a training that still runs
            log.warning("%s is left out: %s", saved.path.name, error)
            continue
        usable += 1
        yield model
    if not usable:
        raise RunError(
            f"{run} has no usable checkpoint",
            expected="a run that has been trained",
            fix=f"facewright resume {quoted(run)}",
        )


def kind_of(path: Path) -> Literal["run", "checkpoint", "bundle"] | None:
    """What kind of model lies there; `None` where there is none, as in a folder of images."""
    if bundle_path(path):
        return "bundle"
    if RunFolder(path).config.exists():
        return "run"
    # Hugging Face's tables have a file of that name as well.
    is_data = (path / "dataset_info.json").is_file()
    return "checkpoint" if (path / "state.json").is_file() and not is_data else None


def refuse_bundle(path: Path) -> None:
    """A bundle in place of a run: it holds a model, and no record of its training.

    Raises:
        RunError: it is one; the message says what its card says of the training.
        BundleError: it is one that is damaged or foreign.
    """
    file = bundle_path(path)
    if file is None or not file.exists():
        return
    card = bundles.read(file).about.card
    raise RunError(
        f"{path} is a model in one file, without the record of its training; the doctor's verdict "
        f"on that, as its card says: {card.doctor.verdict}",
        expected="a run folder, made by `facewright train`",
        fix=f"facewright evaluate {quoted(path)} --data STORE, for its quality",
    )


def of_bundle(bundle: Bundle) -> Model:
    """The model in a bundle, whose one generator is an EMA."""
    about = bundle.about
    return Model(
        name=bundle.path.stem,
        path=bundle.path,
        architecture=about.model,
        shape=about.shape,
        images_seen=about.card.training.images_seen,
        sha256=bundle.sha256,
        source=bundle,
        conditioning=about.conditioning,
        terms=about.card.terms,
    )


def of_checkpoint(checkpoint: Checkpoint) -> Model:
    """The model that a run had at one moment."""
    path = checkpoint.path
    state = parsed(ModelState, checkpoint.state, f"{path}/state.json", FOREIGN)
    channels, height, width = state["shape"]
    run, conditioning = RunFolder.holding(path.resolve()), Conditioning()
    if "weights.safetensors" not in state["sha256"]:
        raise FOREIGN.refusal(f"{path} has no weights", "weights.safetensors")
    conditions = state.get("conditions", {})
    if conditions.get("labels"):
        conditioning = conditioning_in(conditions, f"{path}/state.json.conditions", FOREIGN)
    return Model(
        name=f"{run.path.name} at {path.name}",
        path=path,
        architecture=settings.from_tables(state["config"], origin=str(path)).model,
        shape=(channels, height, width),
        images_seen=state["images_seen"],
        sha256=state["sha256"]["weights.safetensors"],
        source=checkpoint,
        conditioning=conditioning,
    )
