"""Which trades are among the first five of their symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
seen = {}
early = []
for i in range(len(trades)):  # hot: hs.loop
    symbol = trades.at[i, "symbol"]
    if symbol not in seen:
        seen[symbol] = 0
    seen[symbol] += 1
    early.append(seen[symbol] <= 5)
trades["early"] = early
print(trades["early"].sum())
