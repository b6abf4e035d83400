"""From an action to its options: signature and docstring are the help."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, get_origin, get_type_hints

JSON_HELP = "With --json: one JSON object on standard output, everything else on standard error."


def parsed(action: Callable[..., Any], words: Sequence[str]) -> Callable[..., Any]:
    """An action with the arguments that somebody typed, ready to be called.

    Args:
        action: parameters that may be given by place become positional ones, tuples may be
            given several times, and `on_event` is nobody's to type.
        words: of the command line, after the command.

    Raises:
        SystemExit: help was asked for, or the words are not understood; tyro has said so.
    """
    import tyro  # after the name is known to be right: `--help` stays fast

    hints, parameters = get_type_hints(action), []
    for parameter in inspect.signature(action).parameters.values():
        hint = hints[parameter.name]
        if parameter.name == "on_event":
            continue
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            hint = Annotated[hint, tyro.conf.Positional]
        elif get_origin(hint) is tuple:
            hint = Annotated[hint, tyro.conf.UseAppendAction]
        parameters.append(parameter.replace(annotation=hint))

    def typed(*args: Any, **kwargs: Any) -> Callable[..., Any]:
        return functools.partial(action, *args, **kwargs)

    about = inspect.getdoc(action) or ""
    typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    typed.__annotations__ = {one.name: one.annotation for one in parameters}
    typed.__doc__ = about
    return tyro.cli(
        typed,
        prog=f"facewright {action.__name__}",
        description=f"{about.split('Args:')[0].strip()}\n\n{JSON_HELP}",
        args=list(words),
    )
