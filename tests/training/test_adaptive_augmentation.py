"""Does the probability of distortions follow what is learned by heart, and nothing else?"""

import dataclasses

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from facewright.config import Config
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.data.stream import BatchStream
from facewright.errors import ConfigError
from facewright.objective import diffaugment, discriminator_inputs
from facewright.objective.ada import Adaptation
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.training.adaptive_augmentation import (
    EVERY,
    AdaptiveAugmentation,
    ConditionedPhotos,
    check,
    logits_in_mixed_batches,
)
from facewright.training.amend import amend
from facewright.training.state import TrainState, fresh_state
from tests.runs_equal import assert_same_run, rows
from tests.training.conftest import small

ADAPTIVE = ("augment.adaptive=true", "augment.probability=0.3", "augment.maximum=1")


def plan(*changes: str) -> Config:
    """24 steps of 4 images, 3 looks; the probability moves by 0.1."""
    return small("train.batch=4", "augment.images=320", *ADAPTIVE, *changes)


class Bright(nn.Module):
    """D(x) = factor * mean of the pixels."""

    def __init__(self, factor: float = 1.0):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))

    def forward(self, images):
        return self.factor * images.mean((1, 2, 3))


class Witness(Bright):
    """Remembers what it was shown."""

    def __init__(self, seen: list[torch.Tensor]):
        super().__init__()
        self.seen = seen

    def forward(self, images):
        self.seen.append(images.flatten())
        return super().forward(images)


def looked(config: Config, store: Store, judge: nn.Module, step: int = EVERY) -> Adaptation:
    """What one look at this discriminator makes of it."""
    state = state_of(config, store, judge, step)
    adapter(config, store)(state, {})
    assert state.adaptation is not None
    return state.adaptation


def adapter(config: Config, store: Store) -> AdaptiveAugmentation:
    known = PhotoConditions.of(store, config.data.labels)
    batches = BatchStream(
        store.train, batch=config.train.batch, seed=0, flip=False, conditions=known.train
    )
    return AdaptiveAugmentation(config, store, Fabric(accelerator="cpu", devices=1), batches, known)


def unlabelled(images: torch.Tensor) -> ConditionedPhotos:
    return ConditionedPhotos(images, torch.zeros(len(images), 0))


def state_of(config: Config, store: Store, judge: nn.Module, step: int) -> TrainState:
    state = fresh_state(config, store.shape, torch.device("cpu"))
    state.discriminator.network = judge
    state.step, state.images_seen = step, step * config.train.batch
    return state


@pytest.fixture(scope="module")
def blobs(store) -> Store:
    return Store.open(store)


@pytest.fixture(scope="module")
def bright(blobs) -> Store:
    """Training photos are white and held-out photos black."""
    white = np.full_like(blobs.train, 255)
    return dataclasses.replace(blobs, train=white, val=np.zeros_like(blobs.val))


@pytest.mark.parametrize(
    ("factor", "changes", "probability"),
    [(1, (), 0.4), (-1, (), 0.2), (1, ("train.d_steps=2",), 0.5)],
    ids=["above", "below", "by images, not by steps"],
)
def test_photos_rated_above_held_out_ones_make_distortions_likelier(
    factor, changes, probability, bright
):
    config = plan("augment.target=0.5", *changes)
    assert looked(config, bright, Bright(factor)).probability == pytest.approx(probability)


def test_what_chance_does_to_few_photos_is_no_reason_to_distort(bright):
    # The usual target for 72 and 24 photos is 0.67, and the signal just above one half.
    assert looked(plan(), bright, Bright(1)).probability == pytest.approx(0.2)


@pytest.mark.parametrize("factor", [1, -1])
def test_the_first_look_moves_the_signal_from_one_half_by_its_weight(factor, bright):
    # Batches of 4 of a window of 512; all pairs, or none.
    signal = looked(plan("augment.colour=false"), bright, Bright(factor)).signal
    assert signal == pytest.approx(0.5 + factor * 0.5 * 4 / 512)


def test_a_discriminator_with_no_opinion_has_learned_nothing(bright):
    adaptation = looked(plan("augment.target=0.5"), bright, Bright(0))
    assert (adaptation.signal, adaptation.probability) == (0.5, 0.3)


@pytest.mark.parametrize(
    ("game", "verdict", "sign"),
    [
        ("non-saturating", 0.2, 1),
        ("hinge", -0.2, -1),
        ("least-squares", 0.6, 1),
        ("least-squares", 0.4, -1),
    ],
)
def test_the_sign_is_whether_photos_are_taken_for_real(game, verdict, sign, bright):
    config = plan("augment.signal=sign", f"loss.game={game}", "augment.probability=0")
    assert looked(config, bright, Bright(verdict)).signal == pytest.approx(sign * 4 / 512)


@pytest.mark.parametrize("step", range(1, EVERY))
def test_it_does_not_look_at_every_step(step, bright):
    config = plan()
    assert looked(config, bright, Bright(), step) == Adaptation.beginning(0.3, "held-out")


@pytest.mark.parametrize("signal", ["held-out", "sign"])
def test_in_micro_batches_the_same_is_seen(signal, blobs):
    shown = {}
    for micro_batch, most in ((0, 4), (3, 3)):
        seen = []
        changes = (f"train.micro_batch={micro_batch}", f"augment.signal={signal}")
        signal_then = looked(plan("augment.probability=1", *changes), blobs, Witness(seen)).signal
        assert max(images.numel() for images in seen) == most * 3 * 16 * 16
        pixels = torch.cat(seen).view(-1, 3 * 16 * 16)
        shown[micro_batch] = signal_then, sorted(pixels.tolist())
    assert shown[0] == shown[3]


def test_photos_are_looked_at_through_the_distortions_reached(bright):
    seen = []
    config = plan("augment.probability=1")
    state = state_of(config, bright, Witness(seen), EVERY)
    for probability, shades in ((0.0, 2), (1.0, 3)):  # white and black; and cut out
        state.adaptation = Adaptation.beginning(probability, "held-out")
        adapter(plan("augment.colour=false"), bright)(state, {})
        assert len(torch.cat(seen).unique()) == shades


def test_each_photo_is_judged_by_its_own_labels():
    said, unsaid = torch.arange(5.0), 100 + torch.arange(5.0)
    kinds = [ConditionedPhotos(torch.zeros(5, 1, 2, 2), told.view(5, 1)) for told in (said, unsaid)]

    def judge(images, told):
        return images.flatten(1).sum(1) + told.sum(1)

    seen, unseen = logits_in_mixed_batches(judge, lambda images: images, *kinds)  # pyright: ignore[reportArgumentType]
    assert torch.equal(seen, said)
    assert torch.equal(unseen, unsaid)


def test_a_conditional_run_adapts_to_what_its_discriminator_says_with_labels(blobs):
    """Photos that it trains on are called reddish here, and held-out ones are not."""
    assert blobs.labels is not None
    labels = np.zeros_like(blobs.labels)
    labels[: len(blobs.train), 0] = 1
    store = dataclasses.replace(blobs, labels=labels)

    class Told(nn.Module):
        def forward(self, _images, told):
            return told.sum(1)

    for signal in (("augment.target=0.5",), ("augment.signal=sign", "augment.target=0.001")):
        config = plan('data.labels=["reddish"]', *signal)
        check(config, store)
        assert looked(config, store, Told()).probability == pytest.approx(0.4)


def test_a_look_leaves_no_trace_in_the_discriminator(bright):
    norm = nn.BatchNorm2d(3)
    looked(plan(), bright, nn.Sequential(norm, Bright()))
    assert norm.num_batches_tracked == 0


def test_verdicts_come_back_in_order_and_kinds_share_each_batch():
    sizes = []

    def judge(images):
        sizes.append((len(images), int((images >= 100).sum())))
        return images.flatten(1).mean(1)

    real, held_out = torch.arange(5.0), 100 + torch.arange(5.0)
    shaped = [unlabelled(photos.view(5, 1, 1, 1)) for photos in (real, held_out)]
    seen, unseen = logits_in_mixed_batches(judge, lambda images: images, *shaped)  # pyright: ignore[reportArgumentType]
    assert torch.equal(seen, real)
    assert torch.equal(unseen, held_out)
    assert sizes == [(5, 2), (5, 3)]


def test_both_photos_of_a_pair_are_seen_alike():
    photos = unlabelled(torch.zeros(6, 1, 2, 2))
    noise = torch.randn(6, 1, 2, 2)
    seen, unseen = logits_in_mixed_batches(Bright(), lambda images: images + noise, photos, photos)
    assert torch.equal(seen, unseen)


def test_batch_norm_does_not_hide_what_is_known_by_heart():
    judge = nn.Sequential(nn.BatchNorm2d(1), Bright())
    real, held_out = torch.full((8, 1, 2, 2), 0.3), torch.zeros(8, 1, 2, 2)
    seen, unseen = logits_in_mixed_batches(
        judge, lambda images: images, unlabelled(real), unlabelled(held_out)
    )
    assert (seen > unseen + 1).all()


@pytest.mark.parametrize("normalisation", ["batch", "spectral"])
def test_looking_at_held_out_photos_teaches_the_players_nothing(normalisation, train):
    norm = f"model.normalisation={normalisation}"
    never, _ = train("never", small(norm))
    still = ("augment.adaptive=true", "augment.maximum=0")
    looked, _ = train("looked", small(norm, *still))
    one, other = (checkpoints.sound(RunFolder(run).checkpoints)[0] for run in (never, looked))
    for group in ("weights", "optimisers"):
        pairs = other.tensors(group)
        assert all(torch.equal(kept, pairs[name]) for name, kept in one.tensors(group).items())


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (("augment.target=1",), [0.3, 0.2, 0.1]),
        (("augment.target=1e-9", "augment.maximum=0.45"), [0.3, 0.4, 0.45]),
    ],
    ids=["down", "up to the maximum"],
)
def test_the_recorded_probability_moves_by_a_stride_every_eight_steps(changes, found, train):
    run, _ = train("run", plan(*changes))
    steps = rows(RunFolder(run).steps)
    expected = [value for value in found for _ in range(EVERY)]
    assert [row["augment_probability"] for row in steps] == pytest.approx(expected)
    assert [row["overfitting"] for row in steps[:EVERY]] == [0.5] * EVERY
    assert all(0 <= row["overfitting"] <= 1 for row in steps)


def test_the_loop_distorts_with_the_probability_that_was_reached(train, monkeypatch):
    used = []

    def spy(images, _policies, probability, _chance):
        used.append(probability)
        return images

    family = (spy, diffaugment.POLICIES, diffaugment.NUMBERS)
    monkeypatch.setitem(discriminator_inputs.FAMILIES, "augment", family)
    train("run", plan("augment.target=1", "train.images=64"))
    assert list(dict.fromkeys(used)) == pytest.approx([0.3, 0.2])


def test_a_run_without_adaptation_records_and_saves_none(train):
    run, _ = train("run", small("augment.probability=0.5"))
    newest, _ = checkpoints.sound(RunFolder(run).checkpoints)
    assert "adaptation" not in newest.state
    assert not {"augment_probability", "overfitting"} & rows(RunFolder(run).steps)[-1].keys()


def adaptation_at_end(run) -> dict:
    return checkpoints.sound(RunFolder(run).checkpoints)[0].state["adaptation"]


def test_probability_and_signal_go_on_where_they_stopped(train):
    changes = ("augment.target=0.5", "augment.scale=true", "augment.rotation=true", "loss.r1=1")
    config = plan(*changes, "model.normalisation=none", "loss.game=relativistic")
    whole, _ = train("whole", config)
    for images in (40, 80, 96):  # 10, 20 and 24 steps
        part = dataclasses.replace(config.train, images=images)
        parts, _ = train("parts", dataclasses.replace(config, train=part))
    assert_same_run(whole, parts)
    assert adaptation_at_end(whole) == adaptation_at_end(parts)
    for name in ("augment_probability", "overfitting"):
        assert len({row[name] for row in rows(RunFolder(whole).steps)}) > 1


def at(run, images: int):
    found = checkpoints.readable(RunFolder(run).checkpoints)
    return next(c for c in found if c.state["images_seen"] == images)


KEPT = "record.keep_last=9"
FIXED = ("augment.adaptive=false", KEPT)


def test_switched_on_and_off_again_the_run_is_as_if_it_never_had_been(train):
    never, _ = train("never", plan(*FIXED))
    run, _ = train("run", plan(*FIXED, "train.images=32"))
    amend(run, at(run, 32), plan(KEPT), {})
    train("run", plan(KEPT, "train.images=80"))
    row = rows(RunFolder(run).steps)[8]  # it begins at the probability in force
    assert (row["augment_probability"], row["overfitting"]) == (0.3, 0.5)
    amend(run, at(run, 32), plan(*FIXED), {})
    train("run", plan(*FIXED))
    assert_same_run(never, run)


def test_another_signal_takes_over_the_probability_and_starts_afresh(train):
    run, _ = train("run", plan(KEPT, "train.images=32"))
    reached = adaptation_at_end(run)["probability"]
    assert reached == pytest.approx(0.2)
    by_sign = plan(KEPT, "augment.signal=sign", "train.images=48")
    amend(run, at(run, 32), by_sign, {})
    train("run", by_sign)
    row = rows(RunFolder(run).steps)[8]
    assert (row["augment_probability"], row["overfitting"]) == (reached, 0.0)


@pytest.mark.parametrize(
    ("changes", "what", "fix"),
    [
        (("augment.maximum=0.2",), "probability = 0.3", "augment.maximum=0.3"),
        (("schedule.augment_from=0",), "both augment.adaptive and", "schedule.augment_from=1"),
        (
            ("augment.signal=sign", "loss.game=relativistic"),
            "no absolute verdict",
            "augment.signal=held-out",
        ),
        (
            ("augment.signal=sign", "loss.game=wasserstein"),
            "no absolute verdict",
            "augment.signal=held-out",
        ),
    ],
)
def test_settings_that_exclude_each_other_are_refused(changes, what, fix, blobs):
    with pytest.raises(ConfigError, match=what) as refusal:
        check(plan(*changes), blobs)
    assert fix in refusal.value.fix


def refusal(config: Config, store: Store) -> str:
    try:
        check(config, store)
    except ConfigError as error:
        return str(error)
    return ""


def test_too_few_held_out_photos_are_refused_where_they_are_needed(blobs):
    few, enough = (dataclasses.replace(blobs, val=blobs.val[:count]) for count in (15, 16))
    assert "15 held-out photos" in refusal(plan(), few)
    assert not refusal(plan(), enough)
    assert not refusal(plan("augment.signal=sign"), few)
    assert not refusal(plan("augment.adaptive=false", "augment.maximum=0.2"), few)
    assert not refusal(plan("loss.game=relativistic"), enough)


def test_too_few_held_out_photos_come_with_two_ways_out(blobs):
    with pytest.raises(ConfigError, match="15 held-out") as refused:
        check(plan(), dataclasses.replace(blobs, val=blobs.val[:15]))
    # 72 and 15 photos: 24 of 87 are 16 all but surely.
    assert "--val-fraction 0.28" in refused.value.fix
    assert "--set augment.adaptive=false --set augment.probability=0.3" in refused.value.fix


def test_what_cannot_adapt_is_refused_before_the_run_begins(train, tmp_path):
    with pytest.raises(ConfigError, match="probability"):
        train("run", plan("augment.maximum=0.2"))
    assert not (tmp_path / "run").exists()
