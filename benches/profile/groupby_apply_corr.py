"""Do prices and sizes move together?"""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
corr = trades.groupby("symbol").apply(lambda g: g["price"].rolling(30).corr(g["size"]))  # hot: rolling_corr
trades["corr"] = corr.reset_index(level=0, drop=True)
print(trades["corr"].mean())
