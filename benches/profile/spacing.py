"""Rows that come at least half a minute after the last one that was taken."""

import sys

import pandas as pd

df = pd.read_csv(sys.argv[1], parse_dates=["ts"]).dropna()
kept = []
last = None
for i, r in df.iterrows():  # hot: hs.loop
    if last is None or r["ts"] - last >= pd.Timedelta(seconds=30):
        kept.append(True)
        last = r["ts"]
    else:
        kept.append(False)
print(df[kept].shape)
