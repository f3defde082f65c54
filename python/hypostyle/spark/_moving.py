"""States in and out of a stream's buckets: from a live stage, and to another number of buckets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

import polars as pl

from hypostyle._library import BUILTIN
from hypostyle._stage import Stage
from hypostyle.spark._checkpoint import Checkpoint, Layout
from hypostyle.spark._types import key_columns, written


def bucket(keys: list[str], schema: Mapping[str, pl.DataType], buckets: int) -> Any:
    """Return the bucket of a row as an expression of Spark."""
    from pyspark.sql import functions as F

    if not keys:
        return F.lit(0)
    return F.pmod(F.xxhash64(*key_columns(keys, schema)), F.lit(buckets)).cast("int")


def layout_of(stage: Stage, buckets: int) -> Layout:
    """Return what the states of a stage like this are of."""
    library = None if stage._library is BUILTIN else stage._library.__name__
    return Layout([spec.normal for spec in stage._specs], stage.order_by, buckets if stage.over else 1, library=library)


def seed(checkpoint: str | os.PathLike[str], stage: Stage, spark: Any, *, buckets: int = 64) -> None:
    """Write the states of a live stage as the start of a stream: `stream` with this checkpoint continues from them.

    Args:
        checkpoint: A directory that does not exist yet, or is empty.
        stage: The stage, which does not change.  It must have been made with the `order_by` of the stream.
        spark: The session, which hashes the keys.
        buckets: The number of buckets, as for `stream`.

    Raises:
        FileExistsError: The directory has files.
        ValueError: The stage checks no order.
    """
    own = Checkpoint(checkpoint)
    if own.path.exists() and any(own.path.iterdir()):
        raise FileExistsError(f"hypostyle.spark.seed: '{own.path}' is not empty\nhelp: name a new directory")
    if stage.order_by is None:
        raise ValueError("hypostyle.spark.seed: the stage checks no order\nhelp: make it with order_by='ts'")
    layout = layout_of(stage, buckets)
    for number, part in enumerate(_shared(stage, layout.buckets, spark)):
        if part.n_rows or part.n_keys:
            own.save(layout, number, -1, part)
    own.write_layout(layout)


def rebalance(checkpoint: str | os.PathLike[str], spark: Any, *, buckets: int) -> None:
    """Move the keys of a stopped stream to another number of buckets; it continues with them.

    The states are complete under another name before the checkpoint names them, so that the old ones stay until then.

    Args:
        checkpoint: The directory of a stream that is not running.
        spark: The session, which hashes the keys.
        buckets: The new number of buckets.

    Raises:
        FileNotFoundError: The directory is not a checkpoint of `hypostyle.spark`.
        ValueError: The last batch may have to be repeated, or the kernels have no keys.
    """
    own = Checkpoint(checkpoint)
    layout = own.found()
    last = own.committed()
    if last >= 0 and not (own.path / "spark" / "commits" / str(last)).exists():
        msg = (
            f"hypostyle.spark.rebalance: Spark has not committed batch {last} and will repeat it, from earlier states\n"
            "help: start the query once more and stop it, with trigger={'availableNow': True}"
        )
        raise ValueError(msg)
    stages = [stage for stage in own.stages(layout) if stage is not None]
    if any(not stage.over for stage in stages):
        raise ValueError("hypostyle.spark.rebalance: the kernels have no keys, so that there is only one bucket")
    new = replace(layout, buckets=buckets, states=f"states-{int(layout.states.split('-')[1]) + 1}", since=last)
    shutil.rmtree(own.path / new.states, ignore_errors=True)
    parts: list[list[Stage]] = [[] for _ in range(buckets)]
    for stage in stages:
        for number, part in enumerate(_shared(stage, buckets, spark)):
            if part.n_keys:
                parts[number].append(part)
    for number, pieces in enumerate(parts):
        if pieces:
            own.save(new, number, last, reduce(_merge, pieces[1:], pieces[0]))
    own.write_layout(new)
    shutil.rmtree(own.path / layout.states, ignore_errors=True)


def _merge(one: Stage, other: Stage) -> Stage:
    one.merge(other)
    return one


def _shared(stage: Stage, buckets: int, spark: Any) -> list[Stage]:
    """Return the stage's keys by bucket, as Spark hashes them."""
    if not stage.over:
        return [stage]
    if not stage.n_keys:
        return [stage.copy() for _ in range(buckets)]
    return stage.split_by(_buckets_of(stage.state().select(stage.over), buckets, spark), buckets)


def _buckets_of(keys: pl.DataFrame, buckets: int, spark: Any) -> list[int]:
    import pyarrow as pa
    from pyspark.sql import functions as F

    names = [f"k{at}" for at in range(keys.width)]
    columns = [column.to_arrow().cast(written(column.dtype)[1]) for column in keys.get_columns()]
    rows = pa.table([*columns, pa.array(range(keys.height), pa.int64())], names=[*names, "row"])
    hashed = spark.createDataFrame(rows).select(
        F.col("row"), bucket(names, dict(zip(names, keys.dtypes, strict=True)), buckets).alias("bucket")
    )
    return [int(number) for number in hashed.toArrow().sort_by("row").column("bucket").to_pylist()]
