"""Lesson 5: what activations do to gradients, to units and to the steps that learning takes."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from facewright.config import ActivationName
from facewright.data.store import Store
from facewright.images import to_model_range
from facewright.lessons import neurons
from facewright.lessons.digit_trials import digit_scorer
from facewright.lessons.figures import SERIES, canvas, dots, legend, running_mean, title
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
from facewright.lessons.over_seeds import SeedMean, all_of
from facewright.lessons.practice import Practice, discriminator_of, practise
from facewright.lessons.race import (
    MARK,
    READER,
    SMOOTHED,
    RaceKind,
    Races,
    Reader,
    at_least,
    digit_labels,
    race_all,
)
from facewright.lessons.tutorial import table
from facewright.networks.dcgan import ACTIVATIONS
from facewright.reporting.curves import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES: tuple[ActivationName, ...] = ("sigmoid", "tanh", "relu", "leaky-relu")
RACES: dict[RaceKind, str] = {
    "reading": "reading digits, no batch norm",
    "judging": "judging, with batch norm",
}
KRIZHEVSKY = "Krizhevsky et al. 2012, figure 1: six times, on CIFAR-10"


@dataclass(frozen=True)
class Health:
    """How many units of one trained discriminator pass gradients, layer by layer.

    Args:
        flat: share of activations that let hardly any gradient through.
        dead: share of units that let none through for any image.
        fd: of the digits that its generator makes.
        practice: the run.
    """

    flat: list[float]
    dead: list[float]
    fd: float
    practice: Practice


def teach(setting: Setting) -> Lecture:
    """Train generators, discriminators and classifiers of digits with each of four activations."""
    store = setting.digits()
    health = {name: _trained(setting, store, name) for name in NAMES}
    fakes = [found.practice.images(setting.amount(1000, 128)) for found in health["leaky-relu"]]
    configs = {name: [h.practice.history.config for h in health[name]] for name in NAMES}
    races = {name: race_all(setting, store, name, configs[name], fakes) for name in NAMES}
    gradients = {name: _first_gradients(setting, store, name) for name in NAMES}
    factors: dict[tuple[RaceKind, str], SeedMean] = {
        (race, other): races[other].steps(race) / races["relu"].steps(race)
        for race in RACES
        for other in ("tanh", "sigmoid")
    }
    return Lecture(
        figures={
            "slopes": _slopes(),
            "race": _race(races),
            "units": _units(health, gradients),
        },
        claims=_claims(factors, races, health, gradients),
        numbers={
            "mark": MARK,
            "factors": {" ".join(key): factor.as_json() for key, factor in factors.items()},
            **{name: _numbers(races[name], health[name], gradients[name]) for name in NAMES},
        },
        words={"table": _table(races, health)},
        trained_seconds=sum(h.practice.seconds for found in health.values() for h in found),
    )


def _trained(setting: Setting, store: Store, name: ActivationName) -> list[Health]:
    """The GAN with this activation in both networks."""
    count = setting.amount(1000, 200)
    score = digit_scorer(store, count).score
    found = []
    for seed in setting.seeds(full=3):
        images = setting.amount(57_600, 640)
        changes = [f"model.activation={name}"]
        run = practise(setting, name, store, changes, seed=seed, images=images)
        fake = run.images(count)
        network = discriminator_of(run.history.checkpoints[-1])
        seen = to_model_range(np.concatenate([store.val[:128], fake[:128]]))
        layers = neurons.activation_inputs(network, seen)
        flat = [neurons.flat_share(name, inputs) for inputs in layers]
        dead = [neurons.dead_share(name, inputs) for inputs in layers]
        found.append(Health(flat, dead, score(fake).fd, run))
    return found


def _first_gradients(setting: Setting, store: Store, name: ActivationName) -> SeedMean:
    """Size of the gradient that reaches the classifier's first layer before the first step."""
    images, labels = to_model_range(store.train[:256]), digit_labels(store)[:256]
    config = dataclasses.replace(READER, activation=name)
    sizes = []
    for seed in setting.seeds(full=3):
        reader = Reader(config, store.shape, seed)
        loss = functional.cross_entropy(reader(images), labels)
        sizes.append(neurons.gradient_sizes(reader, loss)[0])
    return SeedMean.of(sizes)


def _claims(
    factors: dict[tuple[RaceKind, str], SeedMean],
    races: dict[str, Races],
    health: dict[str, list[Health]],
    gradients: dict[str, SeedMean],
) -> list[Claim]:
    def factor_claim(race: RaceKind, other: str, least: float, sentence: str) -> Claim:
        words = f"{factors[race, other]} times as many steps"
        if races[other].given_up(race):
            words += f" or more ({other}: {races[other].in_words(race)})"
        holds = at_least(factors[race, other], least, races["relu"], races[other], race)
        return Claim(sentence, holds, words, KRIZHEVSKY)

    passed = gradients["sigmoid"] / gradients["tanh"]
    dead = {name: SeedMean.of([max(h.dead) for h in health[name]]) for name in NAMES}
    flat = {name: SeedMean.of([h.flat[0] for h in health[name]]) for name in NAMES}
    worse = SeedMean.of([h.fd for h in health["sigmoid"]]) - SeedMean.of(
        [h.fd for h in health["leaky-relu"]]
    )
    return [
        factor_claim(
            "reading", "tanh", 1, "A reader of digits learns faster with ReLU than with tanh"
        ),
        factor_claim("reading", "tanh", 6, "It learns six times faster than with tanh"),
        factor_claim("reading", "sigmoid", 6, "It learns six times faster than with sigmoid"),
        factor_claim(
            "judging",
            "tanh",
            1,
            "The GAN's discriminator, with its batch norm, learns faster with ReLU than with tanh",
        ),
        factor_claim(
            "judging", "tanh", 6, "The discriminator learns six times faster than with tanh"
        ),
        Claim(
            "Before the first step two layers of sigmoid pass a sixteenth of the gradient that "
            "two layers of tanh pass (within a factor of two)",
            all_of(passed.above(1 / 32), passed.below(1 / 8)),
            f"ratio {passed}; 1/16 = 0.0625",
            "arithmetic, above",
        ),
        Claim(
            "Trained discriminators with ReLU have dead units",
            dead["relu"].above(0),
            f"share of dead units in the worst layer: ReLU {dead['relu']}, leaky ReLU "
            f"{dead['leaky-relu']}",
            "Maas et al. 2013",
        ),
        Claim(
            "Sigmoid saturates: in the trained discriminator's first layer at least a tenth of "
            "its activations are flat",
            flat["sigmoid"].above(0.1),
            f"flat share {flat['sigmoid']}; tanh {flat['tanh']}",
        ),
        Claim(
            "The GAN draws worse digits with sigmoid than with leaky ReLU",
            worse.above(0),
            f"distance to real digits larger by {worse}",
        ),
    ]


def _numbers(races: Races, health: list[Health], gradient: SeedMean) -> dict[str, Any]:
    return {
        "rate": races.rate,
        "reading_steps": races.steps("reading").as_json(),
        "reading_arrived": [race.arrived for race in races.reading],
        "judging_steps": races.steps("judging").as_json(),
        "judging_arrived": [race.arrived for race in races.judging],
        "flat_share_by_layer": [h.flat for h in health],
        "dead_share_by_layer": [h.dead for h in health],
        "first_gradient": gradient.as_json(),
        "fd": SeedMean.of([h.fd for h in health]).as_json(),
    }


def _table(races: dict[str, Races], health: dict[str, list[Health]]) -> str:
    rows = [
        [
            name,
            f"{races[name].rate:g}",
            races[name].in_words("reading"),
            races[name].in_words("judging"),
            str(SeedMean.of([max(h.dead) for h in health[name]])),
            str(SeedMean.of([h.fd for h in health[name]])),
        ]
        for name in NAMES
    ]
    head = ["activation", "best rate", "steps to read", "steps to judge", "dead units", "distance"]
    return table(head, rows)


def _slopes() -> "Figure":
    figure, axes = canvas(1, 2, height=2.3)
    inputs = torch.linspace(-6, 6, 601)
    for name, colour in zip(NAMES, SERIES, strict=False):
        outputs = ACTIVATIONS[name]()(inputs.clone())
        axes[0, 0].plot(inputs, outputs, color=colour, lw=1.6, label=name)
        axes[0, 1].plot(inputs, neurons.slopes(name, inputs), color=colour, lw=1.6)
    axes[0, 0].set_ylim(-1.4, 3)
    title(axes[0, 0], "activation")
    title(axes[0, 1], "slope: what a gradient is multiplied by")
    legend(axes[0, 0], "upper left")
    return figure


def _race(races: dict[str, Races]) -> "Figure":
    figure, axes = canvas(1, 2, height=2.8)
    for place, kind in zip(axes.flat, RACES, strict=True):
        for name, colour in zip(NAMES, SERIES, strict=False):
            for number, race in enumerate(races[name].of(kind)):
                curve = running_mean(np.array(race.losses), SMOOTHED)
                steps = np.arange(1, len(curve) + 1)
                label = name if number == 0 else None
                place.plot(steps, curve, color=colour, lw=1.1, label=label)
        place.axhline(MARK, color=INK["neutral"], lw=1, ls=(0, (4, 3)))
        place.set_yscale("log")
        place.set_xlabel("steps")
        title(place, RACES[kind])
    axes[0, 0].set_ylabel("training loss")
    legend(axes[0, 0])
    return figure


def _units(health: dict[str, list[Health]], gradients: dict[str, SeedMean]) -> "Figure":
    figure, axes = canvas(1, 3, height=2.6)
    short = ["sigmoid", "tanh", "ReLU", "leaky"]
    panels = (
        ("gradient, first layer", [gradients[name].values for name in NAMES]),
        ("flat activations", [[float(np.mean(h.flat)) for h in health[name]] for name in NAMES]),
        ("distance of the digits", [[h.fd for h in health[name]] for name in NAMES]),
    )
    for place, (words, groups) in zip(axes.flat, panels, strict=True):
        dots(place, groups, short)
        title(place, words)
        place.set_ylim(bottom=0)
    return figure


LESSON = Lesson(
    name="activations",
    title="Activations: gradients, dead units and speed",
    question="Do sigmoid, tanh, ReLU and leaky ReLU learn the same, and is ReLU six times faster?",
    teach=teach,
    options="--data stores/mnist28",
)
