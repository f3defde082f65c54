"""Every kernel gives what pandas gives, or what its users write in its stead; by the table in `oracles.py`."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import hypostyle as hs
from data import ROOT, SHAPES, plain
from kernels_under_test import NAMES, ROW_FUNCTIONS, call
from oracles import FIR_SHAPES, ORACLES, Case, Oracle

CASES = [(name, number) for name in NAMES for number in range(len(ORACLES[name].cases) if name in ORACLES else 0)]
REAL = ["rolling_mean", "rolling_std", "rolling_max", "rolling_median", "rolling_corr", "ewm_mean"]
LACKING = set(plain(1).columns) - {"key", "ts", "x", "y"}  # columns of the cases that the file of stocks lacks


def test_every_kernel_has_an_oracle() -> None:
    assert set(NAMES) == set(ORACLES)
    assert all(oracle.cases for oracle in ORACLES.values())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "number"), CASES)
def test_by_key(name: str, number: int, shape: str) -> None:
    case = ORACLES[name].cases[number]
    check(name, case, SHAPES[shape], over="key")


@pytest.mark.parametrize(("name", "number"), CASES)
def test_without_keys(name: str, number: int) -> None:
    check(name, ORACLES[name].cases[number], SHAPES["plain"], over=None)


def stocks() -> pl.DataFrame:
    """Daily values of five stocks, interleaved by date; where the file is absent, generated rows of the same shape."""
    path = ROOT.parent / "shared" / "data" / "stocks_daily.csv"
    if path.exists():
        frame = pl.read_csv(path, try_parse_dates=True).rename({"stock": "key", "value": "x"})
        return frame.with_columns(ts=pl.col("Date").cast(pl.Datetime("us")), y=pl.col("change").cast(pl.Float64))
    return plain(11_525, seed=3).sort("ts")


@pytest.mark.parametrize("name", REAL)
def test_real_data_by_stock(name: str) -> None:
    frame = stocks()
    assert frame.height > 10_000
    assert frame["key"].n_unique() == 5
    used = [case for case in ORACLES[name].cases if LACKING.isdisjoint(map(str, case.values()))]
    assert len(used) >= 4
    for case in used:
        case = case | {"window": "30d"} if "by" in case and "window" in case else case
        check(name, case, frame, over="key")
        # A stage that is fed a year's rows at a time gives the same bits as one frame.
        if not case.get("center"):
            stage = hs.Stage(call(name, case).alias("out"))
            pieces = [stage.advance(frame[at : at + 1200])["out"] for at in range(0, len(frame), 1200)]
            assert pl.concat(pieces).equals(frame.select(call(name, case).alias("out"))["out"])


def check(name: str, case: Case, frame: pl.DataFrame, over: str | None) -> None:
    found = hs.with_columns(frame, call(name, case, over).alias("found"))["found"]
    oracle = ORACLES[name]
    rows = frame.to_pandas().assign(ts=frame["ts"].to_numpy())
    groups = [np.arange(len(rows))]
    if over is not None and name not in ROW_FUNCTIONS:
        groups = list(rows.groupby(over, sort=False).indices.values())
    columns = found.struct.unnest().get_columns() if isinstance(found.dtype, pl.Struct) else [found]
    expected = {column.name: np.full(len(rows), np.nan) for column in columns}
    for at in (at for at in groups if len(at)):
        answers = oracle.pandas(rows.iloc[at].reset_index(drop=True), case)
        fields = answers if isinstance(answers, dict) else {found.name: answers}
        assert list(fields) == list(expected)
        for field, values in fields.items():
            expected[field][at] = values
    for column in columns:
        compare(column, expected[column.name], frame, oracle, case)


def test_pandas_has_the_same_shapes() -> None:
    """Without nulls the filters are pandas' weighted windows, where those are right.

    pandas' var and std move on without giving each value the weight of its new place, so that only each `window`-th row
    has the weights in order; and they have no answer where the first weight is 0.
    """
    x = pl.Series("x", np.random.default_rng(1).normal(5, 2, 300))
    row = np.arange(len(x))
    for shape in FIR_SHAPES:
        for window in (1, 2, 5, 8):
            weighted = x.to_pandas().rolling(window, win_type=shape)
            for kind in ("sum", "mean", *(("var", "std") if window > 1 else ())):
                found = pl.DataFrame(x).select(getattr(hs, f"rolling_fir_{kind}")("x", window, shape)).to_series()
                with np.errstate(all="ignore"):
                    expected = getattr(weighted, kind)().to_numpy()
                kept = np.isfinite(expected) & found.is_not_null().to_numpy()
                if kind in ("var", "std"):
                    kept &= row % window == window - 1
                assert kept.any() or window == 2 or kind in ("var", "std"), f"{shape} {window} {kind}"
                what = f"{shape} {window} {kind}"
                np.testing.assert_allclose(found.to_numpy()[kept], expected[kept], 1e-9, 1e-9, err_msg=what)


def compare(found: pl.Series, expected: np.ndarray, frame: pl.DataFrame, oracle: Oracle, case: Case) -> None:
    values = found.cast(pl.Float64).to_numpy()
    assert len(values) == len(expected)
    assert np.array_equal(np.isnan(values), np.isnan(expected)), (
        f"null where the other has a value:\n{show(values, expected)}"
    )
    tolerance = oracle.tolerance
    if found.dtype == pl.Float32:
        expected = expected.astype("f4").astype("f8")
        tolerance = max(tolerance, 1e-6 if oracle.tolerance else 0.0)
    named = [name for value in case.values() for name in (value if isinstance(value, list) else [value])]
    inputs = [frame[c] for c in named if isinstance(c, str) and c in frame.columns and frame[c].dtype.is_numeric()]
    scale = max((float(s.abs().max() or 0) for s in inputs), default=1.0)
    np.testing.assert_allclose(values, expected, rtol=tolerance, atol=tolerance * scale)


def show(found: np.ndarray, expected: np.ndarray) -> str:
    at = np.flatnonzero(np.isnan(found) != np.isnan(expected))[:5]
    return "\n".join(f"row {i}: {found[i]} where the other has {expected[i]}" for i in at)
