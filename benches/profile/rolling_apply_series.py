"""The last price of a window against all of it."""

import sys

import pandas as pd


def score(w):
    return (w.iloc[-1] - w.mean()) / w.std()


trades = pd.read_csv(sys.argv[1], nrows=60_000)
trades["price"] = trades["price"].ffill()
trades["score"] = trades["price"].rolling(64).apply(score)  # hot: hs.rolling
print(trades["score"].abs().max())
