"""Which requests a limit per client lets through."""

import sys
from dataclasses import dataclass

import pandas as pd


@dataclass
class Bucket:
    capacity: float
    rate: float
    tokens: float
    last: float

    def takes(self, now, cost):
        self.tokens = min(self.capacity, self.tokens + (now - self.last) * self.rate)
        self.last = now
        if cost <= self.tokens:
            self.tokens -= cost
            return True
        return False


requests = pd.read_csv(sys.argv[1], parse_dates=["ts"]).dropna(subset=["size"])
requests["second"] = (requests["ts"] - requests["ts"].iloc[0]).dt.total_seconds()
buckets = {}
passed = []
for i, request in requests.iterrows():  # hot: hs.loop
    client = request["symbol"]
    if client not in buckets:
        buckets[client] = Bucket(500.0, 25.0, 500.0, request["second"])
    passed.append(buckets[client].takes(request["second"], request["size"]))
requests["passed"] = passed
print(requests["passed"].mean())
