"""The fixed cost of a call: calls on 100 rows stay within a budget of instructions.

Times vary too much for a test.  Instructions hardly vary, and `count_steps.c` counts them on any machine: it steps
through the call, on the calling thread, in a process of its own.  A call of compiled code has its budget in
instructions.  A call that is mostly Python has it as a ratio to a call of Polars or pandas in the same process, because
the instructions of both depend on the versions of Python, Polars and pandas.

    python tests/python/test_call_cost.py        prints the counts and the budgets
    python tests/python/test_call_cost.py 10     counts 10 times, to see how much the counts vary

After a change that makes a call cheaper, write its new count into `CASES`, so that it stays as cheap.
"""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import hypostyle as hs
from hypostyle import _native

pytestmark = pytest.mark.skipif(
    not (sys.platform == "linux" and platform.machine() == "x86_64"),
    reason="only Linux on x86-64 lets a process step through its own instructions",
)

HEADROOM = 1.25
"""A budget is the expected count times this.  Runs differ by 2% at most; compilers, processors and versions by more."""

WARM_UP = 50
"""Calls before the counted one, so that caches are filled."""

ATTEMPTS = 3
"""How often a call over its budget is counted; the smallest count is taken."""

ENVIRONMENT = {"PYTHONHASHSEED": "0", "_RJEM_MALLOC_CONF": "tcache_gc_incr_bytes:1073741824"}
"""Fixed hashes, and no cleanup by Polars' allocator, which would add 10,000 instructions to some calls."""

COUNTER = Path(__file__).with_name("count_steps.c")

Call = Callable[[], object]

ROWS = [{"v": float(i * 7 % 13)} for i in range(100)]
PLAIN = pl.DataFrame(ROWS)
KEYED = PLAIN.with_columns(key=pl.int_range(100) % 5)
PANDAS = pd.DataFrame(ROWS)
ARRAY = PANDAS["v"].to_numpy(copy=True)
MEAN = hs.rolling_mean("v", 20)


@dataclass(frozen=True)
class Case:
    """A call and the count expected of it: instructions, or their ratio to the instructions of `relative_to`."""

    name: str
    expected: float
    call: Call
    relative_to: Call | None = None

    @property
    def budget(self) -> float:
        return self.expected * HEADROOM

    def shown(self, count: float) -> str:
        return f"{count:,.0f}" if self.relative_to is None else f"{count:.2f} x"


def evaluate(frame: pl.DataFrame, kernel: hs.KernelExpr) -> Call:
    specs = [kernel._kernel.json]
    return lambda: _native.evaluate(frame, specs)


def advance() -> Call:
    stage = hs.Stage(MEAN.alias("mean"))
    return lambda: stage.advance(PLAIN)


def advance_rows() -> Call:
    """The cost of single rows rises and falls with the window, so a whole window of them is counted."""
    stage = hs.Stage(MEAN)
    stage.set_schema(PLAIN)
    return lambda: [stage.advance_row(row) for row in ROWS[:20]]


class Stream:
    """A frame that Polars reads by the Arrow interface, as it reads the results of a stage."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return PLAIN.__arrow_c_stream__(requested_schema)


CASES = [
    Case("evaluate rolling_mean", 41_700, evaluate(PLAIN, MEAN)),
    Case("evaluate ewm_mean", 36_900, evaluate(PLAIN, hs.ewm_mean("v", span=20))),
    Case("evaluate rolling_max", 43_500, evaluate(PLAIN, hs.rolling_max("v", 20))),
    Case("evaluate rolling_mean by key", 77_800, evaluate(KEYED, hs.rolling_mean("v", 20, over="key"))),
    Case("advance_row, 20 times", 78_500, advance_rows()),
    Case("advance", 2.30, advance(), lambda: pl.DataFrame(Stream())),
    Case("expression", 8.0, lambda: hs.rolling_mean("v", 20), lambda: pl.col("v").rolling_mean(20)),
    Case("with_columns of pandas", 2.2, lambda: hs.with_columns(PANDAS, MEAN), lambda: PANDAS.assign(v=ARRAY)),
]


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    return counts_of_all(compiled(tmp_path_factory.mktemp("call_cost")))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_call_stays_within_its_budget(case: Case, counts: dict[str, float]) -> None:
    count = counts[case.name]
    assert count <= case.budget, (
        f"instructions of {case.name}: got {case.shown(count)}, expected {case.shown(case.expected)} and at most "
        f"{case.shown(case.budget)}; make the call cheaper, or justify the new count in the commit that writes it here"
    )


def compiled(directory: Path) -> Path:
    """Compile the counter."""
    library = directory / "count_steps.so"
    command = [*shlex.split(os.environ.get("CC", "cc")), "-O2", "-shared", "-fPIC", str(COUNTER), "-o", str(library)]
    subprocess.run(command, check=True)
    return library


def counts_of_all(library: Path) -> dict[str, float]:
    """Return the counts by name."""
    names = [case.name for case in reversed(CASES)]  # the longest first
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(names, pool.map(partial(count_of, library), names), strict=True))


def count_of(library: Path, name: str) -> float:
    """Return the count of a case, from a process without what pytest and other cases add."""
    done = subprocess.run(
        [sys.executable, __file__, "--count", str(library), name],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | ENVIRONMENT,
        check=False,
    )
    if done.returncode:
        msg = f"cannot count the instructions of '{name}': exit code {done.returncode}\n{done.stderr}"
        raise RuntimeError(msg)
    return float(done.stdout)


class Counter:
    """The compiled counter, in the process whose calls it counts."""

    def __init__(self, library: str) -> None:
        self._count_steps = ctypes.PyDLL(library).count_steps
        self._count_steps.argtypes = [ctypes.py_object, ctypes.POINTER(ctypes.c_long)]
        self._count_steps.restype = ctypes.py_object

    def case(self, case: Case) -> float:
        """Return the count of a case."""
        unit = 1 if case.relative_to is None else self.warm(case.relative_to)
        count = self.warm(case.call) / unit
        for _ in range(ATTEMPTS - 1):
            if count > case.budget:
                count = min(count, self.instructions(case.call) / unit)
        return count

    def warm(self, call: Call) -> int:
        """Return the instructions of a call after others like it."""
        for _ in range(WARM_UP):
            call()
        return self.instructions(call)

    def instructions(self, call: Call) -> int:
        """Return the instructions of a call."""
        counted = ctypes.c_long()
        self._count_steps(call, ctypes.byref(counted))
        if counted.value == 0:
            msg = "the trap flag has no effect here: is the processor emulated, or another tracer attached?"
            raise RuntimeError(msg)
        return counted.value


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--count"]:
        gc.disable()
        library, name = arguments[1:]
        print(Counter(library).case(next(case for case in CASES if case.name == name)))
        return
    with tempfile.TemporaryDirectory() as directory:
        counter = compiled(Path(directory))
        runs = [counts_of_all(counter) for _ in range(int(arguments[0]) if arguments else 1)]
    print(f"{'instructions of':30}{'count':>12}{'at most':>12}{'expected':>12}{'budget':>12}")
    for case in CASES:
        found = [run[case.name] for run in runs]
        shown = [case.shown(count) for count in (min(found), max(found), case.expected, case.budget)]
        print(f"{case.name:30}" + "".join(f"{text:>12}" for text in shown))


if __name__ == "__main__":
    main(sys.argv[1:])
