"""Go on exactly where a run stopped."""

import shlex
from pathlib import Path
from typing import Literal

from facewright import settings
from facewright.actions.events import OnEvent, ignore, refuse_unsendable
from facewright.actions.training_session import Trained, run_session
from facewright.choices import OnProblem
from facewright.config import Config
from facewright.data.store import Store
from facewright.doctor.training_hook import refuse_unwatchable
from facewright.errors import RunError
from facewright.models.open_model import refuse_bundle
from facewright.records import checkpoints, environment
from facewright.records.run_folder import RunFolder
from facewright.training.amend import amend, settings_in_force
from facewright.training.job import Job
from facewright.training.micro_batches import refuse_indivisible


def resume(
    run: Path,
    *,
    images: int | None = None,
    micro_batch: int | None = None,
    data: Path | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    devices: int = 1,
    on_problem: OnProblem = "warn",
    on_event: OnEvent = ignore,
) -> Trained:
    """Go on exactly where a run stopped, however it stopped.

    On a CPU the result equals that of a run that never stopped, bit for bit.

    Examples:
        facewright resume runs/mine
        facewright resume runs/mine --images 800k

    Args:
        run: run folder.
        images: new total of real images to show; the run's own plan if not given.
        micro_batch: images that go through a network at once, from here on; 0 for all of a batch.
            Less memory, the same updates up to rounding.
        data: the store, if it was moved; its content must be the same.
        device: where to train.
        devices: processes (CPU) or GPUs that share each batch.
        on_problem: when training goes wrong: `warn` and go on; `stop`, saved, if it lasts
            beyond the first 400 steps or those after a remedy; or `mend` then: go
            back to the last good checkpoint, change one setting in a way that can be taken
            back, note it in remedies.jsonl, and go on, up to six times. Numbers that are not
            finite stop the run under `warn` too.
        on_event: as for `train`.

    Raises:
        RunError: no run there, or its settings or photos have changed.
        ConfigError: a batch that cannot be divided.
    """
    refuse_unsendable(on_event, devices)
    refuse_bundle(run)
    folder = RunFolder.open(run)
    config = settings_in_force(folder)
    store = Store.open(data or _known_store(folder))
    refuse_unwatchable(config, store, on_problem)
    if micro_batch is not None and micro_batch != config.train.micro_batch:
        config = _divide(folder, config, micro_batch, store)
    if images is not None:
        config = settings.override(config, [f"train.images={images}"], origin="--images")
    job = Job(config=config, store=store, run=run, accelerator=device, devices=devices)
    return run_session(job, on_problem, on_event)


def _known_store(folder: RunFolder) -> Path:
    """Where the photos were when the run was last trained.

    Raises:
        RunError: nobody knows, or they are not there any more.
    """
    path = environment.read(folder)["store"].get("path", "")
    if path and Path(path).is_dir():
        return Path(path)
    raise RunError(
        f"{folder.path} was trained on {path}, which is not there"
        if path
        else f"{folder.path} does not say which photos it was trained on",
        expected="the same photos, wherever they are now",
        fix=f"facewright resume {shlex.quote(str(folder.path))} --data STORE",
    )


def _divide(folder: RunFolder, config: Config, micro_batch: int, store: Store) -> Config:
    """The settings from here on; noted in the run as every change on the way."""
    line = f"train.micro_batch={micro_batch}"
    config = settings.override(config, [line], origin="--micro-batch")
    refuse_indivisible(config, store.shape)
    begun = checkpoints.readable(folder.checkpoints)
    newest = checkpoints.sound(folder.checkpoints)[0] if begun else None
    amend(folder.path, newest, config, {"reason": "--micro-batch"})
    return config
