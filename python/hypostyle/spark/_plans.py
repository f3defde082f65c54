"""What both routes need of a call: the stage, the order of rows, the columns, and a plan that sorts the rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from hypostyle._expr import KernelExpr, kernels_of
from hypostyle._late import Late
from hypostyle._library import BUILTIN
from hypostyle._stage import Stage
from hypostyle.spark._checkpoint import load_stage
from hypostyle.spark._types import checked_columns, key_columns, output_schema, quoted, read_schema
from hypostyle.spark._workers import Work


@dataclass(frozen=True)
class Job:
    """A call, checked: the stage that every worker starts from, and what goes in and out.

    Args:
        stage: The stage, with the check of the order.
        order: The columns that rows are sorted by, within each key.
        schema: The schema of the result, as Spark's `StructType`.
        added: The Arrow types of the columns that the kernels add.
        read: The columns that the stage reads, as it will see them.
    """

    stage: Stage
    order: list[str]
    schema: Any
    added: dict[str, Any]
    read: pl.Schema

    @property
    def names(self) -> list[str]:
        """The columns of the result."""
        return [field.name for field in self.schema.fields]


def job(
    caller: str,
    df: Any,
    exprs: tuple[KernelExpr | Iterable[KernelExpr], ...],
    named: dict[str, KernelExpr],
    order_by: str | list[str] | None,
    state: Stage | str | os.PathLike[str] | None = None,
    late: Late = "error",
) -> Job:
    """Check a call."""
    if not hasattr(df, "mapInArrow"):
        msg = f"{caller} takes a DataFrame of Spark, not a {type(df).__module__}.{type(df).__qualname__}"
        raise TypeError(msg)
    order = [order_by] if isinstance(order_by, str) else [] if order_by is None else order_by
    if not isinstance(order, list | tuple) or not all(isinstance(name, str) for name in order):
        raise TypeError(f"{caller}, parameter 'order_by': expected column names, got {order_by!r}")
    order = list(order)
    stage = _stage(caller, exprs, named, order, state, late)
    order = order or [name for name in (stage.order_by, *stage.by) if name is not None][:1]
    checked_columns(caller, df, [*stage._columns, *order])
    read = read_schema(caller, df, stage)
    empty = pl.DataFrame(schema=read)
    # The order and the types of earlier rows are checked now, not when Spark runs the query.
    (stage.copy() if stage.input_schema is None else stage).set_schema(empty)
    schema, added = output_schema(df, stage.output_schema(empty))
    return Job(stage, order, schema, added, read)


def _stage(
    caller: str,
    exprs: tuple[KernelExpr | Iterable[KernelExpr], ...],
    named: dict[str, KernelExpr],
    order: list[str],
    state: Stage | str | os.PathLike[str] | None,
    late: Late,
) -> Stage:
    specs = kernels_of(exprs, named, caller) if exprs or named else []
    if state is None:
        if not specs:
            raise ValueError(f"{caller} needs at least one kernel")
        times = [name for spec in specs for name in spec.time_columns]
        if not order and not times and (ordered := next((s for s in specs if s.depends_on_order), None)) is not None:
            msg = (
                f"{caller}: {ordered.shown_name} depends on the order of the rows, which Spark does not keep\n"
                "help: name the column that orders them: order_by='ts'; with ties name more: order_by=['ts', 'id']"
            )
            raise ValueError(msg)
        by = order[0] if order else next(iter(times), None)
        return Stage([KernelExpr(spec) for spec in specs], order_by=by, late=late, threads=1)
    stage = state if isinstance(state, Stage) else _loaded(state)
    if specs and [spec.normal for spec in specs] != [spec.normal for spec in stage._specs]:
        raise ValueError(f"{caller}: the stage given as 'state' has other kernels; pass none to continue with its own")
    if order and order[0] not in {stage.order_by, *stage.by}:
        of_stage = f"is sorted by '{stage.order_by}'" if stage.order_by else "checks no order"
        msg = (
            f"{caller}: rows are to be sorted by '{order[0]}', but the stage given as 'state' {of_stage}\n"
            f"help: make the stage with it: hs.Stage(..., order_by='{order[0]}')"
        )
        raise ValueError(msg)
    if not order and stage.order_by is None and any(spec.depends_on_order for spec in stage._specs):
        raise ValueError(f"{caller}: the stage given as 'state' checks no order\nhelp: make it with order_by='ts'")
    return stage


def _loaded(path: str | os.PathLike[str]) -> Stage:
    return load_stage(path) if os.path.isdir(path) else Stage.load(path)


def work_of(checked: Job) -> Work:
    """Return what the workers need of a call."""
    import pyarrow as pa

    zones = {
        name: pa.timestamp("us", dtype.time_zone)
        for name, dtype in checked.read.items()
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    }
    stage = checked.stage
    library = None if stage._library is BUILTIN else stage._library.__name__
    return Work((stage.to_bytes(), library), stage._late, checked.names, checked.added, zones)


def keeps_sort(df: Any) -> bool:
    """Whether the engine sorts below `mapInArrow` if told to: Spark does, Sail leaves the sort out of the plan."""
    return df.sparkSession.conf.get("spark.app.id", None) is not None


def in_order(df: Any, checked: Job, partitions: int | None) -> Any:
    """Return the frame with all rows of a key in one partition, in order."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    keys = key_columns(checked.stage.over, checked.read)
    ordered = [F.col(quoted(name)).asc() for name in checked.order]
    if not keys:
        spread = df.repartition(1)
    elif partitions is None:
        spread = df.repartition(*keys)
    else:
        spread = df.repartition(partitions, *keys)
    if not ordered:
        return spread
    if keeps_sort(df):
        return spread.sortWithinPartitions(*ordered)
    window = (Window.partitionBy(*keys) if keys else Window).orderBy(*ordered)
    return spread.withColumn(unused_name(df, "hs_row"), F.row_number().over(window))


def map_in_arrow(df: Any, run: Callable[[Iterator[Any]], Iterator[Any]], schema: Any) -> Any:
    """Return `df.mapInArrow(run, schema)`, also for columns whose names Spark would take for fields: with a dot."""
    names = df.columns
    if not any(sign in name for name in names for sign in ".`"):
        return df.mapInArrow(run, schema)

    def renamed(batches: Iterator[Any]) -> Iterator[Any]:
        yield from run(batch.rename_columns(names) for batch in batches)

    return df.toDF(*(f"c{at}" for at in range(len(names)))).mapInArrow(renamed, schema)


def unused_name(df: Any, wanted: str) -> str:
    """Return a name that no column has, whatever its case."""
    names = {name.lower() for name in df.columns}
    while wanted in names:
        wanted += "_"
    return wanted
