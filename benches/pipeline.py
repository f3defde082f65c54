"""Measures pipelines over files beside what people use today: CSV to features in Parquet, reading, Parquet, and size.

    python benches/pipeline.py --rows 300000 --sizes 0.02 0.05     minutes, to see that everyone agrees
    python benches/pipeline.py --write                             the real thing; writes benches/results/pipeline.*

Everyone is a process of their own from start to end (`pipeline_jobs.py`, `process.py`), on all cores that they can use.
Inputs are read once before each run, so that they come from memory, not from the disk.  Answers are compared with
hypostyle's (`pipeline_check.py`) before a time is shown: where they differ over a small file the run stops, and where
they differ over the large one the table says so instead of a time.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from machine import machine
from pipeline_bench import Bench, StopError
from pipeline_jobs import CHECK_ROWS, JOBS
from pipeline_report import fastest_ways, markdown, write
from process import alone

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "pipelines.md"
ONCE = 100_000_000
"""From so many rows on everyone runs once."""
STARTS = ("polars", "duckdb", "pyarrow", "pandas")
COMPARED = {
    "rows": "every row",
    "sorted": "every row",
    "sums": "sums by symbol",
    "totals": "totals",
    "copy": "totals of its copy",
}
Result = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the parts; the exit code is 1 where answers over the small file differ."""
    options = parser().parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    settings = {name: getattr(options, name) for name in ("rows", "slow_rows", "sizes", "repeat", "timeout")}
    found: Result = {"command": shlex.join(["python", "benches/pipeline.py", *nameless(given)]), "settings": settings}
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(options, folder.resolve(), Path(stack.enter_context(TemporaryDirectory(dir=folder))).resolve())
        try:
            found["start"] = starts(bench)
            for name, part in PARTS.items():
                if name in options.only:
                    found |= part(bench, found)
        except StopError as error:
            print(f"stopped: {error}; nothing is written", file=sys.stderr)
            return 1
    result = {**found, **machine()}
    print(markdown(result))
    if options.write:
        write(result, HERE / "results", PAGE)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=25_700_000, help="rows of the file, but for the sizes (25_700_000)")
    made.add_argument("--slow-rows", type=int, default=5_000_000, help="rows for slow contenders (5_000_000)")
    made.add_argument("--sizes", type=float, nargs="+", default=[0.1, 0.3, 1.0, 3.0, 10.0], metavar="GB")
    made.add_argument("--only", nargs="+", choices=tuple(PARTS), default=tuple(PARTS), help="some parts alone")
    made.add_argument("--repeat", type=int, default=2, help="runs, of which the fastest counts (2)")
    made.add_argument("--timeout", type=float, default=900.0, help="seconds until a contender is ended (900)")
    made.add_argument("--folder", type=Path, help="where files go, and inputs stay for the next run")
    made.add_argument("--hypostyle", type=Path, help="the command; by default the one beside this Python")
    made.add_argument("--write", action="store_true", help="write benches/results/pipeline.md, .json and the charts")
    return made


def nameless(given: Iterable[str]) -> list[str]:
    """The arguments without the paths of this machine."""
    return [re.sub(f"[^=]*{re.escape(os.sep)}", "", argument) for argument in given]


def starts(bench: Bench) -> dict[str, Result]:
    """What it takes to begin: the command that lists the kernels, and the imports alone."""
    commands: dict[str, list[str | Path]] = {"hypostyle": [bench.program(), "kernels", "rolling_mean"]}
    commands |= {name: [sys.executable, "-c", f"import {name}"] for name in STARTS}
    # The first run reads the program from the disk.
    ran = {name: [alone(command, 60) for _ in range(3)][-1] for name, command in commands.items()}
    return {name: {figure: one[figure] for figure in one if figure != "printed"} for name, one in ran.items()}


def check(bench: Bench) -> None:
    """Stops where answers over a small file differ from hypostyle's; who gives none is left for the table to tell."""
    source = bench.csv(CHECK_ROWS)
    for name, contender in JOBS["features"].items():
        ran = bench.run("features", name, source)
        if ran["status"] == "ok":
            how = "sorted" if contender.shuffled else "rows"
            differs = bench.difference("features", name, source, ran["totals"], how)
            if differs:
                raise StopError(f"{name} {differs}")
        bench.target(name).unlink(missing_ok=True)
    bench.forget()


def measure(bench: Bench, job: str, names: Sequence[str], rows: int, sums: bool = False) -> list[Result]:
    """The contenders over so many rows: the fastest of some runs, in turns, once the answers are found right."""
    found: dict[str, Result] = {}
    for turn in range(bench.options.repeat if rows < ONCE else 1):
        for name in names:
            before = found.get(name)
            if before is None or before["status"] == "ok":
                ran = one(bench, job, name, rows, None if turn else way(job, name, sums))
                found[name] = better(before, ran) if before else ran
    bench.forget()
    return list(found.values())


def way(job: str, name: str, sums: bool) -> str:
    """How a contender is compared.  Rows that hypostyle has read go nowhere: its totals are those of a copy."""
    if job in ("read", "scan"):
        return "copy" if JOBS[job][name].run is None else "totals"
    return "sums" if sums or JOBS[job][name].shuffled else "rows"


def one(bench: Bench, job: str, name: str, rows: int, how: str | None) -> Result:
    """A row of a table; in the first turn compared."""
    contender = JOBS[job][name]
    if contender.slow:
        rows = min(rows, bench.options.slow_rows)
    source = bench.parquet(rows) if job in ("convert", "scan") else bench.csv(rows)
    ran = bench.run(job, name, source)
    found: Result = {"name": name, "label": contender.label, "kernels": contender.kernels, "family": contender.family}
    found |= {"source": source.suffix[1:], "rows": rows, "bytes": source.stat().st_size, **ran}
    if how and ran["status"] == "ok":
        found |= {"compared": COMPARED[how], "status": compared(bench, job, name, source, ran["totals"], how)}
    bench.target(name).unlink(missing_ok=True)
    return found


def compared(bench: Bench, job: str, name: str, source: Path, said: Any, how: str) -> str:
    """The status of a run that has ended well."""
    try:
        return bench.difference(job, name, source, said, how) or "ok"
    except StopError as error:
        return f"not compared: {error}"


def better(before: Result, ran: Result) -> Result:
    """The faster of two runs, with the higher of the peaks."""
    if ran["status"] != "ok":
        return before | {"status": ran["status"]}
    best = before | ran if ran["seconds"] < before["seconds"] else before
    return best | {"peak": max(before["peak"], ran["peak"])}


def features(bench: Bench, found: Result) -> Result:
    """From CSV to Parquet with two kernels' columns."""
    check(bench)
    return {"features": measure(bench, "features", list(JOBS["features"]), bench.options.rows)}


def read(bench: Bench, found: Result) -> Result:
    """A CSV alone."""
    return {"read": measure(bench, "read", list(JOBS["read"]), bench.options.rows)}


def parquet(bench: Bench, found: Result) -> Result:
    """From Parquet to Parquet, and Parquet alone."""
    return {job: measure(bench, job, list(JOBS[job]), bench.options.rows) for job in ("convert", "scan")}


def by_size(bench: Bench, found: Result) -> Result:
    """Files of several sizes; who fails over one isn't asked for a larger one."""
    small = bench.csv(CHECK_ROWS)
    names = {"hypostyle", "duckdb", "duckdb-1gb"}
    names |= {row["name"] for row in fastest_ways(found.get("features", [])) if row["family"]} or {"polars-text"}
    left, done = [name for name in JOBS["features"] if name in names], []
    for gigabytes in sorted(bench.options.sizes):
        if not left:
            break
        rows = round(gigabytes * 1e9 / small.stat().st_size * CHECK_ROWS)
        done += measure(bench, "features", left, rows, sums=True)
        left = [row["name"] for row in done[-len(left) :] if row["status"] == "ok"]
    return {"size": done}


PARTS: dict[str, Callable[[Bench, Result], Result]] = {
    "features": features,
    "read": read,
    "parquet": parquet,
    "size": by_size,
}

if __name__ == "__main__":
    sys.exit(main())
