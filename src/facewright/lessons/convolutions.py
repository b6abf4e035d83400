"""Lesson 6: what the discriminator's convolutions learn to look for."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from facewright.data.store import Store
from facewright.errors import RunError
from facewright.images import to_model_range
from facewright.lessons.figures import SERIES, canvas, show_image, title
from facewright.lessons.filters import edge_agreement, orientation, smoothness, uniform_share
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
from facewright.lessons.neurons import activation_inputs
from facewright.lessons.over_seeds import SeedMean
from facewright.lessons.practice import Practice, discriminator_of, practise
from facewright.records.run_history import RunHistory
from facewright.training.state import fresh_state

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN_FILTERS = 16
SHOWN_IMAGES = 3
SHOWN_MAPS = 5


MEASURES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "edges": edge_agreement,
    "plain areas": lambda filters, _images: uniform_share(filters),
    "direction": lambda filters, _images: orientation(filters),
    "smoothness": lambda filters, _images: smoothness(filters),
}
"""Of the first layer's filters: one number for each image (edges) or for each filter."""

Measured = dict[str, SeedMean]


def first_filters(network: nn.Module) -> Tensor:
    """(O, C, K, K) filters next to the image.

    Raises:
        RunError: the network has no convolutions.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            return layer.weight.detach().float()
    raise RunError(
        "this run's discriminator has no convolutions",
        expected="model.name = dcgan",
        fix="a run of a recipe with dcgan, such as fast-28",
    )


def teach(setting: Setting) -> Lecture:
    """Compare the filters of a trained discriminator with those it began with."""
    run = _run(setting)
    store = _photos(setting, run.history)
    config = run.history.config
    images = to_model_range(store.val[:: max(1, len(store.val) // 64)][:64])
    # Random numbers have addresses, so the first weights can be drawn again.
    untrained = fresh_state(config, store.shape, torch.device("cpu")).discriminator.network
    trained = discriminator_of(run.history.checkpoints[-1])
    filters = first_filters(untrained), first_filters(trained)
    before, after = (_measured(each, images) for each in filters)
    changes = {name: after[name] - before[name] for name in MEASURES}
    return Lecture(
        figures={
            "filters": _filters(*filters),
            "numbers": _numbers(before, after),
            "maps": _maps(trained, images[:SHOWN_IMAGES], store.val),
        },
        claims=_claims(before, after, changes),
        numbers={
            name: {
                "before": before[name].as_json(),
                "after": after[name].as_json(),
                "change": changes[name].as_json(),
            }
            for name in MEASURES
        },
        words={
            "run": f"width {config.model.width}, {config.model.kernel}x{config.model.kernel} "
            f"filters, {run.history.images_seen:,} images"
        },
        trained_seconds=run.seconds,
    )


def _measured(filters: Tensor, images: Tensor) -> Measured:
    return {name: SeedMean.of(of(filters, images).tolist()) for name, of in MEASURES.items()}


def _run(setting: Setting) -> Practice:
    if setting.run is not None:
        return Practice(RunHistory.read(setting.run), reused=False)
    if setting.data is None:
        raise RunError(
            "nothing to look at",
            expected="a trained run, or a store to train one on",
            fix="--run RUN, or --data STORE",
        )
    images = setting.amount(96_000, 1_280)
    changes = ["model.kernel=7"]  # large enough to see something in them
    return practise(
        setting, "pair", Store.open(setting.data), changes, seed=setting.seed, images=images
    )


def _photos(setting: Setting, history: RunHistory) -> Store:
    recorded = history.environment.get("store") or {}
    path = setting.data or Path(recorded.get("path", ""))
    if setting.data is None and not path.is_dir():
        raise RunError(
            f"the photos of {history.name} are no longer at {path}",
            expected="photos to show to its discriminator",
            fix="--data STORE",
        )
    return Store.open(path)


def _claims(before: Measured, after: Measured, changes: Measured) -> list[Claim]:
    def words(name: str) -> str:
        return f"{before[name]} before, {after[name]} after training; change {changes[name]}"

    return [
        Claim(
            "Training makes the layer respond where the image has edges, more than random "
            "filters do",
            changes["edges"].above(0),
            f"agreement with edges {words('edges')}",
        ),
        Claim(
            "Training teaches the filters to ignore plain areas",
            changes["plain areas"].below(0),
            f"uniform share {words('plain areas')}",
        ),
        Claim(
            "Training makes the filters prefer one direction, as detectors of strokes would",
            changes["direction"].above(0),
            f"orientation {words('direction')}",
        ),
        Claim(
            "Training makes the filters smoother than the random ones they began as",
            changes["smoothness"].above(0),
            f"smoothness {words('smoothness')}",
        ),
    ]


def _filters(before: Tensor, after: Tensor) -> "Figure":
    """Filters before and after, each on a scale of its own."""
    figure, axes = canvas(2, min(SHOWN_FILTERS, len(after)), height=0.75)
    for row, (words, filters) in enumerate((("before", before), ("after", after))):
        for place, weights in zip(axes[row], filters, strict=False):
            show_image(place, _as_picture(weights))
        axes[row, 0].set_title(words, fontsize=8.5, loc="left", fontweight="bold")
    return figure


def _as_picture(weights: Tensor) -> np.ndarray:
    """One filter as an image whose middle gray (or colour) is zero."""
    scaled = 0.5 + 0.5 * weights / weights.abs().max().clamp(min=1e-12)
    return (255 * scaled.permute(1, 2, 0)).round().numpy().astype(np.uint8)


def _numbers(before: Measured, after: Measured) -> "Figure":
    figure, axes = canvas(1, len(MEASURES), height=2.5)
    for place, name in zip(axes.flat, MEASURES, strict=True):
        _pairs(place, before[name], after[name])
        title(place, name)
    return figure


def _pairs(axes: "Axes", first: SeedMean, last: SeedMean) -> None:
    """One line from before to after for each filter or image, and the means."""
    for a, b in zip(first.values, last.values, strict=True):
        axes.plot([0, 1], [a, b], color=SERIES[0], lw=0.8, alpha=0.3)
    means = [first.mean, last.mean]
    axes.plot([0, 1], means, "o-", color=SERIES[1], lw=2.2, ms=6)
    axes.set_xticks([0, 1], ["before", "after"])
    axes.set_xlim(-0.3, 1.3)


def _maps(network: nn.Module, images: Tensor, photos: np.ndarray) -> "Figure":
    """Images, and where the most active filters of the first two layers respond to them."""
    layers = activation_inputs(network, images)[:2]
    figure, axes = canvas(len(images), 1 + SHOWN_MAPS * len(layers), height=0.85)
    step = max(1, len(photos) // 64)
    for row in range(len(images)):
        show_image(axes[row, 0], np.asarray(photos[row * step]))
    for number, maps in enumerate(layers):
        liveliest = maps.std(dim=(2, 3)).mean(0).argsort(descending=True)[:SHOWN_MAPS]
        for column, channel in enumerate(liveliest.tolist()):
            place = 1 + number * SHOWN_MAPS + column
            for row in range(len(images)):
                show_image(axes[row, place], maps[row, channel].numpy())
        axes[0, 1 + number * SHOWN_MAPS].set_title(f"layer {number + 1}", fontsize=8.5, loc="left")
    axes[0, 0].set_title("image", fontsize=8.5, loc="left")
    for blank in axes.flat:
        blank.set_axis_off()
    return figure


LESSON = Lesson(
    name="convolutions",
    title="What convolutions learn",
    question="What do a trained discriminator's filters look for, and did it have to learn that?",
    teach=teach,
    options="--run RUN, or --data STORE",
)
