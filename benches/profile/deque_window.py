"""Means of the last two hundred prices, in plain Python."""

import csv
import sys
from collections import deque

with open(sys.argv[1]) as file:
    prices = [float(row["price"] or 0) for row in csv.DictReader(file)]
window = deque(maxlen=200)
means = []
for price in prices:  # hot: rolling_mean
    window.append(price)
    means.append(sum(window) / len(window))
print(means[-1])
