"""Windows whose length or far end stands in a column: equal to pandas with an own indexer, and to definitions."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.api.indexers import BaseIndexer

import hypostyle as hs

ROWS = 400


class Given(BaseIndexer):  # type: ignore[misc]
    """Windows between given rows."""

    def get_window_bounds(
        self, num_values: Any = 0, min_periods: Any = None, center: Any = None, closed: Any = None, step: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        return self.first, self.end


def frame(seed: int = 1) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    at = datetime(2024, 3, 1)
    x = [None if random.random() < 0.1 else float(v) for v in random.normal(size=ROWS)]
    steps = random.integers(1, 90, ROWS).cumsum()
    ts = [at + timedelta(seconds=int(second)) for second in steps]
    n = random.integers(-2, 40, ROWS)
    return pl.DataFrame(
        {
            "x": x,
            "ts": pl.Series(ts, dtype=pl.Datetime("us")),
            "n": n,
            "since": np.maximum.accumulate(np.arange(ROWS) - n),
            "span": pl.Series([timedelta(seconds=int(s)) for s in random.integers(0, 900, ROWS)]),
            "k": random.choice(["a", "b", "c"], ROWS),
        }
    )


STATISTICS = ["sum", "mean", "std", "max", "median", "skew"]


@pytest.mark.parametrize("statistic", STATISTICS)
def test_lengths_are_those_of_pandas(statistic: str) -> None:
    rows = frame()
    row = np.arange(ROWS)
    window = Given(first=np.maximum(0, row - np.maximum(rows["n"].to_numpy(), 0) + 1), end=row + 1)
    expected = getattr(rows["x"].to_pandas().rolling(window, min_periods=1), statistic)()
    got = rows.select(getattr(hs, f"rolling_{statistic}")("x", {"length": "n"})).to_series()
    np.testing.assert_allclose(got.to_numpy(), expected.to_numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("closed", ["right", "left", "both", "neither"])
@pytest.mark.parametrize("bound", ["rows since", "rows", "time"])
def test_windows_by_their_definition(bound: str, closed: Any) -> None:
    rows = frame()
    x, row = rows["x"].to_list(), np.arange(ROWS)
    places = row if bound != "time" else rows["ts"].to_physical().to_numpy()
    if bound == "rows":
        far, kernel = row - rows["n"].to_numpy(), hs.rolling_sum("x", {"length": "n"}, closed=closed, min_samples=0)
    elif bound == "rows since":
        far, kernel = rows["since"].to_numpy(), hs.rolling_sum("x", {"start": "since"}, closed=closed, min_samples=0)
    else:
        far = places - rows["span"].to_physical().to_numpy()
        kernel = hs.rolling_sum("x", {"length": "span"}, by="ts", closed=closed, min_samples=0)
    told_length = bound != "rows since"
    for i, got in enumerate(rows.select(kernel).to_series()):
        begins = places >= far[i] if closed in ("left", "both") else places > far[i]
        ends = row <= i if closed in ("right", "both") else row < i
        if told_length and far[i] >= places[i]:
            ends = row < 0  # a window of no length holds nothing
        expected = sum(value for value, held in zip(x, begins & ends, strict=True) if held and value is not None)
        assert got == pytest.approx(expected, abs=1e-12), i


def test_a_null_bound_is_no_window_and_the_value_stays_in_others() -> None:
    rows = pl.DataFrame({"x": [1.0, 2.0, 4.0, 8.0], "n": [1, None, 3, 0]})
    assert rows.select(hs.rolling_sum("x", {"length": "n"}, min_samples=0)).to_series().to_list() == [1, None, 7, 0]


def test_keys_count_their_own_rows_and_expressions_may_be_bounds() -> None:
    rows = frame().drop_nulls()
    kernel = hs.rolling_mean("x", {"start": pl.col("since") // 3}, over="k", closed="both")
    together = rows.select("k", out=kernel)
    for (key,), part in rows.group_by("k"):
        alone = part.select(hs.rolling_mean("x", {"start": pl.col("since") // 3}, closed="both")).to_series()
        assert together.filter(pl.col("k") == key)["out"].equals(alone)


def test_a_stage_streams_as_long_as_no_window_goes_back() -> None:
    rows = frame()
    kernel = hs.rolling_median("x", {"start": "since"}, closed="both").alias("out")
    whole = hs.with_columns(rows, kernel)
    stage = hs.Stage(kernel)
    pieces = [stage.advance(rows.slice(at, 37)) for at in range(0, ROWS, 37)]
    assert pl.concat(pieces).equals(whole)
    assert rows.lazy().hs.with_columns(kernel).collect().equals(whole)

    back = hs.rolling_mean("x", {"length": "n"}, over="k").alias("out")
    stage = hs.Stage(back)
    first = rows.head(1)
    stage.advance(first)
    before = pickle.dumps(stage)
    with pytest.raises(ValueError, match=r"rolling_mean, column 'n', row \d+: .* for key k=.*\n.* in memory"):
        stage.advance(rows.tail(-1))
    assert pickle.dumps(stage) == before


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: hs.rolling_mean("x", {"length": "x"}), TypeError, "column 'x': expected Int64, got Float64"),
        (lambda: hs.rolling_mean("x", {"length": "n"}, by="ts"), TypeError, r"'n': expected Duration\(µs\), got Int64"),
        (lambda: hs.rolling_mean("x", {"start": "n"}, by="ts"), TypeError, r"'n': expected Timestamp.*, got Int64"),
        (lambda: hs.rolling_mean("x", {"length": "span"}), TypeError, "column 'span': expected Int64, got Duration"),
        (lambda: hs.rolling_mean("x", {"length": "n"}, center=True), ValueError, "center"),
        (lambda: hs.rolling_mean("x", {"size": "n"}), TypeError, "'window': expected a column as"),
        (lambda: hs.rolling_mean("x", {"length": 3}), TypeError, "'window': expected a column as"),
        (lambda: hs.rolling_mean("x", {"length": "m"}), hs.ColumnNotFoundError, "column 'm': column not found"),
        (lambda: hs.rolling_fir_mean("x", {"length": "n"}, "hann"), TypeError, "window"),
    ],
)
def test_what_does_not_fit_is_told(make: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        hs.with_columns(frame().to_pandas(), make())


def test_pandas_frames_too() -> None:
    rows = frame().drop_nulls().to_pandas()
    got = hs.with_columns(rows, out=hs.rolling_sum("x", {"length": "span"}, by="ts", closed="both"))
    inside = lambda i: (rows.ts <= rows.ts[i]) & (rows.ts >= rows.ts[i] - rows.span[i])  # noqa: E731
    length = rows.span > pd.Timedelta(0)
    expected = [rows.x[inside(i)].sum() if length[i] else np.nan for i in range(len(rows))]
    assert isinstance(got, pd.DataFrame)
    np.testing.assert_allclose(got["out"], expected, atol=1e-12)
