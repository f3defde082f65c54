"""Stages that check the order of rows, and rows that come late."""

from __future__ import annotations

import itertools
import pickle
import random
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import hypostyle as hs
from data import plain, same

KERNELS = [hs.rolling_mean("x", 3, over="key").alias("m"), hs.cum_count("x", over="key").alias("n")]


def shuffled(rows: int, seed: int) -> pl.DataFrame:
    """Rows of which some come late."""
    frame = plain(rows, seed).select("key", "x", at=pl.int_range(pl.len()))
    moved = list(range(rows))
    dice = random.Random(seed)
    for _ in range(rows // 5):
        one = dice.randrange(rows - 1)
        other = min(rows - 1, one + dice.randrange(1, 20))
        moved[one], moved[other] = moved[other], moved[one]
    return frame[moved]


def in_time(frame: pl.DataFrame) -> pl.Series:
    """The slow reference: whether no earlier row of the key has a later time."""
    newest: dict[Any, int] = {}
    kept = []
    for key, at in frame.select("key", "at").rows():
        kept.append(at >= newest.get(key, at))
        newest[key] = max(at, newest.get(key, at))
    return pl.Series(kept)


def test_rows_that_go_back_are_an_error_that_names_key_and_row() -> None:
    stage = hs.Stage(KERNELS, order_by="at")
    stage.advance(pl.DataFrame({"key": ["a", "b"], "x": [1.0, 2.0], "at": [5, 1]}))
    before = stage.to_bytes()
    late = pl.DataFrame({"key": ["b", "a"], "x": [1.0, 2.0], "at": [2, 4]})
    wanted = "order_by, column 'at', row 3: the column is not sorted for key key=\"a\": 4 after 5"
    for run in (stage.advance, stage.peek):
        with pytest.raises(ValueError, match=wanted):
            run(late)
    for run_row in (stage.advance_row, stage.peek_row):
        with pytest.raises(ValueError, match="the column is not sorted"):
            run_row({"key": "a", "x": 1.0, "at": 4})
        with pytest.raises(ValueError, match="the column has a null"):
            run_row({"key": "a", "x": 1.0, "at": None})
    with pytest.raises(ValueError, match="order_by, column 'at', row 2: the column has a null"):
        stage.advance(pl.DataFrame({"key": ["c"], "x": [1.0], "at": [None]}, schema_overrides={"at": pl.Int64}))
    assert stage.to_bytes() == before
    assert stage.advance_row({"key": "a", "x": 1.0, "at": 5})["n"] == 2  # equal times are in order


def test_the_order_is_part_of_the_state(tmp_path: Path) -> None:
    stage = hs.Stage(KERNELS, order_by="at")
    stage.advance(plain(50).select("key", "x", at=pl.int_range(pl.len())))
    stage.save(tmp_path / "state")
    low, high = stage.split(2)
    low.merge(high)
    copies = [hs.Stage.load(tmp_path / "state"), hs.Stage.from_bytes(stage.to_bytes()), stage.copy(), low]
    for one in [stage, *copies, pickle.loads(pickle.dumps(stage))]:
        assert one.order_by == "at"
        assert "at" in (one.input_schema or {})
        with pytest.raises(ValueError, match='is not sorted for key key="A"'):
            one.advance_row({"key": "A", "x": 1.0, "at": 0})
    with pytest.raises(ValueError, match="the columns that order their rows differ"):
        stage.merge(hs.Stage(KERNELS))
    stage.evict(idle_for="5i")
    assert stage.n_keys < 5


def test_columns_that_order_nothing() -> None:
    frame = plain(10)
    with pytest.raises(TypeError, match="order_by, column 'x': expected a date, a timestamp or an integer"):
        hs.Stage(KERNELS, order_by="x").advance(frame)
    with pytest.raises(hs.ColumnNotFoundError, match="no column 'none', which the stage itself reads"):
        hs.Stage(KERNELS, order_by="none").advance(frame)
    for given in (["at"], ["at", "id"], 3, pl.col("at")):
        for parameter in ("order_by", "time_column"):
            with pytest.raises(TypeError, match=f"parameter '{parameter}': expected the name of one column, got "):
                hs.Stage(KERNELS, **{parameter: given})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="parameter 'order_by': the name"):
        hs.Stage(KERNELS, order_by="a\0b")
    for maker in (hs.Stage, lambda _, late: hs.Stage.from_bytes(hs.Stage(KERNELS).to_bytes(), late=late)):
        with pytest.raises(ValueError, match="no row is late\nhelp: name the column: order_by='ts'"):
            maker(KERNELS, late="drop")
    with pytest.raises(ValueError, match="expected 'error', 'drop' or a function"):
        hs.Stage(KERNELS, order_by="at", late="ignore")  # type: ignore[arg-type]


def test_a_time_column_of_kernels_may_be_the_order() -> None:
    stage = hs.Stage(hs.rolling_sum("x", "5m", by="ts", over="key").alias("s"), order_by="ts", late="drop")
    frame = plain(30)
    stage.advance(frame)
    assert stage.advance(frame).height < 30
    assert stage.n_late > 0


@pytest.mark.parametrize("seed", range(5))
def test_late_rows_are_left_out_whatever_the_batches(seed: int) -> None:
    """As if they had not come, and each of them is counted and handed over once."""
    frame = shuffled(300, seed)
    kept = in_time(frame)
    wanted = hs.with_columns(frame.filter(kept), *KERNELS)
    assert 0 < kept.sum() < 300
    dice = random.Random(seed)
    cuts = sorted({0, 300, *(dice.randrange(300) for _ in range(10))})
    side: list[pl.DataFrame] = []
    for late in ("drop", side.append):
        stage = hs.Stage(KERNELS, order_by="at", late=late)
        pieces = [frame[start:end] for start, end in itertools.pairwise(cuts)]
        peeked = []
        done = []
        for piece in pieces:
            peeked.append(stage.peek(piece))
            done.append(stage.advance(piece))
        for out in (pl.concat(peeked), pl.concat(done)):
            assert out.drop("m").equals(wanted.drop("m"))
            assert same(out["m"], wanted["m"])
        assert (stage.n_late, stage.n_rows) == (300 - kept.sum(), kept.sum())
    assert sorted(pl.concat(side)["at"]) == sorted(frame.filter(~kept)["at"])
    lazy = frame.lazy().hs.with_columns(state=hs.Stage(KERNELS, order_by="at", late="drop"))
    assert lazy.collect().equals(wanted)
    assert lazy.head(40).collect().equals(wanted.head(40))


def test_late_rows_of_every_kind_of_frame() -> None:
    frame = shuffled(100, 1)
    wanted = in_time(frame)
    for given in (frame.to_pandas(), frame.to_arrow(), frame.to_arrow().combine_chunks().to_batches()[0]):
        side: list[Any] = []
        out = hs.Stage(KERNELS, order_by="at", late=side.append).advance(given)
        assert type(out) is type(given)
        assert type(side[0]) is type(given)
        assert len(out) == wanted.sum()
        assert sum(len(rows) for rows in side) == 100 - wanted.sum()


UTC = timezone.utc
TIMES = [
    (pl.Datetime("us"), datetime(2024, 1, 1), timedelta(hours=1)),
    (pl.Datetime("ms"), datetime(2024, 1, 1), timedelta(hours=1)),
    (pl.Datetime("us", "UTC"), datetime(2024, 1, 1, tzinfo=UTC), timedelta(hours=1)),
    (pl.Date(), date(2024, 1, 1), timedelta(days=1)),
    (pl.Int32(), 7, 1),
    (pl.UInt64(), 7, 1),
]


@pytest.mark.parametrize(("dtype", "start", "step"), TIMES, ids=lambda value: str(value))
def test_late_single_rows(dtype: pl.DataType, start: Any, step: Any) -> None:
    side: list[Any] = []
    stage = hs.Stage(hs.cum_count("x", over="key").alias("n"), order_by="at", late=side.append)
    stage.set_schema({"key": dtype, "x": pl.Float64, "at": dtype})
    row = {"key": start, "x": 1.0, "at": start + step}
    assert stage.advance_row(row) == {"n": 1}
    late = row | {"at": start}
    assert stage.peek_row(late) == {}
    assert stage.n_late == 0
    assert stage.advance_row(late) == {}
    assert (stage.n_late, side) == (1, [late])
    assert stage.advance_row(late | {"key": start + step}) == {"n": 1}
    assert stage.advance_row(row) == {"n": 2}
    with pytest.raises(ValueError, match="the column has a null"):
        stage.advance_row(row | {"at": None})


def test_the_policy_goes_with_copies_and_is_given_again_after_a_load(tmp_path: Path) -> None:
    stage = hs.Stage(hs.cum_count("x", over="key").alias("n"), order_by="at", late="drop")
    stage.advance(pl.DataFrame({"key": ["a", "b"], "x": [1.0, 1.0], "at": [5, 5]}))
    stage.save(tmp_path / "state")
    late = {"key": "a", "x": 1.0, "at": 4}
    loaded = hs.Stage.load(tmp_path / "state", late="drop")
    restored = hs.Stage.from_bytes(stage.to_bytes(), late="drop", threads=1)
    for one in (stage, stage.copy(), stage.split(2)[0], pickle.loads(pickle.dumps(stage)), loaded, restored):
        assert one.advance_row(late) == {}
    with pytest.raises(ValueError, match="is not sorted"):
        hs.Stage.load(tmp_path / "state").advance_row(late)


def test_keys_go_to_the_stages_that_their_numbers_name() -> None:
    frame = plain(200)
    stage = hs.Stage(KERNELS)
    stage.advance(frame[:100])
    keys = stage.state()["key"].to_list()
    parts = stage.split_by([at % 3 for at in range(len(keys))], 3)
    wanted = stage.advance(frame[100:])
    for number, part in enumerate(parts):
        own = [key for at, key in enumerate(keys) if at % 3 == number]
        assert part.state()["key"].to_list() == own
        out = part.advance(frame[100:].filter(pl.col("key").is_in(own)))
        assert out.equals(wanted.filter(pl.col("key").is_in(own)))
    for numbers, count in (([0], 1), ([0] * 4 + [3], 3), ([0] * 4, 2)):
        with pytest.raises(ValueError, match="split: got"):
            stage.split_by(numbers, count)
    with pytest.raises(ValueError, match="without keys"):
        hs.Stage(hs.cum_count("x")).split_by([], 1)
