"""Sums so far by side; trades without a side are in no group of pandas."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
trades["group"] = trades["symbol"].where(trades["side"].notna())
trades["sum"] = trades.groupby("group")["size"].transform(lambda s: s.rolling(9).sum())  # nothing: differs
print(trades["sum"].isna().sum())
