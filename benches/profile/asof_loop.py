"""The last quote before each trade."""

import sys

import numpy as np
import pandas as pd

trades = pd.read_csv(sys.argv[1], nrows=3_000).dropna(subset=["price"])
trades = trades.reset_index(names="moment")
quotes = pd.DataFrame({"moment": trades["moment"][::7] + 3, "bid": trades["price"][::7] - 0.01})
bids = []
for _, trade in trades.iterrows():  # hot: pd.merge_asof
    before = quotes[quotes["moment"] <= trade["moment"]]
    if len(before):
        bids.append(before["bid"].iloc[-1])
    else:
        bids.append(np.nan)
trades["bid"] = bids
print((trades["price"] - trades["bid"]).mean())
