"""The blocks of docs/clusters.md for Spark do what the page says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from blocks import HERE, programs, run
from rows import trades
from test_streaming import Feed

BATCH, STREAMING, STORE, EXAMPLE = programs("spark")


def ticks() -> pa.Table:
    return trades(300).rename_columns(["id", "ts", "symbol", "price", "size"])


def test_batch(spark: Any) -> None:
    out = run(BATCH, df=spark.createDataFrame(ticks()))["features"]
    assert out.columns[-2:] == ["m20", "e"]
    assert out.toArrow().num_rows == 300


@pytest.mark.parametrize("code", [STREAMING, STORE], ids=["files", "store"])
def test_streams(spark: Any, tmp_path: Path, code: str) -> None:
    feed = Feed(spark, tmp_path)
    feed.put(ticks())
    done = run(code, spark=spark, df=feed.frame(), shared=tmp_path)
    done["query"].processAllAvailable()
    done["query"].stop()
    assert spark.read.parquet(f"{tmp_path}/features").count() == 300
    if code is STREAMING:
        assert done["live"].n_rows == 300


def test_the_example_on_real_data(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(HERE / "earthquakes.csv", "earthquakes.csv")
    assert run(EXAMPLE, spark=spark)["quakes"].height == 345
