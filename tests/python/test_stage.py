"""The stage object: copies, threads, what it tells of itself."""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

import hypostyle as hs
from data import plain


def test_copies_go_their_own_ways() -> None:
    stage = hs.Stage(hs.expanding_mean("x", over="key").alias("m"))
    stage.advance(plain(100))
    twins = [stage.copy(), copy.copy(stage), copy.deepcopy(stage), pickle.loads(pickle.dumps(stage))]
    expected = stage.advance(plain(50, seed=1))
    stage.advance(plain(50, seed=2))
    for twin in twins:
        assert twin.advance(plain(50, seed=1)).equals(expected)


def test_threads_share_a_stage() -> None:
    """A count over one key sees every row once, whatever the threads do; nothing deadlocks."""
    stage = hs.Stage(hs.rolling_count("x", 10**9).alias("n"))
    rows = pl.DataFrame({"x": [1.0] * 100})
    start = threading.Barrier(8)

    def feed(_: int) -> list[int]:
        start.wait()
        return [n for _ in range(50) for n in stage.advance(rows)["n"].to_list()]

    with ThreadPoolExecutor(8) as pool:
        seen = sorted(n for part in pool.map(feed, range(8)) for n in part)
    assert seen == list(range(1, 8 * 50 * 100 + 1))


def test_any_number_of_threads_gives_the_same_bits() -> None:
    frame = plain(5000)
    outs = []
    for threads in (1, 2, 4):
        stage = hs.Stage(hs.rolling_std("x", 20, over="key").alias("s"), threads=threads)
        outs.append(stage.advance(frame)["s"])
    assert outs[0].equals(outs[1])
    assert outs[0].equals(outs[2])


def test_properties_and_schemas(tmp_path: Path) -> None:
    kernels = [
        hs.rolling_mean("x", "5m", by="ts", over="key").alias("m"),
        hs.session_id("ts", "1h", over="key").alias("s"),
        hs.rolling_ols("y", "x", 9, fields=["r2"], over="key").alias("fit"),
    ]
    stage = hs.Stage(kernels, time_column="when")
    frame = plain(50).sort("ts").with_columns(when=pl.col("ts").dt.date())
    read = pl.Schema({name: frame.schema[name] for name in ("x", "ts", "key", "y", "when")})
    added = pl.Schema({"m": pl.Float64, "s": pl.Int64, "fit": pl.Struct({"r2": pl.Float64})})
    assert stage.input_schema is None
    with pytest.raises(ValueError, match="pass a schema, or call set_schema first"):
        stage.output_schema()
    for schema in (frame, frame.schema, dict(frame.schema)):
        assert stage.output_schema(schema) == added
    assert stage.n_keys == stage.n_rows == 0
    with pytest.raises(hs.ColumnNotFoundError):
        stage.output_schema({"x": pl.Float64})
    with pytest.raises(TypeError, match="column 'x': expected a number or a boolean, got string"):
        stage.output_schema({**frame.schema, "x": pl.String})
    stage.advance(frame)
    stage.save(tmp_path / "state")
    for one in (stage, hs.Stage.load(tmp_path / "state"), hs.Stage.from_bytes(stage.to_bytes())):
        assert dict(one.input_schema or {}) == dict(read)
        assert one.output_schema() == added
        assert (one.over, one.by, one.time_column) == (["key"], ["ts"], "when")
        assert (one.n_rows, one.n_keys) == (50, frame["key"].n_unique())
    assert (tmp_path / "state").read_bytes() == stage.to_bytes()
    with pytest.raises(ValueError, match="cannot be used"):
        hs.Stage.from_bytes(stage.to_bytes()[:-1])
    unkeyed = hs.Stage(hs.expanding_mean("x"))
    assert (unkeyed.over, unkeyed.by, unkeyed.time_column) == ([], [], None)


def test_it_tells_what_it_is(tmp_path: Path) -> None:
    kernels = [hs.rolling_mean("x", 3, over="key").alias("m"), hs.rolling_count("x", 4, over="key").alias("n")]
    stage = hs.Stage(kernels)
    empty = stage.state_bytes()
    stage.advance(plain(500))
    assert stage.state_bytes() > empty
    stage.save(tmp_path / "state")
    for one in (stage, hs.Stage.load(tmp_path / "state")):
        kernels_shown = 'm=rolling_mean("x", 3), n=rolling_count("x", 4)'
        assert repr(one).startswith(f"Stage({kernels_shown}, over=['key'], 500 rows so far, 5 keys, ")
        assert [k._kernel.normal for k in one.kernels] == [k._kernel.normal for k in kernels]


def test_the_state_is_a_frame_to_read(tmp_path: Path) -> None:
    stage = hs.Stage([hs.rolling_sum("x", 2, over="key").alias("s"), hs.rolling_max("x", "5m", by="ts", over="key")])
    assert stage.state().shape == (0, 0)
    frame = plain(40).sort("ts")
    stage.advance(frame)
    state = stage.state()
    assert state["key"].to_list() == frame["key"].unique(maintain_order=True).to_list()
    for key, rows in state.select("key", "s:rows").rows():
        assert rows == frame.filter(pl.col("key").eq_missing(pl.lit(key)))["x"].tail(2).to_list()
    stage.save(tmp_path / "state")
    assert state.equals(pl.read_ipc(tmp_path / "state"))


def test_frames_of_every_kind() -> None:
    frame = plain(60)
    kernel = hs.rolling_mean("x", 3, over="key").alias("m")
    expected = hs.with_columns(frame, kernel)["m"]
    for given in (frame, frame.to_pandas(), frame.to_arrow()):
        stage = hs.Stage(kernel)
        out = stage.advance(given)
        assert type(out) is type(given)
        assert pl.Series(out["m"], nan_to_null=True).equals(expected)


def test_paths_of_any_kind(tmp_path: Path) -> None:
    stage = hs.Stage(hs.expanding_mean("x"))
    stage.save(str(tmp_path / "a"))
    stage.save(tmp_path / "ä b")
    assert hs.Stage.load(str(tmp_path / "ä b")).kernels
