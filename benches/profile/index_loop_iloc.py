"""Smoothed prices, from the row before."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
smooth = [trades["price"].iloc[0]]
for i in range(1, len(trades)):  # hot: hs.loop
    smooth.append(0.9 * smooth[i - 1] + 0.1 * trades["price"].iloc[i])
trades["smooth"] = smooth
print(trades["smooth"].tail())
