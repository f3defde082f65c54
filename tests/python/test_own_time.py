"""A column that is its own time column, which is how events are counted, in every interface."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

import hypostyle as hs

FRAME = pl.DataFrame(
    {
        "ts": [datetime(2024, 1, 1, 0, minute) for minute in (0, 1, 2, 8, 9, 20)],
        "t": [0, 1, 2, 8, 9, 20],
        "key": ["a", "b"] * 3,
    }
)
COUNTS = {None: [1, 2, 3, 1, 2, 1], "key": [1, 1, 2, 1, 1, 1]}


@pytest.mark.parametrize("over", COUNTS)
@pytest.mark.parametrize(("time", "window"), [("ts", "5m"), ("t", "5i")])
def test_events_are_counted(time: str, window: str, over: str | None, tmp_path: Path) -> None:
    count = hs.rolling_count(time, window, by=time, over=over).alias("n")
    by_method = pl.col(time).hs.rolling_count(window, by=time, over=over).alias("n")
    stage, rows = hs.Stage(count), hs.Stage(count)
    rows.set_schema(FRAME)
    FRAME.write_csv(tmp_path / "in.csv")
    keys = "" if over is None else f'over = "{over}"'
    pipeline = hs.Pipeline(
        f'[[stage]]\n{keys}\nby = "{time}"\n[[stage.kernel]]\nname = "rolling_count"\ncolumn = "{time}"\n'
        f'window = "{window}"\nalias = "n"\n'
    )
    pipeline.run(input=tmp_path / "in.csv", output=tmp_path / "out.csv")
    found = {
        "eager": FRAME.select(count)["n"].to_list(),
        "method": FRAME.select(by_method)["n"].to_list(),
        "streaming": FRAME.lazy().select(count).collect(engine="streaming")["n"].to_list(),
        "with_columns": hs.with_columns(FRAME, count)["n"].to_list(),
        "pandas": hs.with_columns(FRAME.to_pandas(), count)["n"].tolist(),
        "index of pandas": hs.with_columns(FRAME.to_pandas().set_index(time), count)["n"].tolist(),
        "pyarrow": hs.with_columns(FRAME.to_arrow(), count)["n"].to_pylist(),
        "lazy": FRAME.lazy().hs.with_columns(count).collect()["n"].to_list(),
        "stage": [n for at in range(0, 6, 2) for n in stage.advance(FRAME[at : at + 2])["n"]],
        "rows": [rows.advance_row(row)["n"] for row in FRAME.iter_rows(named=True)],
        "pipeline": pl.read_csv(tmp_path / "out.csv")["n"].to_list(),
    }
    assert found == dict.fromkeys(found, COUNTS[over])
