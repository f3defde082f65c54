"""The largest price of the last five minutes of each symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1], parse_dates=["ts"]).dropna(subset=["price"]).sort_values("ts").set_index("ts")
trades["top"] = trades.groupby("symbol")["price"].transform(lambda s: s.rolling("5min").max())  # hot: rolling_max
print(trades["top"].mean())
