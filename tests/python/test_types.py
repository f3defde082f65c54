"""The law of types: over a column of any type every kernel gives one column, or one error, through every interface."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import polars as pl
import pytest

import hypostyle as hs
from data import same
from hypostyle import _native
from hypostyle._spec import CATALOG
from kernels_under_test import IN_MEMORY_ONLY, NAMES, STREAMING
from oracles import ORACLES

ROWS = 6
# The columns of the benchmark's rows, and a key.
BASE = pl.DataFrame(
    {
        "x": [1.0, 2, 3, 4, 5, 6],
        "y": [2.0, 5, 4, 1, 3, 6],
        "z": [3.0, 1, 4, 1, 5, 9],
        "w": [0.5, 2, 1, 3, 1, 2],
        "high": [1.5, 3, 4, 4.5, 6, 7],
        "low": [0.5, 1, 2, 3.5, 4, 5],
        "i": [1, 2, 3, 4, 5, 6],
        "a": [0.5, 0.25, 0.75, 0.5, 0.1, 0.9],
        "b": [True, False, True, True, False, False],
        "k": ["a", "b"] * 3,
        "ts": [datetime(2024, 1, 1, 0, minute) for minute in range(ROWS)],
    }
)
COLUMNS = {
    "categorical": BASE["k"].cast(pl.Categorical),
    "enum": BASE["k"].cast(pl.Enum(["a", "b"])),
    "string": BASE["k"],
    "binary": BASE["k"].cast(pl.Binary),
    "boolean": BASE["b"],
    "date": BASE["ts"].dt.date(),
    "time": BASE["ts"].dt.time(),
    "decimal": BASE["x"].cast(pl.Decimal(10, 2)),
    "list": pl.Series([[1.0]] * ROWS),
    "array": pl.Series([[1.0, 2.0]] * ROWS, dtype=pl.Array(pl.Float64, 2)),
    "struct": BASE.select(pl.struct("x")).to_series(),
    "null": pl.Series([None] * ROWS),
}
NUMBERS = (
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    *(pl.Float16, pl.Float32, pl.Float64),
)
COLUMNS |= {str(dtype): BASE["x"].cast(dtype) for dtype in NUMBERS}
for unit in ("ms", "us", "ns"):
    COLUMNS |= {
        f"datetime {unit}": BASE["ts"].cast(pl.Datetime(unit)),
        f"zoned {unit}": BASE["ts"].cast(pl.Datetime(unit)).dt.replace_time_zone("Europe/Zurich"),
        f"duration {unit}": (BASE["ts"] - BASE["ts"][0]).cast(pl.Duration(unit)),
    }
# Polars has these, Arrow doesn't.
BEYOND_ARROW = {
    "i128": BASE["x"].cast(pl.Int128),
    "u128": BASE["x"].cast(pl.UInt128),
    "object": pl.Series([object()] * ROWS, dtype=pl.Object),
}


def rows_alone(frame: pl.DataFrame, kernel: hs.KernelExpr) -> pl.Series:
    stage = hs.Stage(kernel)
    stage.set_schema(frame)
    results = [stage.advance_row(row)["out"] for row in frame.iter_rows(named=True)]
    return pl.Series("out", results, dtype=stage.output_schema()["out"])


def of_pandas(frame: pl.DataFrame, kernel: hs.KernelExpr) -> pl.Series:
    """Polars' columns out of those of pandas, which has no structs and whose missing values are NaN."""
    out = hs.with_columns(frame.to_pandas(), kernel)
    fields = [name for name in out.columns if name == "out" or name.startswith("out.")]
    columns = [pl.Series(name.removeprefix("out."), plain_list(out[name]), strict=False) for name in fields]
    return columns[0] if fields == ["out"] else pl.DataFrame(columns).to_struct("out")


def plain_list(column: pd.Series) -> list[Any]:
    return [None if value is None or value is pd.NA or value != value else value for value in column.tolist()]


POLARS: dict[str, Callable[[pl.DataFrame, hs.KernelExpr], pl.Series]] = {
    "hs.with_columns": lambda frame, kernel: hs.with_columns(frame, kernel)["out"],
    "Stage.advance": lambda frame, kernel: hs.Stage(kernel).advance(frame)["out"],
    "LazyFrame.hs": lambda frame, kernel: frame.lazy().hs.with_columns(kernel).select("out").collect()["out"],
}
PLUGIN: dict[str, Callable[[pl.DataFrame, hs.KernelExpr], pl.Series]] = {
    "eager": lambda frame, kernel: frame.select(kernel)["out"],
    "lazy": lambda frame, kernel: frame.lazy().select(kernel).collect(engine="streaming")["out"],
}
OTHERS: dict[str, Callable[[pl.DataFrame, hs.KernelExpr], pl.Series]] = {
    "rows": rows_alone,
    "pandas": of_pandas,
    "pyarrow": lambda frame, kernel: pl.Series("out", hs.with_columns(frame.to_arrow(), kernel).column("out")),
}
INTERFACES = POLARS | PLUGIN | OTHERS
ON_STREAMS = {"Stage.advance", "LazyFrame.hs", "rows"}

# Roles that the drivers serve, the same for every kernel: these kernels try them through every interface, the others
# through those of IN_SHORT alone.
DRIVEN = {"over", "by", "window length", "window start"}
THOROUGH = {"rolling_mean", "rolling_ols", "expanding_mean", "ewm_mean", "session_id"}
IN_SHORT = {"eager", "Stage.advance", "rows"}

# Values that a single row can't hold: frames alone can.
NOT_IN_ROWS = {"binary", "list", "array", "struct"}
NOT_KEYS_IN_ROWS = {"decimal", "Float16", "Float32", "Float64", "null"}
REFUSED_IN_ROWS = re.compile("advance_row does not support type|a key of type .* cannot be given as a single value")


RECURRENCES = {name for name, kernel in CATALOG.items() if kernel["family"] == "recurrence"}


def uses(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The kernel's arguments with the column `v` in the place of each input in turn."""
    arguments = dict(ORACLES[name].timed)
    parameters = {p["name"]: p["kind"] for p in CATALOG[name]["parameters"]}
    if "window" in parameters and name not in RECURRENCES:
        arguments |= {"window": 3, "min_samples": 1}
    for parameter, kind in parameters.items():
        if kind == "window":
            yield "window length", arguments | {parameter: {"length": "v"}}
            yield "window start", arguments | {parameter: {"start": "v"}}
        elif parameter == "by" and "window" in parameters and name not in RECURRENCES:
            yield parameter, arguments | {parameter: "v", "window": "2m"}
        elif parameter == "by":
            timed = next((case for case in ORACLES[name].cases if "by" in case), None)
            if timed is not None:
                yield parameter, timed | {parameter: "v"}
        elif kind in ("columns", "numbers_or_columns"):
            alone = {"columns": {"weights": [2.0]}, "weights": {"columns": ["x"]}} if name == "row_dot" else {}
            yield parameter, arguments | {parameter: ["v"]} | alone.get(parameter, {})
        elif kind in ("column", "flags", "time", "number_or_column"):
            # Weights age by one parameter.
            rest = ("com", "span", "half_life") if parameter == "alpha" else ()
            yield parameter, {k: v for k, v in arguments.items() if k not in rest} | {parameter: "v"}
    if CATALOG[name]["family"] != "row":
        yield "over", arguments | {"over": "v"}


def outcome(interface: str, frame: pl.DataFrame, kernel: hs.KernelExpr) -> pl.Series | Exception:
    try:
        return INTERFACES[interface](frame, kernel)
    except Exception as error:
        return error


def words(error: Exception) -> str:
    """The message; Polars, pandas and pyarrow have different Arrow types for strings, lists and decimals."""
    return re.sub(r"Large|View|FixedSize|\d+ x |Decimal\d+\(.*?\)", "", str(error))


def difference(interface: str, found: pl.Series | Exception, expected: pl.Series | Exception) -> str | None:
    if isinstance(found, pl.Series) and isinstance(expected, pl.Series):
        equal = values(found) == values(expected) if interface == "pandas" else same(found, expected)
        return None if equal else f"{found.to_list()} differs from {expected.to_list()}"
    if isinstance(found, pl.Series) or isinstance(expected, pl.Series):
        return " differs from ".join(
            str(one.to_list()) if isinstance(one, pl.Series) else repr(one) for one in (found, expected)
        )
    if interface in PLUGIN:  # Polars wraps what a plugin raises
        agree = isinstance(found, pl.exceptions.ComputeError) and words(expected) in words(found)
    else:
        agree = type(found) is type(expected) and words(found) == words(expected)
    return None if agree else f"{found!r} differs from {expected!r}"


def values(column: pl.Series) -> list[Any]:
    fields = column.struct.unnest().get_columns() if column.dtype == pl.Struct else [column]
    return [[None if value != value else value for value in field.to_list()] for field in fields]


@pytest.mark.parametrize("name", COLUMNS)
def test_every_interface_agrees(name: str) -> None:
    wrong: list[str] = []
    counts: Counter[str] = Counter()
    whole = BASE.with_columns(v=COLUMNS[name])
    for kernel in NAMES:
        for role, arguments in uses(kernel):
            expression = getattr(hs, kernel)(**arguments).alias("out")
            frame = whole.select(expression._kernel.columns)
            expected = outcome("hs.with_columns", frame, expression)
            counts["column" if isinstance(expected, pl.Series) else "error"] += 1
            for interface in INTERFACES:
                if role in DRIVEN and kernel not in THOROUGH and interface not in IN_SHORT:
                    continue
                found = outcome(interface, frame, expression)
                if isinstance(found, Exception) and re.search(f"{_native.INTERNAL_ERROR}|panic", str(found), re.I):
                    wrong.append(f"{kernel} {role} {interface}: {found}")
                if kernel in IN_MEMORY_ONLY and interface in ON_STREAMS:
                    if "needs later rows" not in str(found):
                        wrong.append(f"{kernel} {role} {interface}: not refused on a stream")
                    continue
                if interface == "rows" and (name in NOT_IN_ROWS or (role == "over" and name in NOT_KEYS_IN_ROWS)):
                    counts["not in rows"] += isinstance(expected, pl.Series)
                    if isinstance(expected, pl.Series) and not REFUSED_IN_ROWS.match(str(found)):
                        wrong.append(f"{kernel} {role}: rows alone need no exemption")
                    continue
                there = expected
                if interface == "pandas" and name == "date":  # Polars gives dates to pandas as timestamps
                    timed = frame.with_columns(pl.col("v").cast(pl.Datetime("ms")))
                    there = outcome("hs.with_columns", timed, expression)
                if said := difference(interface, found, there):
                    wrong.append(f"{kernel} {role} {interface}: {said}")
    assert not wrong, f"{len(wrong)} differ, such as\n" + "\n".join(wrong[:20])
    keyed = sum(CATALOG[kernel]["family"] != "row" for kernel in NAMES)
    assert counts["column"] >= keyed, "as a key at least, a column of any type gives a result"
    assert counts["error"] >= 50
    streaming = sum(CATALOG[kernel]["family"] != "row" for kernel in STREAMING)
    assert (counts["not in rows"] >= streaming) == (name in NOT_IN_ROWS | NOT_KEYS_IN_ROWS)


@pytest.mark.parametrize("name", BEYOND_ARROW)
def test_types_that_arrow_lacks_are_refused(name: str) -> None:
    frame = BASE.with_columns(v=BEYOND_ARROW[name])
    for kernel in (hs.rolling_mean("v", 2), hs.rolling_count("v", 2), hs.expanding_mean("x", over="v")):
        for interface in POLARS | {"rows": rows_alone}:
            found = outcome(interface, frame, kernel.alias("out"))
            assert isinstance(found, TypeError), found
            assert str(found) == f"column 'v' has type {frame['v'].dtype}, which is not supported; cast it first"
        for interface in PLUGIN if name != "object" else ():  # an object reaches a plugin as bytes
            found = outcome(interface, frame, kernel.alias("out"))
            assert isinstance(found, pl.exceptions.ComputeError), found
            assert re.search(r"'v' has (type|a type that is not supported).* cast it first", str(found)), found


def test_the_type_is_known_before_the_query_runs() -> None:
    checked: Counter[str] = Counter()
    for name, column in COLUMNS.items():
        frame = BASE.with_columns(v=column)
        for kernel in NAMES:
            for role, arguments in uses(kernel):
                lf = frame.lazy().select(getattr(hs, kernel)(**arguments).alias("out"))
                if role not in DRIVEN and isinstance(out := outcome_of(lf), pl.Series):
                    assert lf.collect_schema()["out"] == out.dtype, (name, kernel, role)
                    checked[kernel] += 1
    assert set(checked) == set(NAMES)


def outcome_of(lf: pl.LazyFrame) -> pl.Series | None:
    try:
        return lf.collect()["out"]
    except pl.exceptions.ComputeError:
        return None


def test_other_columns_of_a_frame_do_not_matter() -> None:
    kernel = hs.rolling_mean("x", 2, over="k").alias("out")
    expected = BASE.select(kernel)["out"]
    frame = BASE.with_columns(**COLUMNS)
    for given in (frame, frame.with_columns(**BEYOND_ARROW)):
        assert hs.with_columns(given, kernel)["out"].equals(expected)
        assert hs.Stage(kernel).advance(given)["out"].equals(expected)
    assert hs.with_columns(frame.to_arrow(), kernel)["out"].to_pylist() == expected.to_list()


def test_temporal_columns_of_pandas_keep_their_type() -> None:
    frame = BASE.with_columns(zoned=COLUMNS["zoned us"]).to_pandas()
    for name, unit in (("ts", "us"), ("ts", "s"), ("ts", "ns"), ("zoned", None)):
        given = frame.assign(v=frame[name].dt.as_unit(unit) if unit else frame[name])
        out = hs.with_columns(given, hs.rolling_max("v", 2).alias("out"))["out"]
        assert out.dtype == given["v"].dtype
        assert out.isna().tolist() == [True] + [False] * 5
        assert out[1:].equals(given["v"][1:].rename("out"))
    timed = hs.with_columns(frame, hs.rolling_mean("x", "2m", by="zoned", over="k").alias("out"))
    assert timed["out"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
