"""The relative strength index as a function over an array, which starts with a mean."""

import sys

import numpy as np
import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna()
closes = np.tile(trades["price"].values, 6)


def rsi(prices, n=14):
    changes = np.diff(prices)
    first = changes[: n + 1]
    up = first[first >= 0].sum() / n
    down = -first[first < 0].sum() / n
    found = np.zeros_like(prices)
    found[:n] = 100.0 - 100.0 / (1.0 + up / down)
    for i in range(n, len(prices)):  # hot: hs.loop
        change = changes[i - 1]
        if change > 0:
            gain = change
            loss = 0.0
        else:
            gain = 0.0
            loss = -change
        up = (up * (n - 1) + gain) / n
        down = (down * (n - 1) + loss) / n
        found[i] = 100.0 - 100.0 / (1.0 + up / down)
    return found


print(rsi(closes)[-1])
