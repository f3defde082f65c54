"""Two exponential averages, and their difference."""

import sys

import pandas as pd


def signal(prices):
    return prices.ewm(span=12).mean() - prices.ewm(span=26).mean()


def main(path):
    trades = pd.read_csv(path)
    trades["signal"] = trades.groupby("symbol")["price"].transform(signal)  # hot: ewm_mean
    print(trades.groupby("symbol")["signal"].last().head())


if __name__ == "__main__":
    main(sys.argv[1])
