"""The mean of the last hundred prices of each symbol."""

import sys
from collections import defaultdict, deque

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
windows = defaultdict(lambda: deque(maxlen=100))
means = []
for symbol, price in zip(trades["symbol"], trades["price"]):  # hot: rolling_mean
    window = windows[symbol]
    window.append(price)
    means.append(sum(window) / len(window))
trades["mean"] = means
print(trades["mean"].mean())
