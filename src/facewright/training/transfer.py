"""Beginning with another model's weights: what fits, what does not, and why.

A tensor is taken where its name, its shape and its place agree. The place matters because in
a row of layers a name is only a number: with one stage more, or without normalisation, the
third layer is another layer, and tensors that fit by name and shape would be in the wrong
place. With another activation the places are the same and the row is another function: it
counts as built differently, too. Names that say what they are, such as the size of a map, keep
their meaning.
"""

import dataclasses
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from facewright import settings
from facewright.conditions import Conditioning
from facewright.config import Config
from facewright.errors import RunError
from facewright.models.open_model import Model
from facewright.networks.build import build_discriminator, build_generator
from facewright.rng import rng_for
from facewright.training.state import fresh_state

LEAST_SHARE = 0.5
"""Of each network's layers, below which a model is another one: a change of the width leaves
next to nothing, one of the latents' length or of the photos' size all layers but one or two."""


@dataclass(frozen=True)
class WeightMatch:
    """What became of the tensors of one network; each name is in one of the lists.

    Args:
        layers: how many matrices and filter banks the new network has.
        layers_taken: how many of them are the donor's.
        taken: as they are.
        new: the donor has nothing of that name; left at their first weights.
        reshaped: the donor's have another shape, as "name: there -> here"; left.
        elsewhere: the donor's of that name stand in a row that is built differently; left.
        unused: the donor's that have no counterpart.
    """

    layers: int
    layers_taken: int
    taken: list[str]
    new: list[str]
    reshaped: list[str]
    elsewhere: list[str]
    unused: list[str]


@dataclass(frozen=True)
class Beginning:
    """The weights with which a run begins.

    Args:
        weights: of both networks and the average, named as in checkpoints.
        donor: where they come from: name, path, sha256, images_seen, terms, as JSON.
        differences: settings of the networks, and the photos' size, as "name: there -> here".
        matches: by network.
    """

    weights: dict[str, Tensor]
    donor: dict[str, Any]
    differences: list[str]
    matches: dict[str, WeightMatch]

    def report(self) -> dict[str, Any]:
        """Where the weights come from, and what became of them, as JSON."""
        matches = {name: dataclasses.asdict(match) for name, match in self.matches.items()}
        return {
            "init_from": self.donor,
            "differences": self.differences,
            "networks": matches,
        }


def match(weights: Mapping[str, Tensor], there: nn.Module, here: nn.Module) -> WeightMatch:
    """Which tensors of one network mean the same in another one?

    Args:
        weights: of the donor's network.
        there: a network built like the donor's; its own weights do not matter.
        here: the new network.
    """
    own, shifted = here.state_dict(), _shifted_rows(there, here)
    elsewhere = [n for n in own if n in weights and n.startswith(shifted)]
    comparable = [n for n in own if n in weights and n not in elsewhere]
    taken = [n for n in comparable if own[n].shape == weights[n].shape]
    layers = {n for n, weight in here.named_parameters() if weight.dim() > 1}
    return WeightMatch(
        layers=len(layers),
        layers_taken=len(layers.intersection(taken)),
        taken=taken,
        new=[n for n in own if n not in weights],
        reshaped=[
            f"{n}: {_size(weights[n].shape)} -> {_size(own[n].shape)}"
            for n in comparable
            if n not in taken
        ],
        elsewhere=elsewhere,
        unused=[n for n in weights if n not in own],
    )


def begin_with(
    donor: Model,
    config: Config,
    shape: tuple[int, int, int],
    conditioning: Conditioning | None = None,
) -> Beginning:
    """The first weights of a run, with all that fits of another model's.

    Args:
        donor: gives the weights; where it has no average, its generator stands for it.
        config: of the new run, whose seed draws what is left.
        shape: (C, H, W) of the new run's photos.
        conditioning: which labels the new run goes by; none if not given.

    Raises:
        RunError: too little fits, and the message says which settings differ; or other labels.
    """
    conditioning = conditioning or Conditioning()
    _refuse_other_labels(donor, conditioning)
    state = fresh_state(config, shape, torch.device("cpu"), conditioning.size)
    with torch.device("meta"):
        old, rng = (donor.architecture, donor.shape), rng_for(0, 0, "unused")
        there = {
            "generator": build_generator(*old, rng, conditioning.size),
            "discriminator": build_discriminator(*old, rng, conditioning.size),
        }
    there["ema"] = there["generator"]
    given = {"ema": donor.networks["generator"], "discriminator": {}, **donor.networks}
    weights: dict[str, Tensor] = {}
    matches: dict[str, WeightMatch] = {}
    for name, here in state.networks().items():
        matches[name] = match(given[name], there[name], here)
        # Cloned, because one tensor of the donor may go to the generator and to its average.
        own = here.state_dict() | {n: given[name][n].clone() for n in matches[name].taken}
        weights |= {f"{name}.{n}": tensor for n, tensor in own.items()}
    about = {
        "name": donor.name,
        "path": str(donor.path.resolve()),
        "sha256": donor.sha256,
        "images_seen": donor.images_seen,
        "terms": donor.terms,
    }
    begun = Beginning(weights, about, _differences(donor, config, shape), matches)
    _refuse_misfits(donor, begun, shape)
    return begun


def age_of_average(report: Mapping[str, Any]) -> int:
    """Images that the average goes back to with which a run began; 0 where a part of it is random.

    Args:
        report: of its `Beginning`.
    """
    found = report["networks"]["ema"]
    is_whole = not (found["new"] or found["reshaped"] or found["elsewhere"])
    return report["init_from"]["images_seen"] if is_whole else 0


def _refuse_other_labels(donor: Model, conditioning: Conditioning) -> None:
    """The same numbers would mean something else."""
    if donor.conditioning.labels == conditioning.labels:
        return
    there, here = (
        [label.name for label in one.labels] for one in (donor.conditioning, conditioning)
    )
    raise RunError(
        f"{donor.path} goes by {', '.join(there) or 'no labels'}, the new run by "
        f"{', '.join(here) or 'no labels'}"
        + (", of which the store knows other classes" if there == here else ""),
        expected="the same labels, in the same order",
        fix=f"--set 'data.labels={json.dumps(there)}', or a run without --init-from",
    )


def _refuse_misfits(donor: Model, begun: Beginning, shape: tuple[int, int, int]) -> None:
    _, height, width = shape
    # Linear layers put maps in a row, where 4x6 pixels would pass for 6x4.
    if donor.shape[1] * width != donor.shape[2] * height:
        raise RunError(
            f"{donor.path} makes images of {donor.shape[1]}x{donor.shape[2]} pixels, "
            f"the photos have {height}x{width}",
            expected="the same ratio of height to width",
            fix="another store, or a run without --init-from",
        )
    known = {name: begun.matches[name] for name in donor.networks}
    if all(found.layers_taken >= LEAST_SHARE * found.layers for found in known.values()):
        return
    counts = [
        f"{found.layers_taken} of {found.layers} layers of the {name}"
        for name, found in known.items()
        if name != "ema"
    ]
    moved = any(found.elsewhere for found in known.values())
    raise RunError(
        f"{donor.path} does not fit: {', '.join(counts)}"
        + (" (others stand in a row that is built differently)" if moved else "")
        + f"; {'; '.join(begun.differences)}",
        expected=f"at least {LEAST_SHARE:.0%} of the layers of each",
        fix=_way_back(donor, begun, shape),
    )


def _way_back(donor: Model, begun: Beginning, shape: tuple[int, int, int]) -> str:
    """The donor's settings that differ, and its size."""
    values = dataclasses.asdict(donor.architecture)
    changed = [line.partition(":")[0] for line in begun.differences]
    keys = [name.removeprefix("model.") for name in changed if name.startswith("model.")]
    settings_back = [shlex.quote(f"model.{key}={_as_set(values[key])}") for key in keys]
    steps = [f"--set {' '.join(settings_back)}"] if keys else []
    if donor.shape != shape:
        steps.append(f"a store of {donor.shape[1]}x{donor.shape[2]} pixels")
    return ", and ".join(steps)


def _as_set(value: Any) -> str:
    """A setting as `--set` takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def _differences(donor: Model, config: Config, shape: tuple[int, int, int]) -> list[str]:
    lines = settings.differences(Config(model=donor.architecture), Config(model=config.model))
    if donor.shape != shape:
        lines.append(f"photos (C, H, W): {_size(donor.shape)} -> {_size(shape)}")
    return lines


def _shifted_rows(there: nn.Module, here: nn.Module) -> tuple[str, ...]:
    """Beginnings of the names whose numbers count different layers in the two networks."""
    before, after = _rows(there), _rows(here)
    shifted = [n for n in before.keys() | after.keys() if before.get(n) != after.get(n)]
    return tuple(f"{name}." if name else "" for name in shifted)


def _rows(network: nn.Module) -> dict[str, list[str]]:
    """The kinds of layers in each part whose layers are numbered."""
    parts = ((name, dict(part.named_children())) for name, part in network.named_modules())
    return {
        name: [type(layer).__name__ for layer in layers.values()]
        for name, layers in parts
        if layers and all(number.isdigit() for number in layers)
    }


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
