"""Kernels through every interface, by number of rows; beside each interface, what its users would call otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

import hypostyle as hs
from hypostyle import _native
from inputs import Array, Inputs, inputs
from measure import best, compare, tolerance_of
from oracles import ORACLES
from peers import pandas
from table import Row, rows_of

WINDOW, KEYS = 20, 100
ROWS = (
    *rows_of("none", ["rolling_mean", "rolling_std", "rolling_max", "ewm_mean"], [WINDOW]),
    *rows_of("text", ["rolling_mean"], [WINDOW]),
)
OUT = "out"
Run = Callable[[], Any]
# The calls of an interface: hypostyle's first, then what it is compared with, if anything.
Interface = dict[str, Run]


def by_rows(counts: Sequence[int], budget: float) -> Iterator[dict[str, Any]]:
    """Yield the times of every kernel over so many rows, by interface and by who is called."""
    for count in counts:
        keys = min(KEYS, max(1, count // 10))
        data = inputs(count, keys, "text", 1)
        data = replace(data, polars=data.polars.select("key", "x"), pandas=data.pandas[["key", "x"]])
        for row in ROWS:
            print(f"  {count:,} rows: {row.name}", file=sys.stderr, flush=True)
            interfaces = interfaces_of(row, replace(data, keyed=row.keys != "none"))
            check(row, interfaces)
            calls = {(name, who): run for name, calls in interfaces.items() for who, run in calls.items()}
            seconds = best(calls, budget)
            times = {name: {who: seconds[name, who] for who in calls} for name, calls in interfaces.items()}
            yield {"kernel": row.name, "rows": count, "keys": keys if row.keys != "none" else 1, "seconds": times}


def interfaces_of(row: Row, data: Inputs) -> dict[str, Interface]:
    """Return the calls of every interface."""
    frame, table = data.polars, data.polars.to_arrow()
    kernel, peer = expressions(row, "key" if data.keyed else None)
    found: dict[str, Interface] = {
        "df.select": {"hypostyle": lambda: frame.select(kernel), "polars": lambda: frame.select(peer)},
        "df.with_columns": {
            "hypostyle": lambda: frame.with_columns(kernel),
            "polars": lambda: frame.with_columns(peer),
        },
        "df.lazy().select().collect()": {
            "hypostyle": lambda: frame.lazy().select(kernel).collect(),
            "polars": lambda: frame.lazy().select(peer).collect(),
        },
    }
    if data.keyed:
        found["df.group_by().agg"] = grouped(frame, *expressions(row, None))
    spec = kernel._kernel
    read = frame.select(spec.columns)
    return found | {
        "hs.with_columns, Polars": {"hypostyle": lambda: hs.with_columns(frame, kernel)},
        "hs.with_columns, pandas": {
            "hypostyle": lambda: hs.with_columns(data.pandas, kernel),
            "pandas": assigned(row, data),
        },
        "hs.with_columns, pyarrow": {"hypostyle": lambda: hs.with_columns(table, kernel)},
        "kernel alone": by_threads(lambda threads: partial(_native.evaluate, read, [spec.json], threads)),
        "Stage.advance": by_threads(lambda threads: partial(hs.Stage(kernel, threads=threads).advance, frame)),
    }


def expressions(row: Row, over: str | None) -> tuple[hs.KernelExpr, pl.Expr]:
    """Return hypostyle's expression and Polars' own."""
    kernel: hs.KernelExpr = getattr(hs, row.kernel)(**row.case, over=over).alias(OUT)
    make = ORACLES[row.kernel].polars
    if make is None:
        raise ValueError(f"Polars has no {row.kernel}")
    own = make(row.case)
    return kernel, (own if over is None else own.over(over)).alias(OUT)


def grouped(frame: pl.DataFrame, kernel: pl.Expr, peer: pl.Expr) -> Interface:
    """Return the calls that aggregate the groups to lists."""
    return {
        "hypostyle": lambda: frame.group_by("key", maintain_order=True).agg(kernel),
        "polars": lambda: frame.group_by("key", maintain_order=True).agg(peer),
    }


def assigned(row: Row, data: Inputs) -> Run:
    """Return the call of pandas alone: the column in the order of the frame's rows, as `hs.with_columns` adds it."""
    own = pandas(row, data)
    if own is None:
        raise ValueError(f"pandas has no {row.kernel}")
    if not data.keyed:
        return lambda: data.pandas.assign(**{OUT: own.run()})
    return lambda: data.pandas.assign(**{OUT: own.run().reset_index(level=0, drop=True)})


def by_threads(call: Callable[[int], Run]) -> Interface:
    """Return the call with two threads and with one."""
    return {"2 threads": call(2), "1 thread": call(1)}


def check(row: Row, interfaces: dict[str, Interface]) -> None:
    """Raise if a result differs from hypostyle's in Polars."""
    expected = values(interfaces["df.select"]["hypostyle"]())
    for name, calls in interfaces.items():
        lists = name == "df.group_by().agg"
        right = values(calls["hypostyle"]()) if lists else expected
        for who, run in calls.items():
            compare(row.name, f"{name} ({who})", values(run()), right, tolerance_of(row))


def values(answer: Any) -> Array:
    """Return the output as floats, NaN for null."""
    if isinstance(answer, _native.Batch):
        answer = pl.DataFrame(answer)
    if isinstance(answer, pl.DataFrame) and answer.schema[OUT] == pl.List:
        answer = answer.explode(OUT)
    return np.asarray(answer[OUT], dtype="f8")
