"""What is timed is training's own step, for seconds, and what takes too much is left out."""

import contextlib
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from facewright import settings
from facewright.data.store import Store
from facewright.errors import FacewrightError, RunError
from facewright.planning import speed as subject
from facewright.planning.speed import SpeedTrial, climb, measure, timed
from facewright.training.memory import estimate
from facewright.training.shortage import FILLED
from tests.planning.conftest import speed
from tests.stores import write_store
from tests.training.conftest import small


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store.open(write_store(tmp_path_factory.mktemp("stores") / "blobs"))


@pytest.mark.parametrize(
    ("batch", "way", "wanted"),
    [
        (64, [2, 8], [32, 64, 128]),
        (256, [2, 8, 32], [128, 256, 512]),
        (100, [3, 12], [50, 100, 200]),
        (8, [], [4, 8, 16]),
        (2, [], [2, 4]),
    ],
)
def test_the_way_to_the_batch_is_short_and_begins_low(batch, way, wanted):
    steps = list(climb(batch))
    assert [size for size, _ in steps] == way + wanted
    assert [seconds for size, seconds in steps if size in wanted] == [subject.SECONDS] * len(wanted)
    assert all(seconds < subject.SECONDS / 10 for size, seconds in steps if size in way)


def trial(store: Store, *changes: str, seconds: float = 0.0, batch: int = 8) -> SpeedTrial:
    return SpeedTrial(small(*changes), store, "cpu", batch, seconds, 1)


def test_the_real_step_is_timed_on_the_stores_photos(store, monkeypatch):
    real, dealt, shown = subject.train_until, [], []

    def train_until(state, config, *, batches, **others):
        dealt.append((batches.pixels.shape, batches.batch, batches.at(0).shape))
        before = state.images_seen
        real(state, config, batches=batches, **others)
        shown.append(state.images_seen - before)

    monkeypatch.setattr(subject, "train_until", train_until)
    found = timed(trial(store, batch=16))
    assert set(dealt) == {(store.train.shape, 16, (16, 3, 16, 16))}
    assert set(shown) == {16}
    assert found.batch == 16
    assert 0 < found.low <= found.images_per_second <= found.high
    assert found.memory_bytes is None or found.memory_bytes > 0


@pytest.fixture
def paced(monkeypatch, clock):
    """paced(seconds, ...): the steps take so long, the last of them all others; -> what was run."""

    def steps(*seconds: float):
        left, runs = list(seconds), []

        def train_until(state, config, **_):
            shown = config.train.batch * config.train.d_steps
            count = (config.train.images - state.images_seen) // shown
            assert count * shown == config.train.images - state.images_seen
            for _ in range(count):
                clock(left.pop(0) if len(left) > 1 else left[0])
            state.images_seen = config.train.images
            runs.append((count, config))

        monkeypatch.setattr(subject, "train_until", train_until)
        return runs

    return steps


def test_speed_counts_real_images_shown_to_the_discriminator(store, paced):
    paced(0.5)
    assert timed(trial(store)).images_per_second == pytest.approx(16)
    assert timed(trial(store, "train.d_steps=3")).images_per_second == pytest.approx(48)


def test_the_first_steps_do_not_count(store, paced):
    paced(100.0, 0.5)
    found = timed(trial(store))
    assert (found.low, found.high) == pytest.approx((16, 16))
    paced(100.0, 0.05, 0.01)
    found = timed(trial(store, seconds=1.0))
    assert (found.low, found.high) == pytest.approx((800, 800))


def test_the_median_and_both_ends_are_told(store, paced):
    paced(9, 4, 1, 8, 2, 1)
    found = timed(trial(store, seconds=20.0))
    told = (found.low, found.images_per_second, found.high)
    assert told == pytest.approx((1, 4, 8))


def test_time_is_kept_by_rounds_of_many_steps(store, paced):
    runs = paced(0.01)
    found = timed(trial(store, seconds=1.0))
    assert [count for count, _ in runs] == [1, 1, 20, 20, 20, 20, 20]
    assert found.images_per_second == pytest.approx(800)


def test_slow_steps_are_timed_twice_and_no_more(store, paced):
    runs = paced(10.0)
    timed(trial(store, seconds=1.0))
    assert [count for count, _ in runs] == [1, 1, 1]


def test_rounds_hold_whole_cycles_of_lazy_penalties(store, paced):
    lazy = ("loss.r1=1", "loss.penalty_every=4", "model.normalisation=none")
    runs = paced(0.1)
    timed(trial(store, *lazy, seconds=1.0))
    assert [count for count, _ in runs[1:]] == [4] * 3
    runs = paced(0.1)
    timed(trial(store, *lazy, "train.d_steps=2", seconds=1.0))
    assert [count for count, _ in runs[1:]] == [2] * 5


def test_the_burn_in_does_not_hide_what_comes_later(store, paced):
    runs = paced(0.1)
    timed(trial(store, "schedule.images=1000", "schedule.augment_from=0", batch=16))
    assert all(config.schedule.images == 0 for _, config in runs)
    assert all(config.train.batch == 16 for _, config in runs)


def test_adaptive_distortions_are_timed_as_many_as_they_may_become(store, paced):
    runs = paced(1.0, 1.0, 1.0)
    timed(trial(store, "augment.adaptive=true", "augment.maximum=0.6", batch=16))
    assert {(c.augment.adaptive, c.augment.probability) for _, c in runs} == {(False, 0.6)}


class Process:
    """Answers like the real one: with a number of images per second, an error, or not at all."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.asked = list(answers), list[SpeedTrial]()

    def send(self, trial: SpeedTrial) -> None:
        self.asked.append(trial)

    def poll(self, _seconds: float) -> bool:
        return self.answers[0] != "silence"

    def recv(self) -> object:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, EOFError):
            raise answer
        if isinstance(answer, Exception):
            return False, answer
        assert isinstance(answer, float)
        return True, speed(self.asked[-1].batch, answer)


@pytest.fixture
def process(monkeypatch):
    """process(answers): the process beside this one, of which the last answer is repeated."""

    def started(*answers: object) -> Process:
        mine = Process(*answers)

        @contextmanager
        def crew(_work, workers):
            assert workers == 1
            yield [mine]

        monkeypatch.setattr(subject, "crew", crew)
        return mine

    return started


def asked(mine: Process) -> list[int]:
    return [trial.batch for trial in mine.asked]


CONFIG = small("train.batch=64")


def test_the_recipes_batch_and_its_neighbours_are_reported(store, process):
    mine = process(1e6)
    assert [s.batch for s in measure(CONFIG, store, "cpu", None)] == [32, 64, 128]
    assert asked(mine) == [2, 8, 32, 64, 128]
    assert all((t.accelerator, t.store) == ("cpu", store) for t in mine.asked)
    assert {t.threads for t in mine.asked} == {torch.get_num_threads()}


def test_a_batch_that_would_take_too_long_is_not_begun(store, process):
    # Three steps at least: with 5 images/s, batches of 8 take 4.8 s and of 32 take 19.2.
    mine = process(5.0)
    assert [s.batch for s in measure(CONFIG, store, "cpu", None)] == [2, 8]
    assert asked(mine) == [2, 8]
    lazy = settings.override(CONFIG, ["loss.penalty_every=4"])  # nine steps
    assert [s.batch for s in measure(lazy, store, "cpu", None)] == [2]


def test_every_update_of_the_discriminator_takes_its_time(store, process):
    process(20.0)  # of batches of 64 three steps show 192 images, or 384
    assert [s.batch for s in measure(CONFIG, store, "cpu", None)] == [8, 32, 64]
    twice = settings.override(CONFIG, ["train.d_steps=2"])
    assert [s.batch for s in measure(twice, store, "cpu", None)] == [2, 8, 32]


def test_the_speed_of_the_batch_before_tells(store, process):
    process(5.0, 1_000.0)
    assert [s.batch for s in measure(CONFIG, store, "cpu", None)] == [32, 64, 128]


def test_a_batch_that_would_not_fit_is_not_begun(store, process):
    available = int(estimate(CONFIG, store.shape).total / FILLED) + 1
    mine = process(1e6)
    assert [s.batch for s in measure(CONFIG, store, "cpu", available)] == [8, 32, 64]
    assert asked(mine) == [2, 8, 32, 64]


@pytest.mark.parametrize(
    "end", ["silence", EOFError(), MemoryError(), torch.OutOfMemoryError("CUDA out of memory.")]
)
def test_a_process_that_is_lost_leaves_what_it_has_said(end, store, process):
    process(1e6, 1e6, end)
    reported = []
    # An error that escapes leaves nothing reported: an assertion fails, as planted mistakes need.
    with contextlib.suppress(MemoryError, RuntimeError, EOFError):
        reported = [s.batch for s in measure(CONFIG, store, "cpu", None)]
    assert reported == [2, 8]


def test_where_nothing_was_said_the_way_out_is(store, process):
    process("silence")
    with pytest.raises(RunError) as refusal:
        measure(CONFIG, store, "cpu", 2**40)
    assert "no step of 2 images" in refusal.value.what
    assert "--size 28" in refusal.value.fix


@pytest.mark.parametrize(
    "error", [FacewrightError("mine", expected="e", fix="f"), RuntimeError("shapes differ")]
)
def test_other_errors_arrive_here(error, store, process):
    process(1e6, error)
    with pytest.raises(type(error), match=str(error)):
        measure(CONFIG, store, "cpu", None)


def test_where_the_system_does_not_say_memory_is_not_known(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(subject, "STATUS", Path("/nowhere"))
    assert subject.peak_memory(cpu) is None


def test_the_peak_of_memory_is_in_bytes(monkeypatch, tmp_path):
    (tmp_path / "status").write_text("VmPeak:\t 9000 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n")
    monkeypatch.setattr(subject, "STATUS", tmp_path / "status")
    assert subject.peak_memory(torch.device("cpu")) == 2**21
