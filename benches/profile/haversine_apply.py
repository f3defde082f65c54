"""Distances from one place, by the formula that everybody copies."""

import math

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
rows = 60_000
places = pd.DataFrame({"lat": rng.uniform(-80, 80, rows), "lon": rng.uniform(-180, 180, rows)})


def haversine(lat1, lon1, lat2, lon2):
    lat1, lon1, lat2, lon2 = map(math.radians, [lat1, lon1, lat2, lon2])
    a = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(a))


places["distance"] = places.apply(lambda row: haversine(52.5, 13.4, row["lat"], row["lon"]), axis=1)  # hot: hs.jit
print(places["distance"].mean())
