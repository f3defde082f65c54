"""Kernels over a stream of Spark with states in Spark's own store, by `transformWithState` over hash buckets of keys.

Spark hands the rows of a bucket to Python one by one, as tuples or pandas frames, which is slow and changes types.  So
the rows of each bucket are packed into one value of Arrow's IPC format before, and unpacked after: Spark moves a few
large binary values, and types are Arrow's all the way.

A query that is started again with other kernels, order or buckets would continue from states that are not its own.
Each bucket refuses a state of other kernels or order, and one more bucket, without rows, knows how many there are: a
micro-batch may have rows for new ones alone.  Tasks run in any order, so that each has to give the same error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from hypostyle._stage import Stage
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
_WHERE = "the state in 'checkpointLocation'"


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
    layout = layout_of(checked.stage, buckets)
    keeper = Keeper(caller, work_of(checked), checked.order, layout)
    hashed = bucket(checked.stage.over, checked.read, layout.buckets)

    def pack(batches: Iterator[Any]) -> Iterator[Any]:
        yield from packed(batches, column)

    def unpack(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            for value in batch.column("rows"):
                yield from opened(value.as_py()).to_batches()

    rows = map_in_arrow(df.withColumn(column, hashed), pack, "bucket int, rows binary")
    done = rows.groupBy("bucket").transformWithState(_processor(keeper), "rows binary", "Append", "None")
    return done.mapInArrow(unpack, checked.schema)


def packed(batches: Iterable[pa.RecordBatch], column: str) -> Iterator[pa.RecordBatch]:
    """Return the rows of each bucket as one value per batch, and once an empty value for the layout."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def made(numbers: list[int], values: list[bytes]) -> pa.RecordBatch:
        columns = [pa.array(numbers, pa.int32()), pa.array(values, pa.binary())]
        return pa.RecordBatch.from_arrays(columns, names=["bucket", "rows"])

    for at, batch in enumerate(batches):
        if at == 0:
            yield made([_LAYOUT], [b""])
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


@dataclass(frozen=True)
class Keeper:
    """What a task needs to know, which is pickled.

    Args:
        caller: The function that the user called.
        work: What is done to the rows of a bucket.
        order: The columns that rows are sorted by.
        layout: What the states are of.
    """

    caller: str
    work: Work
    order: list[str]
    layout: Layout

    def run(self, state: bytes | None, values: list[bytes]) -> tuple[bytes, bytes]:
        """Return the state of a bucket after its rows of a micro-batch, and the rows with the kernels' columns."""
        import pyarrow as pa

        stage = self._stage(state)
        table = pa.concat_tables([opened(value) for value in values])
        if self.order:  # as Spark sorts: nulls first, NaN last
            sorted_by = pl.DataFrame(table.select(self.order)).select(pl.arg_sort_by(self.order))
            table = table.take(sorted_by.to_series().to_arrow())
        ordered = table.combine_chunks()
        done = pa.Table.from_batches(self.work.advance(stage, ordered.to_batches()))
        return stage.to_bytes(), closed(done)

    def _stage(self, state: bytes | None) -> Stage:
        if state is None:
            return self.work.stage()
        stage = self.work.restored(state)
        layout_of(stage, self.layout.buckets).check(self.caller, _WHERE, self.layout)
        return stage

    def agreed(self, before: bytes | None) -> bytes:
        """Return what the states are of; raise if they are of something else."""
        if before is not None:
            Layout(**json.loads(before)).check(self.caller, _WHERE, self.layout)
        return json.dumps(asdict(self.layout)).encode()


def _processor(keeper: Keeper) -> Any:
    from pyspark.sql import Row
    from pyspark.sql.streaming import StatefulProcessor

    class Bucket(StatefulProcessor):  # type: ignore[misc]
        """One stage, whose bytes are the value of one state variable."""

        def init(self, handle: Any) -> None:
            self.state = handle.getValueState("stage", "bytes binary")

        def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Any]:
            before = self.state.get()
            state = None if before is None else bytes(before[0])
            if key[0] == _LAYOUT:
                self.state.update((keeper.agreed(state),))
                return
            after, out = keeper.run(state, [bytes(row["rows"]) for row in rows])
            self.state.update((after,))
            yield Row(rows=out)

        def close(self) -> None:
            pass

    return Bucket()
