"""Files between pipelines and Spark: each reads what the other writes, with the same values and types."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hypostyle as hs

UTC = pa.timestamp("us", "UTC")
# Values by Arrow's type, and the type that Spark has for them.
LAST = dt.datetime(9999, 12, 31, 23, 59, 59, 999999)
# An hour that the clocks show twice in Berlin, the zone of the session.
TWICE = dt.datetime(2024, 10, 27, 1, 30, tzinfo=dt.UTC)
VALUES: dict[str, tuple[pa.DataType, str, list[Any]]] = {
    "flag": (pa.bool_(), "boolean", [True, False]),
    "i8": (pa.int8(), "tinyint", [-(2**7), 2**7 - 1]),
    "i16": (pa.int16(), "smallint", [-(2**15), 2**15 - 1]),
    "i32": (pa.int32(), "int", [-(2**31), 2**31 - 1]),
    "i64": (pa.int64(), "bigint", [-(2**63), 2**63 - 1]),
    "u32": (pa.uint32(), "bigint", [0, 2**32 - 1]),
    "u64": (pa.uint64(), "decimal(20,0)", [0, 2**64 - 1]),
    "f32": (pa.float32(), "float", [0.5, -math.inf]),
    "f64": (pa.float64(), "double", [0.1, math.nan]),
    "text": (pa.string(), "string", ["", 'a "quoted", text\nof two lines \\ ä']),
    "bytes": (pa.binary(), "binary", [b"", b"\x00\xff"]),
    "money": (pa.decimal128(20, 2), "decimal(20,2)", [Decimal("123456789012345678.99"), Decimal("-0.01")]),
    "day": (pa.date32(), "date", [dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    "local": (pa.timestamp("us"), "timestamp_ntz", [dt.datetime(1900, 1, 1), LAST]),
    "seconds": (pa.timestamp("s"), "timestamp_ntz", [dt.datetime(1969, 12, 31), dt.datetime(2024, 2, 29, 12, 30)]),
    "zoned": (UTC, "timestamp", [dt.datetime(1969, 12, 31, tzinfo=dt.UTC), TWICE]),
    "list": (pa.list_(pa.int64()), "array<bigint>", [[], [1, None]]),
    "pair": (pa.struct({"a": pa.int64(), "b": pa.string()}), "struct<a:bigint,b:string>", [{"a": 1}, {"b": "x"}]),
    "words": (pa.dictionary(pa.int32(), pa.string()), "string", ["x", "y"]),
}  # fmt: skip
# CSV has no place for them, or Spark's reader of CSV hasn't.
NOT_IN_CSV = {"bytes", "list", "pair"}


def arrow() -> pa.Table:
    columns = {name: pa.array([*values, None], kind) for name, (kind, _, values) in VALUES.items()}
    return pa.table({"row": [0, 1, 2], **columns})


def plain(value: Any) -> Any:
    """A value that is equal to itself, in UTC if it has a zone."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC)
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value


def values(table: pa.Table, column: str) -> list[Any]:
    return [plain(value) for value in table.sort_by("row")[column].to_pylist()]


def same(found: pa.Table, expected: pa.Table) -> None:
    assert set(found.column_names) == set(expected.column_names)
    for name in expected.column_names:
        assert values(found, name) == values(expected, name), name


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_spark_reads_parquet_of_pipelines(spark: Any, tmp_path: Path, compression: str) -> None:
    pq.write_table(arrow(), tmp_path / "in.parquet")
    pipeline = hs.Pipeline(f'[sink]\ncompression = "{compression}"')
    pipeline.run(input=tmp_path / "in.parquet", output=tmp_path / "out.parquet")
    df = spark.read.parquet(str(tmp_path / "out.parquet"))
    assert {name: kind for name, kind in df.dtypes if name != "row"} == {
        name: kind for name, (_, kind, _) in VALUES.items()
    }
    same(df.toArrow(), arrow())


def test_spark_reads_csv_of_pipelines(spark: Any, tmp_path: Path) -> None:
    table = arrow().drop_columns(sorted(NOT_IN_CSV))
    pq.write_table(table, tmp_path / "in.parquet")
    hs.Pipeline("").run(input=tmp_path / "in.parquet", output=tmp_path / "out.csv")
    kinds = {"row": "bigint", **{name: kind for name, (_, kind, _) in VALUES.items() if name not in NOT_IN_CSV}}
    reader = spark.read.schema(", ".join(f"{name} {kind}" for name, kind in kinds.items()))
    # Spark's own defaults expect backslashes before quotes and texts of one line, and take "" for null as well.
    reader = reader.options(
        header=True, escape='"', multiLine=True, nullValue="\u0001", positiveInf="inf", negativeInf="-inf"
    )
    same(reader.csv(str(tmp_path / "out.csv")).toArrow(), table)


def test_spark_reads_partitions_of_pipelines(spark: Any, tmp_path: Path) -> None:
    keys = ["a/b", "ä c", "x=y", None]
    table = pa.table(
        {"row": range(40), "key": [keys[row % 4] for row in range(40)], "x": [row / 7 for row in range(40)]}
    )
    pq.write_table(table, tmp_path / "in.parquet")
    hs.Pipeline('[sink]\nformat = "parquet"\npartition_by = "key"').run(
        input=tmp_path / "in.parquet", output=tmp_path / "out"
    )
    same(spark.read.parquet(str(tmp_path / "out")).toArrow(), table)


def of_spark(spark: Any, micros: int = 7919) -> Any:
    return spark.sql(f"""
        select cast(id as int) as row, id as big, cast(id as tinyint) as tiny, id / 7 as real,
          cast(id / 7 as float) as small, cast(id / 7 as decimal(9, 2)) as short_money,
          cast(id * 1e15 / 7 as decimal(30, 3)) as money,
          case when id % 5 = 0 then null when id % 5 = 1 then ''
            else concat('say \\"', id, '\\", \\\\ then ä') end as text,
          date_add(date'1900-01-01', cast(id * 731 as int)) as day, id % 2 = 0 as flag,
          timestamp_micros(1700000000000000 + id * {micros}) as zoned,
          cast(timestamp_micros(-1700000000000000 + id * {micros}) as timestamp_ntz) as local,
          array(id, null) as list, named_struct('a', id, 'b', array('x')) as pair,
          cast(cast(id as string) as binary) as bytes
        from range(40)
    """)


@pytest.mark.parametrize("legacy", ["false", "true"])
@pytest.mark.parametrize("timestamps", [None, "TIMESTAMP_MICROS", "TIMESTAMP_MILLIS", "INT96"])
def test_pipelines_read_parquet_of_spark(spark: Any, tmp_path: Path, timestamps: str | None, legacy: str) -> None:
    settings = {"spark.sql.parquet.writeLegacyFormat": legacy}
    if timestamps:
        settings["spark.sql.parquet.outputTimestampType"] = timestamps
    df = of_spark(spark)
    for name, setting in settings.items():
        spark.conf.set(name, setting)
    try:
        df.write.parquet(str(tmp_path / "in"))
    finally:
        for name in settings:
            spark.conf.unset(name)
    hs.Pipeline("").run(input=tmp_path / "in", output=tmp_path / "out.parquet")
    found, expected = pq.read_table(tmp_path / "out.parquet"), df.toArrow()
    # INT96 has no zone.
    zone = found.schema.field("zoned").type.tz
    assert zone in (None, "UTC")
    at = found.column_names.index("zoned")
    found = found.set_column(at, "zoned", found["zoned"].cast(pa.timestamp("us")).cast(UTC))
    if timestamps == "TIMESTAMP_MILLIS":
        millis = expected["zoned"].cast(pa.timestamp("ms", "UTC"), safe=False).cast(UTC)
        expected = expected.set_column(expected.column_names.index("zoned"), "zoned", millis)
    same(found, expected)


def test_pipelines_read_timestamps_of_any_year(spark: Any, tmp_path: Path) -> None:
    years = [1, 1600, 1970, 2262, 9999]
    df = spark.sql(
        " union all ".join(
            f"select {at} as row, timestamp'{year:04}-06-01 00:00:00Z' as t" for at, year in enumerate(years)
        )
    )
    df.coalesce(1).write.parquet(str(tmp_path / "in"))
    hs.Pipeline("").run(input=tmp_path / "in", output=tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet").sort_by("row")["t"].cast(pa.timestamp("us")).to_pylist()
    assert found == [dt.datetime(year, 6, 1) for year in years]


def test_pipelines_read_partitions_of_spark(spark: Any, tmp_path: Path) -> None:
    df = spark.sql("""
        select cast(id as int) as row, id / 7 as x, date_add(date'2024-01-01', cast(id % 3 as int)) as day,
          case id % 4 when 0 then 'a/b' when 1 then 'ä c' when 2 then 'x=y%' else null end as key
        from range(40)
    """)
    df.write.partitionBy("day", "key").parquet(str(tmp_path / "in"))
    hs.Pipeline("").run(input=tmp_path / "in", output=tmp_path / "out.parquet")
    same(pq.read_table(tmp_path / "out.parquet"), df.toArrow())


def test_pipelines_read_csv_of_spark(spark: Any, tmp_path: Path) -> None:
    # Spark writes milliseconds to CSV.
    df = of_spark(spark, 7_919_000).drop("list", "pair", "bytes")
    df.write.options(header=True).csv(str(tmp_path / "in"))
    expected = df.toArrow()
    hs.Pipeline("""
        [source]
        dialect = "spark"
        format = "csv"
        [source.schema]
        row = "i32"
        tiny = "i8"
        small = "f32"
        short_money = "decimal[9, 2]"
        money = "decimal[30, 3]"
        zoned = "timestamp[us, UTC]"
    """).run(input=tmp_path / "in", output=tmp_path / "out.parquet")
    same(pq.read_table(tmp_path / "out.parquet"), expected)
