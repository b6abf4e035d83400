"""How a plan is shown."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from facewright.actions.plan import Planned
from facewright.planning.caveats import in_words
from facewright.planning.speed import Speed
from facewright.reporting.words import duration


def shown(found: Planned) -> Group:
    """The answer, the speeds that were measured, what to bear in mind, and the command."""
    parts: list[RenderableType] = [_answer(found), Text(""), _speeds(found), Text("")]
    parts += [Text(f"- {note}") for note in found.plan.notes]
    return Group(*parts, Text(""), Text(found.plan.command, style="bold"))


def _answer(found: Planned) -> Table:
    plan, request = found.plan, found.request
    channels, height, width = request.photos.shape
    ends = f"{plan.ends:%A %d %B %Y, %H:%M}"
    rows = {
        "photos": f"{request.photos.count:,} of {height}x{width}x{channels} "
        f"({request.photos.store})",
        "recipe": plan.recipe,
        "batch": _batch(found),
        "penalty": _penalty(found),
        "images": f"{plan.config.train.images:,}",
        "time": f"{duration(plan.seconds)} of {request.hours:g} h; begun now, it ends {ends}",
        "memory": f"about {_mib(plan.memory_bytes)} with the doctor and scores"
        + ("" if request.available_memory is None else f", of {_mib(request.available_memory)}"),
        "quality": _quality(found),
    }
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value))
    return table


def _batch(found: Planned) -> str:
    train = found.plan.config.train
    return f"{train.batch}" + (
        f", {train.micro_batch} at once" if 0 < train.micro_batch < train.batch else ""
    )


def _penalty(found: Planned) -> str:
    loss = found.plan.config.loss
    weights = {"R1": loss.r1, "R2": loss.r2}
    said = ", ".join(f"{name} {weight:g}" for name, weight in weights.items() if weight)
    if not said:
        return "none: the recipe has no R1 or R2"
    scaled = any(change.startswith("loss.r") for change in found.plan.changes)
    return f"{said} ({'scaled to this size by a rule' if scaled else 'as in the recipe'})"


def _quality(found: Planned) -> str:
    quality = found.plan.quality
    if quality is None:
        return "not known"
    floor = "" if quality.floor is None else f"; photos among themselves: {quality.floor}"
    return f"{in_words(quality)} on {' and '.join(quality.data)} (lower is better{floor})"


def _speeds(found: Planned) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("batch", "images/s", "slowest to fastest", "peak memory"):
        table.add_column(title, justify="right")
    for speed in found.plan.measured:
        table.add_row(*_cells(speed))
    return table


def _cells(speed: Speed) -> tuple[str, ...]:
    return (
        f"{speed.batch}",
        _rate(speed.images_per_second),
        f"{_rate(speed.low)} to {_rate(speed.high)}",
        "" if speed.memory_bytes is None else _mib(speed.memory_bytes),
    )


def _rate(images_per_second: float) -> str:
    return f"{images_per_second:,.0f}" if images_per_second >= 10 else f"{images_per_second:.2g}"


def _mib(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
