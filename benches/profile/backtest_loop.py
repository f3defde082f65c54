"""Crossing averages, traded one after the other, in a function of a script with a main part."""

import sys

import pandas as pd


def load(path):
    trades = pd.read_csv(path)
    trades["price"] = trades["price"].ffill()
    return trades


def backtest(trades, fee=0.0005):
    trades["fast"] = trades["price"].rolling(10).mean()
    trades["slow"] = trades["price"].rolling(40).mean()
    position, entry, cash = 0, 0.0, 10_000.0
    equity = []
    for i in range(len(trades)):  # hot: hs.loop
        price = trades["price"].iloc[i]
        if position == 0 and trades["fast"].iloc[i] > trades["slow"].iloc[i]:
            position = 1
            entry = price
            cash -= price * fee
        elif position == 1 and trades["fast"].iloc[i] < trades["slow"].iloc[i]:
            cash += price - entry - price * fee
            position = 0
        equity.append(cash + position * (price - entry))
    trades["equity"] = equity
    return trades


if __name__ == "__main__":
    print(backtest(load(sys.argv[1]))["equity"].iloc[-1])
