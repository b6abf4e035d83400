"""How many steps does a network need until its training loss is below a mark?"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from facewright.config import ActivationName, Config, LossConfig, ModelConfig
from facewright.data.store import Store
from facewright.data.stream import BatchStream
from facewright.errors import DataError
from facewright.images import to_model_range
from facewright.lessons.lesson import Setting
from facewright.lessons.over_seeds import SeedMean
from facewright.networks.build import build_discriminator
from facewright.rng import numpy_rng_for, rng_for
from facewright.training.state import fresh_state
from facewright.training.step import Rules, discriminator_step

BATCH = 64
SMOOTHED = 20
"""Steps over which a training loss is averaged before it is compared with the mark."""
CLASSES = 10


RATES = (1e-3, 3e-3, 1e-2)
"""Each activation reads with the one of these that suits it best."""
MARK = 0.1
"""Nats of training loss that end a race."""
READER = ModelConfig(width=16, normalisation="none")
"""Nothing but the activation stands between the layers."""

RaceKind = Literal["reading", "judging"]


class Reader(nn.Module):
    """A discriminator's convolutions with ten verdicts instead of one.

    Args:
        config: of the discriminator.
        shape: (C, H, W) of the images.
        seed: of the first weights.
    """

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int], seed: int) -> None:
        super().__init__()
        body = build_discriminator(config, shape, rng_for(seed, 0, "lesson/body"))
        assert callable(body.features)
        self.layers, self.features = body.layers, body.features
        with torch.no_grad():
            width = self.features(torch.zeros(1, *shape)).shape[1]
        self.head = nn.Linear(width, CLASSES)
        nn.init.normal_(self.head.weight, 0, 0.02, generator=rng_for(seed, 0, "lesson/head"))
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) images to (B, 10) logits."""
        return self.head(self.features(images))


@dataclass(frozen=True)
class Race:
    """How a training loss went until it was low enough, or until it was given up.

    Args:
        losses: of each step.
        mark: to be undercut by their running mean.
    """

    losses: list[float]
    mark: float

    @property
    def count(self) -> int:
        """Steps made."""
        return len(self.losses)

    @property
    def late(self) -> float:
        """Running mean of the loss at the end."""
        return float(np.mean(self.losses[-SMOOTHED:]))

    @property
    def arrived(self) -> bool:
        """Is the running mean below the mark? Not before there are `SMOOTHED` steps."""
        return self.count >= SMOOTHED and self.late < self.mark


def run_until(step: Callable[[int], float], mark: float, most: int) -> Race:
    """One step after the other, until the running mean of the loss is below the mark.

    Args:
        step: makes step number i, from 0, and gives its loss.
        mark: to be undercut.
        most: steps after which to give up.
    """
    race = Race([], mark)
    while race.count < most and not race.arrived:
        race.losses.append(step(race.count))
    return race


@dataclass(frozen=True)
class Races:
    """The races of one activation, one of each kind for each seed.

    Args:
        rate: learning rate of the readers.
        reading: digits, by a network without batch norm.
        judging: digits against fakes that stay as they are, by the GAN's discriminator.
    """

    rate: float
    reading: list[Race]
    judging: list[Race]

    def of(self, kind: RaceKind) -> list[Race]:
        """All races of one kind."""
        return self.reading if kind == "reading" else self.judging

    def steps(self, kind: RaceKind) -> SeedMean:
        """Steps of each seed; a race that was given up counts with the steps it ran."""
        return SeedMean.of([race.count for race in self.of(kind)])

    def given_up(self, kind: RaceKind) -> int:
        """How many did not arrive."""
        return sum(not race.arrived for race in self.of(kind))

    def in_words(self, kind: RaceKind) -> str:
        """Steps, and how many races were given up."""
        given_up = self.given_up(kind)
        return f"{self.steps(kind)}" + (f", {given_up} given up" if given_up else "")


def at_least(
    factor: SeedMean, least: float, fast: Races, slow: Races, kind: RaceKind
) -> bool | None:
    """Does the slow one need so many times the steps of the fast one?

    Args:
        factor: steps of the slow one over steps of the fast one.
        least: that is claimed.
        fast: what the factor is divided by.
        slow: what is divided.
        kind: of race.

    Returns:
        `None` where these seeds cannot tell, or where races that were given up could turn
        the answer: the true factor is larger if slow ones were, smaller if fast ones were.
    """
    answer = factor.above(least)
    if (answer is False and slow.given_up(kind)) or (answer and fast.given_up(kind)):
        return None
    return answer


def race_all(
    setting: Setting,
    store: Store,
    name: ActivationName,
    configs: list[Config],
    fakes: list[np.ndarray],
) -> Races:
    """All races of one activation.

    Args:
        setting: how many seeds, and how long.
        store: of digits, with labels.
        name: of the activation.
        configs: of the GANs with that activation, one for each seed.
        fakes: (N, H, W, C) uint8 generated images, one array for each seed.
    """
    most = setting.amount(1500, 30)
    reader = dataclasses.replace(READER, activation=name)

    def read(seed: int, rate: float) -> Race:
        setting.say(f"racing: {name}, learning rate {rate:g}, seed {seed}")
        return reading_race(store, reader, rate=rate, seed=seed, mark=MARK, most=most)

    first, *others = setting.seeds(full=3)
    tried = {rate: read(first, rate) for rate in (RATES[1:2] if setting.quick else RATES)}
    # The fewest steps; among those that never arrive, the lowest loss at the end.
    rate = min(tried, key=lambda rate: (tried[rate].count, tried[rate].late))
    judging = [
        judging_race(store, config, to_model_range(fake), mark=MARK, most=most)
        for config, fake in zip(configs, fakes, strict=True)
    ]
    return Races(rate, [tried[rate], *(read(seed, rate) for seed in others)], judging)


def reading_race(
    store: Store, config: ModelConfig, *, rate: float, seed: int, mark: float, most: int
) -> Race:
    """Training losses of a small reader of digits.

    Args:
        store: of digits, with labels.
        config: of its convolutions.
        rate: learning rate of Adam.
        seed: of first weights and batches.
        mark: training ends when the running mean of the cross entropy is below it.
        most: or after so many steps.

    Returns:
        With the cross entropy of each step, in nats.
    """
    labels = digit_labels(store)
    reader = Reader(config, store.shape, seed)
    optimiser = Adam(reader.parameters(), lr=rate)

    def step(number: int) -> float:
        rng = numpy_rng_for(seed, number, "lesson/batch")
        rows = np.sort(rng.integers(len(store.train), size=BATCH))
        logits = reader(to_model_range(store.train[rows]))
        loss = functional.cross_entropy(logits, labels[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return run_until(step, mark, most)


def judging_race(store: Store, config: Config, fake: Tensor, *, mark: float, most: int) -> Race:
    """Losses of a discriminator that learns to tell digits from fakes that stay as they are.

    Args:
        store: of digits.
        config: of the run whose discriminator it is.
        fake: (N, C, H, W) generated images.
        mark: training ends when the running mean of the loss is below it.
        most: or after so many steps.
    """
    seed = config.train.seed
    player = fresh_state(config, store.shape, torch.device("cpu")).discriminator
    batches = BatchStream(store.train, batch=BATCH, seed=seed, flip=False)
    rules = Rules.of(LossConfig(), Fabric(accelerator="cpu", devices=1, precision="32-true"))
    unused = torch.zeros(BATCH)

    def step(number: int) -> float:
        rows = torch.randint(len(fake), (BATCH,), generator=rng_for(seed, number, "lesson/fakes"))
        stats = discriminator_step(player, batches.at(number), fake[rows], unused, rules)
        return stats["d_loss"].item()

    return run_until(step, mark, most)


def digit_labels(store: Store) -> Tensor:
    """(N,) int64: which digit each training image shows.

    Raises:
        DataError: the store does not know.
    """
    names = [column["name"] for column in store.manifest["labels"]]
    if store.labels is None or "class" not in names:
        raise DataError(
            f"{store.path} does not say which digit is which",
            expected="a store with the label 'class'",
            fix="facewright prepare mnist --out stores/mnist28 --size 28 --crop none",
        )
    column = store.labels[: len(store.train), names.index("class")]
    return torch.from_numpy(column.astype(np.int64))
