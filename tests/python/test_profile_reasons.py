"""`hypostyle profile`: what is said of a line that is not replaced, and why it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from hypostyle._profile.advice import report
from hypostyle._profile.hot import Spot, others, units_of
from hypostyle._profile.prove import Proof
from hypostyle._profile.work import explain
from hypostyle_profile.stacks import Frame, Samples, Stack, Times
from proofs import proven


def _spot(folder: Path, code: str, line: int, times: Times, *below: Frame) -> Spot:
    """Return the finding of a script in which a line, or the library that it calls, was seen."""
    script = folder / "script.py"
    script.write_text(code)
    frames = (*below, Frame(str(script), line, "<module>", 1))
    samples = Samples(0.005, wall=1.0, stacks=[Stack("MainThread", True, frames, times)])
    return [*units_of(samples, 0.0), *others(samples, [], 0.0)][0]


PANDAS = "/lib/python3.12/site-packages/pandas/core/groupby/generic.py"
PYTHON, NATIVE = Times(python=1.0, count=9), Times(native=1.0, count=9)


@pytest.mark.parametrize(
    "code",
    [
        "for i in range(9):\n    readings.at[i, 'load'] = sub['r2'][i]\n",
        "for i in range(9):\n    load = readings[i] + json\n    total = load\n",
    ],
)
def test_names_of_variables_say_nothing_of_the_kind_of_work(tmp_path: Path, code: str) -> None:
    assert explain(_spot(tmp_path, code, 2, PYTHON))[0] == "Python code"


def test_a_function_of_the_script_says_nothing_by_its_name(tmp_path: Path) -> None:
    code = "def load(x):\n    return x\n\nfor i in range(9):\n    y = load(i)\n"
    assert explain(_spot(tmp_path, code, 5, PYTHON))[0] == "Python code"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("x = json.loads(text)", "JSON and serialization"),
        ("x = database.execute(query)", "database"),
        ("df = pd.read_csv(path)", "reading and writing files"),
        ("import pandas", "imports"),
    ],
)
def test_functions_that_a_line_calls_say_it(tmp_path: Path, line: str, kind: str) -> None:
    assert explain(_spot(tmp_path, f"{line}\n", 1, NATIVE))[0] == kind


def test_the_library_that_was_seen_comes_before_other_calls_of_the_line(tmp_path: Path) -> None:
    frame = Frame(json.__file__, 1, "loads", 1)
    spot = _spot(tmp_path, "rows = concat([json.loads(t) for t in read(path)])\n", 1, NATIVE, frame)
    assert explain(spot)[0] == "JSON and serialization"


@pytest.mark.parametrize(
    "code",
    [
        "def f(s):\n    return s\nout = df.groupby('k')['x'].transform(f)\n",
        "\n\nout = df.x.expanding().apply(lambda w: (w <= w[-1]).mean(), raw=True)\n",
    ],
)
def test_calls_of_functions_of_the_script_are_not_called_compiled(tmp_path: Path, code: str) -> None:
    below = Frame(PANDAS, 1, "SeriesGroupBy.transform", 1)
    assert "compiled code already" not in explain(_spot(tmp_path, code, 3, NATIVE, below))[1]


def test_a_library_alone_is_called_compiled(tmp_path: Path) -> None:
    below = Frame(PANDAS, 1, "SeriesGroupBy.transform", 1)
    spot = _spot(tmp_path, "out = df.groupby('k')['x'].transform('sum')\n", 1, NATIVE, below)
    assert "compiled code already" in explain(spot)[1]


def test_a_line_in_the_run_queue_does_not_wait(tmp_path: Path) -> None:
    spot = _spot(tmp_path, "x = f(y)\n", 1, Times(python=0.1, queue=0.7, waiting=0.2, count=9))
    assert "waits" not in explain(spot)[1]


FRAME = pd.DataFrame({"k": list("abab"), "x": [1.0, 2.0, 3.0, 4.0]})


def _why(code: str, folder: Path) -> str:
    return next(proof.why for proof in proven(code, folder, df=FRAME))


def test_the_statement_that_is_not_recognized_is_named(tmp_path: Path) -> None:
    code = """
        out = []
        total = 0.0
        for _, row in df.iterrows():
            total += row["x"]
            if total > 3:
                total -= REST.weigh(row)
            out.append(total)
    """
    assert _why(code, tmp_path) == "line 7: `total -= REST.weigh(row)` is not recognized"


def test_of_several_statements_the_first_is_named(tmp_path: Path) -> None:
    code = """
        out = []
        for _, row in df.iterrows():
            a = row["x"] * 2
            b = REST.weigh(row)
            a += REST.count(row, b)
            out.append(a)
    """
    assert "`b = REST.weigh(row)`" in _why(code, tmp_path)


POLARS = """
def spread(s):
    return (s.max() - s.min()) / s.mean()
def rising(s):
    return float((s.diff().drop_nulls() > 0).sum()) / (len(s) - 1)
table = table.with_columns(
    pl.col("x").rolling_map(spread, window_size=2).over("k").alias("a"),
    pl.col("x").rolling_map(rising, window_size=2).over("k").alias("b"),
)
"""


def test_the_part_of_a_query_that_stays_is_named_with_the_reason(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(POLARS)
    stack = Stack("MainThread", True, (Frame(str(script), 6, "<module>", 1),), NATIVE)
    samples = Samples(0.005, wall=1.0, stacks=[stack])
    spots = units_of(samples, 0.0)
    proofs: list[Proof | None] = [
        Proof("equal", use=spot.unit.suggestion, rows=9, before=2.0, after=1.5)
        if spot.unit is not None and "spread" in spot.unit.suggestion and "rising" not in spot.unit.suggestion
        else Proof("refused", use=spot.unit.suggestion if spot.unit is not None else "", why="sum is not compiled")
        for spot in spots
    ]
    made = report("script.py", samples, spots, proofs, 0.0)
    proof = made.findings[0].proof
    assert proof is not None
    assert "spread" in proof.use
    assert proof.why.startswith("not replaced by hs.rolling(rising)")


def test_nothing_is_said_of_statements_for_what_is_no_loop(tmp_path: Path) -> None:
    found = proven("df['a'] = df.groupby('k')['x'].transform(lambda s: REST.f(s))", tmp_path, df=FRAME)
    assert all("is not recognized" not in proof.why for proof in found)
