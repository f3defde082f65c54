"""How much is held after each trade, within limits."""

import sys

import pandas as pd


def held(trades, most=10_000):
    stock = 0.0
    out = []
    for trade in trades.itertuples():  # hot: hs.loop
        for _ in range(40):
            stock = stock * 0.9999
        if trade.side == "buy":
            stock = min(stock + trade.size_, most)
        else:
            stock = max(stock - trade.size_, 0.0)
        out.append(stock)
    return out


trades = pd.read_csv(sys.argv[1]).dropna().rename(columns={"size": "size_"})
trades["held"] = held(trades)
print(trades["held"].describe())
