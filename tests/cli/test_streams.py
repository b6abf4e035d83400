"""Whatever became of the terminal: no traceback, and no work lost."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facewright.actions.events import Note
from facewright.cli import main as command_line
from facewright.cli.progress import Reporter
from facewright.cli.streams import Lasting, settle

FULL = Path("/dev/full")


StreamTo = Callable[..., io.TextIOWrapper]


@pytest.fixture
def stream_to() -> Iterator[StreamTo]:
    with contextlib.ExitStack() as opened:

        def stream(path: str | Path | int, encoding: str = "utf-8") -> io.TextIOWrapper:
            return opened.enter_context(io.TextIOWrapper(io.FileIO(path, "w"), encoding=encoding))

        yield stream


@pytest.fixture
def gone(stream_to: StreamTo) -> io.TextIOWrapper:
    """A terminal, or a reader, that is not there any more."""
    reading, writing = os.pipe()
    os.close(reading)
    return stream_to(writing)


def test_a_terminal_that_is_gone_does_not_stop_the_work(gone, monkeypatch):
    monkeypatch.setattr(sys, "stderr", gone)
    with Reporter() as reporter:
        reporter(Note("one\n" * 5000))
        reporter(Note("two"))
    gone.flush()  # as Python does when it ends


def test_what_is_written_while_the_terminal_is_there_arrives():
    stream = io.StringIO()
    lasting = Lasting(stream)
    assert lasting.write("words") == 5
    lasting.flush()
    assert stream.getvalue() == "words"
    assert not lasting.isatty()


def ended(monkeypatch: pytest.MonkeyPatch, work: Callable[[], int]) -> object:
    """With which status the program ends."""
    monkeypatch.setattr(command_line, "main", work)
    monkeypatch.setattr(command_line.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as stop:
        command_line.entry()
    return stop.value.code


def test_a_closed_standard_output_leads_nowhere(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert ended(monkeypatch, lambda: sys.stdout.write("result") * 0) == 0
    sys.stdout.close()


@pytest.mark.parametrize(
    ("encoding", "seen"), [("ascii", "fid ?"), ("cp1252", "fid ?"), ("utf-8", "fid ↓")]
)
def test_letters_that_a_terminal_lacks_are_replaced(
    encoding, seen, tmp_path, monkeypatch, stream_to
):
    for name in ("stdout", "stderr"):
        stream = stream_to(tmp_path / name, encoding=encoding)
        monkeypatch.setattr(sys, name, stream)
    settle()
    sys.stdout.write("fid ↓")
    sys.stderr.write("fid ↓")
    for name in ("stdout", "stderr"):
        getattr(sys, name).flush()
        assert (tmp_path / name).read_text(encoding=encoding).strip() == seen


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", [["runs", "FOLDER"], ["runs", "FOLDER", "--json"]])
def test_a_result_for_which_there_is_no_room_is_shown_on_standard_error(
    words, tmp_path, monkeypatch, stream_to
):
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream_to(FULL))
    monkeypatch.setattr(sys, "stderr", said)
    words = [str(tmp_path) if word == "FOLDER" else word for word in words]
    assert command_line.main(words) == 2
    assert str(tmp_path) in said.getvalue()
    assert "standard output: No space left on device" in said.getvalue()
    assert "expected: room on the disk" in said.getvalue()
    sys.stdout.flush()


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
def test_a_help_for_which_there_is_no_room_is_no_crash(monkeypatch, stream_to):
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream_to(FULL))
    monkeypatch.setattr(sys, "stderr", said)
    assert ended(monkeypatch, lambda: sys.stdout.write("help") * 0) == 2
    assert "No space left" in said.getvalue()


def test_an_interrupt_keeps_its_status(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert ended(monkeypatch, lambda: 130) == 130


def test_a_terminal_that_is_gone_does_not_change_how_the_work_ended(tmp_path, monkeypatch):
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(sys, "stderr", Lasting(Gone()))
    assert command_line.main(["runs", str(tmp_path)]) == 0
