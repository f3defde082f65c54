"""Measures the recurrences against numba loops written by hand, pandas, polars, numbagg, scipy and TA-Lib.

    python benches/recurrences.py            prints the table
    python benches/recurrences.py --write    and writes benches/results/recurrences.md

The results are compared first (a part of 1e-9 may differ: the others' own rounding).  One thread, values without nulls.
A copy of the column by numpy is beside, and the cycles of a row if the processor's clock is known.
"""

from __future__ import annotations

import argparse
import gc
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import pandas as pd
import polars as pl
import scipy.signal

import hypostyle as hs
import recurrence_loops as loops
import report
from machine import machine
from measure import best

PAGE = Path(__file__).resolve().parent / "results" / "recurrences.md"
ALPHA = 0.05
B, A = np.array([0.09763107, 0.19526215, 0.09763107]), np.array([1.0, -0.94280904, 0.33333333])
Ways = dict[str, Callable[[], Any]]
Arrays = dict[str, np.ndarray]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, and writes it with `--write`."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000, 5_000_000], help="rows of each table")
    made.add_argument("--budget", type=float, default=1.0, help="seconds for the calls behind each time (1.0)")
    made.add_argument("--only", nargs="+", help="these kernels alone")
    made.add_argument("--write", action="store_true", help="write benches/results/recurrences.md")
    options = made.parse_args(arguments)
    gc.freeze()  # so that collecting between blocks of calls takes no time
    given = shlex.join(["python", "benches/recurrences.py", *(sys.argv[1:] if arguments is None else arguments)])
    lines = ["# Recurrences", ""]
    tables = [line for rows in options.rows for line in table(rows, options.budget, options.only)]
    if not options.only:
        tables.append(by_key(options.budget))
    lines += [*report.header({"command": given, **machine()}), "", EXPLANATION, *tables]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.write:
        PAGE.write_text(text)
    return 0


EXPLANATION = """\
Nanoseconds per row, the best of several calls in turns, on one thread; f64 without nulls, but 30% of those that
`ffill`, `bfill` and `interpolate` read are null (NaN in arrays). hypostyle is called as `frame.select(kernel)`, the
others as their users call them. The ratio is the time of the fastest of them divided by hypostyle's: above 1 hypostyle
is faster. `copy` is numpy's copy of the column. The loops return the same columns as the kernels, a column for each
field of a struct. The last table is by key, on all threads.
"""


def by_key(budget: float) -> str:
    """The table of another process, which has all threads."""
    environment = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    command = [sys.executable, str(Path(__file__).with_name("recurrence_keys.py")), "--budget", str(budget)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.rstrip("\n")


def table(count: int, budget: float, only: list[str] | None) -> Iterator[str]:
    """The times of all kernels over so many rows."""
    names = ["hypostyle", "numba loop", "polars", "pandas", "numbagg", "scipy", "ta-lib", "copy"]
    yield from [
        "",
        f"## {count:,} rows",
        "",
        f"| | {' | '.join(names)} | ratio |",
        "|---|" + "---:|" * (len(names) + 1),
    ]
    for kernel, ways in kernels(count).items():
        if only and kernel.split("(")[0] not in only:
            continue
        compare(kernel, ways)
        times = {way: took / count * 1e9 for way, took in best(ways, budget).items()}
        cells = [f"{times[name]:.2f}" if name in times else "" for name in names]
        others = [took for name, took in times.items() if name not in ("hypostyle", "copy")]
        yield f"| {kernel} | {' | '.join(cells)} | {min(others) / times['hypostyle']:.2f} |"


def compare(kernel: str, ways: Ways) -> None:
    """Raise if a result differs, null rows aside."""
    expected = floats(ways["hypostyle"]())
    for way, run in ways.items():
        if way in ("hypostyle", "copy"):
            continue
        found = floats(run())
        kept = ~np.isnan(expected) & ~np.isnan(found)
        scale = np.abs(expected[kept]).max()
        if kept.sum() < 0.9 * len(kept) or not np.allclose(found[kept], expected[kept], 1e-6, 1e-9 * scale):
            raise RuntimeError(f"{kernel}: {way} differs")


def floats(result: Any) -> np.ndarray:
    if isinstance(result, pl.DataFrame):
        series = result.to_series()
        result = series.struct[0] if isinstance(series.dtype, pl.Struct) else series
        result = result.cast(pl.Float64).to_numpy()
    return np.asarray(result[0] if isinstance(result, tuple) else result, dtype="f8")


def kernels(count: int) -> dict[str, Ways]:
    """For each kernel, who computes it."""
    import numbagg
    import talib

    random = np.random.default_rng(7)
    x, y = random.normal(100, 10, count), random.normal(size=count)
    flag = random.random(count) < 0.01
    gaps = np.where(random.random(count) < 0.3, np.nan, x)
    gaps[[0, -1]] = x[[0, -1]]
    frame = pl.DataFrame({"x": x, "y": y, "flag": flag, "gaps": pl.Series(gaps).fill_nan(None)})
    px, py, pgaps = pd.Series(x), pd.Series(y), pd.Series(gaps)

    def ours(kernel: Any) -> Callable[[], pl.DataFrame]:
        return lambda: frame.select(kernel)

    def theirs(expression: pl.Expr) -> Callable[[], pl.DataFrame]:
        return lambda: frame.select(expression)

    found: dict[str, Ways] = {
        "shift(1)": {
            "hypostyle": ours(hs.shift("x")),
            "numba loop": lambda: loops.shift(x, 1),
            "polars": theirs(pl.col("x").shift(1)),
            "pandas": lambda: px.shift(1),
        },
        "diff(1)": {
            "hypostyle": ours(hs.diff("x")),
            "numba loop": lambda: loops.diff(x, 1),
            "polars": theirs(pl.col("x").diff()),
            "pandas": lambda: px.diff(),
        },
        "pct_change(1)": {
            "hypostyle": ours(hs.pct_change("x")),
            "numba loop": lambda: loops.pct_change(x, 1),
            "polars": theirs(pl.col("x").pct_change()),
            "pandas": lambda: px.pct_change(),
        },
        "cum_sum": {
            "hypostyle": ours(hs.cum_sum("x")),
            "numba loop": lambda: loops.cum_sum(x),
            "polars": theirs(pl.col("x").cum_sum()),
            "pandas": lambda: px.cumsum(),
        },
        "cum_max": {
            "hypostyle": ours(hs.cum_max("x")),
            "numba loop": lambda: loops.cum_max(x),
            "polars": theirs(pl.col("x").cum_max()),
            "pandas": lambda: px.cummax(),
        },
        "ewm_var": {
            "hypostyle": ours(hs.ewm_var("x", alpha=ALPHA)),
            "numba loop": lambda: loops.ewm_var(x, ALPHA),
            "polars": theirs(pl.col("x").ewm_var(alpha=ALPHA)),
            "pandas": lambda: px.ewm(alpha=ALPHA).var(),
            "numbagg": lambda: numbagg.move_exp_nanvar(x, alpha=ALPHA),
        },
        "ewm_corr": {
            "hypostyle": ours(hs.ewm_corr("x", "y", alpha=ALPHA)),
            "numba loop": lambda: loops.ewm_corr(x, y, ALPHA),
            "pandas": lambda: px.ewm(alpha=ALPHA).corr(py),
            "numbagg": lambda: numbagg.move_exp_nancorr(x, y, alpha=ALPHA),
        },
        "cumsum_clip": {
            "hypostyle": ours(hs.cumsum_clip("y", -3.0, 3.0)),
            "numba loop": lambda: loops.cumsum_clip(y, -3.0, 3.0),
        },
        "affine_scan": {
            "hypostyle": ours(hs.affine_scan(0.9, "y")),
            "numba loop": lambda: loops.affine_scan(np.full(count, 0.9), y),
        },
        "ema(20)": {
            "hypostyle": ours(hs.ema("x", 20)),
            "numba loop": lambda: loops.ema(x, 20),
            "ta-lib": lambda: talib.EMA(x, 20),
        },
        "rsi(14)": {
            "hypostyle": ours(hs.rsi("x", 14)),
            "numba loop": lambda: loops.rsi(x, 14),
            "ta-lib": lambda: talib.RSI(x, 14),
        },
        "cumsum_reset": {
            "hypostyle": ours(hs.cumsum_reset("y", reset="flag")),
            "numba loop": lambda: loops.cumsum_reset(y, flag),
        },
        "latch": {
            "hypostyle": ours(hs.latch("y", 1.0, -1.0)),
            "numba loop": lambda: loops.latch(y, 1.0, -1.0),
        },
        "cusum": {
            "hypostyle": ours(hs.cusum("y", 0.5, 5.0)),
            "numba loop": lambda: loops.cusum(y, 0.5, 5.0),
        },
        "ffill": {
            "hypostyle": ours(hs.ffill("gaps")),
            "numba loop": lambda: loops.ffill(gaps),
            "polars": theirs(pl.col("gaps").forward_fill()),
            "pandas": pgaps.ffill,
        },
        "bfill": {
            "hypostyle": ours(hs.bfill("gaps")),
            "numba loop": lambda: loops.bfill(gaps),
            "polars": theirs(pl.col("gaps").backward_fill()),
            "pandas": pgaps.bfill,
        },
        "interpolate": {
            "hypostyle": ours(hs.interpolate("gaps")),
            "numba loop": lambda: loops.interpolate(gaps),
            "polars": theirs(pl.col("gaps").interpolate()),
            "pandas": pgaps.interpolate,
        },
        "drawdown": {
            "hypostyle": ours(hs.drawdown("x")),
            "numba loop": lambda: loops.drawdown(x),
            "pandas": lambda: px / px.cummax() - 1,
        },
        "lfilter, order 2": {
            "hypostyle": ours(hs.lfilter("x", B.tolist(), A.tolist())),
            "numba loop": lambda: loops.biquad(x, B, A),
            "scipy": lambda: scipy.signal.lfilter(B, A, x),
        },
    }
    return {name: {**ways, "copy": lambda: x.copy()} for name, ways in found.items()}


if __name__ == "__main__":
    sys.exit(main())
