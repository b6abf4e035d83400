"""The distance from equilibrium beside a run of our own, now and then and at its end."""

import logging
from typing import Any

from facewright.config import Config
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.equilibria.budget import LIVE
from facewright.equilibria.held_out import HeldOut
from facewright.equilibria.probe import probe_equilibrium
from facewright.equilibria.reading import EquilibriumReading
from facewright.errors import FacewrightError
from facewright.networks.processes import single_process
from facewright.records import record
from facewright.records.run_folder import RunFolder
from facewright.training.recorder import Recorder, due
from facewright.training.schedule import in_force
from facewright.training.state import TrainState
from facewright.training.step import Stats

log = logging.getLogger(__name__)

WORTH_AN_END = 4
"""At its end a run is measured if it has lasted at least this part of an interval."""


class EquilibriumProbe:
    """A callback that writes the players' regrets to `metrics.jsonl`.

    Args:
        config: of the run.
        recorder: not needed.
        folder: of the run.
        store: the photos; only held-out ones are used.
    """

    def __init__(
        self, config: Config, recorder: Recorder, *, folder: RunFolder, store: Store
    ) -> None:
        self.config, self.folder = config, folder
        self.shown = config.train.batch * config.train.d_steps
        conditions = PhotoConditions.of(store, config.data.labels)
        seed = config.train.seed
        self.photos = HeldOut.of(
            store, mirror=config.data.flip, seed=seed, photo_conditions=conditions
        )
        self.data = store.content_hash[:12]

    def __enter__(self) -> "EquilibriumProbe":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left open."""

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Measure when it is time to."""
        every = self.config.record.equilibrium_images
        if due(state.images_seen, self.shown, every):
            self._measure(state, {"images_seen": state.images_seen})
        elif self.config.train.images <= state.images_seen >= every // WORTH_AN_END:
            self._measure(state, {"images_seen": state.images_seen, "final": True})

    def _measure(self, state: TrainState, place: dict[str, Any]) -> None:
        config = in_force(self.config, state.images_seen)
        try:
            with single_process():
                reading = probe_equilibrium(
                    state.generator.network,
                    state.discriminator.network,
                    loss=config.loss,
                    optimiser=config.optimiser,
                    search_real=self.photos.search,
                    test_real=self.photos.test,
                    z_dim=self.config.model.z_dim,
                    conditions=self.photos.conditions,
                    seed=self.config.train.seed,
                    budget=LIVE,
                )
        except (FacewrightError, RuntimeError, MemoryError) as error:  # the run is worth more
            log.warning("the distance from equilibrium is not measured: %s", error)
            return
        about = {"against": "val", "data": self.data, "seed": self.config.train.seed}
        rows = [row | about | place for row in _rows(reading)]
        record.append(self.folder.metrics, rows)


def _rows(reading: EquilibriumReading) -> list[dict[str, Any]]:
    values = {
        "js_bits": (reading.fresh.js_bits, reading.fresh.null_band[1]),
        "regret_d": (reading.regret_d.value if reading.regret_d else None, None),
        "regret_g": (reading.regret_g.value if reading.regret_g else None, None),
        "duality_gap": (reading.duality_gap, None),
    }
    return [
        {
            "name": name,
            "value": value,
            "interval": None,
            "floor": floor,
            "n_real": reading.n_test,
            "n_fake": reading.n_test,
            "features": f"probe, {reading.budget.name} budget",
            "seconds": round(reading.seconds, 3),
        }
        for name, (value, floor) in values.items()
        if value is not None
    ]
