"""Batches: the bits of memory, whatever the partitions, and errors that name what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rows import KERNELS, assert_same_bits, comparable, in_memory, shuffled, trades

import hypostyle as hs
import hypostyle.spark as hss

ORDER = ["ts", "i"]


@pytest.mark.parametrize("partitions", [None, 1, 2, 7, 200])
def test_bits_are_those_of_memory(spark: Any, partitions: int | None) -> None:
    table = trades()
    df = spark.createDataFrame(shuffled(table))
    out = hss.with_columns(df, *KERNELS, order_by=ORDER, partitions=partitions)
    assert_same_bits(comparable(out.toArrow()), in_memory(table))


def test_without_keys_all_rows_are_one_sequence(spark: Any) -> None:
    table = trades(2_000)
    kernels = [hs.rolling_mean("price", 20).alias("m"), hs.cum_count("size").alias("n")]
    df = spark.createDataFrame(shuffled(table))
    out = hss.with_columns(df.repartition(5), *kernels, order_by="i")
    assert_same_bits(comparable(out.toArrow()), in_memory(table, kernels))
    with pytest.raises(ValueError, match="the kernels have no keys"):
        hss.with_columns(df, *kernels, order_by="i", partitions=2)


def test_several_keys_of_several_types(spark: Any) -> None:
    table = trades(3_000).append_column("side", pa.array([at % 7 < 3 for at in range(3_000)]))
    table = table.append_column("odd", pa.array([[0.0, -0.0, float("nan"), None][at % 4] for at in range(3_000)]))
    kernels = [hs.cum_sum("size", over=["symbol", "side", "odd"]).alias("s")]
    out = hss.with_columns(spark.createDataFrame(shuffled(table)), *kernels, order_by="i", partitions=7)
    wanted = in_memory(table, kernels)
    assert comparable(out.toArrow())["s"].equals(wanted["s"])


def test_no_rows_and_partitions_without_rows(spark: Any) -> None:
    table = trades(50, keys=2)
    df = spark.createDataFrame(table)
    out = hss.with_columns(df, *KERNELS, order_by=ORDER, partitions=20)
    assert_same_bits(comparable(out.toArrow()), in_memory(table))
    none = hss.with_columns(df.filter("i < 0"), *KERNELS, order_by=ORDER)
    assert comparable(none.toArrow()).schema == in_memory(table).schema
    assert none.toArrow().num_rows == 0


def test_replaced_columns_stay_in_their_place(spark: Any) -> None:
    df = spark.createDataFrame(trades(100))
    kernel = hs.cum_sum("size", over="symbol").alias("size")
    out = hss.with_columns(df, kernel, order_by="i", n=hs.cum_count("size", over="symbol"))
    assert out.columns == ["i", "ts", "symbol", "price", "size", "n"]
    wanted = in_memory(trades(100), [kernel])
    assert comparable(out.toArrow())["size"].equals(wanted["size"])


def test_functions_of_a_row_need_no_order_and_no_shuffle(spark: Any) -> None:
    @hs.jit
    def twice(size: int) -> int:
        return 2 * size

    out = hss.with_columns(spark.createDataFrame(trades(100)), twice("size").alias("twice"))
    assert comparable(out.toArrow())["twice"].to_list() == [2 * size for size in trades(100)["size"].to_pylist()]


def test_a_stage_goes_from_a_file_to_spark(spark: Any, tmp_path: Path) -> None:
    table = trades()
    stage = hs.Stage(KERNELS, order_by="ts")
    stage.advance(table.slice(0, 3_000))
    stage.save(tmp_path / "state")
    rest = spark.createDataFrame(shuffled(table.slice(3_000)))
    wanted = in_memory(table)[3_000:]
    for state in (stage, tmp_path / "state"):
        for kernels in ([], KERNELS):
            out = hss.with_columns(rest, *kernels, order_by=ORDER, partitions=3, state=state)
            assert_same_bits(comparable(out.toArrow()), wanted)
    with pytest.raises(ValueError, match="has other kernels"):
        hss.with_columns(rest, KERNELS[0], order_by=ORDER, state=stage)
    with pytest.raises(ValueError, match="to be sorted by 'i', but the stage given as 'state' is sorted by 'ts'"):
        hss.with_columns(rest, order_by="i", state=stage)
    first = spark.createDataFrame(table.slice(0, 10))
    with pytest.raises(Exception, match="the time column is not sorted for key"):
        hss.with_columns(first, order_by=ORDER, state=stage).toArrow()


def test_calls_that_are_wrong(spark: Any) -> None:
    df = spark.createDataFrame(trades(20))
    mean = hs.rolling_mean("price", 3, over="symbol").alias("m")
    with pytest.raises(ValueError, match="rolling_mean depends on the order of the rows, which Spark does not keep"):
        hss.with_columns(df, mean)
    with pytest.raises(ValueError, match="at least one kernel"):
        hss.with_columns(df, order_by="ts")
    with pytest.raises(hs.ColumnNotFoundError, match="no column 'TS'; names are case-sensitive here: 'ts'"):
        hss.with_columns(df, mean, order_by="TS")
    with pytest.raises(hs.ColumnNotFoundError, match="no column 'none'; it has i, ts"):
        hss.with_columns(df, hs.cum_count("none", over="symbol"), order_by="ts")
    for order in (df["ts"], [df["ts"]], 1):
        with pytest.raises(TypeError, match="parameter 'order_by': expected column names, got"):
            hss.with_columns(df, mean, order_by=order)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="order_by, column 'price': expected a date, a timestamp or an integer"):
        hss.with_columns(df, mean, order_by="price")
    with pytest.raises(TypeError, match="rolling_mean, column 'symbol': expected a number"):
        hss.with_columns(df, hs.rolling_mean("symbol", 3), order_by="ts")
    with pytest.raises(TypeError, match="takes a DataFrame of Spark, not a pyarrow"):
        hss.with_columns(trades(20), mean, order_by="ts")
    with pytest.raises(ValueError, match="two columns 'i'"):
        hss.with_columns(df.select("*", "i"), mean, order_by="ts")
    with pytest.raises(ValueError, match="the kernels of a stage share their keys"):
        hss.with_columns(df, mean, hs.cum_count("price").alias("n"), order_by="ts")


def test_rows_that_are_wrong_are_named(spark: Any) -> None:
    table = trades(20, keys=2)
    times = table["ts"].to_pylist()
    times[7] = None
    df = spark.createDataFrame(table.set_column(1, "ts", pa.array(times, table["ts"].type)))
    mean = hs.rolling_mean("price", 3, over="symbol").alias("m")
    with pytest.raises(Exception, match="order_by, column 'ts', row 0: the column has a null for key symbol="):
        hss.with_columns(df, mean, order_by="ts", partitions=1).toArrow()
