"""Which of our modules import which, read from their sources."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def reached_from(name: str) -> set[str]:
    """The module, and all that import it, themselves or through others."""
    reached, latest = set[str](), {name}
    while latest:
        reached |= latest
        latest = {n for n, imported in _imports().items() if imported & latest} - reached
    return reached


@cache
def _imports() -> dict[str, set[str]]:
    """Each module, and what it imports anywhere, also within functions and for types alone."""
    paths = {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path
        for folder, package in ((ROOT / "src", "facewright"), (ROOT, "tests"))
        for path in (folder / package).rglob("*.py")
    }
    return {
        name: {whole if whole in paths else part for part, whole in _imported(path)}
        for name, path in paths.items()
    }


def _imported(path: Path) -> Iterator[tuple[str, str]]:
    """For each import, the module named and, where it takes something from it, with that.

    Only who knows all modules can say which of the two it is: `from facewright import images`.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, f"{node.module}.{alias.name}") for alias in node.names)
