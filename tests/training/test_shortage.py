"""Too little memory is said with what would fit, and costs nothing that was saved.

No test exhausts memory: steps raise what torch raises.
"""

import pytest
import torch

import facewright
from facewright.actions import announcement
from facewright.cli.main import main
from facewright.data.store import Store
from facewright.errors import ConfigError, RunError, is_out_of_memory
from facewright.records import checkpoints, environment, record
from facewright.records.rows import RemedyRow
from facewright.records.run_folder import RunFolder
from facewright.training import loop
from facewright.training import run as runs
from facewright.training.job import Job
from facewright.training.memory import OVERHEAD, estimate
from facewright.training.run import begin
from facewright.training.shortage import FILLED, advice
from tests.runs_equal import rows
from tests.training.conftest import announced, small

PLAIN = "model.normalisation=none"
SHAPE = (3, 16, 16)
SHORTAGES = {
    "cuda": torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB"
    ),
    "cpu": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate "
        "memory: you tried to allocate 4000 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "library": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
    "numpy": MemoryError("Unable to allocate 728. TiB for an array"),
    "python": MemoryError(),
}


@pytest.fixture
def starve(monkeypatch):
    """starve(error, step): the generator's move of that step runs out of memory."""

    def at(error: Exception, step: int) -> None:
        real_step, calls = loop.generator_step, []

        def step_or_fail(*arguments):
            calls.append(1)
            if len(calls) == step:
                raise error
            return real_step(*arguments)

        monkeypatch.setattr(loop, "generator_step", step_or_fail)

    return at


@pytest.mark.parametrize("error", SHORTAGES.values(), ids=SHORTAGES)
def test_every_way_to_run_out_of_memory_is_known(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory")])
def test_other_errors_are_left_alone(error, train, starve):
    assert not is_out_of_memory(error)
    starve(error, 2)
    with pytest.raises(type(error), match=str(error)):
        train("run", small())


def test_the_message_holds_what_was_tried_what_is_needed_and_what_would_fit(train, starve):
    starve(SHORTAGES["cuda"], 6)
    with pytest.raises(RunError) as refusal:
        train("run", small(PLAIN))
    said = refusal.value
    assert "8 images of a batch of 8 at once, asking for 2.00 GiB" in said.what
    assert "saved at 32 images" in said.what
    need = estimate(small(PLAIN), SHAPE)
    assert f"about {(need.total + OVERHEAD['cpu']) / 2**20:,.0f} MiB" in said.expected
    assert "the doctor and scores 450;" in said.expected
    assert "--micro-batch 4" in said.fix
    assert "train.batch=4" in said.fix


def test_the_last_checkpoint_is_intact_and_the_run_goes_on_in_micro_batches(train, starve, store):
    whole, _ = train("whole", small(PLAIN))
    starve(SHORTAGES["cpu"], 6)
    with pytest.raises(RunError, match="asking for 4000 bytes"):
        train("run", small(PLAIN))
    run = whole.with_name("run")
    (session,) = environment.read(RunFolder(run))["sessions"]
    assert session["status"] == "failed"
    newest, damaged = checkpoints.sound(RunFolder(run).checkpoints)
    assert (newest.state["images_seen"], damaged) == (32, [])
    assert facewright.resume(run, micro_batch=2, device="cpu").outcome.status == "finished"
    (change,) = record.read(RunFolder(run).remedies, RemedyRow)
    assert change["changed"] == ["train.micro_batch: 0 -> 2"]
    pairs = zip(rows(whole / "steps.jsonl"), rows(run / "steps.jsonl"), strict=True)
    for one, other in pairs:
        assert other["d_loss"] == pytest.approx(one["d_loss"], rel=1e-3)
        assert other["g_grad_norm"] == pytest.approx(one["g_grad_norm"], rel=1e-3)


def test_without_a_shortage_the_same_command_goes_on_bit_for_bit(train):
    plan = small(PLAIN, "train.micro_batch=2")
    whole, _ = train("whole", plan)
    run, _ = train("run", small(PLAIN, "train.micro_batch=2", "train.images=40"))
    facewright.resume(run, micro_batch=2, images=96, device="cpu")
    assert not RunFolder(run).remedies.exists()
    assert rows(whole / "steps.jsonl") == rows(run / "steps.jsonl")


def test_a_batch_that_cannot_be_divided_is_said_not_advised(train, starve):
    starve(SHORTAGES["python"], 2)
    with pytest.raises(RunError) as refusal:
        train("run", small())
    assert "--micro-batch" not in refusal.value.fix
    assert "train.batch=4" in refusal.value.fix
    assert "batch norm" in refusal.value.fix


def test_going_on_in_micro_batches_that_would_differ_is_refused_and_changes_nothing(train):
    run, _ = train("run", small("train.images=32"))
    before = RunFolder(run).config.read_text()
    with pytest.raises(ConfigError, match="batch norm"):
        facewright.resume(run, micro_batch=4, images=64, device="cpu")
    assert RunFolder(run).config.read_text() == before
    assert not RunFolder(run).remedies.exists()


@pytest.mark.parametrize("devices", [1, 2])
def test_the_advised_number_of_images_is_the_largest_power_of_two_that_fits(devices, tmp_path):
    plan = small(PLAIN, "model.width=16", "train.batch=1000")
    limit = estimate(small(PLAIN, "model.width=16", "train.batch=64"), SHAPE).total
    fitting = advice(plan, SHAPE, devices, int(limit / FILLED) + 1, 0)
    beside = 100 * 2**20
    with_overhead = advice(plan, SHAPE, devices, int((limit + beside) / FILLED) + 1, beside)
    assert with_overhead == fitting
    less = advice(plan, SHAPE, devices, int((limit + beside) / FILLED) - 100, beside)
    assert less.batch == fitting.batch // 2
    assert (fitting.micro_batch, fitting.batch) == (64, 64 * devices)
    nothing = advice(plan, SHAPE, devices, 2**20, 0)
    assert (nothing.micro_batch, nothing.batch) == (0, 0)
    assert nothing.in_words(tmp_path).endswith("a smaller model.width")


def test_residual_networks_are_made_narrower_by_their_own_setting(tmp_path):
    residual = small("model.name=resnext", "model.widths=[8, 8]", "model.group_width=8")
    assert advice(residual, SHAPE, 1, 2**20, 0).in_words(tmp_path).endswith("model.widths")


@pytest.mark.parametrize(("at_once", "half"), [(8, 4), (5, 4), (2, 1), (1, 0)])
def test_where_the_memory_is_not_known_half_as_many_are_advised(at_once, half):
    plan = small(PLAIN, "train.batch=16", f"train.micro_batch={at_once}")
    assert advice(plan, SHAPE, 1, None, 0).micro_batch == half


def test_a_run_that_will_not_fit_is_said_before_it_starts(store, tmp_path, monkeypatch):
    job = begin(Job(small(PLAIN), Store.open(store), tmp_path / "run", "cpu"))
    notes = announced(job)
    assert "there are only" not in notes
    whole = estimate(job.config, SHAPE).total + OVERHEAD["cpu"]
    assert f"memory: about {whole / 2**20:,.0f} MiB with the doctor and scores" in notes
    for available, short in ((whole - 1, True), (whole, False)):
        monkeypatch.setattr(announcement, "available_memory", lambda *_, found=available: found)
        notes = announced(job)
        words = f"there are only {available / 2**20:,.0f} MiB"
        assert (words in notes) is short


@pytest.mark.parametrize(("times", "refused"), [(0.49, True), (0.51, False)])
def test_a_run_that_no_memory_here_could_hold_is_refused_and_leaves_no_folder(
    times, refused, store, tmp_path, monkeypatch
):
    """The estimate may be wrong by a factor of two, and no more."""
    whole = estimate(small(PLAIN), SHAPE).total
    monkeypatch.setattr(runs, "available_memory", lambda *_: int(times * whole))
    run = tmp_path / "run"
    if not refused:
        begin(Job(small(PLAIN), Store.open(store), run, "cpu"))
        return
    with pytest.raises(RunError, match="where there are") as refusal:
        begin(Job(small(PLAIN), Store.open(store), run, "cpu"))
    assert refusal.value.fix
    assert not run.exists()


@pytest.mark.parametrize("change", ["model.kernel=9", "model.name=resnext"])
def test_networks_that_cannot_be_built_leave_no_folder_either(change, store, tmp_path):
    with pytest.raises(ConfigError, match=r"kernel = 9|widths is empty"):
        begin(Job(small(change), Store.open(store), tmp_path / "run", "cpu"))
    assert not (tmp_path / "run").exists()


def test_a_command_that_runs_out_of_memory_ends_with_2_and_a_way_out(monkeypatch, capsys):
    def greedy(name: str, words: list[str]):
        raise SHORTAGES["numpy"]

    monkeypatch.setattr("facewright.cli.main._call", greedy)
    assert main(["prepare", "photos"]) == 2
    said = capsys.readouterr().err
    assert "out of memory: Unable to allocate 728. TiB" in said
    assert "fewer --workers" in said
