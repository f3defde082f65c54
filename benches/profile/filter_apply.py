"""The size traded in the same symbol in the half hour before each trade."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1], parse_dates=["ts"]).dropna(subset=["price"]).head(4_000)
half_hour = pd.Timedelta(minutes=30)
trades["recent"] = trades.apply(  # hot: rolling_sum
    lambda row: trades[
        (trades["symbol"] == row["symbol"]) & (trades["ts"] <= row["ts"]) & (trades["ts"] > row["ts"] - half_hour)
    ]["size"].sum(),
    axis=1,
)
print(trades["recent"].mean())
