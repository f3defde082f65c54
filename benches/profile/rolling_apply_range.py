"""High minus low of the last hundred trades."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
price = trades["price"].ffill()
trades["range"] = price.rolling(100).apply(lambda w: w.max() - w.min(), raw=True)  # hot: hs.rolling
print(trades["range"].mean())
