"""How many rows ago the highest price was, and how far it is away."""

import sys

import numpy as np
import pandas as pd

prices = np.tile(pd.read_csv(sys.argv[1])["price"].ffill().bfill().to_numpy(), 5)
since = np.zeros(len(prices))
away = np.zeros(len(prices))
top = 0
for i in range(len(prices)):  # hot: hs.loop
    if prices[i] >= prices[top] or i - top > 500:
        top = i
    since[i] = i - top
    away[i] = prices[top] - prices[i]
print(since.mean(), away.max())
