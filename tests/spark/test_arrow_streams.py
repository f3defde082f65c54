"""`hs.stream` between other libraries: DuckDB, narwhals, Ibis."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from blocks import programs, run
from rows import KERNELS, assert_same_bits, comparable, in_memory, trades

import hypostyle as hs


def test_from_duckdb_and_back_in_sql() -> None:
    import duckdb

    table = trades()
    connection = duckdb.connect()
    # A query cannot run on a connection that is running another one.
    relation = connection.cursor().from_arrow(table).order("i")
    connection.register("prices", table)
    features = hs.stream(relation, *KERNELS)
    wanted = in_memory(table)
    assert_same_bits(comparable(pa.table(features)), wanted)
    (sums,) = connection.sql("select count(*), sum(n) from features where symbol = 'k001'").fetchall()
    own = wanted.filter(pl.col("symbol") == "k001")
    assert sums == (own.height, own["n"].sum())
    joined = connection.sql("select i, f.mean from features f join prices using (i) order by i").to_arrow_table()
    assert pl.DataFrame(joined)["mean"].equals(wanted["mean"])


def test_the_page_reads_duckdb_and_is_read_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("trades").mkdir()
    pl.DataFrame(trades()).write_parquet("trades/all.parquet")
    (code,) = programs("duckdb")
    run(code)
    wanted = hs.with_columns(
        pl.DataFrame(trades()).sort("ts"), hs.rolling_mean("price", 20, over="symbol").alias("m20")
    )
    assert pl.read_parquet("above.parquet").height == wanted.filter(pl.col("m20") > pl.col("price")).height > 0


def test_duckdb_does_not_hold_the_stream_in_memory(tmp_path: Path) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.sql("set memory_limit = '200MB'")
    rows = 3_000_000
    relation = connection.sql(f"select range as i, range % 100 as key, random() as x from range({rows})")
    features = hs.stream(relation, hs.rolling_mean("x", 20, over="key").alias("m"), save=tmp_path / "state")
    before = pa.total_allocated_bytes()
    most = 0
    seen = 0
    for batch in features:
        seen += batch.num_rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert seen == rows
    assert most < 64_000_000
    assert hs.Stage.load(tmp_path / "state").n_rows == rows


def test_from_narwhals() -> None:
    import narwhals as nw

    table = trades()
    for native in (table, pl.DataFrame(table)):
        frame = nw.from_native(native, eager_only=True)
        out = pl.DataFrame(hs.stream(frame, KERNELS[0]))
        assert out["mean"].equals(in_memory(table)["mean"])


def test_from_ibis() -> None:
    import ibis

    table = trades()
    source = ibis.memtable(table).order_by("i")
    assert_same_bits(comparable(pa.table(hs.stream(source, *KERNELS))), in_memory(table))
