"""How many prices of a symbol went up one after the other, over rows that are sorted by symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"]).sort_values("symbol", kind="stable")
trades = pd.concat([trades] * 4)
symbols = trades["symbol"].values
prices = trades["price"].values
current = ""
streak = 0
streaks = []
for i in range(len(trades)):  # hot: hs.loop
    if symbols[i] != current:
        current = symbols[i]
        streak = 0
    elif prices[i] > prices[i - 1]:
        streak += 1
    else:
        streak = 0
    streaks.append(streak)
trades["streak"] = streaks
print(trades["streak"].value_counts().head())
