"""A plan says what limits it, and only that."""

import dataclasses

import pytest

from facewright.planning.caveats import in_words, rival
from facewright.planning.plan import Plan, plan_for
from facewright.planning.quality import quality_after
from facewright.planning.speed import Speed
from tests.planning.conftest import candidate, entry, photos, plan_request, recipe, speed


def said(plan: Plan) -> str:
    return "\n".join(plan.notes)


def short(**changes) -> Plan:
    """An ordinary plan, in the middle of the curve."""
    return plan_for(candidate(recipe(), None, speed(64, 100.0)), plan_request(hours=1.0, **changes))


def test_an_ordinary_plan_says_only_on_what_its_quality_was_measured():
    assert len(short().notes) == 1
    assert "faces-28, 10,000 photos: a protocol" in said(short())
    assert said(short()).endswith("Another training or other photos give other numbers.")


@pytest.mark.parametrize(("seeds", "words"), [((0,), "one training"), ((0, 1, 4), "3 trainings")])
def test_how_many_trainings_a_band_rests_on_is_said(seeds, words):
    (curve,) = entry().curves
    points = tuple(dataclasses.replace(point, seeds=seeds) for point in curve.points)
    behind = dataclasses.replace(curve, points=points)
    plan = plan_for(
        candidate(recipe(), entry(curves=(behind,)), speed(64, 100.0)), plan_request(hours=1.0)
    )
    assert f"FID was measured of {words} on faces-28" in said(plan)


@pytest.mark.parametrize(
    ("count", "alike"), [(5_000, True), (4_999, False), (20_000, True), (20_001, False)]
)
def test_many_more_or_fewer_photos_are_said(count, alike):
    assert (f"yours are {count:,}" in said(short(photos=photos(count=count)))) is not alike


def test_more_hours_than_are_of_use_are_said_with_those_that_are():
    plan = plan_for(candidate(), plan_request(hours=10.0))
    assert "FID 30.0, took 1,000,000 images, which are 17 min here" in said(plan)
    assert "no gain from more hours is known" in said(plan)
    assert "no use" not in said(short())


def test_photos_of_another_size_are_said():
    plan = short(photos=photos(shape=(3, 30, 32)))
    assert "made for 30x32: small is for 28 px" in said(plan)
    assert "size was never measured." in said(plan)
    punished = candidate(recipe("loss.r2=1"))
    plan = plan_for(punished, plan_request(photos=photos(shape=(3, 30, 32))))
    assert "its penalty is scaled by a rule." in said(plan)
    unmeasured = candidate(recipe(), entry(curves=()))
    plan = plan_for(unmeasured, plan_request(photos=photos(shape=(3, 30, 32))))
    assert "promised" not in said(plan)


def test_a_recipe_without_a_curve_promises_nothing():
    plan = plan_for(candidate(recipe(), entry(curves=())), plan_request())
    assert "The quality of small was never measured" in said(plan)


def test_large_images_on_a_cpu_come_with_the_time_and_the_way_out():
    large = photos(shape=(3, 112, 112))
    config = recipe("train.images=7200000")
    plan = plan_for(candidate(config, None, speed(64, 100.0)), plan_request(photos=large))
    assert "all 7,200,000 images of the recipe would take 20 h 0 min here" in said(plan)
    assert "--size 28" in said(plan)
    assert "16 times fewer pixels" in said(plan)
    on_gpu = plan_for(candidate(config), plan_request(photos=large, device="cuda"))
    assert "much for a CPU" not in said(on_gpu)
    assert "much for a CPU" not in said(short(photos=photos(shape=(3, 64, 64))))


@pytest.mark.parametrize(
    ("made_for", "device", "word"), [("cuda", "cpu", "GPU"), ("cpu", "cuda", "CPU")]
)
def test_a_recipe_for_another_device_says_so(made_for, device, word):
    plan = plan_for(candidate(recipe(), entry(device=made_for)), plan_request(device=device))
    assert f"small is made for a {word}." in said(plan)


def test_few_photos_come_with_a_remedy():
    few = said(short(photos=photos(count=4_999)))
    assert "4,999 photos are few" in few
    assert "--set augment.adaptive=true;" in few
    assert "are few" not in said(short(photos=photos(count=5_000)))


def test_the_remedy_for_few_photos_is_one_that_training_takes():
    scheduled = recipe("schedule.augment_from=0.5", "augment.probability=0.3")
    plan = plan_for(candidate(scheduled), plan_request(photos=photos(count=100, held_out=15)))
    assert "--set augment.adaptive=true --set schedule.augment_from=1" in said(plan)
    assert "--val-fraction 0.21" in said(plan)  # 24 of 115 photos
    assert "--val-fraction" not in said(short(photos=photos(count=100, held_out=16)))


def test_a_recipe_that_adapts_needs_no_remedy():
    plan = plan_for(
        candidate(recipe("augment.adaptive=true")), plan_request(photos=photos(count=100))
    )
    assert "adaptive distortions are there to prevent it" in said(plan)
    assert "--set" not in said(plan)


def test_distortions_that_cannot_adapt_are_said():
    adaptive = recipe("augment.adaptive=true")
    for held_out, fixed in ((15, True), (16, False)):
        plan = plan_for(candidate(adaptive), plan_request(photos=photos(held_out=held_out)))
        assert ("there are 15: hence a fixed probability, 0.3," in said(plan)) is fixed
    # Of few photos too: not one piece of advice in the command and another one beside it.
    few = plan_for(candidate(adaptive), plan_request(photos=photos(count=100, held_out=15)))
    assert "hence a fixed probability" in said(few)
    assert "--set augment.adaptive=true" not in said(few)
    assert "100 photos are few" in said(few)
    many = plan_for(candidate(adaptive), plan_request(photos=photos(count=5_000, held_out=15)))
    assert "are few" not in said(many)


def test_of_far_fewer_photos_than_were_measured_nothing_is_promised():
    plan = short(photos=photos(count=1_249))
    assert plan.quality is None
    assert "quality of small was measured on 10,000 photos or more; of 1,249 nothing can" in said(
        plan
    )
    assert "nothing can be promised" not in said(short(photos=photos(count=1_250)))


def test_a_speed_of_another_batch_says_so():
    plan = plan_for(candidate(recipe(), None, speed(2, 10.0)), plan_request(hours=1.0))
    assert "that of batches of 2," in said(plan)


@pytest.mark.parametrize(("low", "high", "wide"), [(900, 1_100, False), (800, 1_100, True)])
def test_a_machine_that_was_not_alone_says_so(low, high, wide):
    shaky = Speed(64, 1_000.0, low, high, None)
    plan = plan_for(candidate(recipe(), None, shaky), plan_request())
    assert (f"from {low:,} to {high:,} images/s" in said(plan)) is wide


def test_on_a_gpu_the_cost_of_records_is_a_guess():
    assert "was measured on a CPU" in said(plan_for(candidate(), plan_request(device="cuda")))


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (100_000, "FID 39.0 to 41.0"),
        (10**7, "FID 29.0 to 31.0, as after 1,000,000 images (longer was never measured)"),
        (10, "FID above 49.0, which takes 10,000 images"),
    ],
)
def test_a_band_is_said_as_it_has_to_be_read(images, words):
    quality = quality_after(entry(), 10_000, images)
    assert quality is not None
    assert in_words(quality) == words


def test_a_rival_says_what_it_gives_in_the_same_time():
    quality = quality_after(entry(), 10_000, 100_000)
    assert rival("other", quality) == (
        "other would suit, too, and give FID 39.0 to 41.0 on faces-28 in the same time."
    )


def test_a_rival_that_the_time_is_too_short_for_promises_nothing():
    quality = quality_after(entry(), 10_000, 10)
    assert rival("other", quality).endswith(
        "fewest images of it that were ever measured: 10,000, after which FID on faces-28 was 50.0."
    )


def test_a_rival_that_was_never_measured_is_named():
    assert rival("other", None) == ("other would suit, too; its quality here was not measured.")
