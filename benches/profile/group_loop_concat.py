"""Adds columns to each symbol's trades, and puts them together again."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
parts = []
for _, part in trades.groupby("symbol"):  # hot: ewm_mean
    part = part.copy()
    part["fast"] = part["price"].ewm(span=5).mean()
    part["slow"] = part["price"].ewm(span=50).mean()
    part["traded"] = part["size"].cumsum()
    parts.append(part)
trades = pd.concat(parts)
print(trades.tail())
