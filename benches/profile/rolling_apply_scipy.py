"""The skewness of the last fifty prices, as SciPy has it."""

import sys

import pandas as pd
from scipy import stats

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"]).head(10_000)
trades["skew"] = trades["price"].rolling(50).apply(stats.skew)  # hot: stats.skew
print(trades["skew"].mean())
