"""Bands and charts, with answers known on paper."""

import io

import numpy as np
import pytest
from PIL import Image

from facewright.actions.report import draws_of
from facewright.config import Config, LossConfig
from facewright.records.run_history import RunHistory
from facewright.reporting.bands import BINS, band
from facewright.reporting.charts import Chart, Draws, Line, charts, metric_charts
from facewright.reporting.curves import save_curves, svg
from facewright.reporting.sections import _interval
from facewright.reporting.words import duration, number, short_count


def test_few_points_are_shown_as_they_are():
    x, y = np.array([1.0, 2.0, 4.0]), np.array([3.0, -1.0, 5.0])
    shown = band(x, y)
    for part in (shown.low, shown.mid, shown.high):
        np.testing.assert_array_equal(part, y)
    np.testing.assert_array_equal(shown.x, x)


def test_many_steps_become_few_points_and_no_spike_is_lost():
    y = np.zeros(25_000)
    y[12_345], y[777] = 9.0, -4.0
    shown = band(np.arange(25_000.0), y)
    assert len(shown.x) == BINS
    assert (shown.high.max(), shown.low.min()) == (9.0, -4.0)
    assert abs(shown.x[shown.high.argmax()] - 12_345) < 25_000 / BINS
    assert shown.mid.max() < 0.1


def test_the_running_mean_of_a_line_is_the_line():
    x = np.arange(10_000.0)
    shown = band(x, 2 * x + 1)
    inner = slice(3, -3)  # at the ends the window has only one side
    np.testing.assert_allclose(shown.mid[inner], 2 * shown.x[inner] + 1, rtol=1e-3)


def test_the_running_mean_of_a_constant_is_exact_to_the_ends():
    np.testing.assert_allclose(band(np.arange(999.0), np.full(999, 0.7)).mid, 0.7)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_changes_no_mean_and_leaves_a_mark(bad):
    y = np.ones(2400)
    y[100] = bad
    shown = band(np.arange(2400.0), y)
    np.testing.assert_allclose(shown.mid, 1.0)
    np.testing.assert_array_equal(shown.high, 1.0)
    np.testing.assert_allclose(shown.broken, [104.5])  # the middle of steps 100 to 109


def test_nothing_recorded_is_empty_and_not_zero():
    assert band(np.arange(9.0), np.full(9, np.nan)).is_empty
    assert band(np.array([]), np.array([])).is_empty


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(1, 100, True), (1, 2, False), (-1, 100, False), (0, 9, False)]
)
def test_the_axis_is_logarithmic_for_wide_positive_ranges(low, high, expected):
    line = Line("a", "neutral", band(np.arange(2.0), np.array([low, high], dtype=float)))
    assert Chart("a", "A", "", (line,)).is_logarithmic is expected


def test_a_run_without_penalties_has_no_chart_of_them(make_run):
    history = RunHistory.read(make_run().path)
    names = [chart.name for chart in charts(history, Draws())]
    assert names == ["losses", "verdicts", "accuracy", "gradients", "speed"]
    history.steps["d_penalty"][3] = 0.5
    assert "penalty" in [chart.name for chart in charts(history, Draws())]


def test_a_metric_measured_often_has_a_chart_with_its_interval(make_run):
    history = RunHistory.read(make_run(metrics={"kid": 0.1}).path)
    (chart,) = metric_charts(history.metrics)
    assert chart.title == "kid"
    np.testing.assert_allclose(chart.lines[0].band.mid, [0.4, 0.3, 0.2, 0.1])
    np.testing.assert_allclose(chart.lines[0].band.low, [0.39, 0.29, 0.19, 0.09])


def test_a_metric_is_explained_by_its_name_whatever_features_it_has():
    rows = [
        {"name": name, "value": 1.0, "images_seen": i, "n_real": 9, "n_fake": 9, "features": "f"}
        for i in range(3)
        for name in ("duality_gap", "coverage@face", "of-my-own")
    ]
    gap, coverage, own = (chart.hint for chart in metric_charts(rows))
    assert "does not go to 0 even for good generators; watch js_bits" in gap
    assert coverage.startswith("Share of photos")
    assert own == "9 generated images against 9 photos, f."


def test_an_interval_that_is_open_at_one_end_has_a_band_that_ends_at_the_value():
    rows = [
        {"name": "birthday", "value": 5.0 + i, "interval": [4.0, None], "images_seen": i}
        | {"n_real": 9, "n_fake": 9, "features": "face"}
        for i in range(3)
    ]
    (chart,) = metric_charts(rows)
    np.testing.assert_array_equal(chart.lines[0].band.low, [4, 4, 4])
    np.testing.assert_array_equal(chart.lines[0].band.high, [5, 6, 7])
    assert not chart.is_logarithmic
    assert _interval([4.0, None]) == "4 to ∞"


def test_colours_of_a_drawing_come_from_the_page(make_run):
    history = RunHistory.read(make_run().path)
    drawing = svg(charts(history, Draws(1.386, 0.693))[0], history.images_seen)
    assert "var(--discriminator)" in drawing
    assert "var(--generator)" in drawing
    assert "#2458c5" not in drawing
    assert len(drawing) < 60_000


def test_curves_are_one_picture_on_white(make_run, tmp_path):
    save_curves(RunHistory.read(make_run().path), tmp_path / "new" / "curves.png", Draws(1.4, 0.7))
    with Image.open(io.BytesIO((tmp_path / "new" / "curves.png").read_bytes())) as picture:
        assert picture.width > 600
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["curves.png"]


def test_curves_of_a_run_without_steps_are_not_drawn(make_run, tmp_path):
    folder = make_run()
    folder.steps.unlink()
    save_curves(RunHistory.read(folder.path), tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()


def test_the_draw_follows_the_loss_that_is_recorded():
    plain = draws_of(Config().loss)
    assert plain.discriminator == pytest.approx(2 * np.log(2))
    assert plain.generator == pytest.approx(np.log(2))
    assert draws_of(LossConfig(feature_matching=True)).generator is None
    # D(x) = 0.45 at a draw: the generator's loss is -log 0.45.
    assert draws_of(LossConfig(real_target=0.9)).generator == pytest.approx(-np.log(0.45))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (short_count(850), "850"),
        (short_count(64_000), "64k"),
        (short_count(1_620_000), "1.62M"),
        (duration(38), "38 s"),
        (duration(24.4 * 60), "24 min"),
        (duration(72 * 60), "1 h 12 min"),
        (duration(76 * 3600), "3 days 4 h"),
        (number(1_000_000), "1,000,000"),
        (number(0.000212345), "0.0002123"),
        (number(10_000.0), "10,000"),
        (number(float("nan")), "nan"),
        (number(True), "true"),
        (number((64, 1_024)), "64 · 1,024"),
        (number(()), "none"),
    ],
)
def test_numbers_are_written_as_people_read_them(shown, expected):
    assert shown == expected
