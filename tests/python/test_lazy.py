"""The lazy face: what Polars pushes into the source gives the right answer, and the state is kept or left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.io.plugins import register_io_source

import hypostyle as hs
from data import plain

FRAME = plain(20_000).with_row_index("row")
KERNELS = [
    hs.rolling_mean("x", 3, over="key").alias("m3"),
    hs.rolling_sum("i", "10m", by="ts", over="key").alias("s10"),
    hs.expanding_max("y").alias("top"),
]
WHOLE = hs.with_columns(FRAME, *KERNELS)


def lazy(frame: pl.DataFrame | pl.LazyFrame = FRAME) -> pl.LazyFrame:
    return frame.lazy().hs.with_columns(KERNELS)


QUERIES: dict[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    "all": lambda lf: lf,
    "outputs": lambda lf: lf.select("top", "m3"),
    "one output": lambda lf: lf.select("s10"),
    "inputs alone": lambda lf: lf.select("row", "key"),
    "an input that is no kernel's": lambda lf: lf.select("high"),
    "computed": lambda lf: lf.select(pl.col("m3") * 2 + pl.col("x")),
    "filter by input": lambda lf: lf.filter(pl.col("key") == "B"),
    "filter by output": lambda lf: lf.filter(pl.col("m3") > 100),
    "filter, other columns": lambda lf: lf.filter(pl.col("top") > 1).select("row", "s10"),
    "head": lambda lf: lf.head(17),
    "head of none": lambda lf: lf.head(0),
    "tail": lambda lf: lf.tail(5),
    "slice": lambda lf: lf.slice(100, 50),
    "head, then filter": lambda lf: lf.head(100).filter(pl.col("key") == "B"),
    "filter, then head": lambda lf: lf.filter(pl.col("key") == "B").head(20),
    "filter, head, project": lambda lf: lf.filter(pl.col("key") == "B").head(20).select("s10"),
    "count": lambda lf: lf.select(pl.len()),
    "count of some": lambda lf: lf.filter(pl.col("key") == "B").select(pl.len()),
    "group": lambda lf: lf.group_by("key").agg(pl.col("m3").max(), pl.len()).sort("key"),
    "join": lambda lf: lf.join(lf.select("row", m=pl.col("m3")), on="row", maintain_order="left"),
    "renamed": lambda lf: lf.rename({"m3": "x3"}).filter(pl.col("x3") > 100).select("x3", "x"),
    "drop": lambda lf: lf.drop("x", "i", "y", "ts", "key"),
    "again": lambda lf: lf.with_columns(hs.rolling_max("m3", 4, over="key").alias("mm")).filter(pl.col("row") > 9),
}


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("query", QUERIES)
def test_pushdown(query: str, engine: str) -> None:
    ask = QUERIES[query]
    found = ask(lazy()).collect(engine=engine)
    assert found.equals(ask(WHOLE.lazy()).collect()), query


def test_two_lazy_stages_one_after_the_other() -> None:
    lf = lazy().hs.with_columns(hs.ewm_mean("m3", span=3, over="key").alias("e"))
    assert (
        lf.filter(pl.col("row") % 2 == 0)
        .collect()
        .equals(hs.with_columns(WHOLE, hs.ewm_mean("m3", span=3, over="key").alias("e")).filter(pl.col("row") % 2 == 0))
    )


def test_schema_is_known_without_running() -> None:
    assert lazy().collect_schema() == WHOLE.schema
    assert "hypostyle" in lazy().explain()


def test_only_needed_columns_are_read() -> None:
    asked: list[list[str] | None] = []

    def source(columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        asked.append(columns)
        yield FRAME.select(columns or FRAME.columns)

    lf = register_io_source(source, schema=FRAME.schema)
    lazy(lf).select("m3").collect()
    assert asked == [["key", "x"]] or set(asked[0] or []) == {"key", "x"}


def test_saved_state_goes_on(tmp_path: Path) -> None:
    kernels = [KERNELS[0], hs.rolling_sum("i", 7, over="key").alias("s7")]
    whole = hs.with_columns(FRAME, *kernels)
    state = tmp_path / "state"
    first = FRAME[:7000].lazy().hs.with_columns(kernels, save_state=state).collect()
    assert first.equals(whole[:7000])
    for rest in (
        FRAME[7000:].lazy().hs.with_columns(kernels, state=state),
        FRAME[7000:].lazy().hs.with_columns(state=state),
        FRAME[7000:].lazy().hs.with_columns(state=hs.Stage.load(state)),
    ):
        assert rest.collect().equals(whole[7000:])
        assert rest.select("s7").collect().equals(whole[7000:].select("s7")), "every run starts from the same state"


@pytest.mark.parametrize("query", ["all", "outputs", "inputs alone", "head", "filter by input", "count"])
def test_a_whole_state_is_saved_whatever_is_asked_for(tmp_path: Path, query: str) -> None:
    kernel = KERNELS[0]
    found, expected = tmp_path / "found", hs.Stage(kernel)
    expected.advance(FRAME)
    kernels = [kernel, hs.expanding_mean("x", over="key").alias("top")]
    expected = hs.Stage(kernels)
    expected.advance(FRAME)
    ask = QUERIES[query]
    lf = FRAME.lazy().hs.with_columns(kernels, save_state=found)
    got = ask(lf).collect()
    assert got.equals(ask(hs.with_columns(FRAME, *kernels).lazy()).collect())
    more = plain(500, seed=9)
    assert hs.Stage.load(found).advance(more).equals(expected.advance(more))


def test_a_failing_query_saves_nothing(tmp_path: Path) -> None:
    unsorted = pl.concat([FRAME, FRAME[:10]])
    state = tmp_path / "state"
    lf = unsorted.lazy().hs.with_columns(KERNELS[1], save_state=state)
    with pytest.raises(Exception, match="ts"):
        lf.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_consumer_that_stops_early_leaves_nothing_behind(tmp_path: Path) -> None:
    read = []

    def endless(*_: object) -> Iterator[pl.DataFrame]:
        while True:
            read.append(1)
            yield FRAME

    def pull() -> None:
        lf = register_io_source(endless, schema=FRAME.schema).hs.with_columns(KERNELS[0], save_state=tmp_path / "state")
        batches = iter(lf.collect_batches())
        for _ in range(3):
            next(batches)
        del batches

    pull()
    before = None
    for _ in range(100):
        before, now = len(read), time.sleep(0.05)
        if before == len(read) and now is None:
            break
    assert before == len(read), "the source is still being read"
    assert list(tmp_path.iterdir()) == []


def test_memory_stays_bounded() -> None:
    """The source is never read far ahead of the consumer."""
    made = []

    def source(*_: object) -> Iterator[pl.DataFrame]:
        for number in range(300):
            made.append(number)
            yield FRAME

    lf = register_io_source(source, schema=FRAME.schema).hs.with_columns(KERNELS[0])
    batches = iter(lf.collect_batches())
    next(batches)
    time.sleep(0.3)
    assert len(made) < 150, "the whole source was read for one batch"
    assert threading.active_count() < 50


@pytest.mark.parametrize("kind", ["parquet", "csv", "ipc"])
def test_sinks(tmp_path: Path, kind: str) -> None:
    """From a file to a file, through two stages and a filter, inside the streaming engine."""
    source, target = tmp_path / "in.parquet", tmp_path / f"out.{kind}"
    FRAME.write_parquet(source, row_group_size=3000)
    lf = pl.scan_parquet(source).hs.with_columns(KERNELS).filter(pl.col("m3").is_not_null())
    lf = lf.hs.with_columns(hs.cumsum_clip("m3", 0, 50, over="key").alias("level"))
    getattr(lf, f"sink_{kind}")(target)
    if kind == "csv":
        got = pl.read_csv(target, schema_overrides=lf.collect_schema())
    else:
        got = getattr(pl, f"read_{kind}")(target)
    filtered = WHOLE.filter(pl.col("m3").is_not_null())
    assert got.equals(hs.with_columns(filtered, hs.cumsum_clip("m3", 0, 50, over="key").alias("level")))


def test_an_error_in_a_sink_is_told(tmp_path: Path) -> None:
    lf = FRAME.reverse().lazy().hs.with_columns(KERNELS[1], save_state=tmp_path / "state")
    with pytest.raises(Exception, match="rolling_sum, column 'ts', row 2: the time column is not sorted for key"):
        lf.sink_parquet(tmp_path / "out.parquet")
    assert not (tmp_path / "state").exists()


def test_the_plan_is_readable() -> None:
    plan = lazy().filter(pl.col("m3") > 1).explain()
    assert "hypostyle" in plan
    shown = 'm3 = rolling_mean("x", 3, over="key"), s10 = rolling_sum("i", "10m", by="ts", over="key")'
    assert f'{shown}, top = expanding_max("y")' in plan


def test_small_batches_are_gathered_where_there_are_many_keys() -> None:
    """The bits are the same, whatever the batches were."""
    keys = 3000
    parts = [
        pl.DataFrame({"key": [n * 7 % keys for n in range(at, at + 500)], "x": [float(at)] * 500})
        for at in range(0, 20_000, 500)
    ]

    def source(*_: object) -> Iterator[pl.DataFrame]:
        yield from parts

    lf = register_io_source(source, schema=parts[0].schema).hs.with_columns(
        hs.ewm_mean("x", span=3, over="key").alias("e")
    )
    expected = hs.with_columns(pl.concat(parts), hs.ewm_mean("x", span=3, over="key").alias("e"))
    assert lf.collect().equals(expected)
    assert lf.head(700).collect().equals(expected.head(700))


def test_a_stage_with_a_time_column_goes_on(tmp_path: Path) -> None:
    stage = hs.Stage(KERNELS[0], time_column="ts")
    stage.advance(FRAME.head(10))
    out = FRAME.slice(10).lazy().hs.with_columns(state=stage, save_state=tmp_path / "state").select("m3").collect()
    assert out["m3"].equals(WHOLE["m3"].slice(10))
    assert hs.Stage.load(tmp_path / "state").evict(before=FRAME["ts"].max()) > 0
    with pytest.raises(hs.ColumnNotFoundError, match="no column 'ts', which the stage given as 'state' reads"):
        FRAME.drop("ts").lazy().hs.with_columns(state=stage)


def test_columns_keep_the_order_in_which_they_were_given() -> None:
    kernels = [hs.rolling_sum("x", 2, over="key").alias("one"), hs.expanding_sum("x").alias("two")]
    kernels.append(hs.expanding_sum("x", over="key").alias("three"))
    out = FRAME.lazy().hs.with_columns(kernels)
    assert out.collect().columns == [*FRAME.columns, "one", "two", "three"]
    assert out.collect().equals(hs.with_columns(FRAME, *kernels))


def test_a_column_without_a_type() -> None:
    frame = pl.DataFrame({"x": [None, None]})
    kernel = hs.expanding_count("x")
    assert frame.lazy().hs.with_columns(kernel).collect().equals(hs.with_columns(frame, kernel))
