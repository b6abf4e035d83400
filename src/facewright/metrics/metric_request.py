"""Parses what a user requests with `--metrics`."""

from dataclasses import dataclass

from facewright.errors import MetricError, nearest
from facewright.metrics.metric import Metric
from facewright.metrics.table import METRICS

ALIASES = {"prdc": ("precision", "recall", "density", "coverage")}
"""Shorter ways to ask for several metrics."""


@dataclass(frozen=True)
class Request:
    """One number that is wanted.

    Args:
        name: of the number, one of some metric's `names`.
        metric: that computes it.
        features: extractor; "" for metrics that need none.
    """

    name: str
    metric: Metric
    features: str

    @property
    def label(self) -> str:
        """The name as it is reported: with the extractor unless the usual one is meant."""
        usual = (self.metric.features if self.metric.features != "any" else "inception", "")
        return self.name if self.features in usual else f"{self.name}@{self.features}"


def parse(text: str, features: str = "inception") -> list[Request]:
    """The numbers that `--metrics` requests.

    Args:
        text: names separated by commas, each as NAME or NAME@EXTRACTOR.
        features: the extractor where a metric leaves the choice and none is named.

    Raises:
        MetricError: a name that is unknown, or an extractor where none can be chosen.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise MetricError("no metric", expected=nearest("", _by_name()), fix="--metrics fid")
    wanted = [_request(name, features) for word in words for name in _spelled_out(word)]
    return list({request.label: request for request in wanted}.values())


def _spelled_out(word: str) -> list[str]:
    name, at, chosen = word.partition("@")
    return [f"{each}{at}{chosen}" for each in ALIASES.get(name, (name,))]


def _by_name() -> dict[str, Metric]:
    return {name: metric for metric in METRICS for name in metric.names}


def _request(word: str, features: str) -> Request:
    name, at, chosen = word.partition("@")
    if at and not chosen:
        raise MetricError(
            f"'{word}' names no features", expected=f"{name}@face, for example", fix=f"{name}@face"
        )
    known = _by_name()
    if name not in known:
        raise MetricError(
            f"unknown metric '{name}'",
            expected=nearest(name, [*known, *ALIASES]),
            fix="--metrics fid kid coverage",
        )
    metric = known[name]
    if metric.features == "any":
        return Request(name, metric, chosen or features)
    if chosen.partition(":")[0] not in ("", metric.features):
        raise MetricError(
            f"{name} with features of '{chosen}'",
            expected=f"{name} is defined with {metric.features or 'pixels'}",
            fix=f"--metrics fd@{chosen}" if name.startswith("fid") else f"--metrics {name}",
        )
    return Request(name, metric, chosen or metric.features)
