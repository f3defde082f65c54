"""Position and profit after each trade, as a table."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna()
rows = []
position = 0
cash = 0.0
for _, trade in trades.iterrows():  # hot: hs.loop
    quantity = trade["size"] if trade["side"] == "buy" else -trade["size"]
    position += quantity
    cash -= quantity * trade["price"]
    rows.append({"symbol": trade["symbol"], "position": position, "profit": cash + position * trade["price"]})
result = pd.DataFrame(rows)
print(result.tail(3))
