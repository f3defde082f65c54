"""Rows since the same symbol was traded before."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).reset_index(drop=True)
seen = {}
gaps = []
for i, row in trades.iterrows():  # hot: hs.loop
    if row["symbol"] in seen:
        gaps.append(i - seen[row["symbol"]])
    else:
        gaps.append(None)
    seen[row["symbol"]] = i
trades["gap"] = gaps
print(trades["gap"].mean())
