"""A payment for each trade, from a function of two numbers."""

import math
import sys

import pandas as pd


def payment(price, size):
    total = 0.0
    for month in range(60):
        total += price * size * math.exp(-0.01 * month) / 24
    return total if total > 100 else 0.0


trades = pd.read_csv(sys.argv[1]).dropna(subset=["price", "size"])
trades["payment"] = [payment(p, s) for p, s in zip(trades["price"], trades["size"])]  # hot: hs.jit
print(trades["payment"].sum())
