"""Positions by symbol from the rows of a CSV file, without pandas."""

import csv
import sys
from collections import defaultdict

with open(sys.argv[1]) as file:
    rows = [row for row in csv.DictReader(file) if row["size"]]
positions = defaultdict(int)
after = []
for row in rows:  # hot: hs.loop
    size = int(row["size"])
    if row["side"] == "buy":
        positions[row["symbol"]] += size
    elif row["side"] == "sell":
        positions[row["symbol"]] -= min(size, max(0, positions[row["symbol"]]))
    after.append(positions[row["symbol"]])
print(sum(after))
