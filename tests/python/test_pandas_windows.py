"""pandas' own tests of windows hold for Hypostyle's answers; `pandas_windows/left_out.py` says where they differ."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pandas_windows.adapter import Calls, install
from pandas_windows.left_out import PANDAS


def answers() -> list[pd.Series]:
    x = pd.Series([1.0, 4.0, None, 2.0, 8.0, 5.0], index=pd.date_range("2024-01-01", periods=6, freq="h"), name="x")
    y = pd.Series([2.0, 3.0, 1.0, None, 9.0, 7.0], index=x.index)
    keys = ["a", "b", "a", "b", "b", "a"]
    return [
        x.rolling(2, min_periods=1).sum(),
        x.rolling(3, min_periods=2, center=True).median(),
        x.rolling("2h", closed="both").std(ddof=0),
        x.rolling(4, min_periods=2).corr(y),
        x.expanding(2).quantile(0.25),
        x.groupby(keys).rolling(2, min_periods=1).max(),
        x.ewm(span=3).mean(),
    ]


def test_pandas_objects_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = answers()
    calls = Calls()
    install(calls, monkeypatch.setattr)
    found = answers()
    assert calls.answered.total() == len(found)
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_series_equal(one, other)


@pytest.mark.skipif(
    not pd.__version__.startswith(f"{PANDAS}."), reason=f"the list of exemptions is for pandas {PANDAS}"
)
def test_pandas_own_tests() -> None:
    command = [sys.executable, "-m", "pandas_windows"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
