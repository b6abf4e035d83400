"""What a command takes and says of itself, without the seconds in which torch is loaded."""

import ast
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any


def declared(name: str) -> Callable[..., Any]:
    """An action's signature and docstring, read from its file; the function does nothing.

    Only what the signature names is imported: the file's own imports are those of the work.

    Args:
        name: of a command.
    """
    spec = importlib.util.find_spec(f"facewright.actions.{name}")
    assert spec is not None
    assert spec.origin is not None
    statements = ast.parse(Path(spec.origin).read_bytes()).body
    (function,) = (s for s in statements if isinstance(s, ast.FunctionDef) and s.name == name)
    function.returns, function.body = None, function.body[:1]
    wanted = _names(function)
    needed: list[ast.stmt] = [function]
    for statement in reversed(statements[: statements.index(function)]):
        kept = _kept(statement, wanted)
        if kept is not None:
            wanted |= _names(kept)
            needed.insert(0, kept)
    space: dict[str, Any] = {}
    exec(compile(ast.Module(needed, []), spec.origin, "exec"), space)
    return space[name]


def _kept(statement: ast.stmt, wanted: set[str]) -> ast.stmt | None:
    """An import of only the wanted names, or the assignment of one; else nothing."""
    match statement:
        case ast.Import() | ast.ImportFrom():
            statement.names = [n for n in statement.names if (n.asname or n.name) in wanted]
            return statement if statement.names else None
        case ast.Assign(targets=[ast.Name(id=name)]) if name in wanted:
            return statement
    return None


def _names(part: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
