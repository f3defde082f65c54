"""Kernels over a DataFrame of Spark: one shuffle by key, one sort, one stage per partition."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from hypostyle._expr import KernelExpr
from hypostyle._stage import Stage
from hypostyle.spark._plans import Job, in_order, job
from hypostyle.spark._workers import Work, run_partition

_CALLER = "hypostyle.spark.with_columns"


def with_columns(
    df: Any,
    *exprs: KernelExpr | Iterable[KernelExpr],
    order_by: str | list[str] | None = None,
    partitions: int | None = None,
    state: Stage | str | os.PathLike[str] | None = None,
    **named: KernelExpr,
) -> Any:
    """Add kernels' columns to a DataFrame of Spark or Sail; results are bit-identical to those in memory.

    Rows are partitioned by the key columns and sorted within each partition; one stage per partition runs the kernels.
    The stage checks the order, so that an engine that loses it raises an error.

    Args:
        df: A DataFrame, of classic Spark or Spark Connect.
        exprs: Kernels with the same `over`, whose inputs are column names.  Without `over` one task gets all rows.
        order_by: The column of dates, timestamps or integers that rows of a key are sorted by, and further columns that
            order rows with ties: without these, results of such rows depend on the run.  Default: the time column `by`
            of the kernels, or the stage's `order_by`.
        partitions: The number of partitions.  Default: Spark's own, `spark.sql.shuffle.partitions`.
        state: A stage to continue from, which is not changed: a `Stage`, its file, or the checkpoint of `stream`.
            Without `exprs` its kernels run.
        named: Kernels by output name.

    Returns:
        A DataFrame with the columns added; columns with the same name are replaced.  Its rows have no order.

    Raises:
        ColumnNotFoundError: A column is missing.
        TypeError: A kernel cannot read a column's type, or `df` is not a DataFrame of Spark.
        ValueError: `order_by` is missing, or the kernels cannot share a stage.  Errors of rows, such as a null in the
            column `order_by`, come when Spark runs the query, as a `PythonException` with the same text.
    """
    checked = job(_CALLER, df, exprs, named, order_by, state)
    keys = checked.stage.over
    if partitions is not None and (partitions < 1 or (partitions > 1 and not keys)):
        reason = "the kernels have no keys: all rows are one sequence" if not keys else "expected at least 1"
        raise ValueError(f"{_CALLER}, parameter 'partitions': got {partitions}, but {reason}")
    work = work_of(checked)

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        yield from run_partition(work, batches)

    ordered = any(spec.depends_on_order for spec in checked.stage._specs)
    placed = in_order(df, checked, partitions) if ordered or state is not None else df
    return placed.mapInArrow(run, checked.schema)


def work_of(checked: Job) -> Work:
    """Return what the workers need of a call."""
    import pyarrow as pa

    zones = {
        name: pa.timestamp("us", dtype.time_zone)
        for name, dtype in checked.read.items()
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    }
    return Work(checked.packed(), checked.stage._late, checked.names, checked.added, zones)
