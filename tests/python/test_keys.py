"""Keys that move between stages and go: merge, split, evict."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import hypostyle as hs
from data import plain

KERNELS = [hs.rolling_mean("x", 3, over="key").alias("m"), hs.expanding_sum("y", over="key").alias("s")]


def by_key(stage: hs.Stage) -> list[Any]:
    return stage.state()["key"].sort().to_list()


@pytest.mark.parametrize("parts", [1, 2, 3, 40])
def test_parts_go_on_as_the_whole_would(parts: int) -> None:
    first, second, third = (plain(300, seed=seed) for seed in range(3))
    whole, stage = hs.Stage(KERNELS), hs.Stage(KERNELS)
    whole.advance(first)
    stage.advance(first)
    pieces = stage.split(parts)
    assert [piece.n_keys for piece in pieces] == [len(by_key(piece)) for piece in pieces]
    assert sorted(str(key) for piece in pieces for key in by_key(piece)) == sorted(map(str, by_key(stage)))
    assert max(piece.n_keys for piece in pieces) - min(piece.n_keys for piece in pieces) <= 1
    expected = whole.advance(second)
    for piece in pieces:
        own = second["key"].is_in(piece.state()["key"].implode(), nulls_equal=True)
        assert piece.advance(second.filter(own)).equals(expected.filter(own))
    together = pieces.pop()
    for piece in pieces:
        together.merge(pickle.loads(pickle.dumps(piece)))
    assert together.n_rows == whole.n_rows
    assert together.advance(third).equals(whole.advance(third))


@pytest.mark.parametrize(
    ("keys", "dtype", "breaks", "expected"),
    [
        ([3, 1, None, 2], pl.Int32, [2], [[None, 1], [2, 3]]),
        (["b", "ä", None, "a"], pl.String, ["b", "z"], [[None, "a"], ["b"], ["ä"]]),
        (["b", "c", "a"], pl.Categorical, ["b"], [["a"], ["b", "c"]]),
        ([True, None, False], pl.Boolean, [True], [[None, False], [True]]),
        ([date(2020, 1, 2), date(2020, 1, 1)], pl.Date, [date(2020, 1, 2)], [[date(2020, 1, 1)], [date(2020, 1, 2)]]),
        ([1.5, -2.0], pl.Float64, [0], [[-2.0], [1.5]]),
        ([1, 2], pl.Int64, [], [[1, 2]]),
        ([1, 2], pl.Int64, [5, 6], [[1, 2], [], []]),
    ],
)
def test_breaks(keys: list[Any], dtype: Any, breaks: list[Any], expected: list[list[Any]]) -> None:
    stage = hs.Stage(KERNELS)
    frame = pl.DataFrame({"key": pl.Series(keys, dtype=dtype)}).with_columns(x=1.0, y=2.0)
    stage.advance(frame)
    parts = stage.split(breaks)
    assert [part.state()["key"].cast(pl.String).sort().to_list() for part in parts] == [
        pl.Series(part, dtype=dtype).cast(pl.String).sort().to_list() for part in expected
    ]
    assert stage.n_keys == len(keys)


def test_breaks_of_several_columns() -> None:
    frame = pl.DataFrame({"a": [1, 1, 2, 2, 3], "b": ["x", "y", "x", "y", "x"], "x": [1.0] * 5})
    stage = hs.Stage(hs.expanding_sum("x", over=["a", "b"]))
    stage.advance(frame)
    keys = [part.state().select("a", "b").rows() for part in stage.split([(1, "y"), (2, "y")])]
    assert keys == [[(1, "x")], [(1, "y"), (2, "x")], [(2, "y"), (3, "x")]]
    assert [part.n_keys for part in stage.split([2])] == [2, 3]
    assert [part.n_keys for part in stage.split(pl.DataFrame({"a": [2, 3]}))] == [2, 2, 1]


@pytest.mark.parametrize(
    ("over", "breaks", "error", "message"),
    [
        ("key", ["b", "a"], ValueError, "the breaks must increase"),
        ("key", [("a", "b")], ValueError, "got breaks of 2 columns, expected 1 to 1"),
        ("key", 0, ValueError, "needs a positive number of stages, not 0"),
        ("i", ["b"], ValueError, "column 'i': split: expected breaks of type Int64, got string"),
        ("i", ["2"], ValueError, "expected breaks of type Int64, got string"),
        ("i", [1.5], ValueError, "expected breaks of type Int64, got Float64"),
        ("i", [True], ValueError, "expected breaks of type Int64, got Boolean"),
        ("key", [5], ValueError, "expected breaks of type string, got Int64"),
        ("key", "ab", TypeError, "takes a number of stages, a list of breaks or a Polars frame of them, not 'ab'"),
        ("key", True, TypeError, "takes a number of stages"),
        ("key", [None], ValueError, "breaks that all name the same key columns, and none of them null"),
        (["i", "key"], [(2,), (2, "a")], ValueError, "breaks that all name the same key columns"),
        (["i", "key"], pl.DataFrame({"key": ["a"], "i": [1]}), ValueError, "breaks in the columns \\['i', 'key'\\]"),
    ],
)
def test_wrong_breaks_are_refused(over: Any, breaks: Any, error: type[Exception], message: str) -> None:
    stage = hs.Stage(hs.expanding_sum("x", over=over))
    stage.advance(plain(20))
    with pytest.raises(error, match=message):
        stage.split(breaks)


def test_numbers_of_stages_and_large_breaks() -> None:
    stage = hs.Stage(hs.expanding_sum("x", over="key"))
    stage.advance(pl.DataFrame({"key": pl.Series([1, 2**63 + 5], dtype=pl.UInt64), "x": [1.0, 2.0]}))
    assert [part.n_keys for part in stage.split(np.int64(2))] == [1, 1]
    assert [part.n_keys for part in stage.split([2**63 + 5])] == [1, 1]
    with pytest.raises(ValueError, match="a stage without keys cannot be split"):
        hs.Stage(hs.expanding_sum("x")).split([1])
    with pytest.raises(TypeError, match="takes another Stage, not a int"):
        stage.merge(5)  # type: ignore[arg-type]


def test_equal_floats_are_one_key() -> None:
    keys = [0.0, -0.0, float("nan"), -float("nan"), None, 1.5]
    for dtype in (pl.Float64, pl.Float32):
        frame = pl.DataFrame({"key": pl.Series(keys, dtype=dtype), "x": [1.0] * 6})
        assert hs.with_columns(frame, hs.expanding_sum("x", over="key"))["x"].to_list() == [1, 2, 1, 2, 1, 1]


def test_what_can_not_be_merged(tmp_path: Path) -> None:
    stage = hs.Stage(KERNELS)
    stage.advance(pl.DataFrame({"key": ["a", "b"], "x": [1.0, 2.0], "y": [1.0, 2.0]}))
    other = hs.Stage(KERNELS)
    other.advance(pl.DataFrame({"key": ["c", "b"], "x": [1.0, 2.0], "y": [1.0, 2.0]}))
    narrow = hs.Stage(KERNELS)
    narrow.advance(pl.DataFrame({"key": ["z"], "x": [1], "y": [1.0]}))
    before = stage.state()
    for wrong, message in [
        (other, 'both stages have a state of the key key="b"'),
        (
            hs.Stage(KERNELS[0]),
            "the other stage cannot be merged: got 1 kernels, expected 2",
        ),
        (
            hs.Stage(KERNELS, time_column="t"),
            "the other stage cannot be merged: the time columns differ",
        ),
        (narrow, "column 'x': the type is Float64 in one stage and Int64 in the other"),
        (stage, 'both stages have a state of the key key="a"'),
    ]:
        with pytest.raises(ValueError, match=message):
            stage.merge(wrong)
    assert stage.state().equals(before)
    alone = hs.Stage(hs.expanding_sum("x"))
    alone.advance(plain(3))
    with pytest.raises(ValueError, match="stages without keys cannot be merged"):
        alone.merge(alone)
    empty = hs.Stage(KERNELS)
    empty.merge(stage)
    empty.merge(hs.Stage(KERNELS))
    assert empty.state().equals(before)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_idle_keys_are_evicted(unit: Any, tmp_path: Path) -> None:
    at = datetime(2024, 1, 1)
    frame = pl.DataFrame(
        {
            "key": ["a", "b", "a", "c", "d"],
            "x": [1.0, 2.0, 3.0, 4.0, 5.0],
            "t": [at, at, at + timedelta(hours=3), at + timedelta(hours=1), None],
        },
        schema_overrides={"t": pl.Datetime(unit)},
    )
    stage = hs.Stage(hs.expanding_sum("x", over="key"), time_column="t")
    stage.advance(frame)
    stage.save(tmp_path / "state")
    stage = hs.Stage.load(tmp_path / "state")
    assert stage.copy().evict(idle_for="2h") == 2  # b, and d, of which no time is known
    assert stage.copy().evict(idle_for=timedelta(hours=3)) == 1
    assert stage.evict(before=at + timedelta(minutes=1)) == 2
    assert by_key(stage) == ["a", "c"]
    again = pl.DataFrame({"key": ["a", "b", "c"], "x": [1.0] * 3, "t": [at] * 3}).cast({"t": pl.Datetime(unit)})
    assert stage.advance(again)["x"].to_list() == [5.0, 1.0, 5.0]
    assert stage.evict(before=at) == 0


def test_a_kernels_own_time_tells_too() -> None:
    frame = pl.DataFrame({"key": ["a", "b", "c"], "x": [1.0] * 3, "i": [10, 20, 30]})
    for kernel in (hs.rolling_sum("x", "5i", by="i", over="key"), hs.session_id("i", "5i", over="key")):
        stage = hs.Stage(kernel)
        stage.advance(frame)
        assert stage.copy().evict(idle_for=10) == 1
        assert stage.copy().evict(idle_for="9i") == 2
        assert stage.evict(before=30) == 2
        assert stage.state()["key"].to_list() == ["c"]


@pytest.mark.parametrize("dtype", [pl.UInt64, pl.UInt32, pl.Int64, pl.Int8, pl.Date])
def test_times_of_every_type(dtype: Any) -> None:
    stage = hs.Stage(hs.expanding_sum("x", over="key"), time_column="t")
    frame = pl.DataFrame(
        {"key": ["a", "b", "c"], "x": [1.0] * 3, "t": pl.Series([10, 20, 30], dtype=pl.Int32).cast(dtype)}
    )
    stage.advance(frame)
    assert stage.evict(before=0) == 0
    assert stage.copy().evict(before=frame["t"][1]) == 1
    assert stage.copy().evict(idle_for="10d" if dtype == pl.Date else 10) == 1
    assert stage.evict(before=31) == 3
    if dtype == pl.UInt64:
        stage.advance(frame.with_columns(t=pl.Series([2**63 + 1, 1, 2], dtype=pl.UInt64)))
        assert stage.evict(before=2**63) == 2


def test_what_can_not_be_evicted() -> None:
    stage = hs.Stage(KERNELS, time_column="ts")
    assert stage.evict(idle_for="1h") == 0
    stage.advance(plain(10))
    for arguments, error, message in [
        ({}, TypeError, "takes either 'before' or 'idle_for'"),
        ({"before": 1, "idle_for": "1h"}, TypeError, "takes either 'before' or 'idle_for'"),
        ({"before": "yesterday"}, TypeError, "column 'ts' has type .*, which cannot hold the value 'yesterday'"),
        ({"idle_for": "soon"}, ValueError, "parameter 'idle_for': \"soon\" is not a valid duration"),
        ({"idle_for": 3}, TypeError, "evict, column 'ts': expected"),
    ]:
        with pytest.raises(error, match=message):
            stage.evict(**arguments)
    timeless = hs.Stage(KERNELS)
    timeless.advance(plain(10))
    with pytest.raises(ValueError, match="the stage has no time column, so it is not known when a key was last seen"):
        timeless.evict(idle_for="1h")
    with pytest.raises(TypeError, match="column 'x': expected a date, a timestamp or an integer, got Float64"):
        hs.Stage(KERNELS, time_column="x").advance(plain(10))
    with pytest.raises(ValueError, match="a stage without keys has nothing to evict"):
        hs.Stage(hs.expanding_sum("x"), time_column="ts").evict(before=1)


def test_memory_stays_bounded_when_keys_come_and_go() -> None:
    """Every step brings keys that never come again; the state stays as large as what a day brings."""
    stage = hs.Stage(hs.rolling_mean("x", 20, over="key"), time_column="step")
    sizes = []
    for step in range(60):
        keys = range(step * 1000, step * 1000 + 2000)
        stage.advance(pl.DataFrame({"key": keys, "x": [1.0] * 2000}).with_columns(step=step))
        stage.evict(idle_for=3)
        sizes.append(stage.state_bytes())
    assert stage.n_keys == 5000
    assert max(sizes[10:]) < 1.5 * sizes[10]
