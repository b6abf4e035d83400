"""A run that begins with another model's weights: what fits is taken, the rest is said."""

import dataclasses
import json
import math
import shutil
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

import facewright
from facewright.actions.beginning import in_words
from facewright.cli.main import main
from facewright.config import Config
from facewright.data.store import Store
from facewright.errors import CheckpointError, RunError
from facewright.models.bundle import About, Bundle
from facewright.models.open_model import Model, open_model
from facewright.records import checkpoints, environment
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.reporting.sections import subtitle
from facewright.training.amend import amend
from facewright.training.job import Job
from facewright.training.run import begin, execute
from facewright.training.state import fresh_state
from facewright.training.transfer import age_of_average, begin_with, match
from tests.models.examples import CARD
from tests.runs_equal import assert_same_run, rows
from tests.training.conftest import SMALL, small

CPU = torch.device("cpu")
SHAPE = (3, 16, 16)


@pytest.fixture(scope="module")
def old(store, tmp_path_factory) -> Path:
    """A run of 48 images, with batch norm, of which the last checkpoint counts."""
    job = Job(
        small("train.images=48"), Store.open(store), tmp_path_factory.mktemp("runs") / "old", "cpu"
    )
    execute(begin(job))
    return job.run


def tensors(run: Path, images: int) -> dict[str, torch.Tensor]:
    found = checkpoints.readable(RunFolder(run).checkpoints)
    return next(c for c in found if c.state["images_seen"] == images).tensors("weights")


def begun(store: Path, run: Path, old: Path, *changes: str) -> Job:
    return begin(
        Job(small("train.seed=9", *changes), Store.open(store), run, "cpu"), open_model(old)
    )


def test_between_equal_networks_every_tensor_is_taken(old, store, tmp_path):
    job = begun(store, tmp_path / "run", old, "train.images=8", "record.keep_last=9")
    execute(job)
    taken, given = tensors(job.run, 0), tensors(old, 48)
    assert taken.keys() == given.keys()
    # The averaged one's statistics are of the latents of this run's own seed.
    same = [name for name in given if not (name.startswith("ema.") and ".running_" in name)]
    assert all(torch.equal(taken[name], given[name]) for name in same)
    assert any(not torch.equal(given[f"ema.{n}"], given[f"generator.{n}"]) for n in NAMES)


NAMES = ("project.weight", "layers.2.weight", "layers.5.weight")


def test_optimisers_and_counters_start_afresh(old, store, tmp_path):
    job = begun(store, tmp_path / "run", old, "train.images=8", "record.keep_last=9")
    execute(job)
    first, last = checkpoints.readable(RunFolder(job.run).checkpoints)
    assert first.state["step"] == first.state["images_seen"] == 0
    assert not first.tensors("optimisers")
    assert last.tensors("optimisers")["generator.adam.0.step"] == 1


STILL = ("optimiser.lr_g=0", "optimiser.lr_d=0", "train.ema_images=1000", "record.keep_last=9")


def part_gone(run: Path, given: dict[str, torch.Tensor], images: int) -> float:
    """How far the average has gone from the donor's to the generator, which stands still."""
    name = "project.weight"
    whole = given[f"generator.{name}"] - given[f"ema.{name}"]
    return float((tensors(run, images)[f"ema.{name}"] - given[f"ema.{name}"]).norm() / whole.norm())


def test_the_average_that_was_taken_is_as_old_as_its_training_also_after_a_stop(
    old, store, tmp_path
):
    """Of a generator that stands still: 0.1 of 48 + n images is the half-life after n."""
    job = begun(store, tmp_path / "run", old, *STILL, "train.images=16")
    execute(job)
    longer = small("train.seed=9", *STILL, "train.images=24")
    execute(Job(longer, Store.open(store), tmp_path / "run", "cpu"))
    for images, ages in ((16, (56, 64)), (24, (56, 64, 72))):
        left = math.prod(0.5 ** (8 / (0.1 * age)) for age in ages)
        assert part_gone(job.run, tensors(old, 48), images) == pytest.approx(1 - left, rel=1e-3)


def test_an_average_that_is_new_in_part_is_young(old, store, tmp_path):
    job = begun(store, tmp_path / "run", old, *STILL, "model.z_dim=12", "train.images=8")
    execute(job)
    assert age_of_average(checkpoints.read(RunFolder(job.run).init).state) == 0
    assert age_of_average(begin_with(open_model(old), small(), SHAPE).report()) == 48


def test_the_mean_of_past_weights_begins_with_those_taken(old, store, tmp_path):
    job = begun(store, tmp_path / "run", old, "loss.historical_averaging=1", "train.images=8")
    execute(job)
    (first,) = rows(job.run / "steps.jsonl")
    assert first["d_penalty"] == 0


def test_where_the_latents_are_longer_only_their_layer_is_left(old, store, tmp_path):
    config = small("train.seed=9", "model.z_dim=12")
    start = begin_with(open_model(old), config, SHAPE)
    found = start.matches["generator"]
    assert (found.layers_taken, found.layers) == (2, 3)
    assert found.reshaped == ["project.weight: 128x8 -> 128x12"]
    assert (found.new, found.elsewhere, found.unused) == ([], [], [])
    assert start.differences == ["model.z_dim: 8 -> 12"]
    fresh, given = fresh_state(config, SHAPE, CPU), tensors(old, 48)
    first = fresh.generator.network.state_dict()["project.weight"]
    assert torch.equal(start.weights["generator.project.weight"], first)
    assert torch.equal(start.weights["ema.project.weight"], first)
    assert torch.equal(start.weights["ema.layers.2.weight"], given["ema.layers.2.weight"])


def test_photos_of_another_size_but_as_many_stages_keep_the_filters(old):
    start = begin_with(open_model(old), small(), (3, 24, 24))  # maps of 24, 12, 6; there 16, 8, 4
    assert start.matches["generator"].layers_taken == 2
    assert start.matches["discriminator"].layers_taken == 2
    assert start.matches["discriminator"].reshaped == ["verdict.linear.weight: 1x128 -> 1x288"]
    assert start.differences == ["photos (C, H, W): 3x16x16 -> 3x24x24"]


@pytest.mark.parametrize(
    ("changes", "difference", "fix"),
    [
        (["model.width=8"], "model.width: 4 -> 8", "--set model.width=4"),
        (["model.kernel=3"], "model.kernel: 5 -> 3", "--set model.kernel=5"),
        (["model.activation=relu"], "model.activation: leaky-relu -> relu", "leaky-relu"),
        (["model.normalisation=none"], "model.normalisation: batch -> none", "=batch"),
        # The generators are alike; the names of the discriminators' weights are not.
        (["model.normalisation=spectral"], "model.normalisation: batch -> spectral", "=batch"),
        (["model.name=mlp"], "model.name: dcgan -> mlp", "--set model.name=dcgan"),
    ],
)
def test_a_model_of_another_kind_is_refused_with_what_differs(
    changes, difference, fix, old, store, tmp_path
):
    with pytest.raises(RunError) as refusal:
        begun(store, tmp_path / "run", old, *changes)
    assert difference in refusal.value.what
    assert "layers of the generator" in refusal.value.what
    assert fix in refusal.value.fix
    assert not (tmp_path / "run").exists()


def test_with_another_number_of_stages_a_place_in_the_row_means_another_layer(old):
    """Some tensors fit by name and shape, and would be in the wrong place."""
    deeper = small()
    with pytest.raises(RunError, match="in a row that is built differently") as refusal:
        begin_with(open_model(old), deeper, (3, 32, 32))
    assert "3x16x16 -> 3x32x32" in refusal.value.what
    assert "16x16 pixels" in refusal.value.fix


def test_photos_of_another_ratio_are_refused(old):
    with pytest.raises(RunError, match="16x16 pixels, the photos have 16x32"):
        begin_with(open_model(old), small(), (3, 16, 32))


RESIDUAL = ("model.name=resnext", "model.group_width=8")


def test_residual_networks_grow_and_shrink_by_the_size_of_their_maps():
    few = small(*RESIDUAL, "model.widths=[8, 8]")
    many = small(*RESIDUAL, "model.widths=[8, 8, 8]", "train.seed=9")
    donor = of_state(few, (3, 16, 16))
    grown = begin_with(donor, many, (3, 32, 32))
    for found in grown.matches.values():
        assert found.new
        assert all(".32x32." in name for name in found.new)
        assert (found.reshaped, found.elsewhere, found.unused) == ([], [], [])
    shrunk = begin_with(of_state(many, (3, 32, 32)), few, (3, 16, 16))
    assert all(found.layers_taken == found.layers for found in shrunk.matches.values())
    # Maps of 8 and 16 pixels there, of 12 and 24 here: no name says the same.
    with pytest.raises(RunError, match="2 of 15 layers of the discriminator") as refusal:
        begin_with(of_state(many, (3, 32, 32)), few, (3, 24, 24))
    assert refusal.value.fix == "--set 'model.widths=[8, 8, 8]', and a store of 32x32 pixels"


def of_state(config: Config, shape: tuple[int, int, int]) -> Model:
    """A model that was never trained."""
    networks = fresh_state(config, shape, CPU).networks()
    weights = {name: network.state_dict() for name, network in networks.items()}
    path = Path("model")
    bundle = Bundle(path, About(config.model, shape, CARD), "", weights)
    return Model("model", path, config.model, shape, 0, "", bundle)


def block(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Conv2d(width, width, 3), nn.ReLU())


def named(*sizes: int, width: int = 4) -> nn.Module:
    return nn.ModuleDict({f"{size}x{size}": block(width) for size in sizes})


def test_names_that_say_what_they_are_keep_their_meaning_across_sizes():
    small_one, large_one = named(7, 14), named(7, 14, 28)
    found = match(small_one.state_dict(), small_one, large_one)
    assert found.taken == ["7x7.0.weight", "7x7.0.bias", "14x14.0.weight", "14x14.0.bias"]
    assert found.new == ["28x28.0.weight", "28x28.0.bias"]
    assert (found.layers_taken, found.layers) == (2, 3)
    back = match(large_one.state_dict(), large_one, small_one)
    assert back.unused == found.new
    assert not back.new


def test_a_row_that_is_built_differently_is_left_whole_and_only_that_row():
    there = nn.ModuleDict({"a": block(), "b": nn.Sequential(nn.Conv2d(4, 4, 3), nn.Tanh())})
    here = nn.ModuleDict({"a": block(), "b": nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU())})
    found = match(there.state_dict(), there, here)
    assert found.taken == ["a.0.weight", "a.0.bias"]
    assert found.elsewhere == ["b.0.weight", "b.0.bias"]


def test_in_a_row_alone_a_layer_more_shifts_all_that_follow():
    there, here = nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    found = match(there.state_dict(), there, here)
    assert found.taken == []
    assert found.elsewhere == ["0.weight", "0.bias"]


def test_a_row_with_names_of_its_own_is_no_row_of_numbers():
    there = nn.Sequential(OrderedDict(first=nn.Linear(2, 2), act=nn.ReLU()))
    here = nn.Sequential(OrderedDict(zeroth=nn.Linear(2, 2), first=nn.Linear(2, 2)))
    assert match(there.state_dict(), there, here).taken == ["first.weight", "first.bias"]


def test_every_tensor_is_in_one_list():
    there, here = named(7, 14, 28), named(14, 28, width=8)
    found = match(there.state_dict(), there, here)
    left = [line.partition(":")[0] for line in found.reshaped]
    lists = [*found.taken, *found.new, *left, *found.elsewhere]
    assert sorted(lists) == sorted(here.state_dict())
    assert sorted([*lists, *found.unused]) == sorted({**there.state_dict(), **here.state_dict()})


def test_a_model_without_a_judge_gives_what_it_has(old, store, tmp_path):
    """As bundles often are: the EMA generator alone."""
    whole = open_model(old)
    about = About(whole.architecture, whole.shape, CARD)
    bundle = Bundle(Path("alone"), about, "", {"generator": whole.networks["ema"]})
    alone = dataclasses.replace(whole, source=bundle)
    job = begin(Job(small("train.seed=9"), Store.open(store), tmp_path / "run", "cpu"), alone)
    first = checkpoints.read(RunFolder(job.run).init)
    weights, judge = first.tensors("weights"), first.state["networks"]["discriminator"]
    for network in ("generator", "ema"):
        for name, tensor in whole.networks["ema"].items():
            assert torch.equal(weights[f"{network}.{name}"], tensor)
    fresh = fresh_state(job.config, SHAPE, CPU).discriminator.network.state_dict()
    assert (judge["taken"], sorted(judge["new"])) == ([], sorted(fresh))
    assert all(torch.equal(weights[f"discriminator.{n}"], fresh[n]) for n in fresh)
    assert execute(job).status == "finished"


def test_a_discriminator_that_begins_with_nothing_is_said_plainly(old, store, tmp_path):
    whole = open_model(old)
    about = About(whole.architecture, whole.shape, CARD)
    bundle = Bundle(Path("alone"), about, "", {"generator": whole.networks["ema"]})
    alone = dataclasses.replace(whole, source=bundle)

    def said(name: str, donor: Model, *changes: str) -> str:
        job = Job(small("train.seed=9", *changes), Store.open(store), tmp_path / name, "cpu")
        return in_words(RunFolder(begin(job, donor).run))

    words = said("plain", alone)
    assert "generator: 3 of 3 layers taken" in words
    assert "discriminator: 0 of 3 layers taken" in words
    assert "the discriminator begins with random weights" in words
    assert "--set train.hold_generator=9 lets it learn alone" in words
    assert "learns alone for 40 images" in said("held", alone, "train.hold_generator=40")
    assert "random weights" not in said("whole", whole)


def test_a_resumed_run_equals_an_uninterrupted_one_and_needs_no_other_model(old, store, tmp_path):
    whole = begun(store, tmp_path / "whole", old)
    execute(whole)
    copy = tmp_path / "copy"
    shutil.copytree(old, copy)
    parts = begun(store, tmp_path / "parts", copy)
    shutil.rmtree(copy)
    execute(dataclasses.replace(parts, config=small("train.seed=9", "train.images=40")))
    for name in ("train.images=40", "train.images=96"):
        execute(Job(small("train.seed=9", name), Store.open(store), parts.run, "cpu"))
    assert_same_run(whole.run, parts.run)
    for run in (whole.run, parts.run):
        assert environment.read(RunFolder(run))["facewright"]["init_from"]["images_seen"] == 48


def test_killed_before_its_first_checkpoint_a_run_begins_with_the_same_weights(
    old, store, tmp_path
):
    whole = begun(store, tmp_path / "whole", old)
    execute(whole)
    killed = begun(store, tmp_path / "killed", old)
    execute(Job(small("train.seed=9"), Store.open(store), killed.run, "cpu"))
    assert_same_run(whole.run, killed.run)


def test_back_at_the_very_beginning_a_run_has_the_weights_it_began_with(old, store, tmp_path):
    whole = begun(store, tmp_path / "whole", old)
    execute(whole)
    again = begun(store, tmp_path / "again", old, "train.images=16")
    execute(again)
    amend(again.run, None, small("train.seed=9"), {})
    execute(Job(small("train.seed=9"), Store.open(store), again.run, "cpu"))
    assert_same_run(whole.run, again.run)


def test_damaged_first_weights_are_noticed(old, store, tmp_path):
    job = begun(store, tmp_path / "run", old)
    (RunFolder(job.run).init / "weights.safetensors").write_bytes(b"harm")
    with pytest.raises(CheckpointError, match="damaged"):
        execute(job)


def test_a_checkpoint_may_be_named_itself(old):
    early = next(RunFolder(old).checkpoints.glob("000000k*"))
    assert open_model(early).images_seen in (0, 32, 48)
    assert open_model(early).path == early
    assert open_model(early).name == f"old at {early.name}"
    with pytest.raises(RunError, match="no run folder"):
        open_model(RunFolder(old).checkpoints)


def test_a_model_is_called_by_its_run_from_wherever_it_is_named(old, store, tmp_path, monkeypatch):
    job = begun(store, tmp_path / "young", old)
    for folder, named, called in [
        (old, ".", "old at 0"),
        (RunFolder(old).checkpoints, next(RunFolder(old).checkpoints.iterdir()).name, "old at 0"),
        (job.run, "init", "young at init"),
        (tmp_path, "young/init", "young at init"),
    ]:
        monkeypatch.chdir(folder)
        assert open_model(Path(named)).name.startswith(called)


WORDS = [f"{s}.{k}={v}" for s, values in SMALL.items() for k, v in values.items() if k != "images"]


def test_the_command_says_what_was_taken_and_records_it(old, store, tmp_path, capsys):
    run = tmp_path / "run"
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(run)]
    words += ["--images", "16", "--device", "cpu", "--init-from", str(old), "--json", "--set"]
    plain = ["model.normalisation=batch", "loss.game=non-saturating", "model.kernel=5"]
    assert main([*words, *WORDS, *plain, "model.activation=leaky-relu", "model.z_dim=10"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["images_seen"] == 16
    assert "generator: 2 of 3 layers taken" in said.err
    assert "project.weight: 128x8 -> 128x10" in said.err
    assert "model.z_dim: 8 -> 10" in said.err
    report = checkpoints.read(RunFolder(run).init).state["init_from"]
    newest, _ = checkpoints.sound(RunFolder(old).checkpoints)
    assert report["sha256"] == newest.state["sha256"]["weights.safetensors"]
    assert environment.read(RunFolder(run))["facewright"]["init_from"] == report
    assert "begun with old at" in subtitle(RunHistory.read(run))


def test_the_command_refuses_a_misfit_with_2(old, store, tmp_path, capsys):
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(tmp_path / "r")]
    assert main([*words, "--init-from", str(old), "--set", "model.width=16"]) == 2
    assert "model.width: 4 -> 16" in capsys.readouterr().err
    with pytest.raises(RunError, match="does not exist"):
        facewright.train(
            recipe="drawn-32", data=store, out=tmp_path / "r", init_from=tmp_path / "nowhere"
        )


def test_the_weights_that_a_run_began_with_are_a_model_to_begin_with(old, store, tmp_path):
    first = begun(store, tmp_path / "first", old)
    init = RunFolder(first.run).init
    second = begin(Job(small(), Store.open(store), tmp_path / "second", "cpu"), open_model(init))
    weights = [
        checkpoints.read(RunFolder(job.run).init).tensors("weights") for job in (first, second)
    ]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
