"""Costs that do not depend on the number of rows: making an expression, a call, a group, a stage's batch, a process."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from polars.exceptions import PolarsError
from polars.plugins import register_plugin_function

import hypostyle as hs
from calls_interfaces import expressions, grouped, values
from inputs import inputs
from measure import MismatchError, best, compare
from peers import floats
from process import alone
from table import rows_of

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
FEW = 10
LENGTHS, COUNTS = (1, 10, 100), (1, 4, 16)
KERNELS = [
    getattr(hs, f"rolling_{name}")("x", window).alias(f"{name} {window}")
    for window in (10, 20, 50, 100)
    for name in ("mean", "std", "min", "max")
]
GROUP_LENGTHS, GROUP_WINDOW = (10, 100), 5
TOLERANCE = 1e-9
# A table: its rows by name, and the seconds of each column by name.
Table = dict[str, dict[str, float]]


def fixed_costs(budget: float) -> Table:
    """Return the times to make an expression and to run it over few rows, beside a plugin that does nothing."""
    frame = inputs(FEW, 1, "none", 1).polars.select("x")
    makers: dict[str, Callable[[], pl.Expr]] = {
        "hypostyle": lambda: hs.rolling_mean("x", 2),
        "polars": lambda: pl.col("x").rolling_mean(2),
        "a column alone": lambda: pl.col("x"),
    }
    with TemporaryDirectory() as folder:
        if (empty := empty_plugin(frame, Path(folder))) is not None:
            makers["empty plugin"] = empty
        made = {who: make() for who, make in makers.items()}
        found, expected = (floats(frame.select(made[who])) for who in ("polars", "hypostyle"))
        compare("rolling_mean 2", "polars", found, expected, TOLERANCE)
        calls: dict[tuple[str, str], Callable[[], Any]] = {}
        for who, make in makers.items():
            calls["make the expression", who] = make
            calls["`df.select`", who] = partial(frame.select, made[who])
            calls["`df.lazy().select().collect()`", who] = partial(collect, frame, made[who])
            calls["both", who] = partial(select_new, frame, make)
        return as_table(best(calls, budget))


def select_new(frame: pl.DataFrame, make: Callable[[], pl.Expr]) -> pl.DataFrame:
    """Run an expression that is made for this call."""
    return frame.select(make())


def collect(frame: pl.DataFrame, expression: pl.Expr) -> pl.DataFrame:
    """Run an expression as a query."""
    return frame.lazy().select(expression).collect()


def empty_plugin(frame: pl.DataFrame, folder: Path) -> Callable[[], pl.Expr] | None:
    """Return what makes an expression of a plugin that returns its input; `None` if it cannot be compiled or loaded."""
    compiler, source, library = shutil.which("cc"), HERE / "empty_plugin.c", folder / "empty_plugin.so"
    if compiler is None or not source.exists():
        return None
    if subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source], check=False).returncode:
        return None

    def make() -> pl.Expr:
        return register_plugin_function(plugin_path=library, function_name="empty", args=[pl.col("x")])

    try:
        returned = frame.select(make())
    except PolarsError as error:
        print(f"  the empty plugin is left out: {error}", file=sys.stderr)
        return None
    if not returned.equals(frame):
        raise MismatchError("the empty plugin does not return its input")
    return make


def small_frames(budget: float) -> Table:
    """Return the times of a stage over frames of few rows, and over single rows, by number of kernels."""
    frame = inputs(1_000, 1, "none", 1).polars.select("x")
    calls: dict[tuple[str, str], Callable[[], Any]] = {}
    for count in COUNTS:
        kernels = KERNELS[:count]
        stage, expected = hs.Stage(kernels), frame.with_columns(kernels)
        for length in LENGTHS:
            fresh = hs.Stage(kernels)
            if not pl.concat(fresh.advance(part) for part in frame.iter_slices(length)).equals(expected):
                raise MismatchError(f"a stage of {count} kernels over frames of {length} differs from one whole frame")
        stage.advance(frame)  # from here on the windows are full
        row = f"{count} kernel{'s' if count > 1 else ''}"
        for length in LENGTHS:
            name = f"`advance`, {length} row{'s' if length > 1 else ''}"
            calls[row, name] = partial(stage.advance, frame[:length])
        calls[row, "`advance_row`"] = partial(stage.advance_row, frame.row(0, named=True))
    return as_table(best(calls, budget))


def many_groups(count: int, budget: float) -> Table:
    """Return the times to aggregate many groups by a kernel, and to run it by key."""
    calls: dict[tuple[str, str], Callable[[], Any]] = {}
    (row,) = rows_of("none", ["rolling_mean"], [GROUP_WINDOW])
    with TemporaryDirectory() as folder:
        empty = empty_plugin(inputs(FEW, 1, "none", 1).polars.select("x"), Path(folder))
        for length in GROUP_LENGTHS:
            frame = inputs(count * length, count, "integer", 1).polars.select("key", "x")
            name = f"{count:,} groups of {length} rows"
            if empty is not None:
                calls[name, "`agg`, empty plugin"] = grouped(frame, empty(), empty())["hypostyle"]
            everyone = {
                "`agg`": grouped(frame, *expressions(row, None)),
                "`over`": keyed(frame, *expressions(row, "key")),
            }
            for how, who in everyone.items():
                found, expected = values(who["polars"]()), values(who["hypostyle"]())
                compare(f"{name}, {how}", "polars", found, expected, TOLERANCE)
                calls |= {(name, f"{how}, {one}"): run for one, run in who.items()}
        return as_table(best(calls, budget))


def keyed(frame: pl.DataFrame, kernel: pl.Expr, peer: pl.Expr) -> dict[str, Callable[[], Any]]:
    """Return the calls that keep the rows in their order."""
    return {"hypostyle": lambda: frame.select(kernel), "polars": lambda: frame.select(peer)}


def start(count: int) -> Table:
    """Return the median times of whole processes that start and end, in turns."""
    python, command = sys.executable, Path(sysconfig.get_path("scripts")) / "hypostyle"
    with TemporaryDirectory() as folder:
        # Compiled modules are kept, as they are where a package is installed.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        trades, output = Path(folder) / "trades.csv", Path(folder) / "features.parquet"
        subprocess.run([python, DATA / "generate.py", "--rows", "1000", "--out", trades], check=True)
        commands: dict[str, list[str | Path]] = {
            "`python -c pass`": [python, "-c", "pass"],
            "`import polars`": [python, "-c", "import polars"],
            "`import polars, hypostyle`": [python, "-c", "import polars, hypostyle"],
            "`hypostyle check FILE`": [command, "check", DATA / "demo.toml", "--input", trades, "--output", output],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(count + 1):
            for name, arguments in commands.items():
                ran = alone(arguments, 60)
                if ran["status"] != "ok":
                    raise RuntimeError(f"{name}: {ran['status']}")
                if turn:  # the first run reads files from the disk
                    seconds[name].append(ran["seconds"])
    return {name: {"median": statistics.median(times)} for name, times in seconds.items()}


def as_table(seconds: dict[tuple[str, str], float]) -> Table:
    """Return times by row and column as rows of columns."""
    made: Table = {}
    for (row, column), took in seconds.items():
        made.setdefault(row, {})[column] = took
    return made
