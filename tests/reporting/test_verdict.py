"""What the page says about the training: verdict, since when, how sure, and what to try."""

import math
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from facewright import settings
from facewright.config import Config, LossConfig
from facewright.doctor import thresholds as at
from facewright.doctor.diagnose import Diagnosis
from facewright.doctor.finding import Assessment
from facewright.doctor.overfitting import fair_limit
from facewright.doctor.remedies import SuggestedRun, suggested_runs
from facewright.doctor.snapshot import Snapshot
from facewright.planning.recipes import read_recipe
from facewright.records import record
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.reporting.charts import Draws
from facewright.reporting.curves import _shade
from facewright.reporting.looks import Looks, look_charts
from facewright.reporting.page import examined, page
from facewright.reporting.verdict import findings, verdict
from tests.doctor.histories import history, snapshot
from tests.reporting.test_page import HOSTILE, Outline, render
from tests.stores import write_store

LOOKS = 12
"""One look every 50 steps of 64 images: 3,200, 6,400, ..., 38,400."""


def looks(sick: range = range(0), **changes: float | None) -> list[Snapshot]:
    """A healthy training, but for the looks with these numbers (from 1)."""
    return [
        snapshot(50 * look, **(changes if look in sick else {})) for look in range(1, LOOKS + 1)
    ]


def found_in(folder: RunFolder) -> Diagnosis:
    return examined(RunHistory.read(folder.path))[0]


def looks_at(folder: RunFolder) -> Looks:
    return examined(RunHistory.read(folder.path))[1]


def suggested(folder: RunFolder) -> list[SuggestedRun]:
    history = RunHistory.read(folder.path)
    return suggested_runs(history, examined(history)[0].findings[0].verdict)


def first_words(folder: RunFolder) -> str:
    """The page's beginning, which needs no drawing."""
    history = RunHistory.read(folder.path)
    found, seen = examined(history)
    return verdict(history, found, seen.count) + findings(
        history, found, seen.count, history.sheets
    )


def test_a_problem_is_named_with_its_onset_and_how_often_it_was_seen(make_run):
    text = Outline(first_words(make_run(looks=looks(range(7, 13), support=40.0)))).text
    assert "Mode collapse: different latents give the same images" in text
    assert "40 different images" in text
    assert "Since 22,400 images. Seen 6 times in a row; the doctor looked 12 times in all." in text
    assert "different images there seem to be 40" in text
    assert "arXiv:1706.08224" in text


def test_a_healthy_run_says_what_that_rests_on(make_run):
    text = Outline(first_words(make_run(looks=looks()))).text
    assert "Healthy No known failure is there. The doctor looked closely 12 times." in text
    assert "No finding at the end." in text


def test_a_run_without_a_doctor_says_what_is_missing(make_run):
    text = Outline(first_words(make_run())).text
    assert "only what follows from losses and gradients can be told" in text
    assert "What could not be told" in text


def test_a_problem_that_passed_is_kept_but_gives_no_verdict(make_run):
    text = Outline(first_words(make_run(looks=looks(range(5, 8), support=40.0)))).text
    assert "Healthy" in text
    assert "One problem had come and gone." in text
    assert "What came and went (1)" in text
    assert "From 16,000 to 22,400 images; then it was gone. Seen 3 times in a row" in text


def test_the_samples_of_the_onset_are_named_and_not_held_twice(make_run):
    sick = make_run("sick", looks=looks(range(7, 13), support=40.0))
    outline = Outline(render(sick))
    (onset,) = [a for tag, a in outline.elements if a.get("class") == "onset"]
    assert onset["data-images"] == "21000"  # sheets every 3,000; it began at 22,400
    assert "data:" not in str(onset)
    healthy = Outline(render(make_run("healthy", looks=looks())))
    assert len(outline.all("img")) == len(healthy.all("img"))


def test_what_was_noticed_live_is_shown_once(make_run):
    folder = make_run("both", findings=["faces repeat"], looks=looks(range(7, 13), support=40.0))
    live = found_in(folder).findings[0]
    row = {"code": "MC01", "verdict": "mode-collapse", "message": "first words", "evidence": {}}
    row |= {"first_seen_images": live.first_seen_images, "remedy": "r", "source": "s"}
    record.append(folder.findings, [row])
    assert [finding.code for finding in found_in(folder).findings] == ["MC01", "NC12"]
    text = Outline(first_words(folder)).text
    assert "Faces repeat. Noticed at 640 images, and not again." in text
    assert "first words" not in text


def test_commands_change_one_setting_of_the_same_run(make_run, tmp_path):
    store = write_store(tmp_path / "store")
    folder = make_run(looks=looks(range(7, 13), support=40.0), store_path=store)
    *changes, mending = [shlex.split(trial.command) for trial in suggested(folder)]
    assert changes
    for words in changes:
        assert words[:4] == ["facewright", "train", "--recipe", str(folder.config)]
        config = settings.override(read_recipe(words[3]), words[words.index("--set") + 1 :])
        assert settings.differences(RunHistory.read(folder.path).config, config)
        assert not Path(words[words.index("--out") + 1]).exists()
    assert mending[-2:] == ["--on-problem", "mend"]
    assert shlex.join(changes[0]) in Outline(first_words(folder)).text


def test_commands_are_against_what_is_there_and_not_against_what_passed(make_run, tmp_path):
    sick = looks(range(9, 13), support=40.0)
    sick[2:5] = looks(range(3, 6), support=40.0)[2:5]
    folder = make_run(looks=sick, store_path=write_store(tmp_path / "store"))
    passed, present = found_in(folder).findings
    assert (passed.active, present.active) == (False, True)
    text = Outline(first_words(folder)).text
    assert text.count("--on-problem mend") == 1
    assert text.index("--on-problem mend") < text.index("What came and went (1)")


def test_without_the_photos_advice_stays_words(make_run):
    folder = make_run(looks=looks(range(7, 13), support=40.0))
    assert suggested(folder) == []
    assert "minibatch discrimination" in Outline(first_words(folder)).text


def test_settings_that_were_changed_on_the_way_are_told(make_run):
    folder = make_run(looks=looks())
    mended = {
        "remedy": "r1",
        "reason": HOSTILE,
        "verdict": "mode-collapse",
        "failed_at_images": 9600,
        "images_seen": 3200,
        "changed": ["loss.r1: 0.0 -> 1.0"],
        "before": {},
        "after": {},
    }
    by_hand = {"images_seen": 6400, "changed": ["loss.r2: 0 -> 1"], "before": {}, "after": {}}
    record.append(folder.remedies, [mended, by_hand])
    outline = Outline(first_words(folder))
    assert "Went on from 3,200 images with loss.r1: 0.0 -> 1.0" in outline.text
    assert "Against: Mode collapse, noticed after 9,600 images." in outline.text
    assert "Went on from 6,400 images with loss.r2: 0 -> 1 By hand." in outline.text
    assert not outline.all("script")


def test_a_plateau_is_worth_knowing_and_no_alarm(make_run):
    folder = make_run(looks=looks(range(7, 13), drift=0.01, drift_steps=50))
    assert found_in(folder).verdict == "plateau"
    shown = [attributes.get("class") for _, attributes in Outline(first_words(folder)).elements]
    assert {"verdict watch", "finding watch"} <= {*shown}
    assert not {"verdict problem", "finding problem"} & {*shown}


KNOWN = {"seen_above_held_out": 0.6}
"""Photos that the discriminator begins to know."""


def test_what_is_to_be_watched_is_no_alarm(make_run, tmp_path):
    store = write_store(tmp_path / "store")
    folder = make_run(looks=looks(range(7, 13), **KNOWN), store_path=store)
    found = found_in(folder)
    assert (found.verdict, found.grade) == ("healthy", "watch")
    (watched,) = found.findings
    assert watched.grade == "watch"
    outline = Outline(first_words(folder))
    assert "Healthy No known failure is there; to watch: the discriminator begins" in outline.text
    kinds = [attributes.get("class") for tag, attributes in outline.elements if tag == "section"]
    assert kinds == ["verdict watch", "finding watch"]
    assert "OV01 · To watch The discriminator knows its photos" in outline.text
    assert "What would help:" in outline.text
    assert "facewright train" not in outline.text


def test_what_was_to_be_watched_and_passed_is_no_problem_that_came_and_went(make_run):
    text = Outline(first_words(make_run(looks=looks(range(5, 9), **KNOWN)))).text
    assert "Healthy No known failure is there. The doctor looked closely 12 times." in text
    assert "problem had come and gone" not in text


def test_a_problem_beside_something_to_watch_has_its_own_name_and_commands(make_run, tmp_path):
    sick = [
        snapshot(look.step, support=40.0 if look.step > 400 else math.inf, **KNOWN)
        for look in looks()
    ]
    folder = make_run(looks=sick, store_path=write_store(tmp_path / "store"))
    found = found_in(folder)
    assert (found.verdict, found.grade) == ("mode-collapse", "problem")
    assert [finding.code for finding in found.findings] == ["MC01", "OV01"]
    text = Outline(first_words(folder)).text
    assert "Mode collapse: different latents" in text
    collapse, overfitting = text.index("MC01 ·"), text.index("OV01 ·")
    assert "facewright train" in text[collapse:overfitting]
    assert "facewright train" not in text[overfitting:]


@pytest.mark.parametrize(
    ("verdict", "row_has", "graded"),
    [
        ("discriminator-overfitting", {}, "problem"),
        ("discriminator-overfitting", {"grade": "watch"}, "watch"),
        ("plateau", {}, "watch"),
    ],
)
def test_rows_of_earlier_versions_have_no_grade(make_run, verdict, row_has, graded):
    folder = make_run(looks=looks())
    row = {"code": "OV01", "verdict": verdict, "message": "m", "evidence": {}}
    row |= {"first_seen_images": 640, "remedy": "r", "source": "s", **row_has}
    record.append(folder.findings, [row])
    (noted,) = found_in(folder).findings
    assert noted.grade == graded


def test_a_stretch_is_shaded_from_its_onset_to_its_end(make_run):
    folder = make_run(looks=looks(range(5, 8), support=40.0))
    axes = Figure().add_subplot()
    _shade(found_in(folder).findings, axes, 38_400)
    (patch,) = axes.patches
    box = patch.get_path().get_extents(patch.get_patch_transform())
    assert (box.x0, box.x1) == (16_000, 22_400)
    assert [text.get_text() for text in axes.texts] == ["MC01"]


def test_a_problem_that_is_still_there_is_shaded_to_the_edge(make_run):
    folder = make_run(looks=looks(range(7, 13), support=40.0))
    axes = Figure().add_subplot()
    _shade(found_in(folder).findings, axes, 50_000)
    (patch,) = axes.patches
    box = patch.get_path().get_extents(patch.get_patch_transform())
    assert (box.x0, box.x1) == (22_400, 50_000)


def test_every_chart_of_the_page_bears_the_mark(make_run):
    folder = make_run(looks=looks(range(7, 13), support=40.0), metrics={"kid": 0.1})
    text = render(folder)
    assert text.count(">MC01</text>") == text.count("<svg ") > 8


def test_charts_of_the_doctor_show_each_number_at_its_look(make_run):
    folder = make_run(looks=looks(range(7, 13), coverage=0.1))
    shown = {chart.name: chart for chart in look_charts(looks_at(folder))}
    assert list(shown) == ["variety", "support", "coverage", "drift", "memory", "steepness"]
    (line,) = shown["coverage"].lines
    np.testing.assert_array_equal(line.band.x, 3200 * np.arange(1, 13))
    np.testing.assert_array_equal(line.band.mid, 6 * [0.4] + 6 * [0.1])
    (line,) = shown["drift"].lines
    np.testing.assert_allclose(line.band.mid, 0.4)  # 0.2 in 50 steps
    assert shown["drift"].is_logarithmic


def test_no_copies_at_all_are_drawn_at_what_can_be_counted(make_run):
    (line,) = look_charts(looks_at(make_run(looks=looks())))[1].lines
    np.testing.assert_array_equal(line.band.mid, math.comb(512, 2))
    assert not len(line.band.broken)


def test_a_number_that_could_not_be_had_is_a_gap_and_no_damage(make_run):
    first, *others = looks(range(12, 13), js_bits=0.9)
    folder = make_run(looks=[first.__class__(**{**vars(first), "drift": None}), *others])
    shown = {chart.name: chart for chart in look_charts(looks_at(folder))}
    (drift,), (judge,) = shown["drift"].lines, shown["fresh"].lines
    assert (len(drift.band.x), len(judge.band.x)) == (11, 1)
    assert not len(drift.band.broken)


@pytest.mark.parametrize("drift", [0.0, 1e-9])
def test_what_does_not_move_at_all_has_a_place_on_its_axis(make_run, drift):
    folder = make_run(looks=looks(range(1, 13), drift=drift))
    (line,) = next(c for c in look_charts(looks_at(folder)) if c.name == "drift").lines
    assert (line.band.mid > 0).all()
    assert "Stalled" in Outline(first_words(folder)).text


def test_lines_to_compare_with_are_those_of_the_doctor(make_run):
    shown = {chart.name: chart for chart in look_charts(looks_at(make_run(looks=looks())))}
    lines = {name: [to.value for to in chart.references] for name, chart in shown.items()}
    assert lines == {
        "variety": [1.0, at.NEAREST],
        "support": [math.comb(512, 2), at.SUPPORT],
        "coverage": [0.97],
        "drift": [at.CRAWLING, at.STALLED],
        "memory": [0.5, at.SEEN_ABOVE],
        "steepness": [at.STEEPNESS],
    }


def test_of_few_photos_the_discriminator_may_know_more_as_the_doctor_says():
    few = history(n_train=20)
    memory = next(chart for chart in look_charts(Looks.of(few)) if chart.name == "memory")
    assert fair_limit(few) > at.SEEN_ABOVE
    assert [to.value for to in memory.references] == [0.5, fair_limit(few)]


def test_a_suggested_setting_that_is_yes_or_no_is_one_that_set_takes(make_run, tmp_path):
    distorted = settings.override(Config(), ["augment.colour=true", "augment.probability=0.7"])
    folder = make_run(config=distorted, store_path=write_store(tmp_path / "store"))
    trials = suggested_runs(RunHistory.read(folder.path), "discriminator-overfitting")
    (adaptive,) = (t for t in trials if "augment.adaptive" in t.command)
    words = shlex.split(adaptive.command)
    found = settings.override(distorted, words[words.index("--set") + 1 :])
    assert found.augment.adaptive


def test_a_number_without_end_is_said_in_words(make_run):
    folder = make_run(looks=looks(range(7, 13), support=math.inf, nearest_ratio=0.1))
    assert "seem to be more than can be counted" in Outline(first_words(folder)).text


def test_what_the_doctor_says_never_becomes_code(make_run):
    history = RunHistory.read(make_run(looks=looks(range(7, 13), support=40.0)).path)
    found, seen = examined(history)
    words = dict.fromkeys(("code", "verdict", "message", "remedy", "source"), HOSTILE)
    evil = replace(found.findings[0], **words, evidence={HOSTILE: HOSTILE})
    unsure = {HOSTILE: Assessment("cannot tell", HOSTILE)}
    found = replace(found, verdict=HOSTILE, message=HOSTILE, findings=[evil], assessments=unsure)
    outline = Outline(page(history, Draws(), found, seen))
    assert len(outline.all("script")) == 2
    assert not [k for _, attributes in outline.elements for k in attributes if k.startswith("on")]


def test_the_limit_of_few_photos_is_theirs(make_run):
    folder = make_run(config=Config(loss=LossConfig()), looks=looks())
    content = folder.environment.read_text().replace('"train": 9000', '"train": 1000')
    folder.environment.write_text(content)
    assert looks_at(folder).limits["support"][1].value == 500
