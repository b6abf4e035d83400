"""The architecture, enforced: who may import whom. The one table is in docs/architecture.md."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "facewright"
OWN_NAMES = {"COMMANDS", "__version__"}
"""What the package itself defines, for everybody."""
CATALOGUES = {"actions", "cli", "lessons", "sources", "extractors"}
"""Folders whose modules are named by what they offer: `sources/folder.py`, `actions/train.py`."""


def may_import() -> dict[str, set[str]]:
    """Each package with those that it may import, out of the documented table."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| package | holds | may import")
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {name.strip("`"): set(re.findall(r"\w+", allowed)) for name, _, allowed in cells}


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
                if parts[0] == "facewright" and len(parts) > 1 and parts[1] not in OWN_NAMES:
                    yield path, here, parts[1]


def test_imports_follow_the_arrows():
    table = may_import()
    wrong = [
        f"{path.relative_to(SOURCE)} imports facewright.{there}"
        for path, here, there in project_imports()
        if here not in ("__init__", "__main__")
        and there != here
        and there not in table.get(here, set())
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_has_its_row_and_no_row_is_left_over():
    parts = {p.stem for p in SOURCE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert may_import().keys() == parts - {"__init__", "__main__"}


def test_nothing_imports_what_stands_below_it():
    """And so there is no circle."""
    table = may_import()
    rows = list(table)
    for place, allowed in enumerate(table.values()):
        assert allowed <= set(rows[:place])


def test_no_row_allows_what_is_not_needed():
    used: dict[str, set[str]] = {name: set() for name in may_import()}
    for _, here, there in project_imports():
        used.setdefault(here, set()).add(there)
    assert not {
        name: left for name, allowed in may_import().items() if (left := allowed - used[name])
    }


def test_nobody_imports_the_command_line_but_the_package_itself():
    importers = {here for _, here, there in project_imports() if there == "cli" and here != "cli"}
    assert importers <= {"__init__", "__main__"}


def test_importing_facewright_loads_nothing_heavy():
    code = "import sys, facewright; print(*(m for m in ('torch', 'numpy') if m in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == ""


def test_no_two_modules_have_one_name():
    """But for catalogues, whose folder says the rest of a module's name."""
    places: dict[str, list[str]] = {}
    for path in SOURCE.rglob("*.py"):
        if path.stem not in ("__init__", "__main__") and path.parent.name not in CATALOGUES:
            places.setdefault(path.stem, []).append(str(path.relative_to(SOURCE)))
    assert not [names for names in places.values() if len(names) > 1]
