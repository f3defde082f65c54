"""Kernels over a DataFrame of Spark: one shuffle by key, one sort, one stage per partition."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from hypostyle._expr import KernelExpr
from hypostyle._stage import Stage
from hypostyle.spark._plans import in_order, job, map_in_arrow, work_of
from hypostyle.spark._store import with_state_store
from hypostyle.spark._workers import run_partition

_CALLER = "hypostyle.spark.with_columns"


def with_columns(
    df: Any,
    *exprs: KernelExpr | Iterable[KernelExpr],
    order_by: str | list[str] | None = None,
    partitions: int | None = None,
    state: Stage | str | os.PathLike[str] | None = None,
    buckets: int = 64,
    late: Literal["error", "drop"] = "error",
    **named: KernelExpr,
) -> Any:
    """Add kernels' columns to a DataFrame of Spark or Sail; results are bit-identical to those in memory.

    Rows are partitioned by the key columns and sorted within each partition; one stage per partition runs the kernels.
    The stage checks the order, so that an engine that loses it raises an error.

    Over a streaming DataFrame the result is one too, for any sink in mode append.  States are in Spark's own store, one
    stage per bucket of keys; it must be RocksDB.  The states of `stream` can be read and moved instead.

    Args:
        df: A DataFrame, of classic Spark or Spark Connect.
        exprs: Kernels with the same `over`, whose inputs are column names.  Without `over` one task gets all rows.
        order_by: The column of dates, timestamps or integers that rows of a key are sorted by, and further columns that
            order rows with ties: without these, results of such rows depend on the run.  Default: the time column `by`
            of the kernels, or the stage's `order_by`.
        partitions: The number of partitions.  Default: Spark's own, `spark.sql.shuffle.partitions`.
        state: A stage to continue from, which is not changed: a `Stage`, its file, or the checkpoint of `stream`.
            Without `exprs` its kernels run.  Not for streaming DataFrames.
        buckets: For streaming DataFrames, the number of buckets that keys are hashed to.  A query must keep it.
        late: For streaming DataFrames, what happens to rows that come after a later row of their key, in an earlier
            micro-batch: `"error"` stops the query, `"drop"` leaves them out.
        named: Kernels by output name.

    Returns:
        A DataFrame with the columns added; columns with the same name are replaced.  Its rows have no order.

    Raises:
        ColumnNotFoundError: A column is missing.
        TypeError: A kernel cannot read a column's type, or `df` is not a DataFrame of Spark.
        ValueError: `order_by` is missing, or the kernels cannot share a stage.  Errors of rows, such as a null in the
            column `order_by`, come when Spark runs the query, as a `PythonException` with the same text.
    """
    if late not in ("error", "drop"):
        raise ValueError(f"{_CALLER}, parameter 'late': expected 'error' or 'drop', got {late!r}")
    if buckets < 1:
        raise ValueError(f"{_CALLER}, parameter 'buckets': got {buckets}, but expected at least 1")
    checked = job(_CALLER, df, exprs, named, order_by, state, late)
    if df.isStreaming and any(spec.depends_on_order for spec in checked.stage._specs):
        if state is not None or partitions is not None:
            raise ValueError(
                f"{_CALLER}: 'state' and 'partitions' are not for streaming DataFrames\n"
                "help: leave them out, or use hypostyle.spark.seed and stream"
            )
        return with_state_store(_CALLER, df, checked, buckets)
    keys = checked.stage.over
    if partitions is not None and (partitions < 1 or (partitions > 1 and not keys)):
        reason = "the kernels have no keys: all rows are one sequence" if not keys else "expected at least 1"
        raise ValueError(f"{_CALLER}, parameter 'partitions': got {partitions}, but {reason}")
    work = work_of(checked)

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        yield from run_partition(work, batches)

    ordered = any(spec.depends_on_order for spec in checked.stage._specs)
    placed = in_order(df, checked, partitions) if ordered or state is not None else df
    return map_in_arrow(placed, run, checked.schema)
