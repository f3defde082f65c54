"""Kernels over any stream of Arrow."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

import hypostyle as hs
from data import plain

MEAN = hs.rolling_mean("x", 7, over="key").alias("m")
LEVEL = hs.ewm_mean("x", span=5).alias("e")  # of other keys: a second stage


class Source:
    """A stream that counts what was pulled from it."""

    def __init__(self, table: pa.Table, rows: int = 10, fails_after: int | None = None) -> None:
        self.table, self.rows, self.fails_after, self.pulled = table, rows, fails_after, 0

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        def batches() -> Iterator[pa.RecordBatch]:
            for batch in self.table.to_batches(self.rows):
                if self.pulled == self.fails_after:
                    raise RuntimeError("the source broke")
                self.pulled += 1
                yield batch

        return pa.RecordBatchReader.from_batches(self.table.schema, batches()).__arrow_c_stream__(requested_schema)


def rows_at_random(frame: pl.DataFrame, seed: int) -> pa.RecordBatchReader:
    dice = random.Random(seed)
    cuts = sorted({0, frame.height, *(dice.randrange(frame.height) for _ in range(9))})
    pieces = [frame[start:end].to_arrow() for start, end in itertools.pairwise(cuts)]
    table = pa.concat_tables(pieces)
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


@pytest.mark.parametrize("seed", range(4))
def test_a_stream_gives_what_a_whole_frame_gives(seed: int) -> None:
    frame = plain(300, seed)
    wanted = hs.with_columns(frame, MEAN, LEVEL)
    sources = [
        frame,
        frame.to_arrow(),
        frame.to_pandas().convert_dtypes(dtype_backend="pyarrow"),
        Source(frame.to_arrow()),
    ]
    for source in [*sources, rows_at_random(frame, seed)]:
        got = pl.DataFrame(hs.stream(source, MEAN, LEVEL))
        assert got.select("m", "e").equals(wanted.select("m", "e"))
        assert got["key"].equals(frame["key"])


def test_columns_that_no_kernel_reads_go_along_as_they_are() -> None:
    table = pa.table(
        {
            "x": pa.array([1.0, 2.0]),
            "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int32())),
            "category": pa.array(["p", "q"]).dictionary_encode(),
            "months": pa.array([(1, 2, 3), None], pa.month_day_nano_interval()),
        }
    ).replace_schema_metadata({"made": "here"})
    out = pa.table(hs.stream(table, hs.cum_sum("x").alias("x"), n=hs.cum_count("x")))
    assert out.schema.names == ["x", "map", "category", "months", "n"]
    assert out.select(["map", "category", "months"]).equals(table.select(["map", "category", "months"]))
    assert out["x"].to_pylist() == [1.0, 3.0]
    assert out.schema.metadata == table.schema.metadata


def test_rows_are_pulled_when_they_are_wanted() -> None:
    source = Source(plain(100).to_arrow())
    stream = hs.stream(source, MEAN)
    assert source.pulled == 0
    batches = iter(stream)
    assert source.pulled == 0
    assert next(batches).num_rows <= 60
    assert 0 < source.pulled < 8  # a batch waits for about ten rows per key
    with pytest.raises(ValueError, match="has not been read to its end"):
        _ = stream.stage


def test_memory_is_bounded() -> None:
    """A hundred million rows of a generator, a part of them read; and a large batch is cut."""
    made = 0

    def endless() -> Iterator[pa.RecordBatch]:
        nonlocal made
        for _ in range(400):
            made += 1
            yield pa.RecordBatch.from_pydict({"x": pa.array(range(10_000), pa.float64())})

    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.float64()}), endless())
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    most = 0
    for batch in hs.stream(reader, hs.rolling_mean("x", 5).alias("m")):
        most = max(most, pa.total_allocated_bytes() - before)
        assert batch.num_rows == 10_000
    assert made == 400
    assert most < 5_000_000  # of 64 MB in all
    large = pa.table({"x": pa.array(range(600_000), pa.float64())})
    assert max(batch.num_rows for batch in hs.stream(large, hs.rolling_mean("x", 5).alias("m"))) <= 1 << 18


def test_state_goes_from_stream_to_stream(tmp_path: Path) -> None:
    frame = plain(200)
    wanted = hs.with_columns(frame, MEAN)["m"]
    first = hs.stream(frame[:120], MEAN, save=tmp_path / "state")
    assert not (tmp_path / "state").exists()
    parts = [pl.DataFrame(first)["m"]]
    for state in (tmp_path / "state", str(tmp_path / "state"), first.stage, hs.Stage.load(tmp_path / "state")):
        for kernels in ((), (MEAN,)):
            rest = pl.DataFrame(hs.stream(frame[120:], *kernels, state=state))["m"]
            assert pl.concat([*parts, rest]).equals(wanted)
    assert first.stage.n_rows == 120
    with pytest.raises(ValueError, match=r"stream: the stage given as 'state' has other kernels"):
        hs.stream(frame, LEVEL, state=first.stage)


def test_a_stream_is_read_again_from_the_start_or_not_at_all() -> None:
    frame = plain(50)
    stream = hs.stream(frame, MEAN)
    assert pl.DataFrame(stream).equals(pl.DataFrame(stream))
    once = hs.stream(rows_at_random(frame, 1), MEAN)
    assert pl.DataFrame(once).height == 50
    with pytest.raises(ValueError, match="the source is a reader of pyarrow, which was read already"):
        pl.DataFrame(once)


def test_errors_name_what_is_wrong(tmp_path: Path) -> None:
    frame = plain(50)
    for source in ([1, 2], frame.lazy(), None):
        with pytest.raises(TypeError, match="stream takes an object with __arrow_c_stream__, not a "):
            hs.stream(source, MEAN)
    with pytest.raises(hs.ColumnNotFoundError, match="column 'x': column not found"):
        hs.stream(frame.drop("x"), MEAN).reader()
    with pytest.raises(ValueError, match="computed expression"):
        hs.stream(frame, hs.rolling_mean(pl.col("x") * 2, 3))
    with pytest.raises(pa.ArrowInvalid, match="the source broke"):
        list(hs.stream(Source(frame.to_arrow(), fails_after=2), MEAN, save=tmp_path / "state"))
    assert not (tmp_path / "state").exists()
    back = hs.Stage(MEAN, order_by="i")
    ordered = frame.with_columns(i=pl.int_range(pl.len()).reverse())
    with pytest.raises(ValueError, match=r"order_by, column 'i', row \d: the column is not sorted"):
        list(hs.stream(ordered, state=back))


def test_late_rows_are_left_out_of_a_stream() -> None:
    stage = hs.Stage(hs.cum_sum("x").alias("s"), order_by="at", late="drop")
    table = pa.table({"at": [1, 5, 3, 6], "x": [1.0, 2.0, 9.0, 3.0]})
    assert pa.table(hs.stream(table, state=stage))["s"].to_pylist() == [1.0, 3.0, 6.0]


def test_a_stream_of_arrow_flight() -> None:
    """As docs/clusters.md says: its reader becomes one of pyarrow."""
    from pyarrow import flight

    table = plain(200).to_arrow()

    class Server(flight.FlightServerBase):  # type: ignore[misc, name-defined]
        def do_get(self, context: Any, ticket: Any) -> Any:
            return flight.RecordBatchStream(pa.RecordBatchReader.from_batches(table.schema, table.to_batches(30)))

        def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
            self.got = reader.read_all()

    with Server("grpc://127.0.0.1:0") as server, flight.connect(f"grpc://127.0.0.1:{server.port}") as client:
        with pytest.raises(TypeError, match=r"FlightStreamReader\nhelp: pass its to_reader\(\)"):
            hs.stream(client.do_get(flight.Ticket(b"rows")), MEAN)
        out = hs.stream(client.do_get(flight.Ticket(b"rows")).to_reader(), MEAN).reader()
        writer, _ = client.do_put(flight.FlightDescriptor.for_path("features"), out.schema)
        for batch in out:
            writer.write_batch(batch)
        writer.close()
        assert pl.DataFrame(server.got)["m"].equals(hs.with_columns(plain(200), MEAN)["m"])


def test_no_rows() -> None:
    empty = plain(5).clear()
    stream: Any = hs.stream(empty, MEAN, LEVEL)
    assert pl.DataFrame(stream).schema == hs.with_columns(empty, MEAN, LEVEL).schema | {}
    assert pa.table(hs.stream(pa.table({"x": pa.array([], pa.float64())}), n=hs.cum_count("x"))).num_rows == 0
