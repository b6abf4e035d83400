"""What CONTRIBUTING.md promises: a game, a check, a penalty or a metric needs those files alone."""

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

import facewright
from facewright import settings
from facewright.config import Config
from facewright.doctor.checks import CHECKS
from facewright.doctor.diagnose import diagnose
from facewright.doctor.finding import Assessment, Verdict
from facewright.doctor.history import History
from facewright.doctor.recorded import history_of
from facewright.errors import ConfigError
from facewright.metrics import metric_request
from facewright.metrics.estimate import Estimate
from facewright.metrics.metric import Metric, MetricInputs
from facewright.metrics.table import METRICS
from facewright.objective.adversarial import GAMES, Game
from facewright.objective.penalties import PENALTIES
from facewright.records.run_history import RunHistory
from tests.doctor.histories import history
from tests.stores import write_store

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "facewright"
TINY = ("model.width=4", "model.z_dim=8", "train.batch=8", "train.precision=fp32")


def test_every_file_that_a_contributor_is_sent_to_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w.]+/)*[\w.]+/?)`", text.partition("## How to add")[2])
    paths = [name for name in named if "/" in name or name.endswith(".py")]
    wanted = [path for path in paths if "NAME" not in path]
    assert len(wanted) > 10
    places = (SOURCE, ROOT, SOURCE / "objective")
    assert not [path for path in wanted if not any((place / path).exists() for place in places)]


def files_naming(word: str) -> list[str]:
    """Source files in which a word occurs."""
    paths = sorted(SOURCE.rglob("*.py"))
    found = [p for p in paths if re.search(rf"\b{word}\b", p.read_text(encoding="utf-8"))]
    return [path.relative_to(SOURCE).as_posix() for path in found]


# A game is one file.


def hardened(real_logits, fake_logits):
    return softplus(1 - real_logits) + softplus(1 + fake_logits)


DRAW = float(2 * softplus(torch.tensor(1.0)))
NEW_GAME = Game(
    name="soft-hinge",
    d_loss=hardened,
    g_loss=lambda real_logits, fake_logits: -fake_logits,
    d_draw=DRAW,
    g_draw=None,
    source="this test",
    optimal_logit=None,
)


def test_a_game_is_one_entry_and_trains_is_diagnosed_and_measured(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="soft-hinge"):
        settings.override(Config(), ["loss.game=soft-hinge"])
    monkeypatch.setitem(GAMES, NEW_GAME.name, NEW_GAME)
    store, out = write_store(tmp_path / "store", count=256), tmp_path / "run"
    new = (*TINY, "loss.game=soft-hinge", "record.score_samples=0", "record.equilibrium_images=0")
    few = {"fresh_steps": 2, "warm_steps": 2, "generator_steps": 2, "every": 2, "batch": 8}
    balance = importlib.import_module("facewright.actions.equilibrium")
    for name, value in few.items():
        monkeypatch.setattr(balance, "LIVE", _with(balance.LIVE, name, value))
    facewright.train(recipe="drawn-32", data=store, out=out, images=32, set=(new,))
    assert history_of(RunHistory.read(out)).game is NEW_GAME
    assert facewright.diagnose(out).as_json()["verdict"] == "not-applicable"  # of four steps
    found = facewright.equilibrium(out, data=store, budget="quick").as_json()
    assert found["game"] == "soft-hinge"
    assert found["value_at_draw"] == pytest.approx(-DRAW)
    assert facewright.report(out).page.is_file()


def _with(budget, name, value):
    return type(budget)(**{**budget.__dict__, name: value})


# A check is one file and one line.


@dataclass(frozen=True)
class TooFaint:
    """TF01. Are generated images rated below photos?"""

    code: ClassVar[str] = "TF01"
    title: ClassVar[str] = "Rated below photos"
    verdict: ClassVar[Verdict] = "weak-discriminator"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = "nothing"
    source: ClassVar[str] = "this test"
    blind_spot: ClassVar[str] = "everything"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        below = history.snapshots[-1].fake_logit < history.snapshots[-1].real_logit
        return Assessment("problem" if below else "ok", "rated below photos", {"below": below})


def test_a_check_is_one_class_and_one_line():
    found = diagnose(history(), (*CHECKS, TooFaint()))
    assert (found.verdict, found.message) == ("weak-discriminator", "rated below photos")
    assert [finding.code for finding in found.findings] == ["TF01"]
    for check in CHECKS:
        its_own = type(check).__module__.removeprefix("facewright.").replace(".", "/")
        assert {f"{its_own}.py", "doctor/checks.py"} == {
            path for path in files_naming(type(check).__name__) if path != "doctor/training_hook.py"
        }  # the hook ends a run by the first of them


# A penalty is its function and its weight.


def test_a_penalty_stands_in_two_files():
    weights = {name for name in vars(Config().loss) if name in PENALTIES}
    assert weights == PENALTIES.keys()
    # What names one besides is data: the doctor's remedies, rules for sizes, words for people.
    data = {"training/unused_settings.py", "equilibria/small_gans.py"}
    named = {path for name in PENALTIES for path in files_naming(name)} - data
    deciding = ("training/", "equilibria/", "objective/losses.py")
    assert not [path for path in named if path.startswith(deciding)]


# A metric is its function and its row.


def brightness(c: MetricInputs) -> dict[str, Estimate]:
    """How bright are generated images?"""
    mean = float(np.asarray(c.fake.pixels()).mean())
    return {"brightness": Estimate(mean, None)}


NEW_METRIC = Metric(("brightness",), "Mean brightness", brightness, brightness, features="")


def test_a_metric_is_one_function_and_one_row(tmp_path, monkeypatch):
    monkeypatch.setattr(metric_request, "METRICS", (*METRICS, NEW_METRIC))
    store = write_store(tmp_path / "store")
    np.save(tmp_path / "images.npy", np.load(store / "train.npy")[:32])
    found = facewright.evaluate(tmp_path / "images.npy", data=store, metrics="brightness,swd")
    values = {row["name"]: row["value"] for row in found.as_json()["metrics"]}
    assert values["brightness"] == np.load(store / "train.npy")[:32].mean()
    for metric in METRICS:
        its_own = metric.about.__module__.removeprefix("facewright.").replace(".", "/")
        # What scores a run on the way calls three of the functions itself.
        known = {f"{its_own}.py", "metrics/table.py", "metrics/live_scores.py"}
        naming = files_naming(metric.about.__name__)
        assert (
            {"metrics/table.py"} <= {*filter(lambda p: p.startswith("metrics/"), naming)} <= known
        )
