"""Kernels over a stream of Spark with states in Spark's own store, by `transformWithState` over hash buckets of keys.

Spark hands the rows of a bucket to Python one by one, as tuples or pandas frames, which is slow and changes types.  So
the rows of each bucket are packed into one value of Arrow's IPC format before, and unpacked after: Spark moves a few
large binary values, and types are Arrow's all the way.

One more bucket has no rows, but what the states are of: a query that is started again with other kernels or buckets
would continue from states that are not its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from hypostyle.spark._buckets import by_bucket
from hypostyle.spark._checkpoint import Layout
from hypostyle.spark._moving import bucket, layout_of
from hypostyle.spark._plans import Job, map_in_arrow, unused_name, work_of
from hypostyle.spark._workers import Work

if TYPE_CHECKING:
    import pyarrow as pa

_ROCKS = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
_PROVIDER = "spark.sql.streaming.stateStore.providerClass"
_LAYOUT = -1
"""The bucket of what the states are of."""


def with_state_store(caller: str, df: Any, checked: Job, buckets: int) -> Any:
    """Return the streaming frame with the kernels' columns."""
    found = df.sparkSession.conf.get(_PROVIDER, "")
    if not found.endswith("RocksDBStateStoreProvider"):
        msg = (
            f"{caller}: over a streaming DataFrame the states are kept in Spark's store, which must be RocksDB\n"
            f"help: spark.conf.set('{_PROVIDER}', '{_ROCKS}'), or use hypostyle.spark.stream"
        )
        raise ValueError(msg)
    column = unused_name(df, "hs_bucket")
    work, order = work_of(checked), checked.order
    layout = layout_of(checked.stage, buckets)
    hashed = bucket(checked.stage.over, checked.read, layout.buckets)

    def pack(batches: Iterator[Any]) -> Iterator[Any]:
        yield from packed(batches, column, layout)

    def unpack(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            for value in batch.column("rows"):
                yield from opened(value.as_py()).to_batches()

    rows = map_in_arrow(df.withColumn(column, hashed), pack, "bucket int, rows binary")
    done = rows.groupBy("bucket").transformWithState(_processor(caller, work, order), "rows binary", "Append", "None")
    return done.mapInArrow(unpack, checked.schema)


def packed(batches: Iterable[pa.RecordBatch], column: str, layout: Layout) -> Iterator[pa.RecordBatch]:
    """Return the rows of each bucket as one value per batch, and once the layout."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def made(numbers: list[int], values: list[bytes]) -> pa.RecordBatch:
        columns = [pa.array(numbers, pa.int32()), pa.array(values, pa.binary())]
        return pa.RecordBatch.from_arrays(columns, names=["bucket", "rows"])

    for at, batch in enumerate(batches):
        if at == 0:
            yield made([_LAYOUT], [json.dumps(asdict(layout)).encode()])
        ordered = batch.take(pc.sort_indices(batch.column(column)))
        parts = list(by_bucket(ordered, column))
        values = [closed(pa.Table.from_batches([rows]).drop_columns([column])) for _, rows in parts]
        yield made([number for number, _ in parts], values)


def closed(table: pa.Table) -> bytes:
    """Return a table as bytes."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def opened(value: bytes) -> pa.Table:
    """Return the table that `closed` made bytes of."""
    import pyarrow as pa

    return pa.ipc.open_stream(value).read_all()


def run_bucket(work: Work, order: list[str], state: bytes | None, values: list[bytes]) -> tuple[bytes, bytes]:
    """Return the state of a bucket after its rows of a micro-batch, and the rows with the kernels' columns."""
    import pyarrow as pa

    stage = work.stage() if state is None else work.restored(state)
    table = pa.concat_tables([opened(value) for value in values])
    if order:  # as Spark sorts: nulls first, NaN last
        table = table.take(pl.DataFrame(table.select(order)).select(pl.arg_sort_by(order)).to_series().to_arrow())
    ordered = table.combine_chunks()
    done = pa.Table.from_batches(work.advance(stage, ordered.to_batches()))
    return stage.to_bytes(), closed(done)


def agreed(caller: str, before: bytes | None, values: Iterable[bytes]) -> bytes:
    """Return the layout; raise if it is not that of the states."""
    given = next(iter(values))
    if before is not None:
        Layout(**json.loads(before)).check(caller, "the state in 'checkpointLocation'", Layout(**json.loads(given)))
    return given


def _processor(caller: str, work: Work, order: list[str]) -> Any:
    from pyspark.sql import Row
    from pyspark.sql.streaming import StatefulProcessor

    class Bucket(StatefulProcessor):  # type: ignore[misc]
        """One stage, whose bytes are the value of one state variable."""

        def init(self, handle: Any) -> None:
            self.state = handle.getValueState("stage", "bytes binary")

        def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Any]:
            before = self.state.get()
            state = None if before is None else bytes(before[0])
            values = [bytes(row["rows"]) for row in rows]
            if key[0] == _LAYOUT:
                self.state.update((agreed(caller, state, values),))
                return
            after, out = run_bucket(work, order, state, values)
            self.state.update((after,))
            yield Row(rows=out)

        def close(self) -> None:
            pass

    return Bucket()
