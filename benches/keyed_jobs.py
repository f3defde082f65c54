"""What `keyed.py` runs, each in a process of its own: the contenders over files, and the keys in memory.

A contender imports and compiles first and gives back what is timed, so that a process holds no library but its own.
Parquet is zstd at level 1 everywhere, so that files weigh as little as they can.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

    Array = npt.NDArray[Any]

WINDOW, ALPHA, LOWER, UPPER = 20, 0.1, -50.0, 50.0
BATCH = 1_000_000
# Keys are whole numbers with gaps, so that nobody can take them for places in an array.
SPREAD = 1_000_000_007
NULLS = 0.01
ZSTD: dict[str, Any] = {"compression": "zstd", "compression_level": 1}
MEAN, TWO, THREE = ("mean",), ("mean", "ewm"), ("mean", "ewm", "level")
Prepare = Callable[[Path, Path], Callable[[], object]]


def batches(rows: int, keys: int) -> Iterator[tuple[Array, Array]]:
    """Columns `key` and `x` of the first `rows` rows, by batches; NaN stands for null."""
    import numpy as np

    for start in range(0, rows, BATCH):
        random, count = np.random.default_rng([20, start]), min(BATCH, rows - start)
        key = random.integers(0, keys, BATCH)[:count] * SPREAD
        x = np.round(random.normal(0, 10, BATCH)[:count], 2)
        x[random.random(BATCH)[:count] < NULLS] = np.nan
        yield key, x


def peak() -> int:
    """The most memory that this process has held, in bytes.

    Linux hands `ru_maxrss` on from the parent where it forks; `VmHWM` is of this program alone.
    """
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else []:
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def first_to_go() -> None:
    """Where memory runs out, the kernel ends this process rather than another."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text("1000")


def over_file(name: str, source: Path, target: Path) -> dict[str, Any]:
    """A contender from Parquet to Parquet: seconds and peak memory."""
    first_to_go()
    run = CONTENDERS[name].prepare(source, target)
    begin = time.perf_counter()
    run()
    return {"seconds": time.perf_counter() - begin, "peak": peak()}


def copy(source: Path, target: Path) -> Callable[[], object]:
    import polars as pl

    return lambda: pl.scan_parquet(source).sink_parquet(target, **ZSTD)


def hypostyle(kernels: tuple[str, ...]) -> Prepare:
    def prepare(source: Path, target: Path) -> Callable[[], object]:
        import polars as pl

        chosen = expressions(kernels)

        def run() -> None:
            frame: Any = pl.scan_parquet(source)
            frame.hs.with_columns(*chosen).sink_parquet(target, **ZSTD)

        return run

    return prepare


def expressions(kernels: tuple[str, ...] = THREE) -> list[Any]:
    import hypostyle as hs

    made = {
        "mean": hs.rolling_mean("x", WINDOW, over="key"),
        "ewm": hs.ewm_mean("x", alpha=ALPHA, over="key"),
        "level": hs.cumsum_clip("x", LOWER, UPPER, over="key"),
    }
    return [made[name].alias(name) for name in kernels]


def polars_expressions() -> list[pl.Expr]:
    """Two of the three.  Polars' `ewm_mean` of a null row is null, hypostyle's and pandas' is the mean so far."""
    import polars as pl

    x = pl.col("x")
    mean = x.rolling_mean(WINDOW, min_samples=WINDOW).over("key")
    ewm = x.ewm_mean(alpha=ALPHA, adjust=True, ignore_nulls=False, min_samples=1).forward_fill().over("key")
    return [mean.alias("mean"), ewm.alias("ewm")]


def polars_memory(source: Path, target: Path) -> Callable[[], object]:
    import polars as pl

    return lambda: pl.read_parquet(source).with_columns(polars_expressions()).write_parquet(target, **ZSTD)


def polars_streaming(source: Path, target: Path) -> Callable[[], object]:
    import polars as pl

    return lambda: pl.scan_parquet(source).with_columns(polars_expressions()).sink_parquet(target, **ZSTD)


class Sequence:
    """The state of one key, as a Python programmer keeps it."""

    __slots__ = ("count", "level", "total", "weight", "weighted", "window")

    def __init__(self) -> None:
        self.window: deque[float | None] = deque([None] * WINDOW, WINDOW)
        self.count, self.total = 0, 0.0
        self.weight, self.weighted, self.level = 0.0, 0.0, 0.0

    def answers(self, x: float | None) -> tuple[float | None, float | None, float]:
        gone = self.window[0]
        self.window.append(x)
        if gone is not None:
            self.count -= 1
            self.total -= gone
        self.weight *= 1 - ALPHA
        self.weighted *= 1 - ALPHA
        if x is not None:
            self.count += 1
            self.total += x
            self.weight += 1.0
            self.weighted += x
            self.level = min(max(self.level + x, LOWER), UPPER)
        mean = self.total / WINDOW if self.count == WINDOW else None
        return mean, self.weighted / self.weight if self.weight else None, self.level


def polars_dict(source: Path, target: Path) -> Callable[[], object]:
    """On one thread: with more, Polars calls the function for several batches at once and the states go wrong."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    import polars as pl

    states: dict[int, Sequence] = {}
    outputs = {name: pl.Float64() for name in THREE}

    def answer(frame: pl.DataFrame) -> pl.DataFrame:
        rows = []
        for key, x in zip(frame["key"].to_list(), frame["x"].to_list(), strict=True):
            state = states.get(key)
            if state is None:
                state = states[key] = Sequence()
            rows.append(state.answers(x))
        return frame.hstack(pl.DataFrame(list(zip(*rows, strict=True)), schema=outputs, orient="col"))

    schema = {"key": pl.Int64(), "x": pl.Float64(), **outputs}

    def run() -> None:
        frame = pl.scan_parquet(source).map_batches(answer, schema=schema, streamable=True)
        frame.sink_parquet(target, **ZSTD)

    return run


def duckdb(memory_limit: str | None) -> Prepare:
    """The rolling mean alone; rows come out in the order of the windows, with their number `n`."""

    def prepare(source: Path, target: Path) -> Callable[[], object]:
        import duckdb

        connection = duckdb.connect(config={"temp_directory": f"{target}.spill", "preserve_insertion_order": False})
        if memory_limit is not None:
            connection.execute(f"SET memory_limit = '{memory_limit}'")
        query = f"""
            COPY (
                SELECT key, x, file_row_number AS n, CASE WHEN count(x) OVER w = {WINDOW} THEN avg(x) OVER w END AS mean
                FROM read_parquet('{source}', file_row_number = true)
                WINDOW w AS (
                    PARTITION BY key ORDER BY file_row_number ROWS BETWEEN {WINDOW - 1} PRECEDING AND CURRENT ROW
                )
            ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"""
        return lambda: connection.execute(query)

    return prepare


def pandas(source: Path, target: Path) -> Callable[[], object]:
    import pandas as pd

    def run() -> None:
        frame = pd.read_parquet(source)
        x = frame.groupby("key", sort=False)["x"]
        frame["mean"] = x.rolling(WINDOW).mean().droplevel(0)
        frame["ewm"] = x.ewm(alpha=ALPHA).mean().droplevel(0)
        frame.to_parquet(target, index=False, **ZSTD)

    return run


# A key's row in the state of the numba loop: its last values, then these.
PLACE, COUNT, TOTAL, WEIGHT, WEIGHTED, LEVEL, WIDTH = range(WINDOW, WINDOW + 7)


def _slots(key: Array, index: Any, slot: Array) -> None:
    """The row of each key in the state; a new key gets the next one."""
    for i in range(len(key)):
        found = index.get(key[i], -1)
        if found < 0:
            found = len(index)
            index[key[i]] = found
        slot[i] = found


def _answers(slot: Array, x: Array, state: Array, mean: Array, ewm: Array, level: Array) -> None:
    """All three kernels, row by row; NaN stands for null."""
    for i in range(len(x)):
        own, value = state[slot[i]], x[i]
        place = int(own[PLACE])
        gone = own[place]
        if gone == gone:
            own[COUNT] -= 1
            own[TOTAL] -= gone
        own[place] = value
        own[PLACE] = place + 1 if place + 1 < WINDOW else 0
        own[WEIGHT] *= 1 - ALPHA
        own[WEIGHTED] *= 1 - ALPHA
        if value == value:
            own[COUNT] += 1
            own[TOTAL] += value
            own[WEIGHT] += 1.0
            own[WEIGHTED] += value
            own[LEVEL] = min(max(own[LEVEL] + value, LOWER), UPPER)
        mean[i] = own[TOTAL] / WINDOW if own[COUNT] == WINDOW else float("nan")
        ewm[i] = own[WEIGHTED] / own[WEIGHT] if own[WEIGHT] > 0 else float("nan")
        level[i] = own[LEVEL]


class Loop:
    """The compiled loop with its dict from key to row of state."""

    def __init__(self) -> None:
        import numba
        import numpy as np

        self.index = numba.typed.Dict.empty(numba.int64, numba.int64)
        self.state = self.fresh(1024)
        self.slots, self.answers = numba.njit(_slots), numba.njit(_answers)
        # Arrow's buffers are read-only, a type of its own to numba; a column with nulls comes as a copy, which isn't.
        key, x, copied = np.empty(0, "i8"), np.empty(0), np.empty(0)
        key.flags.writeable = x.flags.writeable = False
        self.run(key, x)
        self.run(key, copied)

    def fresh(self, keys: int) -> Array:
        import numpy as np

        state = np.zeros((keys, WIDTH))
        state[:, :WINDOW] = np.nan
        return state

    def run(self, key: Array, x: Array) -> tuple[Array, ...]:
        import numpy as np

        slot = np.empty(len(key), "i8")
        self.slots(key, self.index, slot)
        if len(self.index) > len(self.state):
            grown = self.fresh(2 * len(self.index))
            grown[: len(self.state)] = self.state
            self.state = grown
        outputs = tuple(np.empty(len(x)) for _ in THREE)
        self.answers(slot, x, self.state, *outputs)
        return outputs


def numba(source: Path, target: Path) -> Callable[[], object]:
    import pyarrow as pa
    from pyarrow import parquet

    loop = Loop()
    schema = pa.schema([("key", pa.int64()), *((name, pa.float64()) for name in ("x", *THREE))])

    def run() -> None:
        with parquet.ParquetFile(source) as read, parquet.ParquetWriter(target, schema, **ZSTD) as write:
            for batch in read.iter_batches(BATCH):
                key, x = batch.columns
                answers = loop.run(key.to_numpy(), x.to_numpy(zero_copy_only=False))
                columns = [key, x, *(pa.array(values, from_pandas=True) for values in answers)]
                write.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))

    return run


@dataclass(frozen=True)
class Contender:
    """One who goes from Parquet to Parquet."""

    label: str
    kernels: tuple[str, ...]
    prepare: Prepare
    # Minutes or tens of gigabytes over all rows: runs over the first of them.
    slow: bool = False
    # Its rows come out in another order, with their number `n`.
    shuffled: bool = False


CONTENDERS = {
    "hypostyle": Contender("hypostyle", THREE, hypostyle(THREE)),
    "hypostyle-two": Contender("hypostyle", TWO, hypostyle(TWO)),
    "hypostyle-mean": Contender("hypostyle", MEAN, hypostyle(MEAN)),
    "copy": Contender("copy of the input, by polars", (), copy),
    "copy-output": Contender("copy of hypostyle's output, by polars", (), copy),
    "numba": Contender("numba loop, typed dict", THREE, numba),
    "polars-dict": Contender("polars map_batches, dict of states", THREE, polars_dict, slow=True),
    "polars-over": Contender("polars .over, in memory", TWO, polars_memory),
    "polars-over-streaming": Contender("polars .over, streaming", TWO, polars_streaming),
    "pandas": Contender("pandas groupby", TWO, pandas, slow=True),
    "duckdb": Contender("duckdb window", MEAN, duckdb(None), shuffled=True),
    "duckdb-1gb": Contender("duckdb window, memory_limit 1GB", MEAN, duckdb("1GB"), shuffled=True),
}
PEERS = [name for name in CONTENDERS if not name.startswith(("copy", "hypostyle"))]


def over_keys(name: str, rows: int, keys: int) -> dict[str, Any]:
    """Rows in memory over so many keys: seconds and peak memory, and what hypostyle's state weighs."""
    first_to_go()
    return stage_keys(rows, keys) if name == "hypostyle" else polars_keys(rows, keys)


def stage_keys(rows: int, keys: int) -> dict[str, Any]:
    """Batch after batch through one stage; drawing the rows is not timed."""
    import numpy as np
    import polars as pl

    import hypostyle as hs

    stage, seconds, seen = hs.Stage(expressions()), [], np.zeros(keys, dtype=bool)
    answers = Answers()
    for key, x in batches(rows, keys):
        seen[key // SPREAD] = True
        frame = pl.DataFrame({"key": key, "x": x}, nan_to_null=True)
        took, answer = timed(partial(stage.advance, frame))
        seconds.append(took)
        answers.add(answer)
    late = seconds[len(seconds) // 2 :]
    found = {"seconds": sum(seconds), "late_seconds": sum(late) / len(late) * len(seconds), "peak": peak()}
    return found | weights(stage) | {"keys_seen": int(np.count_nonzero(seen)), "answers": answers.totals}


class Answers:
    """What tells whether two have answered alike: of the columns that both have, nulls, sum and size."""

    def __init__(self) -> None:
        self.totals = {f"{name} {figure}": 0.0 for name in TWO for figure in ("nulls", "sum", "size")}

    def add(self, frame: pl.DataFrame) -> None:
        for name in TWO:
            column = frame[name]
            self.totals[f"{name} nulls"] += column.null_count()
            self.totals[f"{name} sum"] += float(column.sum())
            self.totals[f"{name} size"] += float(column.abs().sum())


def weights(stage: Any) -> dict[str, Any]:
    """The state's bytes in memory and as a file, and the seconds to save, load and copy it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state.arrow"
        saved, _ = timed(lambda: stage.save(path))
        loaded, _ = timed(lambda: type(stage).load(path))
        copied, _ = timed(stage.copy)
        times = {"save_seconds": saved, "load_seconds": loaded, "copy_seconds": copied}
        return {"state_bytes": stage.state_bytes(), "file_bytes": os.path.getsize(path)} | times


def polars_keys(rows: int, keys: int) -> dict[str, Any]:
    """Polars' `.over` of two kernels, over one frame."""
    import polars as pl

    drawn = (pl.DataFrame({"key": key, "x": x}, nan_to_null=True) for key, x in batches(rows, keys))
    frame = pl.concat(drawn, rechunk=True)
    seconds, answer = timed(lambda: frame.select(polars_expressions()))
    highest, answers = peak(), Answers()
    answers.add(answer)
    return {"seconds": seconds, "peak": highest, "answers": answers.totals}


def over_expressions(rows: int, keys: int) -> dict[str, Any]:
    """Four kernels in one `with_columns`: as four expressions, as one struct, and past the plugin."""
    import polars as pl

    import hypostyle as hs

    drawn = (pl.DataFrame({"key": key, "x": x}, nan_to_null=True) for key, x in batches(rows, keys))
    whole = pl.concat(drawn, rechunk=True)
    kernels = [*expressions(), hs.rolling_std("x", WINDOW, over="key").alias("std")]
    ways = []
    for kind, frame in (("integers", whole), ("strings", whole.with_columns(pl.format("key {}", "key").alias("key")))):
        runs: dict[str, Callable[[], pl.DataFrame]] = {
            "apart": partial(frame.with_columns, kernels),
            "struct": partial(frame.with_columns, hs.struct(kernels).struct.unnest()),
            "past": partial(hs.with_columns, frame, *kernels),
        }
        answers = [run() for run in runs.values()]
        if not all(answer.equals(answers[0]) for answer in answers):
            raise ValueError("the three ways differ")
        ways.append({"kind": kind, **{name: min(timed(run)[0] for _ in range(3)) for name, run in runs.items()}})
    return {"ways": ways}


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    answer = run()
    return time.perf_counter() - begin, answer
