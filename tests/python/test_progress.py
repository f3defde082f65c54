"""Progress of lazy stages and pipelines: a bar of tqdm, or a function."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
import tqdm.auto

import hypostyle as hs

FRAME = pl.DataFrame({"key": [row % 7 for row in range(10_000)], "x": [float(row) for row in range(10_000)]})
KERNELS = [hs.rolling_mean("x", 3, over="key").alias("m"), hs.expanding_max("x").alias("top")]
TOML = '[[stage]]\n[[stage.kernel]]\nname = "expanding_max"\ncolumn = "x"\nalias = "top"\n'


class Bar:
    """A bar that keeps what it is told."""

    made: ClassVar[list[Bar]] = []

    def __init__(self, unit: str, unit_scale: bool) -> None:
        self.total, self.unit, self.n, self.closed, self.postfix = None, unit, 0, False, ""
        Bar.made.append(self)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, count: int) -> None:
        self.n += count

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        self.postfix = text

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Bar]:
    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    monkeypatch.setattr(Bar, "made", [])
    return Bar.made


def test_a_bar_counts_the_rows(bars: list[Bar]) -> None:
    lf = hs.lazy(FRAME.lazy()).with_columns(KERNELS, progress=True)
    assert bars == [], "nothing is drawn before the query runs"
    assert lf.collect().equals(hs.with_columns(FRAME, *KERNELS))
    assert lf.filter(pl.col("key") == 1).collect().height == FRAME.filter(key=1).height
    assert [(bar.n, bar.unit, bar.closed) for bar in bars] == [(10_000, "row", True)] * 2
    assert lf.head(5).collect().height == 5
    assert bars[2].closed, "a query that stops early closes its bar"


def test_a_function_gets_the_rows(tmp_path: Path) -> None:
    seen: list[int] = []
    path = tmp_path / "in.parquet"
    FRAME.write_parquet(path, row_group_size=1000)
    lf = hs.lazy(pl.scan_parquet(path)).with_columns(KERNELS, progress=seen.append)
    assert lf.collect().equals(hs.with_columns(FRAME, *KERNELS))
    assert seen == sorted(set(seen))
    assert seen[-1] == 10_000


def test_an_exception_stops_the_query(tmp_path: Path) -> None:
    def stop(rows: int) -> None:
        raise RuntimeError("enough")

    lf = hs.lazy(FRAME.lazy()).with_columns(KERNELS[:1], progress=stop, save_state=tmp_path / "state")
    with pytest.raises(Exception, match="enough"):
        lf.collect()
    assert not (tmp_path / "state").exists()


def test_a_bar_of_a_pipeline(bars: list[Bar], tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "in.csv")
    summary = hs.Pipeline(TOML).run(input=tmp_path / "in.csv", output=tmp_path / "out.csv", progress=True)
    assert summary.rows_written == 10_000
    assert [(bar.unit, bar.closed) for bar in bars] == [("B", True)]


def test_a_pipeline_without_a_bar(bars: list[Bar], tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "in.csv")
    pipeline = hs.Pipeline(TOML)
    assert pipeline.run(input=tmp_path / "in.csv", output=tmp_path / "out.csv", progress=False).rows_written == 10_000
    seen: list[Any] = []
    pipeline.run(input=tmp_path / "in.csv", output=tmp_path / "out.csv", progress=seen.append)
    assert all(progress.total_bytes > 0 for progress in seen)
    assert bars == []


def test_without_tqdm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    message = "progress=True needs the package tqdm: pip install tqdm; or pass a function as progress"
    with pytest.raises(ImportError, match=f"LazyFrame.hs.with_columns: {message}"):
        hs.lazy(FRAME.lazy()).with_columns(KERNELS, progress=True)
    with pytest.raises(ImportError, match=f"Pipeline.run: {message}"):
        hs.Pipeline(TOML).run(input=tmp_path / "in.csv", output=tmp_path / "out.csv", progress=True)
