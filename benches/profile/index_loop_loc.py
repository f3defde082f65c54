"""A trailing stop, written cell by cell."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1], nrows=40_000).dropna(subset=["price"]).reset_index(drop=True)
trades["stop"] = 0.0
stop = 0.0
for i in range(len(trades)):  # hot: hs.loop
    price = trades.loc[i, "price"]
    if price * 0.95 > stop:
        stop = price * 0.95
    elif price < stop:
        stop = price * 0.9
    trades.loc[i, "stop"] = stop
print(trades["stop"].tail())
