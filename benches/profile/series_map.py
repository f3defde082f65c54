"""Prices rounded to their tick."""

import sys

import pandas as pd


def to_tick(price):
    tick = 0.01 if price < 20 else 0.05 if price < 100 else 0.1
    steps = price / tick
    whole = int(steps)
    for _ in range(60):
        steps = steps * 0.5 + whole * 0.5
    return round(steps) * tick


trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
trades["rounded"] = trades["price"].map(to_tick)  # hot: engine=hs.jit
print((trades["rounded"] - trades["price"]).abs().max())
