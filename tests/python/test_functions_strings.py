"""Columns of strings in functions: compared with constants, with each other, and with the row before."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import polars as pl
import pytest

import hypostyle

hs: Any = hypostyle

SIDES = ["buy", "sell", None, "", "a longer text than seven bytes", "buy", "a longer text", "ü-seven", "buy", "sell"]
FRAME = pl.DataFrame(
    {
        "side": SIDES * 3,
        "other": [*SIDES[3:], *SIDES[:3]] * 3,
        "x": [float(row) for row in range(30)],
        "key": [row % 4 for row in range(30)],
    }
)
LONG = ("a longer text than seven bytes", "buy")


def signed(side, x):
    return x if side == "buy" else -x


def listed(side):
    return side in LONG


def absent(side):
    return side is None or side != "buy"


def alike(side, other):
    return side == other


def filled(side):
    return bool(side)


def chosen(side, other, x):
    shown = side if x > 12 else other
    return 1 if shown == "sell" else 0


def never(side):
    return side == 3


ROWS = {signed: ["side", "x"], listed: ["side"], absent: ["side"], alike: ["side", "other"], filled: ["side"]}
ROWS |= {chosen: ["side", "other", "x"], never: ["side"]}


@pytest.mark.parametrize("python", list(ROWS))
@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum])
def test_rows(python: Any, dtype: Any) -> None:
    words = pl.Enum([side for side in dict.fromkeys(SIDES) if side is not None]) if dtype is pl.Enum else dtype
    columns = ROWS[python]
    frame = FRAME.with_columns(pl.col("side", "other").cast(words))
    want = [python(*row) for row in FRAME.select(columns).iter_rows()]
    call = hs.jit(python)(*columns).alias("y")
    assert frame.select(call)["y"].to_list() == want
    assert frame.lazy().select(call).collect(engine="streaming")["y"].to_list() == want
    stage = hs.Stage(call)
    stage.set_schema(FRAME.select(columns).schema)
    assert [stage.advance_row(row)["y"] for row in FRAME.select(columns).iter_rows(named=True)] == want


def test_data_of_other_libraries() -> None:
    want = [signed(*row) for row in FRAME.select("side", "x").iter_rows()]
    compiled = hs.jit(signed)
    plain = pd.DataFrame(FRAME.to_dict(as_series=False))
    assert hs.with_columns(plain, compiled("side", "x").alias("y"))["y"].to_list() == want
    assert hs.with_columns(FRAME.to_arrow(), compiled("side", "x").alias("y"))["y"].to_pylist() == want
    assert compiled(FRAME["side"], FRAME["x"]).to_list() == want


def changes(state, side):
    changed = state.last is not None and side != state.last
    return hs.state(last=side, count=state.count + changed), state.count + changed


@pytest.mark.parametrize("over", [None, "key"])
def test_states(over: str | None, tmp_path: Path) -> None:
    call = hs.scan(last=None, count=0)(changes)("side", over=over).alias("y")
    states: dict[Any, Any] = {}
    want = []
    for side, key in FRAME.select("side", "key").iter_rows():
        key = key if over else None
        states[key], result = changes(states.get(key, SimpleNamespace(last=None, count=0)), side)
        want.append(result)
    assert FRAME.select(call)["y"].to_list() == want
    stage, got = hs.Stage(call), []
    for at in range(0, 30, 4):
        got += stage.advance(FRAME[at : at + 4])["y"].to_list()
        stage.save(tmp_path / "state")
        stage = hs.Stage.load(tmp_path / "state")
    assert got == want


def test_pipelines(tmp_path: Path) -> None:
    FRAME.write_parquet(tmp_path / "in.parquet")
    program = hs.jit(signed).program.json
    kernel = f"[[stage]]\n[[stage.kernel]]\nname = 'program'\ncolumns = ['side', 'x']\nprogram = '''{program}'''\n"
    pipeline = hs.Pipeline(f"{kernel}alias = 'y'\n[source]\nformat = 'parquet'\n[sink]\nformat = 'parquet'\n")
    pipeline.run(input=tmp_path / "in.parquet", output=tmp_path / "out.parquet")
    want = [signed(*row) for row in FRAME.select("side", "x").iter_rows()]
    assert pl.read_parquet(tmp_path / "out.parquet")["y"].to_list() == want


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda side: side + 1, "needs numbers, and an operand is a string"),
        (lambda side: side < "b", "needs numbers, and an operand is a string"),
        (lambda side, x: side if x > 1 else x, "a result is a string on one path and a number on another"),
        (lambda side, x: (side if x > 1 else x) == 2, "a variable is a string on one path and a number on another"),
    ],
)
def test_what_is_refused(function: Any, message: str) -> None:
    compiled = hs.jit(function)
    columns = ["side", "x"][: len(compiled.program.inputs)]
    with pytest.raises((TypeError, pl.exceptions.ComputeError), match=rf"{message}[^\n]*\nhelp: .* of strings: 'side'"):
        FRAME.select(compiled(*columns))
