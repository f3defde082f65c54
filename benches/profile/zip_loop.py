"""A class for each trade."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price", "size"])
classes = []
for price, size in zip(trades["price"], trades["size"]):  # hot: hs.jit
    value = price * size
    weight = 0.0
    for step in range(60):
        weight += value / (step + 1.0) ** 2
    if weight > 100_000:
        classes.append(2)
    elif weight > 10_000:
        classes.append(1)
    else:
        classes.append(0)
trades["class"] = classes
print(trades["class"].value_counts())
