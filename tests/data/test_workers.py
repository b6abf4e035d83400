"""The parallel map over worker processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facewright.data.workers import parallel_map
from facewright.errors import DataError


def double(task: int) -> int:
    return 2 * task


def refuse(task: int) -> int:
    raise DataError(f"task {task}", expected="another", fix="nothing")


def die(task: int) -> int:
    os._exit(1)


def process_id(task: int) -> int:
    return os.getpid()


def imported(task: str) -> bool:
    return task in sys.modules


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done_once(workers):
    assert sorted(parallel_map(double, range(50), workers)) == list(range(0, 100, 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_no_tasks_are_no_trouble(workers):
    assert list(parallel_map(double, [], workers)) == []


def test_one_worker_is_this_process_and_two_are_two_others():
    assert set(parallel_map(process_id, range(3), 1)) == {os.getpid()}
    others = set(parallel_map(process_id, range(4), 2))  # each is given two at once
    assert len(others) == 2
    assert os.getpid() not in others


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_worker_arrives_here_as_it_was(workers):
    with pytest.raises(DataError, match="task 7") as caught:
        list(parallel_map(refuse, [7, 7, 7, 7], workers))
    assert (caught.value.expected, caught.value.fix) == ("another", "nothing")


def test_a_worker_that_dies_ends_the_work_with_an_error():
    with pytest.raises(DataError, match="a worker process died"):
        list(parallel_map(die, range(4), 2))


def test_tasks_are_drawn_as_they_are_needed():
    drawn = []

    def tasks():
        for i in range(1000):
            drawn.append(i)
            yield i

    results = parallel_map(double, tasks(), 2)
    next(results)
    assert len(drawn) < 20
    results.close()


def test_workers_do_not_know_torch():
    assert "torch" in sys.modules  # here, as the tests' configuration imports it
    assert list(parallel_map(imported, ["torch"] * 4, 2)) == [False] * 4


def test_a_script_without_a_main_guard_can_spread_work(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import os\n"
        "from facewright.data.workers import parallel_map\n"
        "print('started')\n"
        "print(sorted(parallel_map(os.path.basename, ['a/b', 'c/d'], 2)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.stdout == "started\n['b', 'd']\n"
    assert done.stderr == ""


def holds_interrupts_back(task: int) -> bool:
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_an_interrupt_is_for_the_parent_alone_from_the_first_worker_on():
    script = (
        "import sys; sys.path.insert(0, '.')\n"
        "from tests.data.test_workers import holds_interrupts_back\n"
        "from facewright.data.workers import parallel_map\n"
        "print(set(parallel_map(holds_interrupts_back, range(8), 2)), holds_interrupts_back(0))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "{True} False\n"


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc")
def test_workers_end_when_their_parent_is_killed():
    script = (
        "import sys, time; sys.path.insert(0, '.')\n"
        "from tests.data.test_workers import process_id\n"
        "from facewright.data.workers import parallel_map\n"
        "for pid in parallel_map(process_id, iter(int, 1), 2): print(pid, flush=True)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=root
    ) as parent:
        assert parent.stdout is not None
        pids = set[int]()
        while len(pids) < 2:
            pids.add(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    while any(map(is_alive, pids)):  # as long as pytest lets it
        time.sleep(0.05)
