"""Settings without effect are named, with the reason, and no others are."""

import pytest

from facewright import settings
from facewright.config import Config
from facewright.data.store import Store
from facewright.planning.recipes import RECIPES
from facewright.training.job import Job
from facewright.training.run import begin
from facewright.training.unused_settings import unused_settings
from tests.training.conftest import announced, small

NO_KINDS = ("augment.colour=false", "augment.translation=false", "augment.cutout=false")


def named(*changes: str) -> set[str]:
    return {line.split()[0] for line in unused_settings(settings.override(Config(), changes))}


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ("model.colour=half", "model.name=dcgan"),
        ("model.full_width=8", "model.name=dcgan"),
        ("model.normalisation=spectral", "model.name=dcgan"),
        ("model.normalisation=spectral", 'data.labels=["Male"]'),
        ("model.width=32", "model.name=dcgan"),
        ("model.width=32", "model.name=mlp"),
        ("model.dropout=0.5", "model.name=mlp"),
        ("model.widths=[16, 8]", "model.name=resnext"),
        ("model.patch=2", "model.name=resnext"),
        ("loss.slope=finite-difference", "loss.r1=1"),
        ("loss.slope=finite-difference", "loss.r2=1"),
        ("loss.penalty_every=4", "loss.gradient_penalty=1"),
        ("loss.penalty_every=4", "loss.r2=1"),
        ("loss.instance_noise_images=100", "loss.instance_noise=0.1"),
        ("augment.scale=true", "augment.probability=0.1"),
        ("augment.cutout=false", "augment.adaptive=true"),
        ("augment.target=0.6", "augment.adaptive=true"),
        ("augment.signal=sign", "augment.adaptive=true"),
        ("schedule.penalty_to=0.5", "loss.r1=1"),
        ("schedule.augment_from=0", "augment.probability=0.5"),
    ],
)
def test_a_setting_that_needs_another_is_named_without_it_and_not_with_it(change, needed):
    setting = change.partition("=")[0]
    others = "model.name=resnext" if "resnext" not in needed else "model.name=mlp"
    assert named(change, others) >= {setting}
    assert setting not in named(change, needed)


@pytest.mark.parametrize("change", ["augment.probability=0.5", "augment.adaptive=true"])
def test_distortions_of_no_kind_are_named(change):
    setting = change.partition("=")[0]
    assert setting in named(change, *NO_KINDS)
    assert named(change, *NO_KINDS[1:]) == set()
    assert named(change, *NO_KINDS, "augment.rotation=true") == set()


def test_the_reason_is_said():
    line = unused_settings(settings.override(Config(), ["model.name=mlp", "model.colour=half"]))
    assert line == ["model.colour is for dcgan"]


def test_a_run_says_it_before_it_starts(store, tmp_path):
    for changes, said in (((), False), (("model.dropout=0.5",), True)):
        notes = announced(
            begin(Job(small(*changes), Store.open(store), tmp_path / str(said), "cpu"))
        )
        assert ("without effect: model.dropout is for mlp" in notes) is said


def test_a_schedule_of_nothing_is_named():
    lines = ("schedule.images=100", "schedule.after=50")
    assert named(*lines) == {"schedule.images", "schedule.after"}
    assert named(*lines, "schedule.lr_to=0.3") == set()


@pytest.mark.parametrize(("images", "said"), [(48, False), (49, True)])
def test_a_schedule_that_ends_after_the_run_is_named_before_it_starts(
    images, said, store, tmp_path
):
    late = small("schedule.after=48", f"schedule.images={images}", "schedule.lr_to=0.1")
    assert late.train.images == 96
    notes = announced(begin(Job(late, Store.open(store), tmp_path / "run", "cpu")))
    wanted = "in proportion it is --set schedule.after=47 --set schedule.images=48"
    assert (wanted in notes) is said


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_our_own_recipes_hold_nothing_without_effect(path):
    assert unused_settings(settings.read(path)) == []
