"""The same rows in the form that each peer likes best, made before any time is taken.

Tame values without nulls, in random order of the keys (uniform), at strictly rising times, about one row a second for
each key: so every peer gives the same answers, and a window of '60s' holds about 60 rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from table import Keys

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Inputs:
    """One frame, several times."""

    polars: pl.DataFrame
    pandas: pd.DataFrame
    arrays: dict[str, Array]
    duckdb: duckdb.DuckDBPyConnection
    keyed: bool

    def __len__(self) -> int:
        return len(self.polars)


def inputs(rows: int, keys: int, kind: Keys, threads: int) -> Inputs:
    """The rows, over `keys` keys of this kind."""
    random = np.random.default_rng(20)
    sequences = 1 if kind == "none" else keys
    steps = 1 + (random.exponential(1e6 / sequences, rows)).astype("i8")
    arrays: dict[str, Array] = {
        "n": np.arange(rows),
        "ts": (np.datetime64("2024-01-01", "us").astype("i8") + np.cumsum(steps)).view("M8[us]"),
        "x": random.normal(100, 10, rows),
        "y": random.normal(size=rows),
        "z": random.normal(size=rows),
        "w": random.normal(size=rows),
        "a": random.random(rows),
        "b": random.random(rows) < 0.05,
    }
    arrays |= {"high": arrays["x"] + arrays["a"], "low": arrays["x"] - arrays["a"]}
    frame = pl.DataFrame(arrays)
    if kind != "none":
        drawn = random.integers(0, keys, rows)
        names = [f"S{at:05}" for at in range(keys)] if kind == "text" else random.permutation(keys * 7)[:keys]
        frame = frame.with_columns(key=pl.Series(names).gather(drawn))
    connection = duckdb.connect(config={"threads": threads})
    connection.register("rows", frame.to_arrow())
    return Inputs(frame, frame.to_pandas(), arrays, connection, kind != "none")
