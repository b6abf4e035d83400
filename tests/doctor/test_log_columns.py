"""The columns of other programs' logs find their meaning, and losses say what they can."""

import math

import numpy as np
import pytest

from facewright.actions.diagnose import diagnose
from facewright.doctor.diagnose import diagnose as examine
from facewright.doctor.log_columns import UNKNOWN_GAME, foreign_history
from facewright.errors import ConfigError
from facewright.records.foreign_log import ForeignLog


def log_of(**columns):
    """A log with these columns; `__` stands for a slash."""
    names = [name.replace("__", "/") for name in columns]
    rows = zip(*columns.values(), strict=True)
    table = [dict(zip(names, map(float, row), strict=True)) for row in rows]
    return ForeignLog("CSV", [{k: v for k, v in row.items() if v != -999} for row in table])


def losses(count, d=0.7, g=1.5):
    rng = np.random.default_rng(0)
    return {
        "step": np.arange(1, count + 1),
        "d_loss": d + 0.1 * rng.standard_normal(count),
        "g_loss": g + 0.1 * rng.standard_normal(count),
    }


@pytest.mark.parametrize(
    ("d_name", "g_name"),
    [
        ("d_loss", "g_loss"),
        ("Loss_D", "Loss_G"),
        ("errD", "errG"),
        ("D loss", "G loss"),
        ("Loss/D/loss", "Loss/G/loss"),
        ("Discriminator Loss", "Generator Loss"),
        ("loss_dis", "loss_gen"),
        ("train/critic_loss", "train/generator_loss"),
        ("netD_loss_step", "netG_loss_step"),
        ("dloss", "gloss"),
        ("sweet-frog-1 - d_loss", "sweet-frog-1 - g_loss"),
    ],
)
def test_columns_are_known_by_their_usual_names(d_name, g_name):
    others = ("val_d_loss", "d_reg_loss", "g_fake_score", "d_real_score_accuracy", "lr_d")
    log = ForeignLog("CSV", [{d_name: 0.7, g_name: 1.5, **dict.fromkeys(others, 9.0)}])
    assert foreign_history(log).columns == {"d_loss": d_name, "g_loss": g_name}


def test_everything_that_stylegan_notes_is_used():
    log = log_of(
        Loss__scores__fake=[-1, -1],
        Loss__scores__real=[1, 1],
        Loss__signs__real=[0.5, 0.5],
        Loss__G__loss=[1, 2],
        Loss__D__loss=[0.8, 0.9],
        Loss__D__reg=[5, 5],
        Progress__tick=[0, 1],
        Progress__kimg=[4, 8],
    )
    told = foreign_history(log)
    assert told.history.game.name == "non-saturating"
    assert (told.unit, told.history.images_seen) == ("images", 8_000)
    found = {f: told.history.steps[f].tolist() for f in ("d_loss", "real_logit", "fake_logit")}
    assert found == {"d_loss": [0.8, 0.9], "real_logit": [1, 1], "fake_logit": [-1, -1]}


def test_a_loss_in_two_parts_is_their_sum_and_probabilities_are_verdicts():
    told = foreign_history(
        ForeignLog("CSV", [{"d_loss_real": 0.3, "d_loss_fake": 0.4, "D(x)": 0.75, "D(G(z))": 0.25}])
    )
    steps = told.history.steps
    assert steps["d_loss"].tolist() == [pytest.approx(0.7)]
    assert steps["real_logit"].tolist() == [pytest.approx(math.log(3))]
    assert steps["fake_logit"].tolist() == [pytest.approx(-math.log(3))]


def test_numbers_on_rows_of_their_own_are_joined_by_step():
    log = log_of(step=[1, 1, 2, 2], d_loss=[0.7, -999, 0.8, -999], g_loss=[-999, 1.5, -999, 1.6])
    steps = foreign_history(log).history.steps
    assert (steps["d_loss"].tolist(), steps["g_loss"].tolist()) == ([0.7, 0.8], [1.5, 1.6])


def test_a_player_that_moves_more_seldom_keeps_its_last_loss():
    log = log_of(step=[1, 2, 3, 4], d_loss=[4, 5, 6, 7], g_loss=[-999, 1, -999, 2])
    told = foreign_history(log)
    steps = told.history.steps
    assert (steps["d_loss"].tolist(), steps["g_loss"].tolist()) == ([5, 6, 7], [1, 1, 2])
    assert not told.history.breaks()


def test_losses_that_are_no_numbers_any_more_are_no_gaps():
    nan = math.nan
    told = foreign_history(log_of(step=[1, 2, 3], d_loss=[1, nan, nan], g_loss=[1, nan, nan]))
    assert told.history.breaks() == [2]


def test_what_was_logged_again_counts_once():
    steps = foreign_history(log_of(step=[1, 2, 3, 2, 3], d_loss=[1, 2, 3, 4, 5])).history.steps
    assert (steps["step"].tolist(), steps["d_loss"].tolist()) == ([1, 2, 3], [1, 4, 5])


def test_epochs_of_many_rows_are_no_position():
    told = foreign_history(log_of(epoch=[1, 1, 2, 2], d_loss=[1, 2, 3, 4]))
    assert (told.unit, told.history.images_seen, told.rows) == ("rows", 4, 4)
    told = foreign_history(log_of(epoch=[1, 2, 3], d_loss=[1, 2, 3]))
    assert (told.unit, told.history.images_seen) == ("epochs", 3)


@pytest.mark.parametrize(
    ("names", "given", "said"),
    [
        (["a", "b"], {}, "no loss of either player"),
        (["loss_d", "d_loss"], {}, "may each be discriminator's loss"),
        (["d_loss"], {"dloss": "d_loss"}, "--column dloss"),
        (["d_loss"], {"g_loss": "x"}, "no such column"),
    ],
)
def test_what_is_not_clear_is_asked(names, given, said):
    with pytest.raises(ConfigError, match=said) as caught:
        foreign_history(ForeignLog("CSV", [dict.fromkeys(names, 1.0)]), given)
    assert caught.value.fix.startswith("--column")


def test_a_column_that_is_named_is_taken():
    log = ForeignLog("CSV", [{"loss_d": 1.0, "d_loss": 2.0, "x": 3.0}])
    told = foreign_history(log, {"d_loss": "d_loss", "g_loss": "x"})
    assert told.history.steps["d_loss"].tolist() == [2.0]
    assert told.history.steps["g_loss"].tolist() == [3.0]


def test_a_game_is_known_by_a_loss_below_zero_or_by_its_name():
    assert foreign_history(log_of(**losses(9))).history.game.name == UNKNOWN_GAME
    assert foreign_history(log_of(**losses(9, d=-3))).history.game.name == "wasserstein"
    assert foreign_history(log_of(**losses(9)), game="hinge").history.game.name == "hinge"
    with pytest.raises(ConfigError, match="--game hing"):
        foreign_history(log_of(**losses(9)), game="hing")


@pytest.mark.parametrize("d_loss", [0.7, -3.0])
def test_losses_that_show_no_failure_make_no_training_healthy(d_loss):
    found = examine(foreign_history(log_of(**losses(2_000, d=d_loss))).history)
    assert found.verdict == "not-applicable"
    assert "cannot show whether images repeat themselves" in found.message
    levels = {code: one.level for code, one in found.assessments.items()}
    assert {levels[code] for code in ("MC01", "OV01", "NC02", "NC03", "BA02")} == {"cannot tell"}


def with_end(begin, **ends):
    columns = losses(2_000)
    for name, value in ends.items():
        columns[name][begin:] = value
    return log_of(**columns)


@pytest.mark.parametrize(
    ("log", "verdict", "since"),
    [
        (with_end(1_000, d_loss=1e-5, g_loss=12), "discriminator-dominance", 1_100),
        (with_end(1_500, d_loss=math.nan), "divergence", 1_501),
        (with_end(1_500, d_loss=900.0), "divergence", 1_600),
    ],
)
def test_what_losses_can_show_is_found(log, verdict, since):
    found = examine(foreign_history(log).history)
    begun = [one.first_seen_images for one in found.findings if one.grade == "problem"]
    assert (found.verdict, begun) == (verdict, [since])


def test_losses_summed_over_a_batch_have_not_run_away():
    found = examine(foreign_history(log_of(**losses(2_000, d=90.0))).history)
    assert found.verdict == "not-applicable"


def test_photos_rated_below_generated_images_are_found_where_verdicts_are_known():
    log = log_of(**losses(2_000), real_logit=np.full(2_000, -1.0), fake_logit=np.full(2_000, 1.0))
    assert examine(foreign_history(log).history).verdict == "generator-dominance"


def test_a_file_is_diagnosed_like_a_run(tmp_path):
    path = tmp_path / "loss.csv"
    lines = ["it,errD,errG", *(f"{i},{1e-5 if i > 400 else 0.7},2" for i in range(1, 1_001))]
    path.write_text("\n".join(lines), encoding="utf-8")
    told = diagnose(path)
    assert told.exit_status == 1
    said = told.as_json()
    assert (said["verdict"], said["unit"]) == ("discriminator-dominance", "steps")
    assert said["log"] == {
        "columns": {"step": "it", "d_loss": "errD", "g_loss": "errG"},
        "rows": 1_000,
        "game": UNKNOWN_GAME,
    }
    assert diagnose(path, column=("d_loss=errG",)).exit_status == 0


def test_a_run_takes_no_columns(tmp_path):
    (tmp_path / "config.toml").touch()
    with pytest.raises(ConfigError, match="--column and --game"):
        diagnose(tmp_path, game="hinge")


@pytest.mark.parametrize("number", [math.inf, math.nan, 1e308, -math.inf])
def test_positions_that_are_no_numbers_do_not_count(number):
    log = log_of(kimg=[1, 2], step=[1, number], d_loss=[1, 2])
    assert foreign_history(log).history.steps["step"].tolist() == [1, 2]
    told = foreign_history(log_of(kimg=[1, number], d_loss=[1, 2]))
    assert (told.unit, told.history.images_seen) == ("rows", 2)
    assert examine(told.history).images_seen == 2


def test_rows_without_a_loss_are_no_steps():
    rows = [{"step": 1, "d_loss": 1}, {"step": 2, "fid": 9}, {"step": 3, "d_loss": 2}]
    told = foreign_history(ForeignLog("JSON", [{k: float(v) for k, v in r.items()} for r in rows]))
    assert told.history.steps["step"].tolist() == [1, 3]


def test_of_several_losses_the_one_with_the_shortest_name_counts():
    log = ForeignLog("CSV", [{"total_d_loss": 9.0, "d_loss": 1.0}])
    assert foreign_history(log).columns == {"d_loss": "d_loss"}
