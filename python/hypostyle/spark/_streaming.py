"""Kernels over a stream of Spark, by `foreachBatch`: the state is one file per bucket of keys and batch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hypostyle._expr import KernelExpr
from hypostyle._stage import Stage
from hypostyle.spark._buckets import by_bucket
from hypostyle.spark._checkpoint import Checkpoint, Layout
from hypostyle.spark._moving import bucket, layout_of
from hypostyle.spark._plans import Job, job, map_in_arrow, unused_name, work_of
from hypostyle.spark._types import quoted
from hypostyle.spark._workers import Work

_CALLER = "hypostyle.spark.stream"


def stream(
    df: Any,
    *exprs: KernelExpr | Iterable[KernelExpr],
    order_by: str | list[str] | None = None,
    checkpoint: str | os.PathLike[str],
    write: str | os.PathLike[str] | Callable[[Any, int], object],
    buckets: int = 64,
    partitions: int | None = None,
    late: Literal["error", "drop", "save"] = "error",
    trigger: Mapping[str, Any] | None = None,
    name: str | None = None,
    **named: KernelExpr,
) -> Any:
    """Start a streaming query that adds kernels' columns; results are bit-identical to those over all rows at once.

    The rows of each micro-batch are sorted.  From one micro-batch to the next a key's rows must be in order too: `late`
    says what happens to the others.

    Args:
        df: A streaming DataFrame.
        exprs: Kernels with the same `over`, whose inputs are column names.
        order_by: The column of dates, timestamps or integers that rows of a key are sorted by, and further columns for
            ties, as in `with_columns`.
        checkpoint: A directory that the driver and all workers see: Spark's checkpoint and the states.  A query that is
            started again continues from it.
        write: A directory for Parquet files, in one directory per batch, `batch=17`; or a function of a DataFrame and
            the batch's number.  It must write all rows, and must replace what it wrote for the same number before:
            Spark repeats a batch after a failure.
        buckets: The number of buckets that keys are hashed to, each with a state of its own.  It is part of the
            checkpoint: `rebalance` changes it.
        partitions: The number of tasks per micro-batch.  Default: `spark.sql.shuffle.partitions`, at most `buckets`.
        late: `"error"` stops the query; `"drop"` leaves late rows out, and `late_rows` counts them; `"save"` also
            writes them to Parquet files in the checkpoint's directory `late`.
        trigger: When batches run, as for Spark's `trigger`: `{"availableNow": True}`.
        name: The name of the query.
        named: Kernels by output name.

    Returns:
        The query, Spark's `StreamingQuery`.

    Raises:
        ColumnNotFoundError: A column is missing.
        TypeError: A kernel cannot read a column's type, or `df` is not a DataFrame of Spark.
        ValueError: `df` is no stream, `order_by` is missing, or the checkpoint is of other kernels or buckets.
    """
    if late not in ("error", "drop", "save"):
        raise ValueError(f"{_CALLER}, parameter 'late': expected 'error', 'drop' or 'save', got {late!r}")
    if buckets < 1 or (partitions is not None and partitions < 1):
        raise ValueError(f"{_CALLER}: 'buckets' and 'partitions' must be at least 1")
    checked = job(_CALLER, df, exprs, named, order_by, late="error" if late == "error" else "drop")
    if not df.isStreaming:
        raise ValueError(f"{_CALLER}: the DataFrame is no stream\nhelp: use hypostyle.spark.with_columns")
    if not callable(write) and (taken := [name for name in checked.names if name.lower() == "batch"]):
        raise ValueError(
            f"{_CALLER}: the column '{taken[0]}' has the name of the directories of 'write', batch=0 and so on\n"
            "help: rename the column, or pass a function as 'write'"
        )
    own = Checkpoint(checkpoint)
    wanted = layout_of(checked.stage, buckets)
    layout = own.layout()
    if layout is None:
        own.write_layout(layout := wanted)
    else:
        layout.check(_CALLER, f"the checkpoint '{own.path}'", wanted)
    if partitions is None:
        partitions = int(df.sparkSession.conf.get("spark.sql.shuffle.partitions"))
    step = _step(checked, own, layout, min(partitions, layout.buckets), late == "save", _writer(write))
    writer = df.writeStream.foreachBatch(step).option("checkpointLocation", str(own.path / "spark"))
    if name is not None:
        writer = writer.queryName(name)
    return writer.trigger(**trigger).start() if trigger else writer.start()


def _writer(write: str | os.PathLike[str] | Callable[[Any, int], object]) -> Callable[[Any, int], object]:
    if callable(write):
        return write
    path = os.fspath(write)

    def parquet(frame: Any, number: int) -> None:
        frame.write.mode("overwrite").parquet(f"{path}/batch={number}")

    return parquet


def _step(
    checked: Job,
    own: Checkpoint,
    layout: Layout,
    partitions: int,
    keeps_late: bool,
    write: Callable[[Any, int], object],
) -> Callable[[Any, int], None]:
    """Return what Spark calls for each micro-batch."""
    work, order, schema = work_of(checked), checked.order, checked.schema
    keys, read = checked.stage.over, checked.read

    def step(batch: Any, number: int) -> None:
        from pyspark.sql import functions as F

        _check_number(own, layout, number)
        shutil.rmtree(own.done_path(number), ignore_errors=True)
        column = unused_name(batch, "hs_bucket")
        task = BucketTask(work, own, layout, number, column, keeps_late)

        def run(batches: Iterator[Any]) -> Iterator[Any]:
            yield from task.run(batches)

        placed = batch.withColumn(column, bucket(keys, read, layout.buckets))
        if hasattr(placed, "repartitionById"):  # since Spark 4.1: as many buckets in each task
            placed = placed.repartitionById(partitions, F.col(column) % partitions)
        else:
            placed = placed.repartition(partitions, F.col(column))
        ordered = [F.col(column).asc(), *(F.col(quoted(name)).asc() for name in order)]
        write(map_in_arrow(placed.sortWithinPartitions(*ordered), run, schema), number)
        done = own.done_path(number)
        tasks = len(list(done.iterdir())) if done.exists() else 0
        if tasks < partitions and not (tasks == 0 and batch.isEmpty()):
            msg = (
                f"{_CALLER}: 'write' has not read all rows of batch {number}: {tasks} of {partitions} tasks ended\n"
                "help: write the frame as it is given, without limit or head"
            )
            raise ValueError(msg)
        own.commit(number)
        shutil.rmtree(done, ignore_errors=True)

    return step


def _check_number(own: Checkpoint, layout: Layout, number: int) -> None:
    """Raise unless the states of the batch before this one are there."""
    last = own.committed()
    if last <= number <= last + 1 and number > layout.since:
        return
    if last < 0 < number:
        problem = f"has no states, but Spark continues with batch {number}"
    else:
        problem = f"has states of batch {last}, but Spark continues with batch {number}"
    msg = (
        f"{_CALLER}: the checkpoint '{own.path}' {problem}: a part of it was removed or restored alone\n"
        "help: restore all of it from one copy, or start over with a new directory, which `seed` can fill"
    )
    raise ValueError(msg)


@dataclass(frozen=True)
class BucketTask:
    """A task of a micro-batch: rows sorted by bucket, and within each by key's order."""

    work: Work
    own: Checkpoint
    layout: Layout
    number: int
    column: str
    keeps_late: bool

    def run(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Return the rows with the kernels' columns, and write the states of their buckets."""
        from pyspark import TaskContext

        if self.own.layout() != self.layout:
            msg = (
                f"this worker does not see the checkpoint '{self.own.path}' of the driver\n"
                "help: name a directory that the driver and all workers see under the same path"
            )
            raise ValueError(msg)
        now: int | None = None
        stage = self.work.stage()
        late: list[Any] = []
        seen: set[int] = set()
        for batch in batches:
            for number, rows in by_bucket(batch, self.column):
                if number != now:
                    if now is not None:
                        self._save(now, stage, late)
                    if number in seen:
                        msg = f"rows of bucket {number} come in two places: the engine does not sort within partitions"
                        raise ValueError(msg)
                    seen.add(number)
                    now, late = number, []
                    stage = self._stage(number, late)
                yield from self.work.advance(stage, [rows])
        if now is not None:
            self._save(now, stage, late)
        done = self.own.done_path(self.number)
        done.mkdir(parents=True, exist_ok=True)
        context = TaskContext.get()
        (done / str(context.partitionId() if context is not None else 0)).touch()

    def _stage(self, number: int, late: list[Any]) -> Stage:
        before = self.own.newest(self.layout, number, self.number - 1)
        stage = self.work.stage() if before is None else self.own.load(self.layout, before, self.work.late)
        if self.work.late != "error":
            stage._late = late.append
        return stage

    def _save(self, bucket: int, stage: Stage, late: list[Any]) -> None:
        if late:
            self._save_late(bucket, late)
        self.own.save(self.layout, bucket, self.number, stage)

    def _save_late(self, bucket: int, late: list[Any]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder: Path = self.own.path / "late"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.number}-{bucket:05}"
        rows = pa.Table.from_batches(late).drop_columns([self.column])
        if self.keeps_late:
            pq.write_table(rows, f"{path}.writing", compression="zstd")
            os.replace(f"{path}.writing", f"{path}.parquet")
        Path(f"{path}.rows").write_text(str(rows.num_rows))
