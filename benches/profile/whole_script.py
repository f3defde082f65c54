"""From a file of trades to a file of features."""

import sys
from pathlib import Path

import pandas as pd


def features(trades, window):
    groups = trades.groupby("symbol")["price"]
    trades["mean"] = groups.apply(lambda s: s.rolling(window).mean()).reset_index(level=0, drop=True)
    trades["spread"] = trades["price"].rolling(window).apply(lambda w: w.max() - w.min(), raw=True)
    trades["score"] = (trades["price"] - trades["mean"]) / trades["mean"]
    return trades


trades = pd.read_csv(sys.argv[1])  # hot: a pipeline file
trades = trades[trades["price"] > 0]
trades = features(trades, 20)
output = Path(sys.argv[1]).with_suffix(".parquet")
trades.to_parquet(output, index=False)
print(f"{len(trades)} rows")
