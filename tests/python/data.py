"""The frames that the kernels are tried on, and equality to the bit."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parent.parent.parent


def plain(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    """Finite values with nulls and ties, over five keys, with times that rise within each key (and repeat)."""
    random = np.random.default_rng(seed)

    def holed(values: np.ndarray, share: float = 0.1) -> pl.Series:
        return pl.Series(values).scatter(np.flatnonzero(random.random(rows) < share), None)

    minutes = np.cumsum(random.integers(0, 6, rows))
    return pl.DataFrame(
        {
            "key": random.choice(["A", "B", "C", "D", "E"], rows, p=[0.6, 0.2, 0.15, 0.04, 0.01]),
            "ts": pl.Series(
                [datetime(2024, 1, 1) + timedelta(minutes=int(m)) for m in minutes], dtype=pl.Datetime("us")
            ),
            "x": holed(np.round(random.normal(100, 10, rows), 1)),
            "y": holed(random.normal(size=rows)),
            "i": holed(random.integers(-5, 6, rows)),
            "f": holed(random.normal(size=rows).astype("f4")),
            "a": random.random(rows),
            "low": random.random(rows) * -10,
            "high": random.random(rows) * 10 + 1,
            "b": holed(random.random(rows) < 0.3),
        },
        schema_overrides={"key": pl.String},
    )


def constant() -> pl.DataFrame:
    """Every value the same, and not a sum of powers of two."""
    return plain(100).with_columns(
        x=pl.lit(0.1), y=pl.lit(-7.3), i=pl.lit(3, pl.Int64), f=pl.lit(0.1, pl.Float32), a=pl.lit(0.5), b=pl.lit(True)
    )


def all_null() -> pl.DataFrame:
    """No value at all."""
    types = plain(1).schema
    return plain(40).with_columns(pl.lit(None).cast(types[name]).alias(name) for name in ("x", "y", "i", "f", "b"))


SHAPES = {
    "plain": plain(),
    "constant": constant(),
    "all_null": all_null(),
    "one_row": plain(1),
    "two_rows": plain(2, seed=1),
    "no_rows": plain(1).clear(),
}


def wild(rows: int = 400) -> pl.DataFrame:
    """As `plain`, with NaN, both infinities, huge values and negative zeros, to compare the faces with each other."""
    frame = plain(rows, seed=7)
    spots = {
        17: np.nan,
        50: np.inf,
        51: -np.inf,
        120: 1e300,
        121: -1e300,
        200: -0.0,
        201: 0.0,
        300: np.inf,
        360: np.nan,
    }
    return frame.with_columns(
        frame[name].scatter([at for at in spots if at < rows], [value for at, value in spots.items() if at < rows])
        for name in ("x", "y")
    )


def same(found: pl.Series, expected: pl.Series) -> bool:
    """Equal to the bit, NaN payloads aside."""
    if found.dtype != expected.dtype or len(found) != len(expected):
        return False
    if isinstance(found.dtype, pl.Struct):
        fields = zip(found.struct.unnest(), expected.struct.unnest(), strict=True)
        return bool((found.is_null() == expected.is_null()).all()) and all(same(a, b) for a, b in fields)
    if not (found.is_null() == expected.is_null()).all():
        return False
    return found.drop_nulls().to_numpy().tobytes() == expected.drop_nulls().to_numpy().tobytes() or _same_bits(
        found.drop_nulls().to_numpy(), expected.drop_nulls().to_numpy()
    )


def _same_bits(found: np.ndarray, expected: np.ndarray) -> bool:
    if found.dtype.kind != "f":
        return bool((found == expected).all())
    nan = np.isnan(found)
    bits = f"i{found.dtype.itemsize}"
    return bool((nan == np.isnan(expected)).all() and (found.view(bits)[~nan] == expected.view(bits)[~nan]).all())
