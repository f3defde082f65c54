"""The volume of the last minute, kept by two pointers."""

import sys

import numpy as np
import pandas as pd

df = pd.read_csv(sys.argv[1], parse_dates=["ts"]).dropna()
t = df["ts"].astype("int64").to_numpy()
v = df["size"].to_numpy()
out = np.zeros(len(df))
start = 0
total = 0.0
for i in range(len(df)):  # hot: rolling_sum
    total += v[i]
    while t[start] <= t[i] - 60_000_000:
        total -= v[start]
        start += 1
    out[i] = total
df["volume_minute"] = out
print(df["volume_minute"].max())
