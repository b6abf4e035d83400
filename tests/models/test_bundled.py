"""Models by name."""

from pathlib import Path

import pytest

from facewright.errors import RunError
from facewright.models import bundled
from facewright.models.bundled import bundle_path, bundled_names, is_bundled, refuse_unknown


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    """Two bundled models, seen from a folder in which a user works."""
    folder, here = tmp_path / "bundles", tmp_path / "here"
    folder.mkdir()
    here.mkdir()
    for name in ("faces-28.safetensors", "faces-32.safetensors", "faces-28.md"):
        (folder / name).touch()
    monkeypatch.setattr(bundled, "BUNDLED", folder)
    monkeypatch.chdir(here)
    return folder


def test_a_bundled_model_is_found_by_its_name(models):
    assert bundled_names() == ["faces-28", "faces-32"]
    assert bundle_path(Path("faces-28")) == models / "faces-28.safetensors"
    assert bundle_path(Path("faces-64")) is None


def test_what_lies_here_comes_before_what_is_bundled(models):
    Path("faces-28").mkdir()
    assert bundle_path(Path("faces-28")) is None


def test_only_what_lies_on_the_shelf_is_bundled_whichever_way_it_is_named(models, monkeypatch):
    assert is_bundled(models / "faces-64.safetensors")  # also one that is about to be written
    assert not is_bundled(Path("faces-28.safetensors"))
    monkeypatch.chdir(models.parent)
    assert is_bundled(Path("bundles/faces-28.safetensors"))
    assert is_bundled(Path("here/../bundles/faces-28.safetensors"))
    assert not is_bundled(Path("faces-28.safetensors"))


def test_a_file_is_a_bundle_by_its_ending(models):
    assert bundle_path(Path("x/mine.safetensors")) == Path("x/mine.safetensors")
    assert bundle_path(Path("x/mine.npy")) is None


def test_a_misspelt_name_is_answered_with_the_nearest(models):
    refuse_unknown(Path("faces-28"))
    with pytest.raises(RunError) as refusal:
        refuse_unknown(Path("face-28"))
    assert "did you mean 'faces-28'" in refusal.value.expected


def test_a_bundle_that_is_not_there_is_not_called_damaged(models):
    with pytest.raises(RunError, match=r"mine\.safetensors does not exist"):
        refuse_unknown(Path("mine.safetensors"))


def test_without_bundled_models_none_are_promised(models, tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "BUNDLED", tmp_path / "nothing")
    with pytest.raises(RunError) as refusal:
        refuse_unknown(Path("faces-28"))
    assert "bundled" not in refusal.value.expected


def test_every_bundled_model_of_this_package_has_its_card():
    folder = Path(bundled.__file__).parents[1] / "bundles"
    assert folder.is_dir()
    for file in folder.glob("*.safetensors"):
        assert file.with_suffix(".md").is_file()
        assert file.stat().st_size <= 12_000_000
