"""The correlation of two slices in a loop."""

import sys

import numpy as np
import pandas as pd

df = pd.read_csv(sys.argv[1]).dropna()
a = df["price"].to_numpy()
b = df["size"].to_numpy(dtype=float)
c = [np.nan] * 49
for i in range(49, len(a)):  # hot: rolling_corr
    c.append(np.corrcoef(a[i - 49 : i + 1], b[i - 49 : i + 1])[0, 1])
df["corr"] = c
print(df["corr"].mean())
