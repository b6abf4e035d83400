"""A conditional run: the generator obeys, and what cannot be obeyed is refused."""

import json

import numpy as np
import pytest
import torch

from facewright.data.store import Store
from facewright.errors import ConfigError, RunError
from facewright.models.open_model import open_model
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.sampling.sample import latents_to_images, sample, with_labels
from facewright.training.job import Job
from facewright.training.run import begin, execute
from tests.runs_equal import assert_same_run
from tests.stores import write_two_colours
from tests.training.conftest import small

TOLD = 'data.labels=["reddish", "quarter"]'


def redness(generator, request: str) -> np.ndarray:
    """(N,) how much more red than blue images are that were asked for, in [-1, 1]."""
    pixels = sample(with_labels(generator, [request]), count=64, seed=1) / 255.0
    return (pixels[..., 0] - pixels[..., 2]).mean(axis=(1, 2))


def test_a_generator_learns_to_do_as_it_is_told(tmp_path):
    store = write_two_colours(tmp_path / "store")
    config = small(
        "model.name=mlp",
        "model.width=16",
        'data.labels=["red"]',
        "loss.game=relativistic",
        "loss.r1=0.1",
        "train.images=3200",
        "train.batch=16",
        "train.ema_images=200",
        "optimiser.lr_g=1e-3",
        "optimiser.lr_d=1e-3",
        "record.checkpoint_images=3200",
        "record.sample_images=3200",
    )
    job = Job(config, Store.open(store), tmp_path / "run", "cpu")
    begin(job)
    execute(job)
    generator = open_model(job.run)
    red, blue = redness(generator, "red=1"), redness(generator, "red=0")
    assert (red > 0).mean() > 0.9
    assert (blue < 0).mean() > 0.9


def test_the_checkpoint_says_what_can_be_asked_for(train, store):
    run, _ = train("run", small(TOLD))
    meaning = open_model(run).conditioning
    assert [label.name for label in meaning.labels] == ["reddish", "quarter"]
    assert meaning.counts.sum() == 72
    assert 0 < meaning.unknown["reddish"] < 0.2


def test_an_image_of_a_seed_is_the_same_whatever_the_count(train):
    generator = open_model(train("run", small(TOLD))[0])
    many, few = (sample(generator, count=count, seed=3) for count in (70, 5))
    assert np.array_equal(many[:5], few)
    asked = sample(with_labels(generator, ["quarter=2"]), count=5, seed=3)
    assert not np.array_equal(asked, few)


def test_labels_are_part_of_the_game_from_the_first_step(train):
    told, plain = (train(name, small(*set_))[0] for name, set_ in (("a", (TOLD,)), ("b", ())))
    with pytest.raises(AssertionError):
        assert_same_run(told, plain)


def test_a_checkpoint_from_before_labels_is_gone_on_with(train):
    whole, _ = train("whole", small())
    parts, _ = train("parts", small("train.images=40"))
    folder = RunFolder(parts)
    _forget_labels(folder)
    train("parts", small())
    assert_same_run(whole, parts)
    _forget_labels(folder)
    assert open_model(parts).conditioning.size == 0


def _forget_labels(folder: RunFolder) -> None:
    """Write settings and checkpoints as they were before there were labels."""
    lines = folder.config.read_text().splitlines(keepends=True)
    folder.config.write_text("".join(line for line in lines if not line.startswith("labels")))
    for checkpoint in checkpoints.readable(folder.checkpoints):
        state = dict(checkpoint.state)
        del state["conditions"], state["config"]["data"]["labels"], state["state_sha256"]
        state["state_sha256"] = checkpoints._state_hash(state)
        (checkpoint.path / "state.json").write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        (['data.labels=["redish"]'], "'reddish'"),
        ([TOLD, "loss.feature_matching=true"], "means over all labels"),
        ([TOLD, "data.class_photos=20"], "'quarter' has 4 classes on 72 photos"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_before_the_folder_is_made(
    settings, hint, store, tmp_path
):
    job = Job(small(*settings), Store.open(store), tmp_path / "run", "cpu")
    with pytest.raises(ConfigError) as refusal:
        begin(job)
    assert hint in str(refusal.value)
    assert not job.run.exists()


def test_a_run_of_rare_classes_that_has_begun_goes_on(store, tmp_path):
    job = Job(small(TOLD), Store.open(store), tmp_path / "run", "cpu")
    begin(job)
    stricter = small(TOLD, "data.class_photos=20")
    execute(Job(stricter, job.store, job.run, "cpu"))


def test_another_run_begins_with_a_conditional_one_only_if_it_goes_by_the_same_labels(train, store):
    run, _ = train("run", small(TOLD))
    donor = open_model(run)
    job = Job(small(TOLD, "train.seed=5"), Store.open(store), run.with_name("same"), "cpu")
    begin(job, donor)
    execute(job)
    for name, labels in {"others": 'data.labels=["reddish"]', "none": "train.seed=5"}.items():
        job = Job(small(labels), Store.open(store), run.with_name(name), "cpu")
        with pytest.raises(RunError, match="goes by reddish, quarter, the new run by") as refusal:
            begin(job, donor)
        assert """--set 'data.labels=["reddish", "quarter"]'""" in refusal.value.fix


def test_images_of_moving_latents_keep_their_labels(train):
    generator = open_model(train("run", small(TOLD))[0])
    z = torch.zeros(70, generator.architecture.z_dim)
    draw = latents_to_images(generator)
    one, other = draw(z), draw(z[:50])
    torch.testing.assert_close(one[:50], other)
    assert len(one.flatten(1).unique(dim=0)) > 1
