"""Windows of time and exponential weights in a loop over groups."""

import sys

import pandas as pd

df = pd.read_csv(sys.argv[1], parse_dates=["ts"]).dropna().sort_values("ts")
out = []
for symbol, g in df.groupby("symbol"):  # hot: rolling_sum
    g = g.set_index("ts")
    g["v"] = g["size"].rolling("5min").sum()
    g["m"] = g["price"].ewm(span=10).mean()
    out.append(g.reset_index())
res = pd.concat(out)
print(res[["v", "m"]].mean())
