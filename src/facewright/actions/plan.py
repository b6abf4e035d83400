"""Which recipe, how many images, how long, how good?"""

import dataclasses
import itertools
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from facewright.actions.events import Note, OnEvent, ignore
from facewright.actions.training_session import LONG_SECONDS
from facewright.data.store import Store
from facewright.errors import FacewrightError
from facewright.machine import busy_cores, cores
from facewright.planning.choice import StoreSummary, candidates
from facewright.planning.measured import read_table
from facewright.planning.plan import Plan, best_of, plan_for
from facewright.planning.recipes import read_recipe
from facewright.planning.request import Candidate, PlanRequest
from facewright.planning.speed import measure
from facewright.training.launch import device_of, settled
from facewright.training.memory import available_memory

LONGEST = 8_760.0
"""Hours of a year: who asks for more has meant another unit."""

BUSY = 0.7
"""Cores that other programs want, from which on the plan says so."""

FEATURES_PER_SECOND = (39, 62)
"""Images that Inception looks at on two cores, in fp32 and bf16 (docs/experiments)."""


@dataclass(frozen=True)
class Planned:
    """A plan, and what it is for."""

    plan: Plan
    request: PlanRequest

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on. Times are local, with their offset."""
        plan, loss, train = self.plan, self.plan.config.loss, self.plan.config.train
        quality = plan.quality
        return {
            "recipe": plan.recipe,
            "device": self.request.device,
            "batch": train.batch,
            "micro_batch": train.micro_batch,
            "penalty": {"r1": loss.r1, "r2": loss.r2},
            "images": train.images,
            "images_per_second": plan.speed.images_per_second,
            "memory_bytes": plan.memory_bytes,
            "seconds": plan.seconds,
            "ends": plan.ends.isoformat(timespec="seconds"),
            "quality": {"metric": "fid", **dataclasses.asdict(quality)} if quality else None,
            "changes": list(plan.changes),
            "command": plan.command,
            "notes": list(plan.notes),
            "measured": [dataclasses.asdict(speed) for speed in plan.measured],
        }


def plan(
    *,
    data: Path,
    hours: float,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    on_event: OnEvent = ignore,
) -> Planned:
    """Propose a training that fits into some hours, and say what it will give.

    Trains for a few seconds on the store's photos to see how fast this machine is and how
    much memory it takes; the rest comes from tables of our own trainings. Nothing is kept of
    those seconds. Ends with the command to type.

    Examples:
        facewright plan --data stores/mine --hours 0.5
        facewright plan --data stores/mine --hours 8 --device cuda

    Args:
        data: training store, made by `facewright prepare`.
        hours: for the training, for example 0.5.
        device: where to train; `auto` takes a GPU if there is one.
        on_event: hears which recipe is being tried.

    Raises:
        FacewrightError: hours that cannot be, or no recipe suits, or the machine is too small.
        RunError: no such device.
    """
    if not 0 < hours <= LONGEST:
        raise FacewrightError(
            f"--hours {hours:g}",
            expected=f"a number of hours above 0, at most {LONGEST:,.0f} (a year)",
            fix="--hours 0.5",
        )
    store, torch_device = Store.open(data), device_of(device)
    photos, table = StoreSummary.of(store), read_table()
    request = PlanRequest(
        photos=photos,
        hours=hours,
        device=torch_device.type,
        available_memory=available_memory(torch_device),
        now=datetime.now().astimezone(),
        run=_free_folder(store.path),
        options=() if device == "auto" else ("--device", device),
    )
    busy = busy_cores()
    configs = {entry.name: read_recipe(entry.name) for entry in table.recipes}
    plans = []
    for entry in candidates(photos, request.suited_to, table, configs):
        config = settled(configs[entry.name], torch_device)
        on_event(Note(f"training {entry.name} for some seconds ..."))
        speeds = measure(config, store, device, request.available_memory)
        plans.append(plan_for(Candidate(entry, config, tuple(speeds)), request))
    chosen = best_of(plans)
    notes = (*chosen.notes, *_beside_others(busy), *_afterwards(chosen, photos))
    return Planned(dataclasses.replace(chosen, notes=notes), request)


def _free_folder(store: Path) -> Path:
    """Where the run could go: named after its photos, and not there yet."""
    name = store.resolve().name
    others = (Path("runs") / f"{name}-{number}" for number in itertools.count(2))
    return next(run for run in itertools.chain([Path("runs") / name], others) if not run.exists())


def _beside_others(busy: float) -> list[str]:
    """What the speed that was measured is worth."""
    if busy < BUSY:
        return []
    return [
        f"Other programs keep {busy:.1f} of {cores()} cores busy: the speed is "
        "that of a machine shared like this. Without them training is faster, with more of them "
        "slower."
    ]


def _afterwards(plan: Plan, photos: StoreSummary) -> list[str]:
    """What a session of training adds at its end."""
    looked_at = plan.config.record.final_samples + photos.count
    if (
        photos.kind != "faces"
        or plan.seconds < LONG_SECONDS
        or not plan.config.record.final_samples
    ):
        return []
    slow, fast = (math.ceil(looked_at / speed / 60) for speed in FEATURES_PER_SECOND)
    return [
        f"Measuring the quality at the end takes {fast} to {slow} minutes more on two cores like "
        "ours, where Inception's weights are at hand (Ctrl-C skips it)."
    ]
