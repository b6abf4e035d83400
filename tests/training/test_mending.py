"""A problem stops the run; mending goes back, changes one thing, and goes on."""

import contextlib
import dataclasses
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from facewright import settings
from facewright.data.store import Store
from facewright.doctor.training_hook import TrainingHook
from facewright.records import checkpoints, environment, record
from facewright.records.rows import RemedyRow
from facewright.records.run_folder import RunFolder
from facewright.training.job import Extras, Job
from facewright.training.mending import train_with_mending
from facewright.training.recorder import ProblemError
from facewright.training.run import begin, execute
from tests.runs_equal import assert_same_run
from tests.training.conftest import small

NEVER = 10**9


def finding(images_seen: int, *, since: int | None = None, verdict: str = "mode-collapse"):
    return {
        "code": "T1",
        "verdict": verdict,
        "message": f"{verdict} at {images_seen} images",
        "evidence": {},
        "first_seen_images": images_seen if since is None else since,
        "images_seen": images_seen,
        "remedy": "by hand",
        "source": "this test",
    }


@dataclass
class Alarm:
    """Sees a problem at some moment, while the settings are not those that cure it."""

    at: int
    since: int
    cured_by: dict = field(default_factory=dict)
    verdict: str = "mode-collapse"
    went_off: int = 0

    @contextlib.contextmanager
    def __call__(self, config, _recorder):
        tables = dataclasses.asdict(config)
        cured = self.cured_by and all(
            tables[name.partition(".")[0]][name.partition(".")[2]] == value
            for name, value in self.cured_by.items()
        )

        def watch(state, _stats):
            if state.images_seen >= self.at and not cured:
                self.went_off += 1
                raise ProblemError(finding(self.at, since=self.since, verdict=self.verdict))

        yield watch


class Twice:
    """Sees a problem in the middle, and once that is mended another one at the end."""

    def __call__(self, config, recorder):
        moment = 96 if config.loss.instance_noise else 64
        return Alarm(at=moment, since=moment)(config, recorder)


@dataclass(frozen=True)
class Try:
    """A remedy of one setting."""

    setting: str
    value: float
    applies: bool = True

    @property
    def code(self):
        return self.setting

    @property
    def sentence(self):
        return f"{self.setting} to {self.value}"

    def change(self, config, size):
        assert size == 16
        return {self.setting: self.value} if self.applies else None


NOISE, R1, BETA = Try("loss.instance_noise", 0.1), Try("loss.r1", 1.0), Try("optimiser.beta1", 0.1)


@pytest.fixture
def job(store, tmp_path):
    def make(alarm, *changes, devices=1) -> Job:
        extras = Extras(callbacks=(alarm,))
        config = small("record.keep_last=9", *changes)
        return begin(
            Job(config, Store.open(store), tmp_path / "run", "cpu", devices, extras=extras)
        )

    return make


def tried(run):
    return [row["remedy"] for row in record.read(RunFolder(run).remedies, RemedyRow)]


def went_back_to(job):
    return [row["images_seen"] for row in record.read(RunFolder(job.run).remedies, RemedyRow)]


def test_a_problem_stops_the_run_saved_and_failed(job):
    mine = job(Alarm(at=40, since=24))
    outcome = execute(mine)
    assert outcome.status == "failed"
    assert outcome.images_seen == 40
    assert "mode-collapse at 40 images" in outcome.message
    assert outcome.finding == finding(40, since=24)
    assert checkpoints.readable(RunFolder(mine.run).checkpoints)[-1].state["images_seen"] == 40
    (session,) = environment.read(RunFolder(mine.run))["sessions"]
    assert session["status"] == "failed"


def test_a_problem_in_the_last_step_is_a_problem(job):
    assert execute(job(Alarm(at=96, since=96))).status == "failed"


def test_stopping_for_a_problem_forgets_no_older_checkpoint(job):
    mine = job(Alarm(at=72, since=24), "record.keep_last=1")
    execute(mine)
    saved = checkpoints.readable(RunFolder(mine.run).checkpoints)
    assert [c.state["images_seen"] for c in saved] == [64, 72]


def test_a_stopped_run_goes_on_as_if_nothing_had_been(job, train):
    mine = job(Alarm(at=40, since=40))
    execute(mine)
    execute(Job(mine.config, mine.store, mine.run, "cpu"))
    never, _ = train("never", mine.config)
    assert_same_run(never, mine.run)


@pytest.mark.usefixtures("forked")
def test_two_processes_stop_together(job):
    outcome = execute(job(Alarm(at=24, since=24), devices=2))
    assert (outcome.status, outcome.images_seen) == ("failed", 24)
    assert outcome.finding == finding(24)


def test_mending_goes_back_before_the_problem_changes_one_thing_and_finishes(job):
    alarm = Alarm(at=80, since=56, cured_by={"loss.instance_noise": 0.1})
    mine = job(alarm)
    outcome = train_with_mending(mine, {"mode-collapse": (NOISE, R1)})
    assert outcome.status == "finished"
    assert outcome.finding is None
    (row,) = record.read(RunFolder(mine.run).remedies, RemedyRow)
    assert row["images_seen"] == 32
    assert row["changed"] == ["loss.instance_noise: 0.0 -> 0.1"]
    assert row["failed_at_images"] == 80
    assert row["finding"] == finding(80, since=56)
    assert alarm.went_off == 1


def test_a_mended_run_is_the_same_bits_as_one_amended_by_hand(job, train):
    mine = job(Alarm(at=40, since=24, cured_by={"loss.r1": 1.0}), "model.normalisation=none")
    train_with_mending(mine, {"mode-collapse": (R1,)})
    began, _ = train("began", settings.override(mine.config, ["loss.r1=1"]))
    assert_same_run(began, mine.run)  # the checkpoint before 24 images is the one at 0


def test_remedies_are_tried_one_after_the_other_in_order(job):
    mine = job(Alarm(at=40, since=24, cured_by={"optimiser.beta1": 0.1}))
    train_with_mending(mine, {"mode-collapse": (R1, Try("loss.r2", 1.0, applies=False), BETA)})
    log = list(record.read(RunFolder(mine.run).remedies, RemedyRow))
    assert [row["changed"] for row in log] == [
        ["loss.r1: 0.0 -> 1.0"],
        ["optimiser.beta1: 0.5 -> 0.1"],
    ]
    assert settings.read(RunFolder(mine.run).config).loss.r1 == 1.0  # what was tried stays


def test_each_verdict_has_its_own_remedies(job):
    mine = job(Alarm(at=40, since=24, cured_by={"optimiser.beta1": 0.1}, verdict="oscillation"))
    train_with_mending(mine, {"mode-collapse": (R1,), "oscillation": (BETA,)})
    assert tried(mine.run) == ["optimiser.beta1"]


def test_a_problem_that_comes_back_no_later_sends_the_run_further_back(job):
    mine = job(Alarm(at=88, since=72))
    train_with_mending(mine, {"mode-collapse": (NOISE, R1, BETA)})
    assert went_back_to(mine) == [
        64,
        32,
        0,
    ]


def test_a_problem_that_stayed_away_for_long_is_a_new_one(job):
    # The second time, at 96 images, the run is 32 further than the 8 that it went back.
    mine = job(Twice(), "record.checkpoint_images=8")
    train_with_mending(mine, {"mode-collapse": (NOISE, R1)}, max_attempts=2)
    assert went_back_to(mine) == [
        56,
        88,
    ]


def test_a_problem_that_comes_back_soon_sends_the_run_back_twice_as_far(job):
    mine = job(Alarm(at=88, since=80), "record.checkpoint_images=8")
    train_with_mending(mine, {"mode-collapse": (NOISE, R1, BETA)})
    assert went_back_to(mine) == [
        72,
        56,
        24,
    ]


def test_a_checkpoint_from_before_anybody_looked_is_not_known_to_be_good(job):
    mine = job(Alarm(at=40, since=40, cured_by={"loss.r1": 1.0}))  # step 5; one at step 4
    assert train_with_mending(mine, {"mode-collapse": (R1,)}, unjudged_steps=5).status == "finished"
    (row,) = record.read(RunFolder(mine.run).remedies, RemedyRow)
    assert row["images_seen"] == 0


def test_without_a_good_checkpoint_the_run_begins_again(job):
    mine = job(Alarm(at=88, since=40, cured_by={"loss.r1": 1.0}), "record.keep_last=1")
    assert train_with_mending(mine, {"mode-collapse": (R1,)}).status == "finished"
    (row,) = record.read(RunFolder(mine.run).remedies, RemedyRow)
    assert row["images_seen"] == 0


def test_it_gives_up_when_nothing_is_left_and_says_what_it_tried(job):
    mine = job(Alarm(at=40, since=24))
    outcome = train_with_mending(mine, {"mode-collapse": (NOISE, R1)})
    assert outcome.status == "failed"
    assert "loss.instance_noise to 0.1; loss.r1 to 1.0; giving up" in outcome.message
    assert tried(mine.run) == ["loss.instance_noise", "loss.r1"]


def test_it_gives_up_after_a_set_number_over_all_sessions(job):
    alarm = Alarm(at=40, since=24)
    mine = job(alarm)
    remedies = {"mode-collapse": (NOISE, R1, BETA)}
    assert train_with_mending(mine, remedies, max_attempts=1).status == "failed"
    again = Job(
        settings.read(RunFolder(mine.run).config), mine.store, mine.run, "cpu", extras=mine.extras
    )
    train_with_mending(again, remedies, max_attempts=2)
    assert tried(mine.run) == ["loss.instance_noise", "loss.r1"]


@dataclass(frozen=True)
class Looks:
    """Notes what the doctor would have seen, and a problem at the end unless it is cured."""

    run: Path
    alarm: Alarm
    distances: dict[int, float]
    coverage: float = 0.5

    @contextlib.contextmanager
    def __call__(self, config, recorder):
        with self.alarm(config, recorder) as watch:

            def look(state, stats):
                if state.images_seen in self.distances:
                    row = {"images_seen": state.images_seen, "coverage": self.coverage}
                    row["distance"] = self.distances[state.images_seen]
                    record.append(RunFolder(self.run).snapshots, [row])
                watch(state, stats)

            yield look


@pytest.mark.parametrize(
    ("distances", "moment"),
    [
        ({32: 0.1, 64: 0.05, 96: 0.3}, 64),
        ({32: 0.1, 64: 0.2, 96: 0.3}, 32),
        ({32: 0.3, 64: 0.29, 96: 0.3}, 32),
        ({}, 32),
    ],
    ids=["after it began", "before", "none was better", "nobody looked"],
)
def test_the_last_good_checkpoint_is_that_with_the_best_images(job, distances, moment, tmp_path):
    alarm = Alarm(at=96, since=40, cured_by={"loss.r1": 1.0})
    looks = Looks(tmp_path / "run", alarm, distances)
    mine = job(looks, "record.checkpoint_images=32", "train.images=128")
    assert train_with_mending(mine, {"mode-collapse": (R1,)}).status == "finished"
    assert went_back_to(mine) == [moment]


@pytest.mark.parametrize(("coverage", "status"), [(0.0, "failed"), (0.01, "finished")])
def test_a_run_whose_images_cover_nothing_has_not_been_mended(job, coverage, status, tmp_path):
    looks = Looks(tmp_path / "run", Alarm(at=NEVER, since=NEVER), {64: 0.1}, coverage)
    mine = job(looks)
    outcome = train_with_mending(mine, {})
    assert outcome.status == status
    assert ("coverage 0" in outcome.message) == (status == "failed")


def test_a_verdict_without_remedies_says_so(job):
    outcome = train_with_mending(job(Alarm(at=40, since=24)), {})
    assert "no remedy" in outcome.message


def test_numbers_that_are_not_finite_are_mended_too(job):
    mine = job(
        Alarm(at=NEVER, since=0),
        "loss.game=wasserstein",
        "model.normalisation=none",
        "optimiser.lr_d=1e30",
    )
    hook = partial(
        TrainingHook,
        folder=RunFolder(mine.run),
        store=mine.store,
        on_problem="mend",
        on_finding=[].append,
    )
    mine = dataclasses.replace(mine, extras=Extras(callbacks=(hook,)))
    outcome = train_with_mending(mine, {"divergence": (Try("optimiser.lr_d", 1e-4),)})
    assert outcome.status == "finished"
    assert tried(mine.run) == ["optimiser.lr_d"]


def test_a_healthy_run_is_left_alone(job, train):
    mine = job(Alarm(at=NEVER, since=0))
    train_with_mending(mine, {"mode-collapse": (R1,)})
    plain, _ = train("plain", mine.config)
    assert_same_run(plain, mine.run)
    assert not RunFolder(mine.run).remedies.exists()
