"""Facewright: train, diagnose, measure, explore and ship a GAN that generates faces.

Every command is also a function of the same name: `facewright.prepare(...)`,
`facewright.train(...)` and so on, with the same parameters.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facewright.cli.audit import audit
    from facewright.cli.demo import demo
    from facewright.cli.diagnose import diagnose
    from facewright.cli.equilibrium import equilibrium
    from facewright.cli.evaluate import evaluate
    from facewright.cli.export import export
    from facewright.cli.generate import generate
    from facewright.cli.lesson import lesson
    from facewright.cli.plan import plan
    from facewright.cli.prepare import prepare
    from facewright.cli.report import report
    from facewright.cli.resume import resume
    from facewright.cli.runs import runs
    from facewright.cli.train import train
    from facewright.doctor.doctor import Doctor

__version__ = "0.1.0"

COMMANDS = {
    "prepare": "any photos -> a training store",
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

__all__ = [
    "Doctor",
    "audit",
    "demo",
    "diagnose",
    "equilibrium",
    "evaluate",
    "export",
    "generate",
    "lesson",
    "plan",
    "prepare",
    "report",
    "resume",
    "runs",
    "train",
]


def __getattr__(name: str) -> Any:
    # Imported on first use: `import facewright` stays fast and free of side effects.
    if name == "Doctor":
        return importlib.import_module("facewright.doctor.doctor").Doctor
    if name not in COMMANDS:
        raise AttributeError(f"module 'facewright' has no attribute '{name}'")
    arguments = importlib.import_module("facewright.cli.arguments")
    command = getattr(importlib.import_module(f"facewright.cli.{name}"), name)
    globals()[name] = arguments.checked(command)
    return globals()[name]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
