"""What the benchmark of quality over time says of curves that are known."""

from benchmarks.time_to_quality import compare, draw
from benchmarks.trained import Point


def curve(*points: tuple[float, float]) -> list[Point]:
    """(minutes, FID) each."""
    return [Point(1000, 60 * minutes, fid, fid - 1, fid + 1) for minutes, fid in points]


def test_each_line_names_the_seed_that_was_asked_for(capsys):
    compare({"slow": {3: curve((10, 30)), 4: curve((12, 28))}, "fast": {4: curve((5, 20))}})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["slow", "3"], ["slow", "4"], ["fast", "4"]]
    assert lines[3] == "slow: FID 29.00 after 11.0 min"
    assert lines[4].startswith("fast, seed 4: ")


def test_quality_is_compared_at_equal_time_and_time_at_equal_quality(capsys):
    compare({"slow": {0: curve((5, 60), (10, 30))}, "fast": {0: curve((2, 40), (8, 24), (20, 9))}})
    assert capsys.readouterr().out.splitlines()[-1] == (
        "fast, seed 0: that FID after 0.80 of its time; after 0.80 of its time "
        "FID 24.00, 0.80 times as much"
    )


def test_a_recipe_whose_first_checkpoint_comes_too_late_is_not_compared_at_equal_time(capsys):
    compare({"short": {0: curve((10, 30))}, "long": {0: curve((11, 50), (30, 35))}})
    assert capsys.readouterr().out.splitlines()[-1] == (
        "long, seed 0: that FID never; no checkpoint in that time"
    )


def test_every_recipe_is_in_the_legend_whatever_its_seeds(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.plot", lambda *a, **k: drawn.append((k["color"], k["label"]))
    )
    monkeypatch.setattr("matplotlib.axes.Axes.legend", lambda *a, **k: None)
    curves = {"a": {3: curve((1, 9)), 5: curve((1, 8))}, "b": {4: curve((1, 7))}}
    draw(curves, tmp_path / "x.png")
    assert drawn == [("C0", "a"), ("C0", None), ("C1", "b")]
    assert (tmp_path / "x.png").is_file()
