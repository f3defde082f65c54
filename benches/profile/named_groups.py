"""Prices that lie far from the median of their symbol's last prices."""

import sys

import numpy as np
import pandas as pd


def deviation(window):
    middle = np.median(window)
    return np.median(np.abs(window - middle))


trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
trades = trades.sort_values(["symbol", "ts"], kind="stable").reset_index(drop=True)
windows = trades.groupby("symbol")["price"].rolling(15, min_periods=15)
trades["median"] = windows.median().to_numpy()
trades["mad"] = windows.apply(deviation, raw=True).to_numpy()  # hot: hs.rolling_mad
trades["outlier"] = (trades["price"] - trades["median"]).abs() > 3 * 1.4826 * trades["mad"]
print(trades["outlier"].sum())
