"""Time per row of every rolling kernel, by window size, and with nulls.

    python benches/sweep.py            prints the tables
    python benches/sweep.py --write    also writes them to benches/results/sweep.md

One thread, over f64 rows, the best of several runs.  Large windows should not cost more than small ones; kernels that
cost a pass over their window stop at 1,000 rows.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import numpy as np
import polars as pl

import hypostyle as hs
import report
from machine import machine
from table import PASSES, ROLLING, rows_of

WINDOWS = (5, 20, 100, 1_000, 100_000, 1_000_000)
NULLS = (0.0, 0.05)
# A kernel that costs a pass over its window stops at this many rows.
LONGEST_PASS = 1_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables, and writes them with `--write`."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=3_000_000, help="rows of the frame (3_000_000)")
    made.add_argument("--repeat", type=int, default=3, help="runs of each, of which the best counts (3)")
    made.add_argument("--budget", type=float, default=1.5, help="seconds after which there is no further run (1.5)")
    made.add_argument("--write", action="store_true", help="write benches/results/sweep.md")
    options = made.parse_args(arguments)
    given = shlex.join(["python", "benches/sweep.py", *(sys.argv[1:] if arguments is None else arguments)])
    result = {"command": given, **machine()}
    text = "\n".join([*head(result, options), *by_window(options), "", *by_nulls(options)]) + "\n"
    print(text)
    if options.write:
        (Path(__file__).parent / "results" / "sweep.md").write_text(text)
    return 0


def head(result: dict[str, Any], options: argparse.Namespace) -> Iterator[str]:
    yield from ("# Window size and nulls", "", *report.header(result), "")
    yield f"{options.rows:,} rows of f64, one thread, nanoseconds per row, best of {options.repeat} runs."


def rows(count: int, nulls: float) -> pl.DataFrame:
    random = np.random.default_rng(20)
    columns = {name: pl.Series(random.normal(100, 10, count)) for name in ("x", "y", "z")}
    columns |= {"a": pl.Series(random.random(count)), "b": pl.Series(random.random(count) < 0.05)}
    if nulls:
        holes = {name: np.flatnonzero(random.random(count) < nulls) for name in ("x", "b")}
        columns |= {name: columns[name].scatter(at, None) for name, at in holes.items()}
    return pl.DataFrame(columns)


def cost(frame: pl.DataFrame, name: str, window: int, options: argparse.Namespace, **more: Any) -> float:
    (row,) = rows_of("none", [name], [window])
    kernel = getattr(hs, name)(**row.case, **more)
    seconds: list[float] = []
    while len(seconds) < options.repeat and sum(seconds) < options.budget:
        begin = time.perf_counter()
        frame.select(kernel)
        seconds.append(time.perf_counter() - begin)
    return min(seconds) / len(frame) * 1e9


def by_window(options: argparse.Namespace) -> Iterator[str]:
    yield from ("", "## Window size", "")
    yield f"| | {' | '.join(f'{window:,}' for window in WINDOWS)} |"
    yield "|---|" + "---:|" * len(WINDOWS)
    frame = rows(options.rows, 0.0)
    for name in ROLLING:
        print(f"  {name}", file=sys.stderr, flush=True)
        allowed = [window for window in WINDOWS if window <= LONGEST_PASS or name not in PASSES]
        times = [f"{cost(frame, name, window, options):.1f}" for window in allowed]
        yield f"| {name} | {' | '.join(times + [''] * (len(WINDOWS) - len(times)))} |"


def by_nulls(options: argparse.Namespace) -> Iterator[str]:
    yield from ("## Nulls", "", "5% of the values are null, at random; `min_samples=1` in both columns.", "")
    yield "| | 20 | with nulls | ratio | 1,000 | with nulls | ratio |"
    yield "|---|" + "---:|" * 6
    whole, holed = (rows(options.rows, nulls) for nulls in NULLS)
    for name in ROLLING:
        print(f"  {name} with nulls", file=sys.stderr, flush=True)
        cells = []
        for window in (20, 1_000):
            one, other = (cost(frame, name, window, options, min_samples=1) for frame in (whole, holed))
            cells += [f"{one:.1f}", f"{other:.1f}", f"{other / one:.2f}"]
        yield f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
