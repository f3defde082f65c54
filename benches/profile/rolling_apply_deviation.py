"""The mean distance from the mean, over changes of the price."""

import sys

import numpy as np
import pandas as pd

trades = pd.read_csv(sys.argv[1])
trades["price"] = trades["price"].ffill()
change = trades["price"].pct_change()
trades["mad"] = change.rolling(30).apply(lambda w: np.mean(np.abs(w - np.mean(w))), raw=True)  # hot: hs.rolling
print(trades["mad"].mean())
