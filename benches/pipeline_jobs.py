"""What `pipeline.py` runs, each in a process of its own: files of trades through hypostyle's command and its peers.

Hypostyle runs as the command that users run, from a pipeline file that `pipeline_file` words.  A peer is this script,

    python benches/pipeline_jobs.py JOB CONTENDER SOURCE TARGET

which imports that peer alone.  Parquet is zstd at level 1 everywhere, which is what hypostyle means by "zstd".
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

WINDOW, ALPHA = 20, 0.1
BATCH, PANDAS_CHUNK = 1_000_000, 500_000
CHECK_ROWS = 1_200_000
"""Of the small file that all are checked over: more than a chunk."""
ZSTD: dict[str, Any] = {"compression": "zstd", "compression_level": 1}
MEAN, BOTH = ("mean",), ("mean", "ewm")
TYPES = {
    "ts": "timestamp[us]",
    "symbol": "string",
    "price": "f64",
    "size": "i64",
    "side": "string",
    "note": "string",
}
STAGE = {
    "mean": f'name = "rolling_mean"\ncolumn = "price"\nwindow = {WINDOW}',
    "ewm": f'name = "ewm_mean"\ncolumn = "price"\nalpha = {ALPHA}',
}
Totals = dict[str, float]
"""Of a file: rows, sums of the numbers, the latest time in µs, bytes of the texts."""
Run = Callable[[Path, Path], Totals | None]


@dataclass(frozen=True)
class Contender:
    """One who does a job; without a function it is the command `hypostyle`, with these options."""

    label: str
    run: Run | None = None
    kernels: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    # The contenders of a family are ways to the same: the fastest stands for them.
    family: str = ""
    # Minutes over all rows: gets the first of them.
    slow: bool = False
    # Its rows come out in another order.
    shuffled: bool = False


def pipeline_file(source: Path, target: Path | None, kernels: tuple[str, ...]) -> str:
    """Hypostyle's side of a job as TOML; without a target the rows are read and typed, and go nowhere."""
    lines = ["[source]", f"path = {json.dumps(str(source))}"]
    if source.suffix == ".csv":
        lines += ["[source.schema]", *(f'{name} = "{kind}"' for name, kind in TYPES.items())]
    if kernels:
        lines += ["[[stage]]", 'over = "symbol"']
    for name in kernels:
        lines += ["[[stage.kernel]]", STAGE[name], f'alias = "{name}"']
    lines += ["[sink]"]
    lines += ['format = "none"'] if target is None else [f"path = {json.dumps(str(target))}", 'compression = "zstd"']
    return "\n".join(lines) + "\n"


def polars_csv(inline: bool) -> Callable[[Path], pl.LazyFrame]:
    """Times by the reader's own parser, or as strings that are parsed by a format without a cache, the fastest way."""

    def scan(source: Path) -> pl.LazyFrame:
        import polars as pl

        names = {"timestamp[us]": pl.Datetime("us"), "string": pl.String(), "f64": pl.Float64(), "i64": pl.Int64()}
        schema = {name: names[kind] for name, kind in TYPES.items()}
        if inline:
            return pl.scan_csv(source, schema=schema)
        frame = pl.scan_csv(source, schema=schema | {"ts": pl.String()})
        return frame.with_columns(pl.col("ts").str.to_datetime("%Y-%m-%dT%H:%M:%S.%6f", time_unit="us", cache=False))

    return scan


def polars_parquet(source: Path) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_parquet(source)


def polars_features(scan: Callable[[Path], pl.LazyFrame], source: Path, target: Path) -> None:
    """Polars' `ewm_mean` of a null row is null, hypostyle's and pandas' is the mean so far."""
    import polars as pl

    price = pl.col("price")
    mean = price.rolling_mean(WINDOW, min_samples=WINDOW).over("symbol")
    ewm = price.ewm_mean(alpha=ALPHA, adjust=True, ignore_nulls=False, min_samples=1).forward_fill().over("symbol")
    frame = scan(source).with_columns(mean.alias("mean"), ewm.alias("ewm"))
    frame.sink_parquet(target, engine="streaming", **ZSTD)


def polars_totals(scan: Callable[[Path], pl.LazyFrame], source: Path, target: Path | None = None) -> Totals:
    import polars as pl

    texts = pl.col("symbol", "side", "note").str.len_bytes().sum()
    wanted = (pl.len().alias("rows"), pl.col("ts").max().dt.epoch("us"), pl.col("price", "size").sum(), texts)
    return scan(source).select(wanted).collect(engine="streaming").row(0, named=True)


def polars_convert(source: Path, target: Path) -> None:
    polars_parquet(source).sink_parquet(target, engine="streaming", **ZSTD)


def duckdb_connection(target: Path, **settings: Any) -> Any:
    import duckdb

    return duckdb.connect(config={"temp_directory": f"{target}.spill", **settings})


def duckdb_source(source: Path) -> str:
    if source.suffix == ".parquet":
        return f"read_parquet('{source}')"
    names = {"timestamp[us]": "TIMESTAMP", "string": "VARCHAR", "f64": "DOUBLE", "i64": "BIGINT"}
    columns = ", ".join(f"{name}: '{names[kind]}'" for name, kind in TYPES.items())
    style = "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', new_line = '\\n'"
    return f"read_csv('{source}', {style}, columns = {{{columns}}})"


def duckdb_copy(query: str, target: Path) -> str:
    return f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


def duckdb_features(memory_limit: str | None = None, ordered: bool = False) -> Run:
    """The rolling mean alone.  Two trades may have one time, so the window follows the rows' numbers.

    Rows come out as the windows leave them, unless they are sorted once more.
    """
    settings = {} if memory_limit is None else {"memory_limit": memory_limit}
    mean = f"CASE WHEN count(price) OVER w = {WINDOW} THEN avg(price) OVER w END AS mean"
    window = f"PARTITION BY symbol ORDER BY n ROWS BETWEEN {WINDOW - 1} PRECEDING AND CURRENT ROW"

    def run(source: Path, target: Path) -> None:
        numbered = f"SELECT *, row_number() OVER () AS n FROM {duckdb_source(source)}"
        windows = f"SELECT *, {mean} FROM ({numbered}) WINDOW w AS ({window})"
        query = f"SELECT * EXCLUDE n FROM ({windows})" + (" ORDER BY n" if ordered else "")
        duckdb_connection(target, **settings).execute(duckdb_copy(query, target))

    return run


def duckdb_totals(source: Path, target: Path) -> Totals:
    figures = "count(*) AS rows, epoch_us(max(ts)) AS ts, sum(price) AS price, sum(size) AS size"
    texts = ", ".join(f"sum(strlen({name})) AS {name}" for name in ("symbol", "side", "note"))
    answer = duckdb_connection(target).execute(f"SELECT {figures}, {texts} FROM {duckdb_source(source)}")
    return dict(zip((column[0] for column in answer.description), map(number, answer.fetchone()), strict=True))


def number(value: Any) -> float:
    """What JSON can say: duckdb's sums of integers are wider than 64 bits."""
    return value if isinstance(value, float) else int(value)


def duckdb_convert(source: Path, target: Path) -> None:
    duckdb_connection(target).execute(duckdb_copy(f"SELECT * FROM {duckdb_source(source)}", target))


def arrow_schema(*more: str) -> pa.Schema:
    import pyarrow as pa

    names = {"timestamp[us]": pa.timestamp("us"), "string": pa.string(), "f64": pa.float64(), "i64": pa.int64()}
    columns = [(name, names[kind]) for name, kind in TYPES.items()]
    return pa.schema([*columns, *((name, pa.float64()) for name in more)])


def arrow_csv(whole: bool, source: Path) -> Iterator[pa.RecordBatch]:
    """By the streaming reader, or by the one that fills memory on all threads."""
    from pyarrow import csv

    parse = csv.ParseOptions(newlines_in_values=True)
    convert = csv.ConvertOptions(
        column_types=arrow_schema(), timestamp_parsers=[csv.ISO8601], strings_can_be_null=True, null_values=[""]
    )
    if whole:
        yield from csv.read_csv(source, parse_options=parse, convert_options=convert).to_batches()
    else:
        yield from csv.open_csv(source, parse_options=parse, convert_options=convert)


def arrow_parquet(source: Path) -> Iterator[pa.RecordBatch]:
    from pyarrow import parquet

    with parquet.ParquetFile(source) as file:
        yield from file.iter_batches()


def arrow_totals(read: Callable[[Path], Iterator[pa.RecordBatch]], source: Path, target: Path) -> Totals:
    import pyarrow as pa
    from pyarrow import compute

    totals: Totals = {"rows": 0, "ts": 0, **dict.fromkeys(list(TYPES)[1:], 0)}
    for batch in read(source):
        totals["rows"] += len(batch)
        totals["ts"] = max(totals["ts"], compute.max(batch["ts"].cast(pa.int64())).as_py())
        for name in ("price", "size"):
            totals[name] += compute.sum(batch[name], min_count=0).as_py()
        for name in ("symbol", "side", "note"):
            totals[name] += compute.sum(compute.binary_length(batch[name]), min_count=0).as_py()
    return totals


def arrow_write(batches: Iterator[pa.RecordBatch], schema: pa.Schema, target: Path) -> None:
    from pyarrow import parquet

    with parquet.ParquetWriter(target, schema, **ZSTD) as file:
        for batch in batches:
            file.write_batch(batch)


def arrow_convert(source: Path, target: Path) -> None:
    from pyarrow import parquet

    with parquet.ParquetFile(source) as file:
        arrow_write(file.iter_batches(BATCH), file.schema_arrow, target)


def arrow_prepare(source: Path, target: Path) -> None:
    """The Parquet file that all read: row groups of a million rows, whatever the size of the reader's batches."""
    import pyarrow as pa

    def groups() -> Iterator[pa.RecordBatch]:
        held: list[pa.RecordBatch] = []
        for batch in arrow_csv(False, source):
            held.append(batch)
            if sum(map(len, held)) >= BATCH:
                yield pa.Table.from_batches(held).combine_chunks().to_batches()[0]
                held.clear()
        yield from pa.Table.from_batches(held, arrow_schema()).combine_chunks().to_batches()

    arrow_write(groups(), arrow_schema(), target)


def pandas_chunks(source: Path) -> Iterator[pd.DataFrame]:
    """By the C engine: the one by pyarrow takes no chunks, nor line ends in quotes."""
    import pandas as pd

    texts = dict.fromkeys(("symbol", "side", "note"), "str")
    yield from pd.read_csv(
        source,
        chunksize=PANDAS_CHUNK,
        dtype={**texts, "price": "float64", "size": "float64"},
        parse_dates=["ts"],
        date_format="ISO8601",
        keep_default_na=False,
        na_values=[""],
    )


def arrow_batch(frame: pd.DataFrame, schema: pa.Schema) -> pa.RecordBatch:
    """As one batch: strings of pandas may come as several arrays."""
    import pyarrow as pa

    return pa.Table.from_pandas(frame, schema, preserve_index=False).combine_chunks().to_batches()[0]


def pandas_totals(source: Path, target: Path) -> Totals:
    def read(source: Path) -> Iterator[pa.RecordBatch]:
        yield from (arrow_batch(chunk, arrow_schema()) for chunk in pandas_chunks(source))

    return arrow_totals(read, source, target)


def pandas_features(source: Path, target: Path) -> None:
    """Chunk by chunk, with the state carried by hand."""
    state, schema = Carried(), arrow_schema(*BOTH)

    def groups() -> Iterator[pa.RecordBatch]:
        for chunk in pandas_chunks(source):
            chunk = chunk.reset_index(drop=True)
            yield arrow_batch(chunk.assign(mean=state.mean(chunk), ewm=state.ewm(chunk)), schema)

    arrow_write(groups(), schema, target)


class Carried:
    """What the next chunk needs: each symbol's last rows, and its sums of the weighted values and of the weights."""

    def __init__(self) -> None:
        self.rows: pd.DataFrame | None = None
        self.sums: dict[str, pd.Series[float]] = {}

    def mean(self, chunk: pd.DataFrame) -> Any:
        import pandas as pd

        new = chunk[["symbol", "price"]]
        rows = new if self.rows is None else pd.concat([self.rows, new], ignore_index=True)
        groups = rows.groupby("symbol", sort=False)
        answers = groups["price"].rolling(WINDOW).mean().droplevel(0).sort_index()
        self.rows = groups.tail(WINDOW - 1)
        return answers.to_numpy()[len(rows) - len(new) :]

    def ewm(self, chunk: pd.DataFrame) -> Any:
        symbol, price = chunk["symbol"], chunk["price"]
        age = symbol.groupby(symbol, sort=False).cumcount().astype("float64") + 1.0
        decay = (1 - ALPHA) ** age
        weighted = self.decayed("weighted", price.fillna(0.0), symbol, decay)
        return weighted / self.decayed("weights", price.notna().astype("float64"), symbol, decay)

    def decayed(self, name: str, values: pd.Series[float], symbol: pd.Series[str], decay: pd.Series[float]) -> Any:
        """The exponentially weighted sum of all values so far."""
        total: pd.Series[float] = values.groupby(symbol, sort=False).ewm(alpha=ALPHA).sum().droplevel(0).sort_index()
        before = self.sums.get(name)
        if before is not None:
            total += symbol.map(before).fillna(0.0) * decay
        last = total.groupby(symbol, sort=False).last()
        self.sums[name] = last if before is None else last.combine_first(before)
        return total


ONE: tuple[str, ...] = ("--threads", "1")
INLINE, TEXT = polars_csv(inline=True), polars_csv(inline=False)
WAYS = {
    "polars-inline": ("polars streaming, times by its schema", INLINE),
    "polars-text": ("polars streaming, times by a format", TEXT),
}
OURS = {"hypostyle": Contender("hypostyle"), "hypostyle-one": Contender("hypostyle, --threads 1", options=ONE)}
JOBS: dict[str, dict[str, Contender]] = {
    "features": {
        **{name: replace(contender, kernels=BOTH) for name, contender in OURS.items()},
        "hypostyle-mean": Contender("hypostyle", kernels=MEAN),
        **{
            name: Contender(label, partial(polars_features, scan), BOTH, family="polars")
            for name, (label, scan) in WAYS.items()
        },
        "duckdb": Contender("duckdb", duckdb_features(), MEAN, shuffled=True),
        "duckdb-1gb": Contender("duckdb, memory_limit 1GB", duckdb_features("1GB"), MEAN, shuffled=True),
        "duckdb-ordered": Contender("duckdb, sorted back", duckdb_features(ordered=True), MEAN),
        "pandas": Contender("pandas in chunks, state by hand", pandas_features, BOTH, slow=True),
    },
    "read": {
        **OURS,
        **{
            name: Contender(label, partial(polars_totals, scan), family="polars")
            for name, (label, scan) in WAYS.items()
        },
        "duckdb": Contender("duckdb", duckdb_totals),
        "pyarrow": Contender("pyarrow open_csv", partial(arrow_totals, partial(arrow_csv, False))),
        "pyarrow-whole": Contender("pyarrow read_csv, in memory", partial(arrow_totals, partial(arrow_csv, True))),
        "pandas": Contender("pandas in chunks", pandas_totals, slow=True),
    },
    "convert": {
        **OURS,
        "polars": Contender("polars streaming", polars_convert),
        "duckdb": Contender("duckdb", duckdb_convert),
        "pyarrow": Contender("pyarrow batches", arrow_convert),
    },
    "scan": {
        **OURS,
        "polars": Contender("polars streaming", partial(polars_totals, polars_parquet)),
        "duckdb": Contender("duckdb", duckdb_totals),
        "pyarrow": Contender("pyarrow batches", partial(arrow_totals, arrow_parquet)),
    },
}


def main() -> None:
    """Runs one peer and prints its totals; the job `prepare` makes the Parquet file that all read."""
    job, name, source, target = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    run = arrow_prepare if job == "prepare" else JOBS[job][name].run
    if run is None:
        raise ValueError(f"{name} is a command")
    print(json.dumps(run(source, target)))


if __name__ == "__main__":
    main()
