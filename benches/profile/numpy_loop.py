"""An average that adapts, over an array."""

import sys

import numpy as np
import pandas as pd


def adaptive(x, fast=0.3, slow=0.02):
    out = np.empty(len(x))
    level = x[0]
    for i in range(len(x)):  # hot: hs.loop
        distance = abs(x[i] - level)
        rate = fast if distance > 0.5 else slow
        for _ in range(60):
            rate = rate * 0.97
        level += rate * (x[i] - level)
        out[i] = level
    return out


trades = pd.read_csv(sys.argv[1])
price = trades["price"].ffill().to_numpy()
trades["level"] = adaptive(price)
print(trades["level"].tail())
