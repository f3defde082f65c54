"""Runs pandas' own tests of windows, answered by Hypostyle, and tells how many were.

`--spoilt` makes every answer wrong, to see how many cases notice. Other arguments are for pytest; the run is then taken
for a part.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from pandas_windows.plugin import Account

TESTS = Path(pd.__file__).parent / "tests" / "window"
MODULES = [
    "test_api.py",
    "test_dtypes.py",
    "test_ewm.py",
    "test_expanding.py",
    "test_groupby.py",
    "test_pairwise.py",
    "test_rolling.py",
    "test_rolling_functions.py",
    "test_rolling_quantile.py",
    "test_rolling_skew_kurt.py",
    "test_timeseries_window.py",
    "moments/test_moments_consistency_ewm.py",
    "moments/test_moments_consistency_expanding.py",
    "moments/test_moments_consistency_rolling.py",
]


def main(arguments: list[str]) -> int:
    spoilt = "--spoilt" in arguments
    options = [argument for argument in arguments if argument != "--spoilt"]
    account = Account(spoilt)
    # pandas' own settings of pytest hold, but for its options.
    settings = ["-o", "addopts=", "-p", "no:cacheprovider", "-q", "--tb=no" if spoilt else "--tb=short"]
    failed = pytest.main([*settings, *options, *(str(TESTS / module) for module in MODULES)], plugins=[account])
    problems = [] if arguments else account.check()
    print("", account.tables(), "", *problems, sep="\n")
    return int(failed) or int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
