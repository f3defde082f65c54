"""Measures `hypostyle.spark` against Spark's own windows and pandas functions, and streams against a state per key.

    .venv-spark/bin/python benches/spark.py                          prints the tables
    .venv-spark/bin/python benches/spark.py --rows 20000000 --write  and writes benches/results/spark.md

Needs what `make test-spark` installs.  Three kernels over random prices in random order of keys, on `local[2]`, into
Spark's sink `noop`.  Hypostyle's results are compared with those in memory by a hash of every bit, the others' by sums
of each column (to 1e-9).  Ways over all rows take turns, and the best of `--repeat` runs counts.  Peers run once, over
the first `--peer-rows` rows if these are fewer, and functions that are called for each row over a fifth of them; they
are compared by rows per second.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["PYSPARK_PYTHON"] = sys.executable
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
os.environ["PYTHONPATH"] = os.pathsep.join([sys.path[0], os.environ.get("PYTHONPATH", "")])

import numpy as np
import pandas
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

import hypostyle as hs
import hypostyle.spark as hss
import report
from machine import machine

PAGE = Path(__file__).resolve().parent / "results" / "spark.md"
KERNELS = [
    hs.rolling_mean("price", 20, over="symbol", min_samples=1).alias("mean"),
    hs.rolling_std("price", 20, over="symbol", min_samples=2).alias("std"),
    hs.ewm_mean("price", span=20, over="symbol").alias("ewm"),
]
NAMES = ["mean", "std", "ewm"]
TYPES = "i long, ts timestamp, symbol string, price double, mean double, std double, ewm double"
Route = Callable[[Any], Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables, and writes them with `--write`."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=2_000_000, help="rows of the batch (2,000,000)")
    made.add_argument("--keys", type=int, default=10_000, help="keys (10,000)")
    made.add_argument("--peer-rows", type=int, default=2_000_000, help="rows for Spark's own ways (2,000,000)")
    made.add_argument("--repeat", type=int, default=2, help="runs, of which the best counts (2)")
    made.add_argument("--batch", type=int, default=100_000, help="rows of a micro-batch (100,000)")
    made.add_argument("--write", action="store_true", help="write benches/results/spark.md")
    options = made.parse_args(arguments)
    given = shlex.join(["python", "benches/spark.py", *(sys.argv[1:] if arguments is None else arguments)])
    home = Path(tempfile.mkdtemp(prefix="hypostyle-spark-"))
    spark = session(home)
    try:
        lines = batch(spark, home, options) + streaming(spark, home, options)
        told = machine()
        told["versions"] = {name: v for name, v in told["versions"].items() if v != "not installed"}
        told["versions"] |= {"hypostyle": hs.__version__, "pyspark": spark.version}
    finally:
        spark.stop()
        shutil.rmtree(home, ignore_errors=True)
    text = "\n".join(["# Spark", "", *report.header({"command": given, **told}), "", *lines]) + "\n"
    print(text)
    if options.write:
        PAGE.write_text(text)
    return 0


def session(home: Path) -> Any:
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.local.dir": str(home),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.streaming.stateStore.providerClass": (
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
        ),
        "spark.log.level": "OFF",
    }
    builder: Any = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def made_up(start: int, rows: int, keys: int) -> pa.Table:
    """Some rows, in the order of time."""
    random = np.random.default_rng(start)
    names = pa.array([f"k{key:06}" for key in range(keys)])
    return pa.table(
        {
            "i": np.arange(start, start + rows),
            "ts": pa.array(1_700_000_000_000_000 + np.arange(start, start + rows), pa.timestamp("us", tz="UTC")),
            "symbol": names.take(pa.array(random.integers(0, keys, rows))),
            "price": 100 + random.normal(size=rows),
        }
    )


# ---------------------------------------------------------------- batch


def batch(spark: Any, home: Path, options: argparse.Namespace) -> list[str]:
    paths: dict[int, str] = {}
    few = min(options.rows, options.peer_rows)
    for rows in {options.rows, few, few // 5}:
        paths[rows] = str(home / f"rows-{rows}")
        Path(paths[rows]).mkdir()
        for start in range(0, rows, 1_000_000):
            piece = made_up(start, min(1_000_000, rows - start), options.keys)
            pq.write_table(piece, f"{paths[rows]}/{start:012}.parquet", compression="zstd")
    lines = [
        "## Batch",
        "",
        "| | kernels | rows | seconds | rows/s | to empty | results |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    # Once over few rows, so that the JVM and the workers are warm.
    warm = home / "warm.parquet"
    pq.write_table(made_up(0, 20_000, 100), warm, compression="zstd")
    ways = routes(options.rows, few)
    for way in ways:
        timed(way.route, spark.read.parquet(str(warm)))
    best: dict[str, float] = {}
    for turn in range(options.repeat):
        for way in ways:
            if turn == 0 or not way.peer:
                taken = timed(way.route, spark.read.parquet(paths[way.rows]))
                best[way.name] = min(taken, best.get(way.name, taken))
                print(f"{way.name}: {taken:.1f} s", file=sys.stderr, flush=True)
    speeds: dict[str, float] = {}
    for way in ways:
        taken = best[way.name]
        ratio = f"{taken / best[EMPTY]:.2f}" if not way.peer else ""
        agreed = "" if way.kernels == "none" else compared(spark, home, way, paths[way.rows])
        speed = way.rows / taken
        lines.append(f"| {way.name} | {way.kernels} | {way.rows:,} | {taken:.1f} | {speed:,.0f} | {ratio} | {agreed} |")
        if way.kernels == "mean, std, ewm":
            speeds[way.name] = speed
    own = speeds.pop("hypostyle.spark.with_columns")
    name, fastest = max(speeds.items(), key=lambda pair: pair[1])
    lines += [
        "",
        f"The fastest other way with all three kernels is {name}: {own / fastest:.1f} times its rows per second.",
    ]
    return lines


EMPTY = "empty mapInArrow over it"


@dataclass(frozen=True)
class Way:
    """What is measured; a peer once, and over rows of its own."""

    name: str
    kernels: str
    rows: int
    route: Route
    peer: bool = False


def routes(rows: int, few: int) -> list[Way]:
    return [
        Way("repartition, sort", "none", rows, placed),
        Way(EMPTY, "none", rows, nothing),
        Way("hypostyle.spark.with_columns", "mean, std, ewm", rows, own_route),
        Way("Window functions of Spark", "mean, std", few, windows, peer=True),
        Way("applyInPandas", "mean, std, ewm", few, in_pandas, peer=True),
        Way("pandas_udf over windows", "mean, std, ewm", few // 5, pandas_windows, peer=True),
    ]


def placed(df: Any) -> Any:
    return df.repartition(2, "symbol").sortWithinPartitions("ts", "i")


def nothing(df: Any) -> Any:
    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in batches:
            price = rows.column("price")
            yield pa.RecordBatch.from_arrays([*rows.columns, price, price, price], names=[*rows.schema.names, *NAMES])

    return placed(df).mapInArrow(run, TYPES)


def own_route(df: Any) -> Any:
    return hss.with_columns(df, *KERNELS, order_by=["ts", "i"], partitions=2)


def windows(df: Any) -> Any:
    last = Window.partitionBy("symbol").orderBy("ts", "i").rowsBetween(-19, 0)
    return df.withColumn("mean", F.avg("price").over(last)).withColumn("std", F.stddev_samp("price").over(last))


def in_pandas(df: Any) -> Any:
    def run(frame: Any) -> Any:
        frame = frame.sort_values(["ts", "i"])
        price = frame["price"]
        last = price.rolling(20, min_periods=1)
        return frame.assign(mean=last.mean(), std=last.std(), ewm=price.ewm(span=20).mean())

    return df.groupBy("symbol").applyInPandas(run, TYPES)


def pandas_windows(df: Any) -> Any:
    """Functions of a window's values.  The third has no other window than all rows so far."""

    @F.pandas_udf("double")  # type: ignore[call-overload,untyped-decorator,unused-ignore]
    def mean(price: pandas.Series) -> float:
        return float(price.mean())

    @F.pandas_udf("double")  # type: ignore[call-overload,untyped-decorator,unused-ignore]
    def std(price: pandas.Series) -> float:
        return float(price.std())

    @F.pandas_udf("double")  # type: ignore[call-overload,untyped-decorator,unused-ignore]
    def ewm(price: pandas.Series) -> float:
        return float(price.ewm(span=20).mean().iloc[-1])

    rows = Window.partitionBy("symbol").orderBy("ts", "i")
    last, so_far = rows.rowsBetween(-19, 0), rows.rowsBetween(Window.unboundedPreceding, 0)
    columns = {"mean": mean("price").over(last), "std": std("price").over(last), "ewm": ewm("price").over(so_far)}
    return df.withColumns(columns)


def timed(run: Route, df: Any) -> float:
    begin = time.perf_counter()
    run(df).write.format("noop").mode("overwrite").save()
    return time.perf_counter() - begin


def compared(spark: Any, home: Path, way: Way, path: str) -> str:
    """Compare a result with that in memory; raise if it differs."""
    out, kernels, name = way.route(spark.read.parquet(path)), way.kernels, way.name
    wanted = home / "wanted.parquet"
    pl.read_parquet(f"{path}/*.parquet").sort("i").pipe(hs.with_columns, *KERNELS).write_parquet(wanted)
    names = kernels.split(", ")
    memory = spark.read.parquet(str(wanted))
    if name.startswith("hypostyle"):
        digest = [F.sum(F.xxhash64("i", name).cast("decimal(38,0)")) for name in names]
        if out.agg(*digest).collect() != memory.agg(*digest).collect():
            raise AssertionError(f"{name}: the bits differ from those in memory")
        return "bits of memory"
    sums = [F.sum(name) for name in names] + [F.count(name) for name in names]
    got, right = out.agg(*sums).collect()[0], memory.agg(*sums).collect()[0]
    if not np.allclose(np.array(got, float), np.array(right, float), rtol=1e-9):
        raise AssertionError(f"{name}: {got} instead of {right}")
    return "sums"


# ---------------------------------------------------------------- streaming


def streaming(spark: Any, home: Path, options: argparse.Namespace) -> list[str]:
    source = home / "stream"
    source.mkdir()
    count, rows = 4, options.batch
    for number in range(count):
        path = source / f"{number}.parquet"
        pq.write_table(made_up(number * rows, rows, options.keys), path, compression="zstd")
        os.utime(path, (time.time() - 1000 + number, time.time() - 1000 + number))
    schema = spark.read.parquet(str(source)).schema
    kernel = hs.ewm_mean("price", span=20, over="symbol").alias("ewm")

    def reader() -> Any:
        return spark.readStream.schema(schema).option("maxFilesPerTrigger", 1).parquet(str(source))

    def own(name: str) -> Any:
        return hss.stream(
            reader(),
            kernel,
            order_by=["ts", "i"],
            checkpoint=home / name,
            write=str(home / f"{name}-out"),
            buckets=64,
            trigger={"availableNow": True},
        )

    def in_store(name: str) -> Any:
        done = hss.with_columns(reader(), kernel, order_by=["ts", "i"], buckets=64)
        writer = done.writeStream.format("parquet").option("path", str(home / f"{name}-out"))
        return writer.option("checkpointLocation", str(home / name)).trigger(availableNow=True).start()

    def per_key(name: str) -> Any:
        done = reader().groupBy("symbol").transformWithStateInPandas(ewm_of_key(), TYPES_OF_KEY, "Append", "None")
        writer = done.writeStream.format("parquet").option("path", str(home / f"{name}-out"))
        return writer.option("checkpointLocation", str(home / name)).trigger(availableNow=True).start()

    lines = [
        "",
        "## Streaming",
        "",
        f"One recurrence (`ewm_mean`), micro-batches of {rows:,} rows by {options.keys:,} keys.",
        "",
    ]
    lines += [
        "| | rows | seconds per micro-batch | rows/s | checkpoint, bytes per key | results |",
        "|---|---:|---|---:|---:|---|",
    ]
    speeds = []
    ways = (
        ("hypostyle.spark.stream", "own", own),
        ("hypostyle.spark.with_columns, states in Spark's store", "store", in_store),
        ("transformWithStateInPandas, a state per key", "per-key", per_key),
    )
    for name, place, start in ways:
        query = start(place)
        begin = time.perf_counter()
        while query.isActive and time.perf_counter() - begin < 240:
            time.sleep(0.2)
        query.stop()
        if query.exception() is not None:
            raise RuntimeError(query.exception())
        batches = [progress.batchDuration / 1000 for progress in query.recentProgress if progress.numInputRows]
        out = pl.read_parquet(f"{home}/{place}-out/**/*.parquet", hive_partitioning=False).sort("i")
        wanted = hs.with_columns(pl.read_parquet(f"{source}/*.parquet").sort("i"), kernel)["ewm"][: out.height]
        worst = (out["ewm"] - wanted).abs().max()
        if not isinstance(worst, float) or worst > 1e-9:
            raise AssertionError(f"{name}: differs by {worst!r}")
        agreed = "bits of memory" if out["ewm"].equals(wanted) else "to 1e-9"
        size = sum(file.stat().st_size for file in (home / place).rglob("*") if file.is_file())
        speeds.append(rows * len(batches) / sum(batches))
        each = ", ".join(f"{seconds:.1f}" for seconds in batches)
        lines.append(
            f"| {name} | {out.height:,} | {each} | {speeds[-1]:,.0f} | {size / options.keys:,.0f} | {agreed} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    ratios = f"{speeds[0] / speeds[2]:.1f} and {speeds[1] / speeds[2]:.1f}"
    lines += ["", f"Hypostyle's two ways have {ratios} times the rows per second of a state per key."]
    return lines


TYPES_OF_KEY = "i long, symbol string, ewm double"


def ewm_of_key() -> Any:
    from pyspark.sql.streaming import StatefulProcessor

    class Ewm(StatefulProcessor):  # type: ignore[misc]
        """The same recurrence by hand, with the state of one key."""

        def init(self, handle: Any) -> None:
            self.sums = handle.getValueState("sums", "weighted double, weights double")

        def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Any]:
            import pandas

            frame = pandas.concat(list(rows)).sort_values("i")
            weighted, weights = self.sums.get() or (0.0, 0.0)
            decay, means = 1 - 2 / 21, []
            for price in frame["price"].to_numpy():
                weighted, weights = weighted * decay + price, weights * decay + 1
                means.append(weighted / weights)
            self.sums.update((float(weighted), float(weights)))
            symbol = [key[0]] * len(means)
            yield pandas.DataFrame({"i": frame["i"].to_numpy(), "symbol": symbol, "ewm": means})

        def close(self) -> None:
            pass

    return Ewm()


if __name__ == "__main__":
    raise SystemExit(main())
