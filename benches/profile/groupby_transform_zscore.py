"""How unusual a price is among the last fifty of its symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1], parse_dates=["ts"])
trades["score"] = trades.groupby("symbol")["price"].transform(  # hot: rolling_zscore
    lambda s: (s - s.rolling(50).mean()) / s.rolling(50).std()
)
print(trades.loc[trades["score"].abs() > 3, ["ts", "symbol", "price", "score"]].head())
