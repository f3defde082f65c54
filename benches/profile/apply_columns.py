"""Fee and tax of each trade, as two columns."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])


def charges(row):
    amount = row["price"] * row["size"]
    fee = max(1.0, amount * 0.0005)
    tax = amount * 0.005 if row["side"] == "sell" else 0.0
    return pd.Series({"fee": fee, "tax": tax})


trades[["fee", "tax"]] = trades.apply(charges, axis=1)  # hot: hs.jit
print(trades[["fee", "tax"]].sum())
