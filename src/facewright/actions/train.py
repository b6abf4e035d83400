"""A store and a recipe become a run."""

from pathlib import Path
from typing import Literal

from facewright import settings
from facewright.actions.arguments import assignments
from facewright.actions.beginning import in_words
from facewright.actions.events import Note, OnEvent, ignore, refuse_unsendable
from facewright.actions.training_session import Trained, run_session
from facewright.choices import OnProblem
from facewright.data.store import Store
from facewright.doctor.training_hook import refuse_unwatchable
from facewright.models.open_model import open_model
from facewright.planning.recipes import current_name, read_recipe, tell_device
from facewright.records.run_folder import RunFolder
from facewright.training.job import Job
from facewright.training.launch import device_of
from facewright.training.run import begin


def train(
    *,
    recipe: str,
    data: Path,
    out: Path,
    images: int | None = None,
    seed: int | None = None,
    init_from: Path | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    devices: int = 1,
    on_problem: OnProblem = "warn",
    set: tuple[tuple[str, ...], ...] = (),
    on_event: OnEvent = ignore,
) -> Trained:
    """Train a generator on a store of photos.

    Ctrl-C saves and stops; `facewright resume` then goes on exactly where it stopped.

    Examples:
        facewright train --recipe fast-28 --data stores/mine --out runs/mine
        facewright train --recipe fast-28 --data stores/mine --out runs/short --images 50k
        facewright train --recipe fast-28 --data stores/mine --out runs/few --init-from faces-28

    Args:
        recipe: a TOML file or a name: fast-28, fast-32, fast-64, classic-celeba28,
            classic-mnist28, mlp-2014-mnist, stacked-mnist, drawn-32; for GPUs gpu-64,
            faces-128, faces-256.
        data: training store, made by `facewright prepare`.
        out: run folder to make; must not hold a run already.
        images: real images to show to the discriminator in all; the recipe's number if not given.
        seed: every random number of the run follows from it; the recipe's if not given.
        init_from: begin with the weights of another model (a run folder, one of its checkpoints,
            a bundle or the name of a bundled model), as far as they fit by name, place and shape;
            what was taken is said. The optimisers start afresh, and the run needs that model no
            more. It must go by the same labels, or by none as the run does.
        device: where to train; `auto` takes a GPU if there is one.
        devices: GPUs that share each batch, or processes on a CPU, where the threads of a single
            one use all cores and are faster.
        on_problem: when training goes wrong: `warn` and go on; `stop`, saved, if it lasts
            beyond the first 400 steps or those after a remedy; or `mend` then: go
            back to the last good checkpoint, change one setting in a way that can be taken
            back, note it in remedies.jsonl, and go on, up to six times. Numbers that are not
            finite stop the run under `warn` too.
        set: single settings, as section.key=value, for example optimiser.lr_g=1e-4; from
            Python also a list of such texts, or a dict. docs/recipes.md shows them all.
        on_event: hears what is worth knowing, progress, findings and samples; with several
            devices it must be picklable.

    Raises:
        ConfigError: an unknown recipe or setting.
        RunError: the run folder cannot be used, or the model of --init-from does not fit.
    """
    refuse_unsendable(on_event, devices)
    recipe = current_name(recipe)
    config = settings.override(read_recipe(recipe), assignments(set))
    for name, value in {"images": images, "seed": seed}.items():
        if value is not None:
            config = settings.override(config, [f"train.{name}={value}"], origin=f"--{name}")
    job = Job(
        config=config,
        store=Store.open(data),
        run=out,
        accelerator=device,
        devices=devices,
        recipe=recipe,
    )
    refuse_unwatchable(config, job.store, on_problem)
    tell_device(recipe, device_of(device))
    job = begin(job, open_model(init_from) if init_from else None)
    if init_from is not None:
        on_event(Note(in_words(RunFolder(job.run))))
    return run_session(job, on_problem, on_event)
