"""Lines that were written stay whole, whatever happened to the last one."""

import resource

import pytest

from facewright.records import record


@pytest.mark.parametrize("torn", ['{"name": "fi', '{"name": "' + "x" * 70_000])
def test_a_line_that_a_crash_cut_short_does_not_spoil_the_next(torn, tmp_path):
    log = tmp_path / "metrics.jsonl"
    record.append(log, [{"name": "fid"}])
    with log.open("a") as file:
        file.write(torn)
    record.append(log, [{"name": "kid"}, {"name": "fd"}])
    assert [row["name"] for row in record.read(log, dict[str, str])] == ["fid", "kid", "fd"]


def test_a_file_of_nothing_but_a_torn_line_begins_anew(tmp_path):
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"name"')
    record.append(log, [{"name": "kid"}])
    assert log.read_text() == '{"name": "kid"}\n'


def test_rows_for_which_there_is_no_room_leave_the_log_as_it_was(tmp_path):
    log = tmp_path / "metrics.jsonl"
    record.append(log, [{"name": "fid"}])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match="too large") as refusal:
            record.append(log, [{"name": "x" * 200}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refusal.value.filename == str(log)
    assert log.read_text() == '{"name": "fid"}\n'
