"""Writes trades as lines of JSON and reads them again."""

import json
import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
records = trades.to_dict("records")
lines = [json.dumps(record) for record in records]  # nothing: serialization
print(sum(json.loads(line)["size"] > 100 for line in lines))
