"""A bundle: one generator in one file that anybody can load, and nothing in it is code.

The file is a safetensors file. Its one metadata text is JSON: the format, what is needed to
build the network together with the model card, and a hash of it all.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from facewright import outside, settings
from facewright.conditions import Conditioning
from facewright.config import ModelConfig
from facewright.errors import BundleError, ConfigError, quoted
from facewright.models.bundle_labels import conditioning_in
from facewright.models.card import Card
from facewright.records.record import write_atomically
from facewright.records.tensors import refuse_unsound
from facewright.schema import BUNDLE, Wording, parsed

FORMAT = "facewright-bundle-1"
"""Written into every bundle; another value is another layout."""
SUFFIX = ".safetensors"
KEY = "facewright"
"""Of the metadata: a single one, because safetensors writes several in any order."""
NETWORKS = ("generator", "discriminator")
"""First part of a tensor's name; the second network is there only if somebody wanted it."""
EMBEDDING = "embed."
"""The one layer that only networks with labels have; its matrix is (anything, conditions), and
has a longer name where it is normalised."""

LARGEST_SIDE = 1024
"""Pixels; `facewright prepare` makes none larger."""
FOREIGN = BUNDLE

Networks = Mapping[str, Mapping[str, Tensor]]
"""Name of a network -> name of a tensor -> the tensor."""


@dataclass(frozen=True)
class About:
    """What is needed to build the networks, and the card.

    Args:
        model: settings of the networks.
        shape: (C, H, W) of the images.
        card: the model card.
        conditioning: which labels the networks go by; most have none.
    """

    model: ModelConfig
    shape: tuple[int, int, int]
    card: Card
    # Its arrays cannot be compared by ==.
    conditioning: Conditioning = field(default_factory=Conditioning, compare=False)

    def as_json(self) -> dict[str, Any]:
        """As it stands in a file."""
        labels = {"conditions": self.conditioning.as_json()} if self.conditioning.labels else {}
        return {
            "model": dataclasses.asdict(self.model),
            "shape": self.shape,
            "card": dataclasses.asdict(self.card),
            **labels,
        }


@dataclass(frozen=True)
class Bundle:
    """A bundle as it was read.

    Args:
        path: of the file.
        about: networks and card.
        sha256: of everything in it.
        networks: "generator" and perhaps "discriminator", in single precision.
    """

    path: Path
    about: About
    sha256: str
    networks: Networks


def write(path: Path, about: About, networks: Networks) -> None:
    """Write a bundle, whole or not at all; the same content gives the same bytes.

    Args:
        path: ends in `SUFFIX`.
        about: networks and card.
        networks: the weights; matrices are kept in half precision.

    Raises:
        BundleError: weights that half precision cannot hold.
    """
    tensors = {
        f"{network}.{name}": halved(f"{network}.{name}", tensor)
        for network, weights in networks.items()
        for name, tensor in weights.items()
    }
    described = about.as_json()
    label = {"format": FORMAT, "about": described, "sha256": content_hash(described, tensors)}
    text = json.dumps(label, allow_nan=False)
    write_atomically(path, safetensors.torch.save(tensors, {KEY: text}))


def halved(name: str, tensor: Tensor) -> Tensor:
    """A tensor as a bundle keeps it: half precision, but for vectors and counters.

    Rounding to fp16 moves the pixels of a classic network by 0.01 of 255 steps on average, to
    bf16, which has three bits less, by ten times as much. Biases, scales and statistics are a
    thousandth of the file and stay as they are, which saves a third of that error
    (docs/experiments, "Half precision").

    Raises:
        BundleError: a number is not finite, or too large.
    """
    small = tensor.detach().cpu()
    if small.is_floating_point() and small.ndim > 1:
        small = small.half()
    if small.is_floating_point() and not torch.isfinite(small).all():
        raise BundleError(
            f"{name} has numbers that are not finite in half precision",
            expected="weights between -65504 and 65504",
            fix="an earlier checkpoint: --checkpoint best",
        )
    return small.contiguous()


def read(path: Path) -> Bundle:
    """A bundle, everything in it checked.

    Raises:
        BundleError: missing, damaged, foreign, or of another version.
    """
    return _checked(path, *_content(path))


def _checked(path: Path, label: Any, tensors: dict[str, Tensor]) -> Bundle:
    if not isinstance(label, dict) or label.get("format") != FORMAT:
        raise BundleError(
            f"{path} has another format",
            expected=FORMAT,
            fix=f"facewright export RUN --out {quoted(path)}",
        )
    label = parsed(_Label, label, str(path), FOREIGN)
    if label.sha256 != content_hash(label.about, tensors):
        raise BundleError(
            f"{path} is damaged: its content is not what was saved",
            expected=f"sha256 {label.sha256[:16]}",
            fix="get the file again",
        )
    refuse_unsound(tensors, str(path), FOREIGN)
    about, networks = _about(label.about, str(path)), _networks(tensors, path)
    refuse_too_deep(about.model, len(tensors), str(path), FOREIGN)
    _check_conditions(about.conditioning, networks, path)
    return Bundle(path, about, label.sha256, networks)


def content_hash(about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the description and over name, type, shape and bytes of every tensor.

    Args:
        about: the description as JSON values.
        tensors: as they are kept.
    """
    digest = hashlib.sha256(json.dumps(about).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _content(path: Path) -> tuple[Any, dict[str, Tensor]]:
    """What the metadata say, and the tensors; nothing is checked yet."""
    try:
        outside.opened(path, FOREIGN).close()
        with safetensors.safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(KEY, "null")
            # A file that is still on disk could change under a mapped tensor.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise BundleError(
            f"{path} is no bundle, or damaged: {error}"
            if path.exists()
            else f"{path} does not exist",
            expected="a whole file, as `facewright export` wrote it",
            fix="get the file again, or facewright export RUN --out NAME.safetensors",
        ) from None
    return outside.json_in(text, str(path), FOREIGN), tensors


def _about(value: dict[str, Any], place: str) -> About:
    raw = parsed(_Raw, value, place, FOREIGN)
    channels, *sides = raw.shape
    if channels not in (1, 3) or not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise BundleError(
            f"{place}: images of shape {raw.shape}", expected="(1 or 3, H, W)", fix=FOREIGN.fix
        )
    try:
        model = settings.from_tables({"model": raw.model}, origin=place).model
    except ConfigError as error:
        raise BundleError(error.what, expected=error.expected, fix=FOREIGN.fix) from None
    conditioning = Conditioning()
    if raw.conditions is not None:
        conditioning = conditioning_in(raw.conditions, f"{place}.conditions", FOREIGN)
    return About(model, raw.shape, raw.card, conditioning)


@dataclass(frozen=True)
class _Label:
    """All that the metadata say."""

    format: str
    about: dict[str, Any]
    sha256: str


@dataclass(frozen=True)
class _Raw:
    """`About` before the settings were checked against their ranges."""

    model: dict[str, Any]
    shape: tuple[int, int, int]
    card: Card
    conditions: dict[str, Any] | None = None


def _networks(tensors: Mapping[str, Tensor], path: Path) -> Networks:
    networks: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        network, _, own = name.partition(".")
        if network not in NETWORKS:
            raise FOREIGN.refusal(f"{path} holds {name[:80]}", " or ".join(NETWORKS))
        # All arithmetic is in single precision; half is only how it travels.
        full = tensor.float() if tensor.is_floating_point() else tensor
        networks.setdefault(network, {})[own] = full
    if "generator" not in networks:
        raise BundleError(f"{path} holds no generator", expected="its weights", fix=FOREIGN.fix)
    return networks


def refuse_too_deep(model: ModelConfig, tensors: int, place: str, wording: Wording) -> None:
    """Refuse to build more blocks than a file can have weights for.

    Args:
        model: settings of the networks.
        tensors: how many the file has.
        place: the file, for the message.
        wording: of the message.
    """
    blocks = len(model.widths) * model.blocks
    if model.name == "resnext" and blocks > tensors:
        found = f"{place}: {blocks:,} blocks, and {tensors} tensors for them"
        raise wording.refusal(found, "weights in each block")


def _check_conditions(conditioning: Conditioning, networks: Networks, path: Path) -> None:
    """Weights for another number of conditions than the labels have."""
    for name, weights in networks.items():
        of_labels = [one for own, one in weights.items() if own.startswith(EMBEDDING)]
        columns = [size for one in of_labels for size in one.shape[1:]] if of_labels else [0]
        if columns != [conditioning.size]:
            raise BundleError(
                f"{path}: the {name} has weights for {columns} conditions",
                expected=f"the labels' {conditioning.size}",
                fix=FOREIGN.fix,
            )
