"""pandas frames of every kind of column and index: missing values as in pandas' own windows, and nothing rounded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import hypostyle as hs

BIG = 2**53 + 1
SUM = hs.rolling_sum("x", 2, min_samples=1)


def column(values: Any, kernel: hs.KernelExpr = SUM) -> pd.Series:
    return hs.with_columns(pd.DataFrame({"x": values}), kernel.alias("found"))["found"]


VALUES = np.array([1.0, np.nan, 3.0, 4.0, 5.0])
MISSING = np.array([False, False, False, True, False])


@pytest.mark.parametrize(
    "values",
    [
        pd.arrays.FloatingArray(VALUES, MISSING),
        pd.arrays.FloatingArray(VALUES.astype("f4"), MISSING),
        pd.arrays.ArrowExtensionArray(pa.array([1.0, np.nan, 3.0, None, 5.0], from_pandas=False)),  # type: ignore[attr-defined]
    ],
    ids=["Float64", "Float32", "arrow"],
)
def test_nan_is_missing_as_in_windows_of_pandas(values: Any) -> None:
    given = pd.Series(values)
    assert given.isna().tolist() == MISSING.tolist(), "pandas itself holds the NaN to be a value, except in windows"
    for kernel, own in (
        (SUM, given.rolling(2, min_periods=1).sum()),
        (hs.rolling_max("x", 2, min_samples=1), given.rolling(2, min_periods=1).max()),
        (hs.expanding_mean("x"), given.expanding().mean()),
        (hs.ewm_mean("x", alpha=0.5), given.ewm(alpha=0.5).mean()),
    ):
        found = column(values, kernel)
        assert found.dtype == given.dtype
        assert found.tolist() == pytest.approx(own.tolist(), rel=1e-6)


def test_integers_and_booleans_with_nulls_stay_what_they_are() -> None:
    found = column([BIG, 1, 2], hs.rolling_max("x", 2))
    assert (str(found.dtype), found.tolist()[1:]) == ("Int64", [BIG, 2])
    assert found.isna().tolist() == [True, False, False]
    assert str(column(np.array([1, 2, 3], "u2"), hs.rolling_min("x", 2)).dtype) == "UInt16"
    assert str(column([1.0, 2.0, 3.0], hs.rolling_argmin("x", 2)).dtype) == "Int64"
    assert column([1.0, 2.0, 3.0], hs.rolling_argmin("x", 1)).dtype == np.dtype("i8")
    flagged = column([True, False, False], hs.rolling_any("x", 2))
    assert (str(flagged.dtype), flagged.tolist()[1:]) == ("boolean", [True, False])
    assert column([1.0, 2.0, 3.0], hs.rolling_mean("x", 2)).dtype == np.dtype("f8")


@pytest.mark.parametrize(
    ("values", "sums"),
    [
        ([1, 2.5, None, True], [1.0, 3.5, 2.5, 1.0]),
        ([1, 2, None], [1.0, 3.0, 2.0]),
        ([True, False, None], [1.0, 1.0, 0.0]),
        ([np.int64(3), np.float32(2)], [3.0, 5.0]),
        ([pd.NA, 1, float("nan"), 2.5], [np.nan, 1.0, 1.0, 2.5]),
        ([None, None], [np.nan, np.nan]),
    ],
    ids=str,
)
def test_objects_that_are_numbers(values: list[Any], sums: list[float]) -> None:
    np.testing.assert_array_equal(column(pd.Series(values, dtype=object)), sums)


def test_integers_in_objects_are_exact() -> None:
    found = column(pd.Series([None, BIG, 3], dtype=object), hs.rolling_max("x", 2, min_samples=1))
    assert (str(found.dtype), found.tolist()[1:]) == ("Int64", [BIG, BIG])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (pd.Series([1, "a"], dtype=object), "type object, which cannot be read: row 0 has an int and row 1 has a str"),
        (pd.Series([object(), 1], dtype=object), "row 0 has an object and row 1 has an int"),
        (pd.Series([1 + 2j]), "type complex128, which cannot be read: it has no counterpart in Arrow"),
    ],
)
def test_columns_that_cannot_be_read(values: pd.Series, reason: str) -> None:
    with pytest.raises(TypeError, match=f"column 'x' has .*{reason}; convert it first, with astype"):
        column(values)


def test_sparse_columns() -> None:
    values = pd.arrays.SparseArray([0.0, 0.0, 1.0, np.nan])
    assert column(values).tolist() == [0.0, 0.0, 1.0, 1.0]
    assert column(values).dtype == np.dtype("f8")
    assert column(pd.arrays.SparseArray([0, 5, 1]), hs.rolling_max("x", 1)).tolist() == [0, 5, 1]


def test_periods_are_times() -> None:
    months = pd.period_range("2024-01", periods=3, freq="M")
    assert column(months, hs.rolling_count("x", 2)).tolist() == [1, 2, 2]
    assert column(months, hs.rolling_max("x", 1)).tolist() == months.to_timestamp().tolist()
    with pytest.raises(TypeError, match="expected a number or a boolean, got Timestamp"):
        column(months)


TIMES = pd.date_range("2024-01-01", periods=4, freq="min", name="t")


@pytest.mark.parametrize("zone", [None, "Europe/Zurich"])
def test_the_index_is_a_column(zone: str | None) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}, index=TIMES.tz_localize(zone))
    timed = hs.rolling_sum("x", "2m", by="t").alias("found")
    assert hs.with_columns(frame, timed)["found"].tolist() == [1.0, 3.0, 5.0, 7.0]
    assert hs.with_columns(frame, timed).index.equals(frame.index)
    assert hs.with_columns(frame, hs.rolling_count("t", "2m", by="t").alias("n"))["n"].tolist() == [1, 2, 2, 2]
    stage = hs.Stage(timed)
    parts = [stage.advance(frame[at : at + 2])["found"] for at in (0, 2)]
    assert pd.concat(parts).tolist() == [1.0, 3.0, 5.0, 7.0]


def test_levels_of_the_index() -> None:
    levels = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["k", "n"])
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}, index=levels)
    by_key = hs.expanding_sum("x", over="k").alias("found")
    assert hs.with_columns(frame, by_key)["found"].tolist() == [1.0, 3.0, 3.0, 7.0]
    both = hs.rolling_sum("x", "1i", by="n", over="k").alias("found")
    assert hs.with_columns(frame, both)["found"].tolist() == [1.0, 2.0, 3.0, 4.0]
    # A column comes before a level of the same name.
    assert hs.with_columns(frame.assign(k="z"), by_key)["found"].tolist() == [1.0, 3.0, 6.0, 10.0]
    with pytest.raises(ValueError, match="the index has more than one level 'k'; rename all but one"):
        hs.with_columns(frame.rename_axis(["k", "k"]), by_key)
    with pytest.raises(hs.ColumnNotFoundError, match="the columns are x, k, n"):
        hs.with_columns(frame, hs.expanding_sum("z"))


def test_labels_and_shapes() -> None:
    frame = pd.DataFrame([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], columns=["x", "y", "y"])
    assert hs.with_columns(frame, hs.rolling_sum("x", 2).alias("z"))["z"].tolist()[1:] == [5.0]
    with pytest.raises(ValueError, match="the input has more than one column 'y'; rename all but one"):
        hs.with_columns(frame, hs.rolling_sum("y", 2))
    with pytest.raises(hs.ColumnNotFoundError, match="the input has no columns"):
        hs.with_columns(pd.DataFrame(index=[1, 2]), hs.rolling_sum("x", 2))
    for dtype in ("f8", "i8", "Int64", "boolean", "object", "category", "datetime64[ns, UTC]", "double[pyarrow]"):
        empty = hs.with_columns(pd.DataFrame({"x": pd.Series([], dtype=dtype)}), hs.rolling_count("x", 2).alias("n"))
        assert empty["n"].tolist() == []
    keyed = pd.DataFrame({"x": [1.0, 2.0, 3.0], "k": pd.Series(["a", "b", "a"], dtype="category")})
    assert hs.with_columns(keyed, hs.expanding_sum("x", over="k").alias("s"))["s"].tolist() == [1.0, 2.0, 4.0]


def test_texts_categories_and_decimals_come_back_as_they_were() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", None, "a text that is longer"],
            "category": pd.Categorical(["low", None, "high"], categories=["low", "mid", "high"], ordered=True),
            "decimal": [Decimal("1.25"), None, Decimal("2.50")],
        }
    )
    frame["arrow"] = frame["text"].astype(pd.ArrowDtype(pa.string()))
    filled = hs.with_columns(frame, *(hs.ffill(name).alias(name) for name in frame.columns))
    assert filled.dtypes.to_list() == frame.dtypes.to_list()
    assert filled["text"].to_list() == filled["arrow"].to_list() == ["a", "a", "a text that is longer"]
    assert filled["category"].to_list() == ["low", "low", "high"]
    assert filled["decimal"].to_list() == [Decimal("1.25"), Decimal("1.25"), Decimal("2.50")]
    shifted = hs.with_columns(frame, *(hs.shift(name, 2).alias(name) for name in frame.columns))
    assert shifted.dtypes.to_list() == frame.dtypes.to_list()
    assert [shifted[name].isna().to_list() for name in frame.columns] == [[True, True, False]] * 4
