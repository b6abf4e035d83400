"""What somebody meets who has just installed it: every answer says what to do next."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facewright
from facewright.actions.events import Event, Note, Progress
from facewright.cli.main import main
from facewright.errors import FacewrightError
from facewright.models.open_model import open_model
from facewright.records import checkpoints
from tests.stores import write_store

TINY = ("model.width=4", "model.z_dim=8", "train.batch=8", "record.checkpoint_images=16")


@pytest.fixture(scope="module")
def told() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def run(tmp_path_factory, told) -> Path:
    """Of 24 images, whose end is no moment at which a checkpoint is due."""
    place = tmp_path_factory.mktemp("my runs")
    facewright.train(
        recipe="drawn-32",
        data=write_store(place / "store", count=120),
        out=place / "run",
        images=24,
        set=(TINY,),
        on_event=told.append,
    )
    return place / "run"


def test_the_end_of_a_run_has_a_score_and_may_be_the_best(run):
    saved = checkpoints.readable(run / "checkpoints")
    assert [c.state["images_seen"] for c in saved] == [16, 24]
    scores = {c.state["images_seen"]: c.state["score"] for c in saved}
    assert None not in scores.values()
    assert open_model(run, "best").images_seen == min(scores, key=scores.__getitem__)


def test_scoring_is_told_while_it_happens(run, told):
    said = [e for e in told if isinstance(e, Progress) and e.what == "scoring the checkpoint"]
    assert [(e.done, e.total) for e in said] == [(0, 30), (30, 30)] * 2


def test_a_finished_run_that_is_resumed_is_not_warned_of_threads(
    run, tmp_path, caplog, monkeypatch
):
    own = shutil.copytree(run, tmp_path / "own")
    monkeypatch.setattr("torch.get_num_threads", lambda: 77)
    assert facewright.resume(own).outcome.images_seen == 24
    assert "threads" not in caplog.text


@pytest.mark.parametrize("command", ["diagnose", "report", "resume"])
def test_a_model_in_one_file_is_told_what_its_card_says_of_its_training(command, capsys):
    assert main([command, "faces-28"]) == 2
    said = capsys.readouterr().err
    assert "without the record of its training" in said
    assert "as its card says: healthy" in said
    assert "facewright evaluate faces-28 --data STORE" in said


def test_where_no_run_is_yet_it_says_how_to_make_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["runs"]) == 0  # the usual folder, which nobody has made
    said = capsys.readouterr().out
    assert "no runs in runs yet" in said
    assert "facewright demo" in said
    assert "--out runs/mine" in said
    (tmp_path / "my runs").mkdir()
    assert main(["runs", "my runs"]) == 0
    assert "--out 'my runs/mine'" in capsys.readouterr().out


def test_commands_in_messages_are_quoted_as_a_shell_needs_it(run):
    with pytest.raises(FacewrightError) as refused:
        facewright.train(recipe="drawn-32", data=run.parent / "store", out=run, set=(TINY,))
    assert shlex.split(refused.value.fix)[:3] == ["facewright", "resume", f"{run},"]
    with pytest.raises(FacewrightError) as refused:
        facewright.evaluate("faces-28", data=run.parent / "my photos")  # type: ignore[arg-type]
    words = shlex.split(refused.value.fix)
    assert words[words.index("--out") + 1] == str(run.parent / "my photos")


def test_a_folder_of_documents_is_not_blamed_on_the_crop(tmp_path):
    folder = tmp_path / "things"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.jpg").write_text("a letter")
    noise = np.random.default_rng(0).integers(256, size=(40, 40, 3), dtype=np.uint8)
    for name, picture in {"a": noise, "b": noise, "c": noise // 2 * 2}.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    told: list[Event] = []
    facewright.prepare(str(folder), out=tmp_path / "store", size=16, on_event=told.append)
    said = "\n".join(event.text for event in told if isinstance(event, Note))
    assert "is this a folder of photos?" in said
    assert "--crop" not in said
    assert "1 exact copy\n" in said
    assert "1 group of near twins\n" in said
