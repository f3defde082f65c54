"""Rows for the tests of Spark, and what they give in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

import hypostyle as hs

KERNELS = [
    hs.rolling_mean("price", 20, over="symbol").alias("mean"),
    hs.rolling_sum("price", "1s", by="ts", over="symbol", min_samples=1).alias("second"),
    hs.ewm_mean("price", span=20, over="symbol").alias("ewm"),
    hs.rolling_ols("price", "size", 9, fields=["prediction", "r2"], over="symbol").alias("fit"),
    hs.cum_count("price", over="symbol").alias("n"),
]


def trades(rows: int = 5_000, keys: int = 40, seed: int = 1) -> pa.Table:
    """Trades in the order of time, with nulls, ties between keys and a null key."""
    random = np.random.default_rng(seed)
    names = np.array([*(f"k{key:03}" for key in range(keys - 1)), None], dtype=object)
    weights = random.dirichlet(np.full(keys, 0.5))
    price = random.normal(100, 5, rows)
    price[random.random(rows) < 0.02] = np.nan
    return pa.table(
        {
            "i": np.arange(rows),
            "ts": pa.array(1_700_000_000_000_000 + np.arange(rows) // 3 * 100_000, pa.timestamp("us", tz="UTC")),
            "symbol": pa.array(names[random.choice(keys, rows, p=weights)], pa.string()),
            "price": pa.array(price, mask=random.random(rows) < 0.05),
            "size": pa.array(random.integers(1, 100, rows)),
        }
    )


def shuffled(table: pa.Table, seed: int = 2) -> pa.Table:
    return table.take(np.random.default_rng(seed).permutation(table.num_rows))


def in_memory(table: pa.Table, kernels: list[Any] | None = None) -> pl.DataFrame:
    return comparable(hs.with_columns(table, *(kernels or KERNELS)))


def comparable(table: pa.Table) -> pl.DataFrame:
    """The rows in their order, and timestamps without the name of a zone, which a session has its own of."""
    frame = pl.DataFrame(table)
    frame = frame.with_columns(pl.col(pl.Datetime("us", "*")).dt.convert_time_zone("UTC"))
    return frame.sort("i")


def bits(frame: pl.DataFrame) -> pl.DataFrame:
    """Floats as their bits."""
    flat = frame.unnest("fit") if "fit" in frame.columns else frame
    floats = [name for name, dtype in flat.schema.items() if dtype == pl.Float64]
    return flat.with_columns(
        pl.when(pl.col(name).is_nan()).then(float("nan")).otherwise(pl.col(name)).reinterpret(signed=True).alias(name)
        for name in floats
    )


def assert_same_bits(got: pl.DataFrame, wanted: pl.DataFrame) -> None:
    assert got.columns == wanted.columns
    got, wanted = bits(got), bits(wanted)
    assert got.schema == wanted.schema
    assert got.equals(wanted)
