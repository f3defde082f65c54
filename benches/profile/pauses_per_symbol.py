"""The number of the session of each row: a pause of half an hour begins another one."""

import sys

import pandas as pd

df = pd.read_csv(sys.argv[1], parse_dates=["ts"]).dropna()
df = df.sort_values(["symbol", "ts"])
session = []
last = {}
number = {}
for r in df.itertuples(index=False):  # hot: hs.loop
    s = r.symbol
    if s not in last or (r.ts - last[s]).total_seconds() > 1800:
        number[s] = number.get(s, -1) + 1
    last[s] = r.ts
    session.append(number[s])
df["session"] = session
print(df["session"].max())
