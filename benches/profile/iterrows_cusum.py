"""Alarms when prices drift from their last reference."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
drift, limit = 0.1, 25.0
up = down = 0.0
last = 50.0
alarms = []
for _, row in trades.iterrows():  # hot: hs.loop
    step = row["price"] - last
    up = max(0.0, up + step - drift)
    down = max(0.0, down - step - drift)
    last = row["price"]
    if up > limit or down > limit:
        alarms.append(True)
        up = down = 0.0
    else:
        alarms.append(False)
trades["alarm"] = alarms
print(trades["alarm"].sum())
