"""Cleans texts with regular expressions."""

import re
import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
pattern = re.compile(r"[^A-Z]*([A-Z]+)0*(\d+)")
cleaned = []
for symbol in trades["symbol"]:
    found = pattern.match(symbol)
    cleaned.append(found.group(1) + "-" + re.sub("[13579]", "x", found.group(2)))  # nothing: strings
print(pd.Series(cleaned).nunique())
