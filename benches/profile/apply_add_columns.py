"""A function that adds columns to the trades of a symbol."""

import sys

import pandas as pd


def with_features(group):
    group = group.copy()
    group["change"] = group["price"].diff()
    group["peak"] = group["price"].rolling(100, min_periods=1).max()
    return group


trades = pd.read_csv(sys.argv[1])
features = trades.groupby("symbol", group_keys=False).apply(with_features)  # hot: rolling_max
print(features["peak"].sum())
