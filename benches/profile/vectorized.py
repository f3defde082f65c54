"""Nothing to do here: columns are columns already."""

import sys

import numpy as np
import pandas as pd

trades = pd.read_csv(sys.argv[1])
for _ in range(30):
    trades["value"] = np.log1p(trades["price"] * trades["size"]).fillna(0.0)
    ranked = np.sort(trades["value"].to_numpy())  # nothing: native
print(ranked[-1])
