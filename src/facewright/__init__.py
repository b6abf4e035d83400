"""Facewright: train, diagnose, measure, explore and ship a GAN that generates faces.

Every command is a function of the same name: `facewright.prepare(...)`,
`facewright.train(...)` and so on. They print nothing; `on_event` hears what they are doing, and
`on_event=facewright.Reporter()` shows it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facewright.actions.audit import audit
    from facewright.actions.demo import demo
    from facewright.actions.diagnose import diagnose
    from facewright.actions.equilibrium import equilibrium
    from facewright.actions.evaluate import evaluate
    from facewright.actions.export import export
    from facewright.actions.generate import generate
    from facewright.actions.lesson import lesson
    from facewright.actions.look import look
    from facewright.actions.plan import plan
    from facewright.actions.prepare import prepare
    from facewright.actions.report import report
    from facewright.actions.resume import resume
    from facewright.actions.runs import runs
    from facewright.actions.train import train
    from facewright.cli.progress import Reporter
    from facewright.doctor.doctor import Doctor

__version__ = "0.1.0"

COMMANDS = {
    "prepare": "any photos -> a training store",
    "look": "pictures of a store on one sheet, with some that were set aside",
    "plan": "which recipe, how long, how good? measured on this machine",
    "train": "a store and a recipe -> a run with a trained generator",
    "resume": "go on exactly where a run stopped",
    "generate": "new faces from a trained generator",
    "evaluate": "quality of generated images, with intervals and floors",
    "audit": "did the generator memorise its training photos?",
    "diagnose": "what is wrong with a training, since when, and what to do",
    "equilibrium": "how far are the players from a Nash equilibrium?",
    "export": "a trained generator as one file, with its model card",
    "lesson": "the theory, one experiment at a time",
    "report": "one self-contained page about a run",
    "runs": "list and compare runs",
    "demo": "the main job on faces that ship, in minutes on a laptop",
}
"""Each command with its purpose."""

ELSEWHERE = {"Doctor": "facewright.doctor.doctor", "Reporter": "facewright.cli.progress"}
"""What else the package offers, by the module that it lies in."""

__all__ = [
    "Doctor",
    "Reporter",
    "audit",
    "demo",
    "diagnose",
    "equilibrium",
    "evaluate",
    "export",
    "generate",
    "lesson",
    "look",
    "plan",
    "prepare",
    "report",
    "resume",
    "runs",
    "train",
]


def __getattr__(name: str) -> Any:
    # Imported on first use: `import facewright` stays fast and free of side effects.
    if name in ELSEWHERE:
        return getattr(importlib.import_module(ELSEWHERE[name]), name)
    if name not in COMMANDS:
        raise AttributeError(f"module 'facewright' has no attribute '{name}'")
    arguments = importlib.import_module("facewright.actions.arguments")
    action = getattr(importlib.import_module(f"facewright.actions.{name}"), name)
    globals()[name] = arguments.checked(action)
    return globals()[name]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
