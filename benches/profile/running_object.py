"""Prices in deviations from their mean so far, by an object that is told each price."""

import sys

import pandas as pd


class Running:
    """Mean and deviation of all values so far."""

    def __init__(self):
        self.count = 0
        self.mean = 0.0
        self.squares = 0.0

    def push(self, value):
        self.count += 1
        delta = value - self.mean
        self.mean += delta / self.count
        self.squares += delta * (value - self.mean)

    @property
    def deviation(self):
        return (self.squares / self.count) ** 0.5


trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
running = Running()
scores = []
for price in trades["price"]:  # hot: hs.loop
    running.push(price)
    scores.append((price - running.mean) / (running.deviation + 1e-9))
trades["score"] = scores
print(trades["score"].max())
