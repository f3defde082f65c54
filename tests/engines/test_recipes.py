"""The recipes of docs/clusters.md for Ray Data, Daft and Dask give what memory gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import hypostyle as hs

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "clusters.md"
ROWS = 4_000


def of_ray(out: Any) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(table) for table in out.iter_batches(batch_format="pyarrow", batch_size=None)])


def of_dask(out: Any) -> pl.DataFrame:
    frame: pl.DataFrame = pl.from_pandas(out.compute(), nan_to_null=True)
    return frame


COLLECT: dict[str, Callable[[Any], pl.DataFrame]] = {"ray": of_ray, "daft": pl.DataFrame, "dask": of_dask}


@pytest.mark.parametrize("engine", COLLECT)
def test_recipe(engine: str, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    rows = pl.DataFrame(
        {
            "id": np.arange(ROWS),
            "ts": pl.Series(1_700_000_000_000_000 + np.arange(ROWS) // 3).cast(pl.Datetime("us")),
            "symbol": [f"k{key:02}" for key in random.integers(0, 20, ROWS)],
            "price": random.normal(100, 5, ROWS),
        }
    )
    for at, part in enumerate(rows.iter_slices(ROWS // 4)):
        part.write_parquet(tmp_path / f"{at}.parquet")
    if engine == "ray":
        import ray

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    (code,) = re.findall(rf"^```python {engine}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    given: dict[str, Any] = {"path": str(tmp_path)}
    exec(code, given)
    got = COLLECT[engine](given["out"]).sort("id")
    wanted = hs.with_columns(rows, hs.rolling_mean("price", 20, over="symbol").alias("m20"))
    assert got.columns == wanted.columns
    assert got["m20"].equals(wanted["m20"])
