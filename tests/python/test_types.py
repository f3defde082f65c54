"""Columns of every type that Polars has give a value or a clear error, through every face: nothing panics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import polars as pl
import pytest

import hypostyle as hs

ROWS = 6
BASE = pl.DataFrame(
    {
        "x": [1.0, 2, 3, 4, 5, 6],
        "k": ["a", "b"] * 3,
        "t": [datetime(2024, 1, 1, 0, minute) for minute in range(ROWS)],
    }
)
COLUMNS = {
    "categorical": BASE["k"].cast(pl.Categorical),
    "enum": BASE["k"].cast(pl.Enum(["a", "b"])),
    "string": BASE["k"],
    "binary": BASE["k"].cast(pl.Binary),
    "boolean": BASE["x"] > 3,
    "date": BASE["t"].dt.date(),
    "zoned": BASE["t"].dt.replace_time_zone("Europe/Zurich"),
    "ms": BASE["t"].cast(pl.Datetime("ms")),
    "ns": BASE["t"].cast(pl.Datetime("ns")),
    "duration": BASE["t"] - BASE["t"][0],
    "time": BASE["t"].dt.time(),
    "decimal": BASE["x"].cast(pl.Decimal(10, 2)),
    "i128": BASE["x"].cast(pl.Int128),
    "half": BASE["x"].cast(pl.Float16),
    "list": pl.Series([[1.0]] * ROWS),
    "array": pl.Series([[1.0, 2.0]] * ROWS, dtype=pl.Array(pl.Float64, 2)),
    "struct": BASE.select(pl.struct("x")).to_series(),
    "null": pl.Series([None] * ROWS),
    "object": pl.Series([object()] * ROWS, dtype=pl.Object),
} | {
    str(dtype): BASE["x"].cast(dtype)
    for dtype in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32)
}
FRAME = BASE.with_columns(**COLUMNS)
KERNELS: dict[str, Callable[[str], hs.KernelExpr]] = {
    "mean": lambda name: hs.rolling_mean(name, 2),
    "max": lambda name: hs.rolling_max(name, 2),
    "count": lambda name: hs.rolling_count(name, 2),
    "key": lambda name: hs.expanding_mean("x", over=name),
    "time": lambda name: hs.rolling_mean("x", "2m", by=name),
    "session": lambda name: hs.session_id(name, "1m"),
}


@pytest.mark.parametrize("use", KERNELS)
@pytest.mark.parametrize("name", COLUMNS)
def test_a_value_or_a_clear_error(name: str, use: str) -> None:
    kernel = KERNELS[use](name).alias("out")
    answers: list[pl.Series] = []
    said: list[str] = []
    for face in (
        lambda: FRAME.select(kernel)["out"],
        lambda: FRAME.lazy().select(kernel).collect(engine="streaming")["out"],
        lambda: hs.with_columns(FRAME, kernel)["out"],
        lambda: hs.Stage(kernel).advance(FRAME)["out"],
        lambda: FRAME.lazy().hs.with_columns(kernel).select("out").collect()["out"],
    ):
        try:
            answers.append(face())
        except Exception as error:
            said.append(str(error))
    assert not [words for words in said if "panic" in words.lower()]
    assert all(a.equals(answers[0]) and a.dtype == answers[0].dtype for a in answers)


def test_the_type_is_named_before_the_query_runs() -> None:
    for name in COLUMNS:
        for use, make in KERNELS.items():
            lf = FRAME.lazy().select(make(name).alias("out"))
            try:
                out = lf.collect()["out"].dtype
            except Exception:
                continue
            assert lf.collect_schema()["out"] == out, (name, use)


def test_other_columns_of_a_frame_do_not_matter() -> None:
    kernel = hs.rolling_mean("x", 2, over="k").alias("out")
    expected = BASE.select(kernel)["out"]
    assert hs.with_columns(FRAME, kernel)["out"].equals(expected)
    assert hs.Stage(kernel).advance(FRAME)["out"].equals(expected)
    assert hs.with_columns(FRAME.drop("i128", "object").to_arrow(), kernel)["out"].to_pylist() == expected.to_list()


def test_temporal_columns_of_pandas_keep_their_type() -> None:
    frame = BASE.with_columns(zoned=COLUMNS["zoned"]).to_pandas()
    for name, unit in (("t", "us"), ("t", "s"), ("t", "ns"), ("zoned", None)):
        given = frame.assign(v=frame[name].dt.as_unit(unit) if unit else frame[name])
        out = hs.with_columns(given, hs.rolling_max("v", 2).alias("out"))["out"]
        assert out.dtype == given["v"].dtype
        assert out.isna().tolist() == [True] + [False] * 5
        assert out[1:].equals(given["v"][1:].rename("out"))
    timed = hs.with_columns(frame, hs.rolling_mean("x", "2m", by="zoned", over="k").alias("out"))
    assert timed["out"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
