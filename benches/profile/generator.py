"""A Kalman filter as a generator."""

import sys

import numpy as np
import pandas as pd


def filtered(values, noise=0.01, error=1.0):
    estimate, variance = None, 1.0
    for value in values:  # hot: hs.loop
        if estimate is None:
            estimate = value
        variance += noise
        gain = variance / (variance + error)
        estimate += gain * (value - estimate)
        variance *= 1 - gain
        yield estimate


prices = np.tile(pd.read_csv(sys.argv[1])["price"].dropna().to_numpy(), 10)
smooth = list(filtered(prices))
print(smooth[-1])
