"""Write the files beside this script: each by the tool that it is named after, with the command that is seen here.

    python -m venv .tools && .tools/bin/pip install pyarrow polars duckdb pandas fastparquet pyspark deltalake
    .tools/bin/python tests/files/write.py

The tests of `crates/hypostyle-pipeline` read them, and `docs/files.md` lists them.  A tool that is not installed is
left out, and its files stay as they are.
"""

import datetime as dt
import importlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
WRITERS: list[tuple[str, str, Callable[[Path], None]]] = []


def writes(tool: str, name: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Note that the function writes this file, or directory, with the tool."""

    def note(function: Callable[[Path], None]) -> Callable[[Path], None]:
        WRITERS.append((tool, name, function))
        return function

    return note


@writes("pandas", "metadata.feather")
def _(path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"k": ["a"], "v": [1.0]}).to_feather(path)


@writes("pyarrow", "metadata.arrows")
def _(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.ipc as ipc

    field = pa.field("v", pa.int64(), metadata={"unit": "mm"})
    table = pa.table([pa.array([1, 2])], schema=pa.schema([field], metadata={"made": "by hand"}))
    with ipc.new_stream(path, table.schema) as out:
        out.write_table(table)


@writes("pyarrow", "extension.arrow")
def _(path: Path) -> None:
    import uuid

    import pyarrow as pa
    import pyarrow.feather as feather

    ids = [uuid.UUID(int=7).bytes, None]
    table = pa.table(
        {
            "id": pa.ExtensionArray.from_storage(pa.uuid(), pa.array(ids, pa.binary(16))),
            "doc": pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None])),
        }
    )
    feather.write_feather(table, path, compression="uncompressed")


@writes("polars", "categories.arrow")
def _(path: Path) -> None:
    import polars as pl

    columns = [
        pl.Series("size", ["M", "S", None], dtype=pl.Enum(["S", "M", "L"])),
        pl.Series("kind", ["x", "y", "x"], dtype=pl.Categorical),
        pl.Series("text", ["a text that does not fit into a view", "b", None]),
    ]
    pl.DataFrame(columns).write_ipc(path)


@writes("polars", "categories.parquet")
def _(path: Path) -> None:
    import polars as pl

    sizes = pl.Series("size", ["M", "S", None], dtype=pl.Enum(["S", "M", "L"]))
    pl.DataFrame([sizes, pl.Series("text", ["a", "b", None])]).write_parquet(path)


@writes("polars", "int128.arrow")
def _(path: Path) -> None:
    import polars as pl

    pl.DataFrame({"k": [1], "i": pl.Series([5], dtype=pl.Int128)}).write_ipc(path)


@writes("polars", "int128.parquet")
def _(path: Path) -> None:
    import polars as pl

    pl.DataFrame({"k": [1], "i": pl.Series([5], dtype=pl.Int128)}).write_parquet(path)


@writes("pyarrow", "delta.arrows")
def _(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.ipc as ipc

    options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    type_ = pa.dictionary(pa.int8(), pa.string())
    parts = [([0, 1], ["a", "b"]), ([2, 0], ["a", "b", "c"])]
    arrays = [pa.DictionaryArray.from_arrays(pa.array(keys, pa.int8()), values) for keys, values in parts]
    with ipc.new_stream(path, pa.schema([("d", type_)]), options=options) as out:
        for array in arrays:
            out.write_batch(pa.record_batch([array], names=["d"]))


@writes("pyarrow", "union.arrow")
def _(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.feather as feather

    union = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
    feather.write_feather(pa.table({"k": ["x", "y"], "u": union}), path, compression="uncompressed")


@writes("pyarrow", "intervals.arrow")
def _(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.feather as feather

    span = pa.array([pa.MonthDayNano([14, 3, 14_400_000_000_000]), None])
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), ["same"])
    feather.write_feather(pa.table({"span": span, "runs": runs}), path, compression="uncompressed")


@writes("pyarrow", "twice.arrow")
def _(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.feather as feather

    table = pa.Table.from_arrays([pa.array([1]), pa.array(["x"])], names=["a", "a"])
    feather.write_feather(table, path, compression="uncompressed")


@writes("pyarrow", "large_u64.parquet")
def _(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = pa.array([1, 2**63, 2**64 - 1], pa.uint64())
    pq.write_table(pa.table({"u": values}), path)


@writes("pyarrow", "seconds.arrow")
def _(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.feather as feather

    moment = dt.datetime(2024, 1, 2, 3, 4, 5)
    table = pa.table(
        {
            "ts": pa.array([moment, None], pa.timestamp("s")),
            "tz": pa.array([moment, None], pa.timestamp("s", "UTC")),
            "day": pa.array([dt.date(2024, 1, 2), None], pa.date64()),
            "clock": pa.array([dt.time(3, 4, 5), None], pa.time32("s")),
            "list": pa.array([[moment], None], pa.list_(pa.timestamp("s"))),
            "pair": pa.array([{"t": moment}, None], pa.struct([("t", pa.timestamp("s"))])),
        }
    )
    feather.write_feather(table, path, compression="uncompressed")


def _codec(codec: str) -> None:
    @writes("pyarrow", f"{codec}.parquet")
    def _(path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table({"n": list(range(200)), "s": [f"text {n % 7}" for n in range(200)]})
        pq.write_table(table, path, compression=codec, use_dictionary=False, store_schema=False)


for _name in ("gzip", "brotli", "lz4", "snappy", "zstd"):
    _codec(_name)


@writes("fastparquet", "empty.parquet")
def _(path: Path) -> None:
    import fastparquet
    import pandas as pd

    empty = pd.DataFrame({"n": pd.Series([], dtype="int64"), "s": pd.Series([], dtype="object")})
    fastparquet.write(str(path), empty, object_encoding="utf8")


@writes("fastparquet", "int96.parquet")
def _(path: Path) -> None:
    import fastparquet
    import pandas as pd

    # Of microseconds, which are the default of pandas 3, it makes moments of 1970.
    times = pd.to_datetime(["2024-01-02 03:04:05.123456", "1969-12-31 23:59:59.000001"]).as_unit("ns")
    fastparquet.write(str(path), pd.DataFrame({"ts": times}), times="int96")


@writes("spark", "int96.parquet")
def _(path: Path) -> None:
    spark = _spark({"spark.sql.parquet.outputTimestampType": "INT96"})
    query = """
        select 1 as id, timestamp '2024-01-02 03:04:05.123456' as ts, array(timestamp '9999-12-31 00:00:00') as list
        union all select 2, timestamp '9999-12-31 23:59:59.999999', array()
        union all select 3, timestamp '0001-01-01 00:00:00', null
        union all select 4, null, null"""
    _one_file(spark.sql(query).coalesce(1).orderBy("id").coalesce(1), path)


@writes("spark", "partitions")
def _(path: Path) -> None:
    spark = _spark({})
    query = """
        select 1 as v, timestamp '2024-01-02 03:04:05' as t, 7 as n
        union all select 2, timestamp '2024-01-02 04:00:00', cast(null as int)"""
    spark.sql(query).coalesce(1).write.partitionBy("t", "n").parquet(str(path))
    for sidecar in [*path.rglob(".*.crc"), path / "_SUCCESS"]:
        sidecar.unlink(missing_ok=True)


def _spark(settings: dict[str, str]):  # type: ignore[no-untyped-def]
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for key, value in settings.items():
        session.conf.set(key, value)
    return session


def _one_file(frame, path: Path) -> None:  # type: ignore[no-untyped-def]
    """The one data file that Spark writes into a directory."""
    folder = path.with_suffix(".dir")
    frame.write.parquet(str(folder))
    (written,) = folder.glob("part-*")
    shutil.move(written, path)
    shutil.rmtree(folder)


@writes("duckdb", "types.parquet")
def _(path: Path) -> None:
    import duckdb

    duckdb.sql(f"""
        copy (
            select interval '14 months 3 days 4 hours' as span, uuid '00000000-0000-0000-0000-000000000007' as id,
                '{{"a": 1}}'::json as doc, timestamp_s '2024-01-02 03:04:05' as ts, time '24:00:00' as midnight
            union all select null, null, null, null, null
        ) to '{path}' (format parquet)""")


@writes("duckdb", "partitions")
def _(path: Path) -> None:
    import duckdb

    duckdb.sql(f"""
        copy (select 'B' as side, 1 as v union all select 'S', 2 union all select null, 3)
        to '{path}' (format parquet, partition_by (side), write_partition_columns true)""")


@writes("polars", "partitions")
def _(path: Path) -> None:
    import polars as pl

    frame = pl.DataFrame({"day": [dt.date(2024, 1, 2), dt.date(2024, 1, 3)], "v": [1, 2]})
    frame.write_parquet(pl.PartitionBy(path, key="day"), mkdir=True)


@writes("polars", "encodings/a.parquet")
def _(path: Path) -> None:
    import polars as pl

    path.parent.mkdir(exist_ok=True)
    pl.DataFrame({"s": ["a"], "n": [None], "l": [["x"]]}).write_parquet(path)


@writes("duckdb", "encodings/b.parquet")
def _(path: Path) -> None:
    import duckdb

    path.parent.mkdir(exist_ok=True)
    duckdb.sql(f"copy (select 'b' as s, 5 as n, ['y'] as l) to '{path}'")


@writes("pyarrow", "encodings/c.parquet")
def _(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(exist_ok=True)
    # In another order, and with a dictionary.
    table = pa.table({"n": pa.array([6], pa.int32()), "s": pa.array(["c"]).dictionary_encode(), "l": [["z"]]})
    pq.write_table(table, path)


@writes("pyarrow", "decimals.parquet")
def _(path: Path) -> None:
    from decimal import Decimal

    import pyarrow as pa
    import pyarrow.parquet as pq

    long = pa.array([Decimal(f"12345678901234567.{cents}") for cents in (88, 89, 90)], pa.decimal128(20, 2))
    short = pa.array([Decimal("749.75"), Decimal("0.25"), None], pa.decimal32(9, 2))
    wide = pa.array([Decimal("749.75"), Decimal("0.25"), None], pa.decimal256(50, 2))
    pq.write_table(pa.table({"long": long, "short": short, "wide": wide}), path)


@writes("deltalake", "table")
def _(path: Path) -> None:
    import deltalake
    import pyarrow as pa

    def rows(values: list[float], days: list[int]) -> pa.Table:
        columns = {"v": values, "day": [dt.date(2024, 1, day) for day in days]}
        at = [dt.datetime(2024, 1, day, 12, tzinfo=dt.timezone.utc) for day in days]
        return pa.table({**columns, "at": pa.array(at, pa.timestamp("us", "UTC"))})

    deltalake.write_deltalake(path, rows([1.5, 2.5, 3.5], [1, 1, 2]), partition_by=["day"])
    deltalake.write_deltalake(path, rows([4.5], [2]), mode="append")
    deltalake.DeltaTable(path).delete("v = 2.5")
    deltalake.DeltaTable(path).create_checkpoint()
    more = rows([5.5], [3]).append_column("note", pa.array(["late"]))
    deltalake.write_deltalake(path, more, mode="append", schema_mode="merge")


def main() -> None:
    noted = HERE / "versions.json"
    versions = json.loads(noted.read_text()) if noted.exists() else {}
    for tool, name, write in WRITERS:
        module = {"spark": "pyspark"}.get(tool, tool)
        try:
            version = importlib.import_module(module).__version__
        except ImportError:
            print(f"{tool} is not installed: {name} stays as it is")
            continue
        path = HERE / tool / name
        path.parent.mkdir(exist_ok=True)
        if path.is_dir():
            shutil.rmtree(path)
        write(path)
        versions[tool] = version
        print(f"{tool} {version}: {path.relative_to(HERE)}")
    noted.write_text(json.dumps(versions, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
