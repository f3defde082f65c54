"""`hypostyle profile`: what loops with state by key must not be taken for, and the reasons that are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hypostyle._profile.compare import compare
from proofs import proven

ROWS = 400


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "t": pd.Timestamp("2024-01-02") + pd.to_timedelta(np.cumsum(rng.integers(0, 9, ROWS)), unit="s"),
            "s": rng.choice(["a", "b", "c"], ROWS),
            "other": rng.choice(["a", "b", "c"], ROWS),
            "x": np.round(rng.normal(100, 2, ROWS), 2),
        }
    )


def _equal(code: str, tmp_path: Path) -> list[str]:
    return [proof.use for proof in proven(code, tmp_path, df=frame()) if proof.state == "equal"]


@pytest.mark.parametrize(
    "code",
    [
        # The count is read before the row adds to it.
        """
        n = 0
        last, out = {}, []
        for s, x in zip(df["s"], df["x"]):
            out.append(n)
            if s in last and x > last[s]:
                n += 1
            last[s] = x
        print(out)
        """,
        # What a row adds depends on the count.
        """
        n = 0
        last, out = {}, []
        for s, x in zip(df["s"], df["x"]):
            if s in last and x > last[s] + n % 2:
                n += 1
            last[s] = x
            out.append(n)
        print(out)
        """,
        # The window is read before the row is in it.
        """
        recent, cnt = [], []
        for t in df["t"]:
            while recent and t - recent[0] > pd.Timedelta("5s"):
                recent.pop(0)
            cnt.append(len(recent) + 1 if recent else 0)
            recent.append(t)
        print(cnt)
        """,
        # The window is read after the loop.
        """
        recent, cnt = [], []
        for t in df["t"]:
            while recent and t - recent[0] > pd.Timedelta("5s"):
                recent.pop(0)
            recent.append(t)
            cnt.append(len(recent))
        print(cnt, recent)
        """,
    ],
)
def test_what_is_not_recognized(code: str, tmp_path: Path) -> None:
    assert _equal(code, tmp_path) == []


def test_last_rows_of_arrays_keep_what_they_are_made_with(tmp_path: Path) -> None:
    code = """
    x = df["x"].to_numpy()
    out = np.full(len(x), -1.0)
    for i in range(2, len(x) - 3):
        if x[i] > x[i - 1]:
            out[i] = x[i]
    print(out)
    """
    found = [proof for proof in proven(code, tmp_path, df=frame()) if proof.state == "equal"]
    assert "out[2:len(x) - 3] = " in found[0].code


def test_several_keys_are_the_reason(tmp_path: Path) -> None:
    code = """
    ratings, out = {}, []
    for r in df.itertuples():
        a, b = ratings.get(r.s, 1500.0), ratings.get(r.other, 1500.0)
        ratings[r.s], ratings[r.other] = a + 1, b - 1
        out.append(a - b)
    """
    found = proven(code, tmp_path, df=frame())
    assert found[0].state == "none"
    assert found[0].why.startswith("ratings is read by several keys in a row, r.s and r.other")


def test_variables_of_the_next_turn_are_not_read_after_the_loop(tmp_path: Path) -> None:
    code = """
    first = []
    for x in df["x"]:
        y = x * 2
        first.append(y if y > 200 else 0.0)
    second = []
    for x in df["x"]:
        y = x * 3
        second.append(y)
    """
    assert len(_equal(code, tmp_path)) == 2


class _Plain:
    def __init__(self, value: float) -> None:
        self.value = value


def test_objects_are_compared_by_their_attributes() -> None:
    assert compare({"a": _Plain(1.0)}, {"a": _Plain(1.0)}).is_equal
    assert not compare({"a": _Plain(1.0)}, {"a": _Plain(2.0)}).is_equal
    assert not compare([_equal], [frame]).is_equal  # functions are no such objects
