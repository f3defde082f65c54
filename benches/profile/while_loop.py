"""An inventory that decays, counted by hand."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["size"])
size = trades["size"].to_list()
held = 0.0
stock = []
i = 0
while i < len(size):  # hot: hs.loop
    held = held * 0.99 + size[i]
    if held > 50_000.0:
        held = 50_000.0
    for _ in range(20):
        held = held * 0.9999
    stock.append(held)
    i += 1
trades["stock"] = stock
print(trades["stock"].mean())
