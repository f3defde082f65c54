"""How many of the last 30 prices were lower, in plain Python."""

import csv
import sys

with open(sys.argv[1]) as file:
    prices = [float(row["price"]) for row in csv.DictReader(file) if row["price"]]
window = 30
lower = []
for i in range(len(prices)):  # hot: hs.rolling
    count = 0
    for j in range(max(0, i - window), i):
        if prices[j] < prices[i]:
            count += 1
    lower.append(count)
print(sum(lower))
