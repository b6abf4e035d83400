"""The doctor beside any PyTorch training loop."""

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facewright.doctor.finding import Finding
from facewright.doctor.given_photos import photos_of
from facewright.doctor.history import FIELDS, History
from facewright.doctor.monitor import Monitor
from facewright.doctor.reference import ReferencePhotos, Rows
from facewright.doctor.snapshot import Latents, one_each, take_snapshot
from facewright.doctor.trial import refuse_seen, try_once
from facewright.errors import ConfigError, nearest
from facewright.objective.adversarial import GAMES, Game

log = logging.getLogger(__name__)


class Doctor(Monitor):
    """Watches a GAN train and says when something goes wrong.

    Works beside any PyTorch loop:

        doctor = Doctor(train, held_out, game="non-saturating", latents=100)
        for ...:                       # your loop, after both players have moved
            for finding in doctor.observe(generator, discriminator, real_logits=...,
                                          fake_logits=..., d_loss=..., g_loss=...):
                print(finding.message, "->", finding.remedy)
        print(doctor.diagnosis().verdict)

    It draws no random number that training would have drawn, and leaves the networks as
    they were.

    Args:
        train: photos in the range that the generator draws in, or uint8 where that range is
            [-1, 1]: a tensor or an array in either layout, a list, a Dataset or a DataLoader
            (`given_photos.photos_of`). A few hundred are looked at, in part others each time,
            so they are kept and must stay as they are.
        held_out: photos of the same kind that training never shows. Without them nobody can tell
            what the discriminator knows by heart.
        game: name of the losses, or the game itself.
        latents: length of a latent vector, its shape such as (100, 1, 1), or a function
            (count, rng) -> latents.
        conditions: for a conditional pair, called with (inputs, conditions): those of
            `train` and of `held_out`, one row for each photo.
        every: steps between two snapshots.
        probabilities: the discriminator ends in a sigmoid; what it returns and what
            `observe` is given are probabilities, not logits.
        batch: photos in a step, if known before the first one.
        planned_images: at which training will end, if known.
        seed: which photos are used.

    Raises:
        DataError: too few photos, or no photos.
        ConfigError: no such game.
    """

    def __init__(
        self,
        train: Any,
        held_out: Any = None,
        *,
        game: str | Game = "non-saturating",
        latents: int | Sequence[int] | Latents = 100,
        conditions: tuple[Rows, Rows] | None = None,
        every: int = 200,
        probabilities: bool = False,
        batch: int = 1,
        planned_images: int | None = None,
        seed: int = 0,
    ) -> None:
        if every < 1:
            raise ConfigError(f"every={every}", expected="1 or more steps", fix="every=100")
        photos = photos_of(train)
        others = photos if held_out is None else photos_of(held_out)
        if held_out is None and conditions is not None:
            conditions = (conditions[0], conditions[0])
        self.reference = ReferencePhotos.of(photos, others, seed=seed, conditions=conditions)
        self._tried = False
        self.game = _game(game)
        self.latents = _latents(latents)
        self.every, self.probabilities, self.batch = every, probabilities, batch
        self._waiting: list[dict[str, float]] = []
        super().__init__(
            History(
                self.game,
                {f: np.empty(0) for f in FIELDS},
                [],
                self.reference.n_train,
                planned_images,
                n_held_out=0 if held_out is None else len(others),
                is_ours=False,
            )
        )

    def observe(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        real_logits: Tensor,
        fake_logits: Tensor,
        d_loss: Tensor | float,
        g_loss: Tensor | float,
        d_grad_norm: float = math.nan,
        lr_factor: float = 1.0,
    ) -> list[Finding]:
        """One step has been made.

        Args:
            generator: latents to images; its gradients of this step are still there.
            discriminator: images to one number each.
            real_logits: what it said of the photos of this step.
            fake_logits: what it said of generated images.
            d_loss: its loss, without penalties.
            g_loss: the generator's.
            d_grad_norm: length of the discriminator's gradient, if you have it.
            lr_factor: learning rates in this step over those at first, if you lower them.

        Returns:
            Problems that were not there before; mostly none.

        Raises:
            ConfigError: at the first step, if the players do not fit what the doctor was told, or
                held-out photos are among those to train on.
        """
        if not self._tried:
            self._tried = True
            if self.history.n_held_out:
                refuse_seen(self.reference)
            try_once(generator, discriminator, self.reference, self.latents)
        real, fake = (self._logits(t.detach()) for t in (real_logits, fake_logits))
        self.batch = max(self.batch, len(real))
        gradients = [w.grad for w in generator.parameters() if w.grad is not None]
        before = self._waiting[-1] if self._waiting else self._last()
        row = {
            "step": before["step"] + 1,
            "images_seen": before["images_seen"] + len(real),
            "d_loss": self._loss(real, fake, _number(d_loss)),
            "g_loss": _number(g_loss),
            "d_loss_told": _number(d_loss),
            "real_logit": float(real.mean()),
            "fake_logit": float(fake.mean()),
            "real_logit_std": float(real.std(correction=0)),
            "fake_logit_std": float(fake.std(correction=0)),
            "paired_accuracy": float((real > fake).float().mean())
            if len(real) == len(fake)
            else math.nan,
            "d_grad_norm": d_grad_norm,
            "g_grad_norm": float(torch.nn.utils.get_total_norm(gradients)),
            "lr_factor": lr_factor,
        }
        self._waiting.append(row)
        finite = all(math.isfinite(row[name]) for name in self.history.watched)
        if finite and row["step"] % self.every:
            return []
        waiting, self._waiting = self._waiting, []
        news = self.note(waiting)
        if not finite:
            return news
        try:
            return news + self.look(generator, discriminator)
        except Exception as error:  # whatever it is: a training is worth more than a look
            log.warning("the doctor could not look at step %d: %s", row["step"], error)
            return news

    def look(self, generator: nn.Module, discriminator: nn.Module) -> list[Finding]:
        """Take a snapshot of both players, and think about it."""
        last = self._last()
        snapshot = take_snapshot(
            generator,
            _Logits(discriminator) if self.probabilities else discriminator,
            self.reference,
            self.latents,
            game=self.game,
            before=self.history.snapshots[-1] if self.history.snapshots else None,
            batch=self.batch,
            step=int(last["step"]),
            images_seen=int(last["images_seen"]),
        )
        return self.add(snapshot)

    def _loss(self, real: Tensor, fake: Tensor, given: float) -> float:
        """The game's own loss: other people halve theirs, and then a draw lies elsewhere."""
        if len(real) != len(fake) or not math.isfinite(given):
            return given
        return float(self.game.d_loss(real, fake).mean())

    def _last(self) -> dict[str, float]:
        if not self.history.n_steps:
            return {"step": 0.0, "images_seen": 0.0}
        return {name: float(self.history.steps[name][-1]) for name in ("step", "images_seen")}

    def _logits(self, said: Tensor) -> Tensor:
        said = one_each(said)
        return _to_logits(said) if self.probabilities else said


class _Logits(nn.Module):
    """A discriminator that ends in a sigmoid, with the sigmoid undone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        return _to_logits(self.network(*inputs))


def _to_logits(probabilities: Tensor) -> Tensor:
    # The nearest number to 1 that float32 has is 6e-8 away from it: logits end at about 17.
    return probabilities.logit(eps=torch.finfo(torch.float32).eps / 2)


def _number(loss: Tensor | float) -> float:
    return float(loss.detach()) if isinstance(loss, Tensor) else float(loss)


def _game(game: str | Game) -> Game:
    if isinstance(game, Game):
        return game
    if game not in GAMES:
        raise ConfigError(
            f"no game '{game}'",
            expected=nearest(game, GAMES),
            fix="the name of the game whose losses are minimised",
        )
    return GAMES[game]


def _latents(latents: int | Sequence[int] | Latents) -> Latents:
    if callable(latents):
        return latents
    shape = (latents,) if isinstance(latents, int) else tuple(latents)
    return lambda count, rng: torch.randn(count, *shape, generator=rng, device="cpu")
