"""Streams: the bits of memory whatever the micro-batches, after kills, repeats and new buckets; rows that come late."""

from __future__ import annotations

import itertools
import os
import random
import time
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rows import KERNELS, assert_same_bits, comparable, in_memory, shuffled, trades

import hypostyle as hs
import hypostyle.spark as hss
from hypostyle.spark._checkpoint import Checkpoint, Layout
from hypostyle.spark._moving import layout_of
from hypostyle.spark._store import Keeper, closed
from hypostyle.spark._streaming import BucketTask
from hypostyle.spark._workers import Work

ORDER = ["ts", "i"]


class Feed:
    """A directory of files that a stream reads one after another, one per micro-batch."""

    def __init__(self, spark: Any, home: Path) -> None:
        self.spark, self.path, self.files = spark, home / "in", 0
        self.path.mkdir()
        self.began = time.time() - 10_000

    def put(self, *tables: pa.Table) -> None:
        for table in tables:
            path = self.path / f"{self.files:04}.parquet"
            pq.write_table(shuffled(table, self.files), path, compression="zstd")
            when = self.began + 10 * self.files  # older files are read first
            os.utime(path, (when, when))
            self.files += 1

    def frame(self) -> Any:
        schema = self.spark.read.parquet(str(self.path)).schema
        return self.spark.readStream.schema(schema).option("maxFilesPerTrigger", 1).parquet(str(self.path))


def pieces(table: pa.Table, count: int, seed: int) -> list[pa.Table]:
    """A table cut at random rows, where the time changes."""
    dice = random.Random(seed)
    cuts = sorted({0, table.num_rows, *(dice.randrange(1, table.num_rows // 3) * 3 for _ in range(count - 1))})
    return [table.slice(start, end - start) for start, end in itertools.pairwise(cuts)]


def run(feed: Feed, home: Path, kernels: Any = KERNELS, write: Any = None, **options: Any) -> None:
    """Run a query over all that is there."""
    options = {"order_by": ORDER, "buckets": 8, "partitions": 2, "trigger": {"availableNow": True}, **options}
    options = {"checkpoint": home / "checkpoint", **options}
    query = hss.stream(feed.frame(), kernels, write=write or str(home / "out"), **options)
    try:
        assert query.awaitTermination(1_200)
    finally:
        query.stop()


def written(feed: Feed, home: Path) -> pl.DataFrame:
    return comparable(feed.spark.read.parquet(str(home / "out")).drop("batch").toArrow())


@pytest.mark.parametrize("seed", [0, 1])
def test_bits_are_those_of_memory_whatever_the_batches(spark: Any, tmp_path: Path, seed: int) -> None:
    table = trades(3_000, seed=seed)
    feed = Feed(spark, tmp_path)
    parts = pieces(table, 5, seed)
    feed.put(*parts[:3])
    run(feed, tmp_path)
    feed.put(*parts[3:])
    run(feed, tmp_path)  # the query is started again
    assert_same_bits(written(feed, tmp_path), in_memory(table))


def test_a_repeated_batch_gives_the_same_rows_and_states(spark: Any, tmp_path: Path) -> None:
    """A query that fails after its results were written, whose batch Spark repeats, and one whose commit is lost."""
    table = trades(1_500)
    feed = Feed(spark, tmp_path)
    feed.put(*pieces(table, 3, 3))
    # Spark Connect calls the function in another process, so what has happened is in a file.
    log = tmp_path / "calls"

    def calls() -> list[int]:
        return [int(line) for line in log.read_text().split()]

    def write(frame: Any, number: int) -> None:
        frame.write.mode("overwrite").parquet(f"{tmp_path}/out/batch={number}")
        with log.open("a") as file:
            file.write(f"{number}\n")
        if calls() == [0, 1]:
            raise RuntimeError("killed after the rows were written")

    with pytest.raises(Exception, match="killed after the rows were written"):
        run(feed, tmp_path, write=write)
    run(feed, tmp_path, write=write)
    assert calls() == [0, 1, 1, 2]
    (tmp_path / "checkpoint" / "spark" / "commits" / "2").unlink()
    for crc in (tmp_path / "checkpoint" / "spark" / "commits").glob(".*.crc"):
        crc.unlink()
    before = hss.load_stage(tmp_path / "checkpoint").state()
    run(feed, tmp_path, write=write)
    assert calls() == [0, 1, 1, 2, 2]
    assert_same_bits(written(feed, tmp_path), in_memory(table))
    after = hss.load_stage(tmp_path / "checkpoint").state()
    assert before.equals(after)


def test_a_worker_dies_within_a_partition(spark: Any, tmp_path: Path) -> None:
    """Spark runs the task again, from the same states."""
    table = trades(1_500)
    feed = Feed(spark, tmp_path)
    feed.put(*pieces(table, 2, 4))
    died = tmp_path / "died"

    def write(frame: Any, number: int) -> None:
        def dying(batches: Any) -> Any:
            for batch in batches:
                yield batch
                marker = Path(f"{died}-{number}")
                if not marker.exists():
                    marker.touch()
                    os._exit(1)

        frame.mapInArrow(dying, frame.schema).write.mode("overwrite").parquet(f"{tmp_path}/out/batch={number}")

    run(feed, tmp_path, write=write)
    assert len(list(tmp_path.glob("died-*"))) == 2
    assert_same_bits(written(feed, tmp_path), in_memory(table))


def test_from_file_to_spark_to_live_and_back(spark: Any, tmp_path: Path) -> None:
    table = trades(3_000)
    wanted = in_memory(table)
    first = hs.Stage(KERNELS, order_by="ts")
    first.advance(table.slice(0, 900))
    first.save(tmp_path / "file")
    hss.seed(tmp_path / "checkpoint", hs.Stage.load(tmp_path / "file"), spark, buckets=8)
    feed = Feed(spark, tmp_path)
    feed.put(*pieces(table.slice(900, 1_200), 2, 5))
    run(feed, tmp_path)
    assert_same_bits(written(feed, tmp_path), wanted[900:2_100])
    live = hss.load_stage(tmp_path / "checkpoint")
    assert live.n_keys == first.n_keys or live.n_keys > first.n_keys
    rows = table.slice(2_100, 300)
    assert_same_bits(comparable(live.advance(rows)), wanted[2_100:2_400])
    out = hss.with_columns(spark.createDataFrame(table.slice(2_400)), order_by=ORDER, state=live)
    assert_same_bits(comparable(out.toArrow()), wanted[2_400:])
    with pytest.raises(FileExistsError):
        hss.seed(tmp_path / "checkpoint", live, spark)


def test_a_stream_moves_to_other_buckets(spark: Any, tmp_path: Path) -> None:
    table = trades(3_000)
    feed = Feed(spark, tmp_path)
    parts = pieces(table, 6, 6)
    feed.put(*parts[:2])
    run(feed, tmp_path, buckets=64)
    hss.rebalance(tmp_path / "checkpoint", spark, buckets=128)
    feed.put(*parts[2:4])
    with pytest.raises(ValueError, match="is of other buckets: 128, not 64\nhelp: pass buckets=128"):
        run(feed, tmp_path, buckets=64)
    run(feed, tmp_path, buckets=128)
    hss.rebalance(tmp_path / "checkpoint", spark, buckets=5)
    feed.put(*parts[4:])
    run(feed, tmp_path, buckets=5)
    assert_same_bits(written(feed, tmp_path), in_memory(table))
    (tmp_path / "checkpoint" / "spark" / "commits" / str(len(parts) - 1)).unlink()
    with pytest.raises(ValueError, match="will repeat it, from earlier states"):
        hss.rebalance(tmp_path / "checkpoint", spark, buckets=64)


def test_late_rows(spark: Any, tmp_path: Path) -> None:
    table = trades(900)
    early, late, rest = table.slice(0, 600), table.slice(90, 9), table.slice(600)
    kernel = [hs.cum_count("size", over="symbol").alias("n")]
    kept = pa.concat_tables([early, rest])
    for policy in ("error", "drop", "save"):
        home = tmp_path / policy
        home.mkdir()
        feed = Feed(spark, home)
        feed.put(early, pa.concat_tables([late, rest]))
        if policy == "error":
            with pytest.raises(
                Exception, match=r"order_by, column 'ts', row .*: the column is not sorted for key symbol"
            ):
                run(feed, home, kernel)
            continue
        run(feed, home, kernel, late=policy)
        newest = {}
        for symbol, at in early.select(["symbol", "ts"]).to_pandas().itertuples(index=False):
            newest[symbol] = at
        mask = [
            at >= newest.get(symbol, at)
            for symbol, at in late.select(["symbol", "ts"]).to_pandas().itertuples(index=False)
        ]
        wanted = in_memory(pa.concat_tables([kept, late.filter(pa.array(mask))]).sort_by([("i", "ascending")]), kernel)
        assert_same_bits(written(feed, home), wanted)
        assert hss.late_rows(home / "checkpoint") == len(mask) - sum(mask) > 0
        saved = sorted((home / "checkpoint" / "late").glob("*.parquet"))
        assert bool(saved) == (policy == "save")
        if saved:
            rows = pa.concat_tables([pq.read_table(path) for path in saved])
            assert sorted(rows["i"].to_pylist()) == late.filter(pa.array([not ok for ok in mask]))["i"].to_pylist()
            assert rows.schema.names == table.schema.names


def test_without_keys(spark: Any, tmp_path: Path) -> None:
    table = trades(600)
    feed = Feed(spark, tmp_path)
    feed.put(*pieces(table, 3, 7))
    kernels = [hs.rolling_mean("price", 20).alias("m")]
    run(feed, tmp_path, kernels)
    assert_same_bits(written(feed, tmp_path), in_memory(table, kernels))
    with pytest.raises(ValueError, match="have no keys"):
        hss.rebalance(tmp_path / "checkpoint", spark, buckets=4)


def test_what_is_wrong_is_refused(spark: Any, tmp_path: Path) -> None:
    table = trades(600)
    feed = Feed(spark, tmp_path)
    feed.put(*pieces(table, 2, 8))
    with pytest.raises(ValueError, match="the DataFrame is no stream"):
        hss.stream(spark.createDataFrame(table), *KERNELS, order_by=ORDER, checkpoint=tmp_path / "c", write="x")
    with pytest.raises(FileNotFoundError, match="is not a checkpoint"):
        hss.load_stage(tmp_path / "c")

    def partly(frame: Any, number: int) -> None:
        pass

    with pytest.raises(Exception, match="'write' has not read all rows of batch 0"):
        run(feed, tmp_path, write=partly)
    with pytest.raises(ValueError, match="no batch is complete yet"):
        hss.load_stage(tmp_path / "checkpoint")
    run(feed, tmp_path)
    assert_same_bits(written(feed, tmp_path), in_memory(table))
    with pytest.raises(ValueError, match="expected a path, got an address"):
        run(feed, tmp_path, checkpoint="s3://bucket/checkpoint")
    with pytest.raises(ValueError, match="expected a path, got an address"):
        hss.load_stage("hdfs:/checkpoint")
    with pytest.raises(ValueError, match="the column 'Batch' has the name of the directories of 'write'"):
        run(feed, tmp_path, KERNELS[0].alias("Batch"))
    with pytest.raises(ValueError, match="is of other kernels"):
        run(feed, tmp_path, KERNELS[:2])
    with pytest.raises(ValueError, match="is of other order_by"):
        run(feed, tmp_path, order_by="i")
    (tmp_path / "checkpoint" / "spark").rename(tmp_path / "spark")
    with pytest.raises(Exception, match="has states of batch 1, but Spark continues with batch 0"):
        run(feed, tmp_path)
    (tmp_path / "checkpoint" / "committed").unlink()
    (tmp_path / "spark").rename(tmp_path / "checkpoint" / "spark2")


def test_an_empty_batch(spark: Any, tmp_path: Path) -> None:
    table = trades(300)
    feed = Feed(spark, tmp_path)
    feed.put(table.slice(0, 0), table)
    run(feed, tmp_path)
    assert_same_bits(written(feed, tmp_path), in_memory(table))


def run_in_store(feed: Feed, home: Path, kernels: Any = KERNELS, **options: Any) -> None:
    """Run a query whose states are in Spark's own store, over all that is there."""
    out = hss.with_columns(feed.frame(), *kernels, **{"order_by": ORDER, "buckets": 8, **options})
    assert out.isStreaming
    writer = out.writeStream.format("parquet").option("path", str(home / "out"))
    query = writer.option("checkpointLocation", str(home / "mark")).trigger(availableNow=True).start()
    try:
        assert query.awaitTermination(1_200)
    finally:
        query.stop()


def stored(feed: Feed, home: Path) -> pl.DataFrame:
    return comparable(feed.spark.read.parquet(str(home / "out")).toArrow())


def test_states_in_the_store_of_spark(spark: Any, tmp_path: Path) -> None:
    table = trades(3_000)
    table = table.append_column("map", pa.array([[("a", at)] for at in range(3_000)], pa.map_(pa.string(), pa.int64())))
    feed = Feed(spark, tmp_path)
    parts = pieces(table, 4, 9)
    feed.put(*parts[:2])
    run_in_store(feed, tmp_path)
    feed.put(*parts[2:])
    run_in_store(feed, tmp_path)  # the query is started again
    assert_same_bits(stored(feed, tmp_path), in_memory(table))


def test_states_in_the_store_of_spark_are_of_these_kernels_and_buckets(spark: Any, tmp_path: Path) -> None:
    table = trades(600)
    feed = Feed(spark, tmp_path)
    parts = pieces(table, 2, 10)
    kernel = hs.ewm_mean("price", span=20, over="symbol").alias("e")
    feed.put(parts[0])
    run_in_store(feed, tmp_path, [kernel])
    feed.put(parts[1])
    other = hs.ewm_mean("price", span=50, over="symbol").alias("e")
    for kernels, options, message in (
        ([other], {}, "the state in 'checkpointLocation' is of other kernels"),
        ([kernel], {"buckets": 64}, "is of other buckets: 8, not 64"),
        ([kernel], {"order_by": "i"}, "is of other order_by: ts, not i"),
    ):
        with pytest.raises(Exception, match=message):
            run_in_store(feed, tmp_path, kernels, **options)
    run_in_store(feed, tmp_path, [kernel])
    assert_same_bits(stored(feed, tmp_path), in_memory(table, [kernel]))


def test_a_bucket_refuses_a_state_of_other_kernels_or_order_before_it_reads_rows() -> None:
    table = pa.table({"i": [1, 2], "at": [1, 2], "x": [1.0, 2.0]})

    def keeper(kernel: hs.KernelExpr, order: str) -> Keeper:
        stage = hs.Stage(kernel.alias("y"), order_by=order)
        stage.set_schema(pl.DataFrame(table.slice(0, 0)))
        work = Work((stage.to_bytes(), None), "error", [*table.column_names, "y"], {"y": pa.float64()}, {})
        return Keeper("hs.spark.with_columns", work, [order], layout_of(stage, 8))

    state, _ = keeper(hs.cum_sum("x"), "at").run(None, [closed(table)])
    for other, message in (
        (keeper(hs.cum_max("x"), "at"), "is of other kernels"),
        (keeper(hs.cum_sum("x"), "i"), "is of other order_by: at, not i"),
    ):
        with pytest.raises(ValueError, match=f"the state in 'checkpointLocation' {message}"):
            other.run(state, [closed(table)])


def test_nulls_and_nan_order_rows_of_one_time_alike_everywhere(spark: Any, tmp_path: Path) -> None:
    ties = [None, float("nan"), 2.0, 1.0, float("-inf")]
    table = pa.table({"i": range(60), "at": [at // 5 for at in range(60)], "tie": pa.array(ties * 12), "x": range(60)})
    kernels = [hs.cum_count("x").alias("n"), hs.shift("x").alias("before")]
    feed = Feed(spark, tmp_path)
    feed.put(table)
    options = {"order_by": ["at", "tie"]}
    run_in_store(feed, tmp_path, kernels, **options)
    places = [at // 5 * 5 + [1, 5, 4, 3, 2][at % 5] for at in range(60)]
    assert stored(feed, tmp_path)["n"].to_list() == places
    batch = hss.with_columns(spark.createDataFrame(shuffled(table)), kernels, **options)
    assert_same_bits(stored(feed, tmp_path), comparable(batch.toArrow()))


def test_a_worker_that_does_not_see_the_checkpoint(tmp_path: Path) -> None:
    own = Checkpoint(tmp_path / "seen")
    own.write_layout(layout := Layout([], "ts", 8))
    task = BucketTask(Any, Checkpoint(tmp_path / "not"), layout, 0, "bucket", keeps_late=False)
    with pytest.raises(ValueError, match=r"this worker does not see the checkpoint '.*not' of the driver"):
        list(task.run([]))


def test_late_rows_with_states_in_the_store_of_spark(spark: Any, tmp_path: Path) -> None:
    table = trades(900)
    kernels = [hs.cum_count("size").alias("n")]
    for policy in ("error", "drop"):
        home = tmp_path / policy
        home.mkdir()
        feed = Feed(spark, home)
        feed.put(table.slice(0, 600), pa.concat_tables([table.slice(90, 9), table.slice(600)]))
        if policy == "error":
            with pytest.raises(Exception, match=r"order_by, column 'ts', row [0-9]*: the column is not sorted"):
                run_in_store(feed, home, kernels)
        else:
            run_in_store(feed, home, kernels, late="drop")
            assert_same_bits(stored(feed, home), in_memory(table, kernels))


def test_another_store_is_refused(spark: Any, tmp_path: Path) -> None:
    feed = Feed(spark, tmp_path)
    feed.put(trades(10))
    setting = "spark.sql.streaming.stateStore.providerClass"
    before = spark.conf.get(setting)
    spark.conf.set(setting, "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider")
    try:
        with pytest.raises(ValueError, match="must be RocksDB"):
            hss.with_columns(feed.frame(), *KERNELS, order_by=ORDER)
    finally:
        spark.conf.set(setting, before)
    with pytest.raises(ValueError, match="'state' and 'partitions' are not for streaming"):
        hss.with_columns(feed.frame(), *KERNELS, order_by=ORDER, partitions=3)
