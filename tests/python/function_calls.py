"""The one place that says how a user's function is compiled and called, for tests, the fuzzer and the benchmark."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

import hypostyle
from function_oracle import ALONE, DTYPES, Program, Value

hs: Any = hypostyle
_numbers = itertools.count()


def compiled(function: Callable[..., Any], state: Mapping[str, Value]) -> Callable[..., pl.Expr]:
    """Compile a function of rows, or with a state one of a sequence of rows."""
    made: Callable[..., pl.Expr] = hs.scan(**state)(function) if state else hs.jit(function)
    return made


def defined(program: Program) -> Callable[..., Any]:
    """Run the source of a program; return its function, whose source Python finds although it is in no file."""
    name = f"<program {next(_numbers)}>"
    linecache.cache[name] = (len(program.source), None, program.source.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "program"}
    exec(compile(program.source, name, "exec"), namespace)
    function: Callable[..., Any] = namespace[program.name]
    return function


def frame_of(program: Program, columns: Mapping[str, Sequence[Value]], keys: Sequence[int]) -> pl.DataFrame:
    """Return the columns in their data types, with the column `key`."""
    schema = {name: DTYPES[kind] for name, kind in program.columns.items()} | {"key": pl.Int64}
    return pl.DataFrame({**columns, "key": keys}, schema=schema)


def ran(program: Program, frame: pl.DataFrame, *, by_key: bool = False) -> pl.Series:
    """Return the results of hypostyle."""
    over = {"over": "key"} if by_key else {}
    call: Any = compiled(defined(program), program.state)(*program.columns, **over)
    results: pl.Series = frame.with_columns(call.alias(ALONE))[ALONE]
    return results


def windowed(function: Callable[..., Any], column: str, window: int) -> pl.Expr:
    """Run a function of a window, as pandas' `rolling.apply` does."""
    made: pl.Expr = hs.rolling(function)(column, window, min_samples=window)
    return made
