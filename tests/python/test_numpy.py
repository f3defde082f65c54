"""Columns of pandas that go to Rust as NumPy arrays: memory of any layout comes in right and is never written to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import hypostyle as hs

ROWS = np.arange(20.0).reshape(10, 2)


def column(frame: pd.DataFrame, kernel: hs.KernelExpr) -> pd.Series:
    return hs.with_columns(frame, kernel.alias("found"))["found"]


@pytest.mark.parametrize(
    "values",
    [ROWS[:, 1], ROWS[::-1, 0], ROWS[:, 1].astype(">f8"), ROWS[:, 1].astype("f4"), ROWS[:, 1].astype("f2")],
    ids=["strided", "backwards", "other byte order", "f4", "f2"],
)
def test_layouts(values: np.ndarray) -> None:
    frame = pd.DataFrame({"x": values})
    assert column(frame, hs.rolling_sum("x", 2)).tolist()[1:] == (values[1:] + values[:-1]).tolist()


def test_a_frame_of_one_block() -> None:
    frame = pd.DataFrame(ROWS, columns=["x", "y"])
    assert column(frame, hs.rolling_sum("y", 1)).tolist() == ROWS[:, 1].tolist()


def test_missing_values_and_types() -> None:
    times = pd.date_range("2024-01-01", periods=4, freq="s")
    frame = pd.DataFrame({"x": [1.0, np.nan, 3.0, 4.0], "n": np.array([3, 1, 2, 4], "i2"), "b": [True, False] * 2})
    frame = frame.assign(t=times, d=times - times[0]).assign(d=lambda f: f["d"].where(f["n"] != 1))
    assert column(frame, hs.rolling_sum("x", 2, min_samples=1)).tolist() == [1.0, 1.0, 3.0, 7.0]
    assert column(frame, hs.rolling_sum("n", "2s", by="t")).tolist() == [3.0, 4.0, 3.0, 6.0]
    exact = column(frame, hs.rolling_max("n", 2, min_samples=1))
    assert (exact.dtype, exact.tolist()) == (np.dtype("i2"), [3, 3, 2, 4])
    # NumPy has no missing integers and booleans: the column becomes one of pandas' nullable types.
    assert column(frame, hs.rolling_max("n", 2)).tolist() == [pd.NA, 3, 2, 4]
    assert column(frame, hs.rolling_any("b", 2, min_samples=1)).dtype == np.dtype("bool")
    assert column(frame, hs.rolling_any("b", 2)).dtype == pd.BooleanDtype()
    assert column(frame, hs.rolling_count("d", 2)).tolist() == [1, 1, 1, 2]


def test_results_may_be_written_to_and_inputs_stay() -> None:
    values = np.arange(5.0)
    values.flags.writeable = False
    found = hs.with_columns(pd.DataFrame({"x": values}), hs.rolling_sum("x", 1), hs.rolling_max("x", 1).alias("max"))
    found.loc[0, "x"] = found.loc[0, "max"] = -1.0
    assert found["x"].tolist() == found["max"].tolist() == [-1.0, 1.0, 2.0, 3.0, 4.0]
    assert values.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_no_rows_and_labels_that_are_no_strings() -> None:
    frame = pd.DataFrame({0: [1.0, 2.0], "1": [3.0, 4.0]})
    assert column(frame, hs.rolling_sum("0", 2)).tolist()[1:] == [3.0]
    empty = column(frame.iloc[:0], hs.rolling_sum("1", 2))
    assert (empty.dtype, len(empty)) == (np.dtype("f8"), 0)
