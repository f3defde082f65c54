"""Prints in what order the functions of Ray Data, Daft and Dask get the rows of a key: python orders.py ray|daft|dask.

docs/clusters.md says what was seen.  None of them promises an order, and a run shows only what happened in it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

KEYS, ROWS, FILES = 20, 4_000, 4


def ticks(home: Path) -> str:
    """A directory of files with rows in the order of their number."""
    random = np.random.default_rng(1)
    table = pa.table({"id": np.arange(ROWS), "symbol": [f"k{key:02}" for key in random.integers(0, KEYS, ROWS)]})
    for at in range(FILES):
        pq.write_table(table.slice(at * ROWS // FILES, ROWS // FILES), home / f"{at}.parquet")
    return str(home)


def in_order(ids: Any) -> bool:
    return bool((np.diff(np.asarray(ids)) > 0).all())


def say(what: str, found: list[bool]) -> None:
    print(f"{what}: {sum(found)} of {len(found)} keys in order", flush=True)


def of_ray(path: str) -> None:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.default_hash_shuffle_parallelism = FILES

    def check(rows: pa.Table) -> pa.Table:
        return pa.table({"ok": [in_order(rows["id"])]})

    ticks = ray.data.read_parquet(path)
    for what, ds in (("groupby", ticks), ("sort, groupby", ticks.sort("id"))):
        done = ds.groupby("symbol").map_groups(check, batch_format="pyarrow")
        say(f"Ray {ray.__version__}, {what}", [row["ok"] for row in done.take_all()])


def of_daft(path: str) -> None:
    import daft

    @daft.func.batch(return_dtype=daft.DataType.bool())
    def check(ids: Any) -> list[bool]:
        return [in_order(ids.to_arrow())]

    ticks = daft.read_parquet(f"{path}/*.parquet")
    for what, df in (("groupby", ticks), ("sort, groupby", ticks.sort("id"))):
        done = df.groupby("symbol").map_groups(check(df["id"]).alias("ok"))
        say(f"Daft {daft.__version__}, {what}", done.to_pydict()["ok"])
    for what, df in (("scan", ticks), ("sort", ticks.sort("id"))):
        ids = pa.Table.from_batches(df.to_arrow_iter())["id"]
        print(f"Daft {daft.__version__}, {what}: rows {'in order' if in_order(ids) else 'not in order'}", flush=True)


def of_dask(path: str) -> None:
    import dask
    import dask.dataframe as dd
    from dask.distributed import Client

    def check(rows: Any) -> Any:
        return rows.groupby("symbol")["id"].apply(in_order).reset_index(name="ok")

    ticks = dd.read_parquet(path)

    def show(where: str, method: str) -> None:
        done = ticks.shuffle("symbol", shuffle_method=method).map_partitions(check, meta=check(ticks._meta_nonempty))
        say(f"Dask {dask.__version__}, shuffle {method!r}, {where}", done.compute()["ok"].tolist())

    for method in ("disk", "tasks"):
        show("threads", method)
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None):
        for method in ("tasks", "p2p"):
            show("distributed", method)


ENGINES: dict[str, Callable[[str], None]] = {"ray": of_ray, "daft": of_daft, "dask": of_dask}

if __name__ == "__main__":
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    with tempfile.TemporaryDirectory() as home:
        ENGINES[sys.argv[1]](ticks(Path(home)))
