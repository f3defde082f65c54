"""np.vectorize is a loop."""

import sys

import numpy as np
import pandas as pd


def impact(price, size):
    cost = 0.0
    left = size
    level = 0
    while left > 0 and level < 200:
        filled = min(left, 10.0 + level)
        cost += filled * (price + 0.01 * level)
        left -= filled
        level += 1
    return cost


trades = pd.read_csv(sys.argv[1]).dropna(subset=["price", "size"])
trades["cost"] = np.vectorize(impact)(trades["price"], trades["size"])  # hot: hs.jit
print(trades["cost"].sum())
