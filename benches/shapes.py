"""Time per row of every kernel by the shape of its values: none may cost much more than random ones.

    python benches/shapes.py            prints the table
    python benches/shapes.py --write    also writes it to benches/results/shapes.md

One thread, over f64 rows without nulls, the best of several runs in turns.
"""

from __future__ import annotations

import argparse
import gc
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import polars as pl

import hypostyle as hs
import report
from hypostyle._spec import CATALOG
from machine import machine
from measure import best
from table import rows_of  # noqa: F401  it makes the oracles importable

from oracles import ORACLES  # isort: skip

Array = npt.NDArray[Any]
Times = Mapping[str, Mapping[str, float]]
WINDOWS: Mapping[str, int | str] = {"20": 20, "1000": 1_000, "5m": "5m"}
RANDOM = "random"
# A shape that costs more than so many times random values is marked.
MUCH = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, and writes it with `--write`; the exit code is 1 if a shape costs too much."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=200_000, help="rows of the frames (200_000)")
    made.add_argument("--budget", type=float, default=0.05, help="seconds for the calls behind each time (0.05)")
    made.add_argument("--only", nargs="+", default=[], help="kernels (all)")
    made.add_argument("--write", action="store_true", help="write benches/results/shapes.md")
    options = made.parse_args(arguments)
    given = shlex.join(["python", "benches/shapes.py", *(sys.argv[1:] if arguments is None else arguments)])
    frames = {shape: frame(values) for shape, values in shapes(options.rows).items()}
    gc.freeze()  # so that collecting between blocks of calls takes no time
    times = dict(measured(frames, options))
    text = "\n".join(table(times, {"command": given, **machine()}, options)) + "\n"
    print(text)
    if options.write:
        (Path(__file__).parent / "results" / "shapes.md").write_text(text)
    return int(any(max(of.values()) > MUCH * of[RANDOM] for of in times.values()))


def shapes(rows: int) -> dict[str, Array]:
    """The values of each shape; random ones first."""
    random = np.random.default_rng(5)
    normal = random.normal(100, 10, rows)
    return {
        RANDOM: normal,
        "equal": np.full(rows, 1.5),
        "90% equal": np.where(random.random(rows) < 0.9, 0.0, normal),
        "sorted": np.sort(normal),
        "reversed": np.sort(normal)[::-1].copy(),
        "sawtooth": np.arange(rows) % 1_000 / 7,
        "two values": random.integers(0, 2, rows).astype("f8"),
    }


def frame(values: Array) -> pl.DataFrame:
    """The values, and the same in another order as other columns, at a second each."""
    random = np.random.default_rng(6)
    rows = len(values)
    shifted = {name: np.roll(values, by) for name, by in (("y", 7), ("z", 501), ("w", 12_345))}
    return pl.DataFrame({"x": values, **shifted}).with_columns(
        ts=pl.Series(np.arange(rows) * 1_000_000).cast(pl.Datetime("us")),
        a=pl.Series(random.random(rows)),
        b=pl.Series(random.random(rows) < 0.05),
    )


def kernels(only: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The name of each row of the table, and its kernel."""
    for name, entry in CATALOG.items():
        if only and name not in only:
            continue
        oracle = ORACLES[name]
        make = getattr(hs, name)
        if entry["family"] != "rolling":
            yield name, make(**oracle.timed)
            continue
        for shown, window in WINDOWS.items():
            by = {"by": "ts"} if isinstance(window, str) else {}
            takes_time = not any(word in name for word in ("_fir_",))
            if (isinstance(window, int) or takes_time) and not (oracle.passes and window == 1_000):
                yield f"{name} {shown}", make(**{**oracle.timed, "window": window, **by})


def measured(frames: Mapping[str, pl.DataFrame], options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    """The nanoseconds per row of each kernel by shape."""
    for name, kernel in kernels(options.only):
        try:
            runs = {shape: partial(of.select, kernel) for shape, of in frames.items()}
            for run in runs.values():
                run()
        except (pl.exceptions.PolarsError, ValueError, TypeError) as error:
            print(f"  {name}: left out, {error}", file=sys.stderr)
            continue
        yield name, {shape: took / options.rows * 1e9 for shape, took in best(runs, options.budget).items()}
        print(f"  {name}", file=sys.stderr, flush=True)


def table(
    times: Mapping[str, Mapping[str, float]], result: dict[str, Any], options: argparse.Namespace
) -> Iterator[str]:
    """The report, the rows that cost most first."""
    others = [shape for shape in shapes(1) if shape != RANDOM]
    yield from ("# Shapes of values", "", *report.header(result), "")
    yield f"{options.rows:,} rows of f64 without nulls, one thread. Nanoseconds per row over random values, and how"
    yield f"many times as much over values of other shapes; more than {MUCH:g} times is marked. Rows where every shape"
    yield "costs less than 1.5 times as much are left out."
    costly = {name: max(of[shape] for shape in others) / of[RANDOM] for name, of in times.items()}
    shown = sorted((name for name in costly if costly[name] >= 1.5), key=lambda name: -costly[name])
    yield from ("", f"{len(times) - len(shown)} of {len(times)} rows are left out.", "")
    yield "| | random | " + " | ".join(others) + " |"
    yield "|---|" + "---:|" * (1 + len(others))
    for name in shown:
        of = times[name]
        ratios = (of[shape] / of[RANDOM] for shape in others)
        cells = (f"**{ratio:.2f}**" if ratio > MUCH else f"{ratio:.2f}" for ratio in ratios)
        yield f"| {name} | {of[RANDOM]:.1f} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
