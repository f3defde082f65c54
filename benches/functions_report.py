"""What `functions.py` reports: tables, and the part that benches/README.md shows."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import report
from calls_report import digits
from pipeline_report import paragraph

Result = dict[str, Any]
OURS = ("hypostyle", "hypostyle, arrays")
ORDER = (*OURS, "numba", "numexpr", "polars", "pandas, rolling.apply(engine='numba')")
# Python, called per row: told as how many times as slow as hypostyle, and never the fastest peer.
SLOW = ("polars, map_elements", "polars, rolling_map", "pandas, apply", "pandas, rolling.apply", "python loop")

INTRODUCTION = """
One thread where nothing else is said, best of many calls: {budget:g} s of calls each, in turns, over {columns}.
Hypostyle runs as users run it: `df.select` with an expression of the compiled function, made beforehand; and called
with arrays of NumPy, where no column has nulls. numba is `njit(parallel=False)`, a loop over arrays that calls the
same function, with `error_model="numpy"`; NaN stands for None there. numexpr and Polars run the same formula, written
by hand. Compiling and preparing the inputs are not timed, except in the last table. The ratios are the fastest peer's
time divided by hypostyle's: above 1 hypostyle is faster; below 1 it is slower, and marked. Python runs over fewer
rows ({slices}).
"""
AGREEMENT = """
Before timing, the first 1,000 results of hypostyle were compared with those of CPython: bit-identical, except for
functions with exp, log, sin or erf, within 1e-12; `x ** 2` counts as `x * x`, which glibc's pow misses by a bit now
and then. All peers were compared with hypostyle within 1e-12.
"""
TITLES = {
    "rows": ("Row functions", ""),
    "scans": ("Scans", "numba's loop keeps the state in local variables."),
    "keyed": (
        "Scans by key",
        "Integer keys in random order. numba's loop includes `pandas.factorize`, since hypostyle also has to group the "
        "rows. Polars runs its expression with `over`.",
    ),
    "rolling": (
        "Window functions",
        "`rolling.apply` of pandas, a weighted sum in a Python loop over windows of the given number of rows.",
    ),
    "threads": (
        "Row functions, all threads",
        "Hypostyle, numexpr and Polars use all cores; numba's loop is not parallel.",
    ),
}
FIRST = """
Milliseconds in a fresh process, the median of {starts} starts in turns: from the plain function to the result over
1,000 rows; with the imports before it (Polars and hypostyle, or numba); and the whole process. Nothing is cached on
disk.
"""


def markdown(result: Result) -> str:
    """Return the whole report."""
    lines = ["# User-defined functions", "", *report.header(result), "", *paragraph(INTRODUCTION.format(**result))]
    lines += ["", *paragraph(AGREEMENT)]
    for part, (title, text) in TITLES.items():
        rows = [row for row in result["measured"] if row["part"] == part]
        if rows:
            lines += ["", f"## {title}", *(["", *paragraph(text)] if text else [])]
        for count in dict.fromkeys(row["rows"] for row in rows):
            lines += ["", f"### {count:,} rows", "", *table([row for row in rows if row["rows"] == count])]
    if "first" in result:
        lines += ["", "## First result", "", *paragraph(FIRST.format(**result)), "", *first_table(result["first"])]
    return "\n".join(lines) + "\n"


def table(rows: Sequence[Result]) -> Iterator[str]:
    """Yield nanoseconds per row, the ratio, and how many times as slow Python is."""
    present = {name for row in rows for name in row["ns_per_row"]}
    names = [name for name in ORDER if name in present]
    slow = [name for name in SLOW if name in present]
    ours = [name for name in OURS if name in present]
    heads = [*names, "fastest peer", "ratio", *(f"ratio, {name.split(', ')[1]}" for name in ours[1:]), *slow]
    yield f"| | {' | '.join(heads)} |"
    yield "|---|" + "---:|" * len(names) + "---|" + "---:|" * (len(ours) + len(slow))
    for row in rows:
        ns = row["ns_per_row"]
        best = fastest(row)
        cells = [digits(ns[name]) if name in ns else "" for name in names]
        cells += [best[0] if best else "", *(report.shown(ratio(row, name)) for name in ours)]
        cells += [f"{ns[name] / ns['hypostyle']:,.0f}x" if name in ns else "" for name in slow]
        yield f"| {named(row)} | {' | '.join(cells)} |"
    ratios = [[value for row in rows if (value := ratio(row, name)) is not None] for name in ours]
    if ratios[0]:
        before = " | " * len(names)
        middle = " | ".join(report.shown(statistics.geometric_mean(of)) for of in ratios)
        yield f"| geometric mean |{before}| {middle} |" + " |" * len(slow)


def named(row: Result) -> str:
    keys = "" if row.get("keys") is None else f", {row['keys']:,} key{'s' if row['keys'] > 1 else ''}"
    return f"{row['name']}{keys}"


def fastest(row: Result) -> tuple[str, float] | None:
    """Return the fastest peer and its time; Python called per row is none."""
    times = {name: ns for name, ns in row["ns_per_row"].items() if name not in OURS and name not in SLOW}
    return min(times.items(), key=lambda item: item[1]) if times else None


def ratio(row: Result, ours: str = "hypostyle") -> float | None:
    best = fastest(row)
    return None if best is None or ours not in row["ns_per_row"] else best[1] / float(row["ns_per_row"][ours])


def first_table(rows: Sequence[Result]) -> Iterator[str]:
    yield "| | | first result | with imports | whole process |"
    yield "|---|---|---:|---:|---:|"
    for row in rows:
        times = [digits(row[name] * 1e3) for name in ("first", "with_imports", "process")]
        yield f"| {row['name']} | {row['who']} | {' | '.join(times)} |"


def summary(result: Result) -> Iterator[str]:
    """Yield what benches/README.md shows: the largest number of rows, hypostyle beside the fastest peer."""
    on, measured = result["machine"], result["measured"]
    count = max((row["rows"] for row in measured), default=0)
    rows = [row for row in measured if row["rows"] == count and row["part"] in ("rows", "scans")]
    yield f"Nanoseconds per row over {count:,} rows, one thread, on {on['cpu']}, {result['date'][:10]}."
    yield "By key, windows, few rows and the first result: [results/functions.md](results/functions.md)."
    yield from ("", "| function | columns | hypostyle | fastest peer | its time | ratio | Python, per row |")
    yield "|---|---:|---:|---|---:|---:|---:|"
    for row in rows:
        ns, best = row["ns_per_row"], fastest(row)
        peer = f"{best[0]} | {digits(best[1])}" if best else " | "
        python = digits(ns.get("python loop", math.nan))
        ours = f"{row['columns']} | {digits(ns['hypostyle'])}"
        yield f"| {row['name']} | {ours} | {peer} | {report.shown(ratio(row))} | {python} |"


def write(result: Result, folder: Path, page: Path) -> None:
    """Write the report and its numbers, and the summary between the markers of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "functions.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "functions.md").write_text(markdown(result))
    report.put(page, "functions", "\n".join(summary(result)))
