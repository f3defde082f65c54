"""`hypostyle profile`: how the time of a script splits into Python, native code and waiting, line by line.

Times are not tested, which depend on the machine, only which part of a line's own time is the largest: the time in the
run queue is left out of it.  A busy machine may spoil a run, so that a property must hold in one run of three.  What
one look says with given clocks is in `test_profile_verdicts`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hypostyle_profile.child import command
from hypostyle_profile.stacks import Samples, Times

FOLDER = str(Path(__file__).parents[2] / "python")

WORK = """
import json, queue, socket, sqlite3, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np

def arithmetic():
    total = 0
    for i in range(2_500_000):
        total += i * i % 7

def builtins():
    total = 0
    for i in range(900_000):
        total = min(max(i, 5), 1000) + abs(total) % 3

def numpy_sort():
    values = np.random.default_rng(0).random(1_500_000)
    for _ in range(3):
        np.sort(values)

def holds_the_lock():
    values = list(range(3_000_000))
    for _ in range(3):
        json.dumps(values)

def sleeps():
    time.sleep(0.5)

def waits_for_a_socket():
    here, there = socket.socketpair()
    threading.Timer(0.5, there.send, [b"x"]).start()
    here.recv(1)

def waits_for_a_lock():
    lock = threading.Lock()
    lock.acquire()
    threading.Timer(0.5, lock.release).start()
    lock.acquire()

def waits_for_a_process():
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)"])

def queries():
    database = sqlite3.connect(":memory:")
    database.execute("create table t (a integer)")
    database.executemany("insert into t values (?)", ((i,) for i in range(20_000)))
    for i in range(150):
        database.execute("select sum(a) from t where a % 7 = ?", (i % 7,)).fetchall()

def pool():
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(in_a_thread, range(2)))

def in_a_thread(number):
    total = 0
    for i in range(5_000_000):
        total += i % 7

async def tasks():
    import asyncio
    await asyncio.gather(*(asyncio.sleep(0.5) for _ in range(3)))

def event_loop():
    import asyncio
    asyncio.run(tasks())

for work in (arithmetic, builtins, numpy_sort, holds_the_lock, sleeps, waits_for_a_socket, waits_for_a_lock,
             waits_for_a_process, queries, pool, event_loop):
    work()
"""


def sampled(script: Path, *arguments: str) -> tuple[Samples, subprocess.CompletedProcess[str]]:
    to = script.with_suffix(".json")
    settings = {
        "name": str(script),
        "arguments": list(arguments),
        "is_module": False,
        "hot": [],
        "interval": 0.005,
        "to": str(to),
    }
    done = subprocess.run(
        [sys.executable, *command(FOLDER, settings)], capture_output=True, text=True, check=False, timeout=120
    )
    return Samples.from_json(json.loads(to.read_text())), done


ATTEMPTS = 3


class Runs:
    """Runs of a script under the sampler, made when they are asked for.

    Args:
        script: Where it is written.
        code: What it does.
    """

    def __init__(self, script: Path, code: str) -> None:
        self._script = script
        self._runs: list[Samples] = []
        script.write_text(code)

    def hold(self, check: Callable[[Samples], None]) -> None:
        """Check the samples of the runs so far, and of new ones, until one has the property."""
        for attempt in range(ATTEMPTS):
            if attempt == len(self._runs):
                samples, done = sampled(self._script)
                assert done.returncode == 0, done.stderr
                self._runs.append(samples)
            try:
                check(self._runs[attempt])
            except AssertionError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("split") / "work.py", WORK)


def of_function(samples: Samples, name: str) -> Times:
    times = Times()
    for stack in samples.stacks:
        if any(frame.function == name and frame.file.endswith("work.py") for frame in stack.frames):
            times.add(stack.times)
    assert times.count, f"{name} was not seen"
    return times


@pytest.mark.parametrize("name", ["arithmetic", "builtins", "in_a_thread"])
def test_python_code_is_python_also_with_calls_of_builtins(work: Runs, name: str) -> None:
    def check(samples: Samples) -> None:
        times = of_function(samples, name)
        assert times.python > 2 * times.native, times

    work.hold(check)


@pytest.mark.parametrize("name", ["numpy_sort", "holds_the_lock"])
def test_c_functions_are_native_whether_they_hold_the_lock_or_not(work: Runs, name: str) -> None:
    def check(samples: Samples) -> None:
        times = of_function(samples, name)
        assert times.cpu > times.waiting, times
        # The sampler cannot tell what ran while it was in the run queue itself.
        assert times.native > times.python or times.queue > 2 * times.cpu, times

    work.hold(check)


@pytest.mark.parametrize(
    "name", ["sleeps", "waits_for_a_socket", "waits_for_a_lock", "waits_for_a_process", "event_loop"]
)
def test_waiting_is_waiting(work: Runs, name: str) -> None:
    def check(samples: Samples) -> None:
        times = of_function(samples, name)
        assert times.waiting > 0.1, times
        assert times.waiting > 2 * times.cpu, times
        assert times.alone > 0.05, times

    work.hold(check)


def test_queries_of_a_database_in_memory_do_not_wait(work: Runs) -> None:
    def check(samples: Samples) -> None:
        times = of_function(samples, "queries")
        assert times.native > times.waiting, times
        assert times.native > times.python, times

    work.hold(check)


def test_a_pool_that_computes_does_not_count_as_waiting(work: Runs) -> None:
    def check(samples: Samples) -> None:
        times = of_function(samples, "pool")
        assert times.alone < times.waiting, times

    work.hold(check)


def test_the_sampler_takes_little_and_says_how_much(work: Runs) -> None:
    def check(samples: Samples) -> None:
        assert 0 < samples.own_cpu < 0.1 * samples.wall
        assert samples.memory
        assert samples.clock

    work.hold(check)


def test_a_long_call_is_charged_to_its_line(tmp_path: Path) -> None:
    script = tmp_path / "lines.py"

    def check(samples: Samples) -> None:
        seconds: dict[int, float] = {}
        for stack in samples.stacks:
            for line in {frame.line for frame in stack.frames if frame.file == str(script)}:
                seconds[line] = seconds.get(line, 0.0) + stack.times.cpu
        assert max((3, 1, 2, 4, 5, 6), key=lambda line: seconds.get(line, 0.0)) in (1, 3), seconds
        assert sum(seconds.get(line, 0.0) for line in (4, 5, 6)) < 0.2 * sum(seconds.values()), seconds

    code = "a = [[str(i)] for i in range(300_000)]\nb = a * 6\nc = sorted(b * 2)\nd = 1\ne = 2\nf = d + e\n"
    Runs(script, code).hold(check)


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="only Linux tells the time in the run queue")
def test_a_busy_machine_does_not_make_a_loop_wait(tmp_path: Path) -> None:
    def check(samples: Samples) -> None:
        times = of_function(samples, "arithmetic")
        assert times.waiting < 0.35 * times.wall, times
        assert times.python > times.native, times

    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        code = "def arithmetic():\n    for i in range(3_000_000):\n        i % 7\narithmetic()\n"
        Runs(tmp_path / "work.py", code).hold(check)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
