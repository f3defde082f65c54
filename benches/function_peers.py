"""Who runs a user's function, and how: hypostyle, then the peers.

Slow ones run on the first rows only; their times count per row.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numexpr
import numpy as np
import pandas as pd
import polars as pl
from numba import njit

from function_calls import compiled, windowed
from function_suite import FORMS, SUITE
from inputs import Array
from user_function_samples import Example

SLICES = {"polars, map_elements": 20_000, "pandas, apply": 1_000, "python loop": 20_000}
SLICES |= {"pandas, rolling.apply": 20_000, "polars, rolling_map": 5_000}
NUMPY = {"float": np.float64, "int": np.int64, "bool": np.bool_}
# numba's arrays have no nulls: NaN stands for a state that is not there yet.
NONE = math.nan


@dataclass(frozen=True)
class Peer:
    """One who takes part: what is timed, over how many rows, and how its result becomes a column of floats."""

    run: Callable[[], Any]
    rows: int
    values: Callable[[Any], Array] = lambda result: np.asarray(result, dtype="f8")


ARRAYS = "hypostyle, arrays"


@dataclass(frozen=True)
class Inputs:
    """The columns of a function, in the form that each peer likes best."""

    frame: pl.DataFrame
    arrays: Mapping[str, Array]
    keys: int | None

    @classmethod
    def of(cls, example: Example, rows: int, keys: int | None = None) -> Inputs:
        frame = example.frame(rows)
        arrays = {column.name: column.to_numpy() for column in frame}
        if keys is not None:
            frame = frame.with_columns(key=pl.Series(np.random.default_rng(1).integers(0, keys, rows)))
        return cls(frame, arrays, keys)


def peers(example: Example, data: Inputs) -> dict[str, Peer]:
    """Return everyone who can run the function, hypostyle first."""
    made = {"hypostyle": hypostyle(example, data)}
    if data.keys is None and not sum(data.frame.null_count().row(0)):
        made[ARRAYS] = over_arrays(example, data)
    made["numba"] = numba(example, data)
    forms = FORMS[example.name]
    if forms.numexpr is not None:
        made["numexpr"] = numexpr_of(forms.numexpr, data)
    if forms.polars is not None:
        made["polars"] = polars(forms.polars(), data)
    if not example.state:
        made["polars, map_elements"] = map_elements(example, data.frame)
        made["pandas, apply"] = apply(example, data.frame)
        made["python loop"] = python_rows(example, data.frame)
    elif data.keys is None:
        made["python loop"] = python_scan(example, data.frame)
    return made


def floats(result: pl.DataFrame | pl.Series) -> Array:
    """Return a column as floats, NaN for null."""
    column = result.to_series() if isinstance(result, pl.DataFrame) else result
    return column.cast(pl.Float64).fill_null(math.nan).to_numpy()


def objects(result: Sequence[Any]) -> Array:
    return np.array([math.nan if value is None else float(value) for value in result])


def hypostyle(example: Example, data: Inputs) -> Peer:
    """Return the call as users write it: an expression, made beforehand."""
    over = {} if data.keys is None else {"over": "key"}
    made: Any = compiled(example.function, example.state)(*example.columns, **over)
    return Peer(lambda: data.frame.select(made), len(data.frame), floats)


def over_arrays(example: Example, data: Inputs) -> Peer:
    """Return the call with arrays, as numba is called; NaN would be no null there, so that there must be none."""
    function: Any = compiled(example.function, example.state)
    columns = [data.arrays[name] for name in example.columns]
    return Peer(lambda: function(*columns), len(data.frame))


def polars(expression: pl.Expr, data: Inputs) -> Peer:
    if data.keys is not None:
        expression = expression.over("key")
    return Peer(lambda: data.frame.select(expression), len(data.frame), floats)


def numexpr_of(text: str, data: Inputs) -> Peer:
    numexpr.set_num_threads(1)
    columns = {**data.arrays, "nan": math.nan}
    return Peer(lambda: numexpr.evaluate(text, columns, {}), len(data.frame))


# numba: loops that call the function, of which LLVM leaves nothing.


def numba(example: Example, data: Inputs) -> Peer:
    columns, count = [data.arrays[name] for name in example.columns], len(data.frame)
    if not example.state:
        loop = row_loop(example)
        return Peer(lambda: loop(*columns), count)
    start = tuple(NONE if value is None else value for value in example.state.values())
    if data.keys is None:
        scan = scan_loop(example)
        return Peer(lambda: scan(start, *columns), count)
    keyed = keyed_loop(example)

    def run() -> Any:
        codes, names = pd.factorize(data.frame["key"].to_numpy())
        return keyed(start, codes, len(names), *columns)

    return Peer(run, count)


def jitted(function: Callable[..., Any]) -> Any:
    """Compile a function and the functions of its module that it calls, with divisions that do not raise."""
    assert isinstance(function, types.FunctionType)
    called = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    helpers = {name: jitted(one) for name, one in called.items() if isinstance(one, types.FunctionType)}
    copy = types.FunctionType(function.__code__, function.__globals__ | helpers, function.__name__)
    return njit(copy, error_model="numpy")


@cache
def loop_of(name: str, text: str) -> Callable[..., Array]:
    """Compile a loop that calls `f` and fills `out`."""
    example = SUITE[name]
    function = FORMS[name].numba or example.function
    namespace: dict[str, Any] = {"f": jitted(function), "np": np, "dtype": NUMPY[example.kind]}
    exec(text, namespace)
    made: Callable[..., Array] = njit(namespace["loop"], error_model="numpy")
    return made


def row_loop(example: Example) -> Callable[..., Array]:
    """Return the loop over all rows of a function without state."""
    columns = example.columns
    return loop_of(
        example.name,
        f"def loop({', '.join(columns)}):\n"
        f"    out = np.empty(len({columns[0]}), dtype)\n"
        f"    for row in range(len(out)):\n"
        f"        out[row] = f({', '.join(f'{name}[row]' for name in columns)})\n"
        f"    return out\n",
    )


def scan_loop(example: Example) -> Callable[..., Array]:
    """Return the loop that carries the state in local variables."""
    columns, fields = example.columns, [f"s_{name}" for name in example.state]
    return loop_of(
        example.name,
        f"def loop(start, {', '.join(columns)}):\n"
        f"    out = np.empty(len({columns[0]}), dtype)\n"
        f"    ({', '.join(fields)},) = start\n"
        f"    for row in range(len(out)):\n"
        f"        ({', '.join(fields)},), out[row] = f({', '.join([*fields, *(f'{name}[row]' for name in columns)])})\n"
        f"    return out\n",
    )


def keyed_loop(example: Example) -> Callable[..., Array]:
    """Return the loop that keeps a state per key, in an array per field."""
    columns, fields = example.columns, [f"s_{name}" for name in example.state]
    made = "".join(f"    {field} = np.full(keys, start[{at}])\n" for at, field in enumerate(fields))
    given = ", ".join([*(f"{field}[k]" for field in fields), *(f"{name}[row]" for name in columns)])
    return loop_of(
        example.name,
        f"def loop(start, codes, keys, {', '.join(columns)}):\n"
        f"    out = np.empty(len({columns[0]}), dtype)\n"
        f"{made}"
        f"    for row in range(len(out)):\n"
        f"        k = codes[row]\n"
        f"        ({', '.join(f'{field}[k]' for field in fields)},), out[row] = f({given})\n"
        f"    return out\n",
    )


# Python, called per row.


def first(frame: pl.DataFrame, who: str) -> pl.DataFrame:
    return frame.head(SLICES[who]).select(pl.exclude("key"))


def map_elements(example: Example, frame: pl.DataFrame) -> Peer:
    few, names, function = first(frame, "polars, map_elements"), example.columns, example.function
    kinds: dict[str, Any] = {"float": pl.Float64, "int": pl.Int64, "bool": pl.Boolean}
    more: dict[str, Any] = {"return_dtype": kinds[example.kind], "skip_nulls": False}
    expression = pl.struct(names).map_elements(lambda row: function(*row.values()), **more)
    if len(names) == 1:
        expression = pl.col(names[0]).map_elements(function, **more)
    return Peer(lambda: few.select(expression), len(few), floats)


def apply(example: Example, frame: pl.DataFrame) -> Peer:
    """Return `df.apply(axis=1)`; a frame with nulls is one of objects, as NaN is not None."""
    few, names, function = first(frame, "pandas, apply").to_pandas(), example.columns, example.function
    if example.nullable:
        few = few.astype(object).where(few.notna(), None)
    return Peer(lambda: few.apply(lambda row: function(*[row[name] for name in names]), axis=1), len(few), objects)


def python_rows(example: Example, frame: pl.DataFrame) -> Peer:
    few, function = first(frame, "python loop"), example.function
    columns = [column.to_list() for column in few]
    return Peer(lambda: [function(*row) for row in zip(*columns, strict=True)], len(few), objects)


def python_scan(example: Example, frame: pl.DataFrame) -> Peer:
    """Return a loop with the state in a tuple, faster than in an object."""
    few, step = first(frame, "python loop"), FORMS[example.name].numba
    assert step is not None, example.name
    columns = [column.to_list() for column in few]
    start = tuple(NONE if value is None else value for value in example.state.values())

    def run() -> list[Any]:
        out, state = [], start
        for row in zip(*columns, strict=True):
            state, result = step(*state, *row)
            out.append(result)
        return out

    return Peer(run, len(few), objects)


# Windows.


def decayed_sum(window: Any) -> Any:
    total = 0.0
    for value in window:
        total = 0.9 * total + value
    return total


_decayed_sum = njit(decayed_sum)


@njit
def _rolling_loop(x: Array, window: int) -> Array:
    out = np.full(len(x), np.nan)
    for row in range(window - 1, len(x)):
        out[row] = _decayed_sum(x[row - window + 1 : row + 1])
    return out


def rolling_peers(frame: pl.DataFrame, window: int) -> dict[str, Peer]:
    """Return everyone who runs a function over windows."""
    count, x, series = len(frame), frame["x"].to_numpy(), frame["x"].to_pandas()
    made: Any = windowed(decayed_sum, "x", window)
    few, fewer = series.head(SLICES["pandas, rolling.apply"]), frame.head(SLICES["polars, rolling_map"])
    mapped = pl.col("x").rolling_map(decayed_sum, window)
    return {
        "hypostyle": Peer(lambda: frame.select(made), count, floats),
        "numba": Peer(lambda: _rolling_loop(x, window), count),
        "pandas, rolling.apply(engine='numba')": Peer(
            lambda: series.rolling(window).apply(decayed_sum, raw=True, engine="numba"), count
        ),
        "pandas, rolling.apply": Peer(lambda: few.rolling(window).apply(decayed_sum, raw=True), len(few)),
        "polars, rolling_map": Peer(lambda: fewer.select(mapped), len(fewer), floats),
    }
