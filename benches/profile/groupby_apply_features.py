"""Features of each symbol, which read each other."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna()


def features(group):
    group = group.copy()
    group["change"] = group["price"].pct_change()
    group["mean"] = group["price"].rolling(10).mean()
    group["best"] = group["change"].rolling(10).max()
    group["upper"] = group["mean"] + 2 * group["best"]
    return group


found = trades.groupby("symbol", group_keys=False).apply(features)  # hot: rolling_mean
print(found["upper"].mean())
