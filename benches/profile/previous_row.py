"""Changes against the row before, which is kept whole."""

import sys

import pandas as pd

df = pd.read_csv(sys.argv[1]).dropna()
prev = None
changes = []
for _, row in df.iterrows():  # hot: hs.loop
    if prev is None:
        changes.append(0.0)
    else:
        changes.append((row["price"] - prev["price"]) / prev["price"])
    prev = row
df["chg"] = changes
print(df["chg"].mean())
