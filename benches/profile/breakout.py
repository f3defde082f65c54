"""A position that opens above the highest of 20 prices, and closes below the lowest of 10."""

import sys

import pandas as pd

df = pd.read_csv(sys.argv[1]).dropna().reset_index(drop=True)
prices = df["price"].values
position = 0
positions = [0] * 20
for i in range(20, len(prices)):  # hot: hs.loop
    window = prices[i - 20 : i]
    if position == 0 and prices[i] > max(window):
        position = 1
    elif position == 1 and prices[i] < min(prices[i - 10 : i]):
        position = 0
    positions.append(position)
df["position"] = positions
print(df["position"].mean())
