"""Every kernel gives what pandas gives, or what its users write in its stead; by the table in `oracles.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import hypostyle as hs
from data import ROOT, SHAPES, plain
from kernels_under_test import NAMES, ROW_FUNCTIONS, call
from oracles import ORACLES, Case, Oracle

CASES = [(name, number) for name in NAMES for number in range(len(ORACLES[name].cases) if name in ORACLES else 0)]


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


@pytest.mark.parametrize(
    "name", ["rolling_mean", "rolling_std", "rolling_max", "rolling_median", "rolling_corr", "ewm_mean"]
)
def test_real_data_by_stock(name: str) -> None:
    frame = stocks()
    assert Path(ROOT).exists()
    used = [
        c for c in ORACLES[name].cases if {"x", "ts", "y"} >= {v for v in c.values() if v in {"x", "y", "i", "f", "ts"}}
    ]
    for case in used:
        case = case | {"window": "30d"} if "by" in case else case
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
    expected = np.full(len(rows), np.nan)
    groups = [np.arange(len(rows))]
    if over is not None and name not in ROW_FUNCTIONS:
        groups = list(rows.groupby(over, sort=False).indices.values())
    for at in groups:
        part = rows.iloc[at].reset_index(drop=True)
        expected[at] = oracle.pandas(part, case) if len(part) else np.array([])
    compare(found, expected, frame, oracle, case)


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
    inputs = [
        frame[c] for c in case.values() if isinstance(c, str) and c in frame.columns and frame[c].dtype.is_numeric()
    ]
    scale = max((float(s.abs().max() or 0) for s in inputs), default=1.0)
    np.testing.assert_allclose(values, expected, rtol=tolerance, atol=tolerance * scale)


def show(found: np.ndarray, expected: np.ndarray) -> str:
    at = np.flatnonzero(np.isnan(found) != np.isnan(expected))[:5]
    return "\n".join(f"row {i}: {found[i]} where the other has {expected[i]}" for i in at)
