"""Types of Spark that go along, and those that kernels read and return."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from rows import comparable, in_memory, shuffled, trades

import hypostyle as hs
import hypostyle.spark as hss

COLUMNS = {
    "text": "concat('t', id)",
    "short": "cast(concat('t', id) as varchar(9))",
    "zoned": "timestamp_micros(1700000000000000 + id)",
    "naive": "cast(timestamp_micros(1700000000000000 + id) as timestamp_ntz)",
    "day": "date_add(date'2024-01-01', cast(id as int))",
    "money": "cast(id / 7 as decimal(12, 3))",
    "wide": "cast(id as decimal(38, 10))",
    "tiny": "cast(id as tinyint)",
    "real": "cast(id as float)",
    "bytes": "cast(concat('t', id) as binary)",
    "span": "make_dt_interval(0, 0, 0, id)",
    "list": "array(id, null, id + 1)",
    "map": "map(concat('t', id), id)",
    "struct": "named_struct('a', id, 'b', array(named_struct('c', date'2024-01-01')))",
    "nothing": "cast(null as double)",
}


def test_columns_of_every_type_go_along(spark: Any) -> None:
    df = spark.range(40).selectExpr("id", *(f"{sql} as {name}" for name, sql in COLUMNS.items()))
    out = hss.with_columns(df, hs.cum_count("id").alias("n"), order_by="id")
    got = out.orderBy("id").toArrow()
    assert got.drop_columns(["n"]).equals(df.orderBy("id").toArrow())
    assert got["n"].to_pylist() == list(range(1, 41))
    assert [f.dataType for f in out.schema.fields[:-1]] == [f.dataType for f in df.schema.fields]


READ = ["zoned", "naive", "day", "money", "wide", "tiny", "real", "span", "nothing"]


@pytest.mark.parametrize("name", READ)
def test_columns_that_kernels_read_and_return(spark: Any, name: str) -> None:
    df = spark.range(40).selectExpr("id", f"{COLUMNS[name]} as x", "id % 3 as key")
    kernel = hs.cum_max("x", over="key").alias("y")
    got = hss.with_columns(df, kernel, order_by="id", partitions=2).orderBy("id").toArrow()
    wanted = hs.with_columns(df.orderBy("id").toArrow(), kernel)
    assert got["y"].to_pylist() == wanted["y"].to_pylist()


@pytest.mark.parametrize("name", ["text", "short", "zoned", "naive", "day", "money", "tiny", "real", "bytes", "struct"])
def test_keys_of_every_type(spark: Any, name: str) -> None:
    df = spark.range(60).selectExpr("id as i", "id % 7 as id").selectExpr("i", f"{COLUMNS[name]} as key")
    kernel = hs.cum_count("i", over="key").alias("n")
    got = hss.with_columns(df, kernel, order_by="i", partitions=5).orderBy("i").toArrow()
    assert got["n"].to_pylist() == [at // 7 + 1 for at in range(60)]


@pytest.mark.parametrize("name", ["zoned", "naive", "day", "tiny"])
def test_orders_of_every_type(spark: Any, name: str) -> None:
    df = spark.range(60).selectExpr("id", f"{COLUMNS[name]} as at").orderBy("id", ascending=False)
    out = hss.with_columns(df, hs.cum_count("id").alias("n"), order_by="at").orderBy("id").toArrow()
    assert out["n"].to_pylist() == list(range(1, 61))


def test_a_stage_of_another_zone(spark: Any) -> None:
    """The zone of a session is only the name of a time."""
    df = spark.range(9).selectExpr("id", f"{COLUMNS['zoned']} as at")
    kernel = hs.rolling_count("id", "3us", by="at").alias("n")
    last = hs.Stage(kernel, order_by="at")
    table = df.orderBy("id").toArrow()
    for zone in ("UTC", "Asia/Tokyo"):
        stage = last.copy()
        stage.advance(table.set_column(1, "at", table["at"].cast(pa.timestamp("us", zone))).slice(0, 4))
        out = hss.with_columns(df.filter("id >= 4"), state=stage).orderBy("id").toArrow()
        assert out["n"].to_pylist() == [3] * 5
        assert out["at"].equals(table["at"].slice(4))


def test_types_that_are_refused_are_named(spark: Any) -> None:
    df = spark.range(5).selectExpr("id", f"{COLUMNS['map']} as map", "make_ym_interval(1, 2) as months", "'x' as text")
    with pytest.raises(TypeError, match="column 'months' has type interval year to month, which Spark cannot pass"):
        hss.with_columns(df, hs.cum_count("id"), order_by="id")
    df = df.drop("months")
    with pytest.raises(TypeError, match="column 'map' has type map<string,bigint>, which kernels cannot read"):
        hss.with_columns(df, hs.cum_count("map"), order_by="id")
    with pytest.raises(TypeError, match="cum_sum, column 'text': expected a number"):
        hss.with_columns(df, hs.cum_sum("text"), order_by="id")


def test_names_with_dots_and_quotes(spark: Any) -> None:
    names = ["i", "a.ts", "sym`bol", "the price", "class"]
    table = trades(500)
    kernel = hs.rolling_mean("the price", 20, over="sym`bol").alias("x.y")
    out = hss.with_columns(spark.createDataFrame(shuffled(table)).toDF(*names), kernel, order_by=["a.ts", "i"])
    assert comparable(out.toArrow())["x.y"].equals(in_memory(table.rename_columns(names), [kernel])["x.y"])
