"""A position that is flat, long or short: its state in each row, and the trades that were closed."""

import sys

import pandas as pd

frame = pd.read_csv(sys.argv[1]).dropna(subset=["price"]).reset_index(drop=True)
frame["fast"] = frame["price"].rolling(5).mean()
frame["slow"] = frame["price"].rolling(20).mean()
state = "flat"
entry = 0.0
closed = []
states = []
for i, row in frame.iterrows():  # hot: hs.loop
    if state == "flat":
        if row["fast"] > row["slow"]:
            state, entry = "long", row["price"]
        elif row["fast"] < row["slow"]:
            state, entry = "short", row["price"]
    elif state == "long" and row["fast"] < row["slow"]:
        closed.append({"row": i, "symbol": row["symbol"], "side": state, "profit": row["price"] - entry})
        state = "flat"
    elif state == "short" and row["fast"] > row["slow"]:
        closed.append({"row": i, "symbol": row["symbol"], "side": state, "profit": entry - row["price"]})
        state = "flat"
    states.append(state)
frame["state"] = states
print(pd.DataFrame(closed).groupby("side")["profit"].sum())
