"""Under its name a file is whole or not there at all, whatever happens while it is written."""

import errno
import fcntl
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from facewright.atomic import scratch_folder, sweep, whole_file, write_atomically
from facewright.equilibria.path_angle import PathAngle
from facewright.equilibria.path_angle import save_figure as save_angle
from facewright.images import save_png
from facewright.sampling.provenance import Provenance
from facewright.sampling.sample import write
from tests.processes import FORKED

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
MAKER = Provenance("0" * 64, 0, {})
ANGLE = PathAngle((0.0, 1.0), (0.1, 0.2), (1.0, 2.0), 9)

WRITERS: dict[str, Callable[[Path], None]] = {
    "text.html": lambda path: write_atomically(path, "x" * 5000),
    "sheet.png": lambda path: save_png(PIXELS[0], path),
    "array.npy": lambda path: write(PIXELS, path, as_grid=False, maker=MAKER),
    "grid.png": lambda path: write(PIXELS, path, as_grid=True, maker=MAKER),
    "angle.png": lambda path: save_angle(ANGLE, path),
}


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """A file may have so many bytes: as on a full disk, a write is cut short, then refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", WRITERS)
def test_without_room_there_is_no_half_file_and_the_former_one_is_intact(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"former")
    with room_for(1000), pytest.raises(OSError, match=r"too large|No space") as refusal:
        WRITERS[name](path)
    assert refusal.value.errno in (errno.EFBIG, errno.ENOSPC)
    assert refusal.value.filename == str(path)
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]
    WRITERS[name](path)
    assert path.stat().st_size > 1000


def test_an_error_in_the_middle_leaves_nothing(tmp_path):
    def interrupted() -> None:
        with whole_file(tmp_path / "new") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


def die_writing(path: Path) -> None:
    with whole_file(path) as file:
        file.write(b"half of a longer text" * 1000)
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_writer_left_is_gone_after_the_next(tmp_path):
    child = FORKED.Process(target=die_writing, args=(tmp_path / "page",))
    child.start()
    child.join()
    assert [file.name for file in tmp_path.iterdir()] == [".page.tmp"]
    write_atomically(tmp_path / "page", "whole")
    assert [file.name for file in tmp_path.iterdir()] == ["page"]
    assert (tmp_path / "page").read_text() == "whole"


def test_two_writers_of_one_name_do_not_mix(tmp_path):
    path = tmp_path / "page"

    def written(letter: str) -> None:
        for _ in range(20):
            write_atomically(path, letter * 10_000)

    writers = [threading.Thread(target=written, args=(letter,)) for letter in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(set(path.read_text())) == 1
    assert path.stat().st_size == 10_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_sweep_takes_leftovers_and_leaves_what_somebody_still_writes(tmp_path):
    for name in (".features.npy.tmp", ".download-abc_1234/wheel.zip", ".download-living12/part"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".mine").write_text("not ours")
    (tmp_path / "kept.npy").write_bytes(b"whole")
    living = os.open(tmp_path / ".download-living12", os.O_RDONLY)
    fcntl.flock(living, fcntl.LOCK_EX)
    with whole_file(tmp_path / "new.npy") as file:
        sweep(tmp_path)
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {".mine", "kept.npy", ".download-living12", ".new.npy.tmp"}
        file.write(b"whole too")
    os.close(living)
    assert (tmp_path / "new.npy").read_bytes() == b"whole too"


def test_a_scratch_folder_goes_and_takes_those_of_killed_processes_along(tmp_path):
    (tmp_path / ".download-0123abcd").mkdir()
    (tmp_path / ".download-0123abcd" / "wheel.zip").write_bytes(b"x")
    with scratch_folder(tmp_path, ".download-") as mine, scratch_folder(tmp_path, ".download-"):
        assert len(list(tmp_path.iterdir())) == 2
        assert mine.is_dir()
    assert not list(tmp_path.iterdir())
