"""The architecture, enforced: who may import whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "facewright"

LEVEL_0 = {"cache", "errors", "machine", "rng", "images", "shapes", "ranks"}
MAY_IMPORT = {
    "errors": set(),
    "cache": set(),
    "machine": set(),
    "rng": set(),
    "shapes": set(),
    "ranks": set(),
    "images": {"errors"},
    "conditions": {"errors", "rng"},
    "config": set(),
    "settings": {"errors", "config"},
    "records": {"errors", "machine", "config", "settings"},
    "data": {"cache", "errors", "machine", "rng", "images", "config", "conditions"},
    "models": {"errors", "config", "shapes"},
    "losses": {"errors", "shapes"},
    "augment": {"shapes", "ranks"},
    "metrics": {"cache", "errors", "images"},
    "equilibria": LEVEL_0 - {"cache"} | {"config", "models", "losses"},
    "shipping": {"errors", "config", "settings", "conditions", "records"},
    "sampling": {"errors", "rng", "images", "config", "settings", "conditions", "records", "models"}
    | {"shipping"},
    "reporting": {"errors", "config", "images", "records"},
    "training": LEVEL_0
    | {"config", "settings", "conditions", "records", "data", "models", "losses", "augment"},
    "doctor": {"errors", "rng", "ranks", "images", "config", "records", "models", "losses"}
    | {"equilibria"},
    "lessons": LEVEL_0
    | {
        "config",
        "settings",
        "records",
        "data",
        "models",
        "losses",
        "metrics",
        "equilibria",
        "sampling",
    }
    | {"shipping", "training", "reporting", "doctor"},
    "planning": {
        "errors",
        "config",
        "settings",
        "data",
        "models",
        "losses",
        "metrics",
        "shipping",
        "reporting",
    }
    | {"training"},
}
"""docs/architecture.md shows the same table; `cli` may import everything."""


def project_imports() -> Iterator[tuple[Path, str, str]]:
    """(file, its part, the part it imports) for every import of our own code."""
    for path in SOURCE.rglob("*.py"):
        here = path.relative_to(SOURCE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
                if node.module == "facewright":
                    names = [f"facewright.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                parts = name.split(".")
                if parts[0] == "facewright" and len(parts) > 1 and parts[1][0] != "_":
                    yield path, here, parts[1]


def test_imports_follow_the_arrows():
    wrong = [
        f"{path.relative_to(SOURCE)} imports facewright.{there}"
        for path, here, there in project_imports()
        if here in MAY_IMPORT and there != here and there not in MAY_IMPORT[here]
    ]
    assert not wrong, "\n".join(wrong)


def test_nobody_imports_the_command_line_but_the_package_itself():
    importers = {here for _, here, there in project_imports() if there == "cli" and here != "cli"}
    assert importers <= {"__init__", "__main__"}


def test_importing_facewright_loads_nothing_heavy():
    code = "import sys, facewright; print(*(m for m in ('torch', 'numpy') if m in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == ""
