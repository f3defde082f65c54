"""What `calls.py` reports: tables, a chart, and the part that benches/README.md shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import report
from keyed_report import OURS, THEIRS, pyplot, save
from pipeline_report import paragraph

# The interfaces of the chart and of the summary, with their peers.
SHOWN = {"df.select": "polars", "hs.with_columns, pandas": "pandas"}
Result = dict[str, Any]
Table = dict[str, dict[str, float]]


def markdown(result: Result) -> str:
    """Return the whole report."""
    lines = ["# Cost of a call", "", *report.header(result), "", *paragraph(INTRODUCTION.format(**result))]
    if "interfaces" in result:
        lines += ["", "## By interface and number of rows", "", *paragraph(INTERFACES)]
        lines += ["", "![microseconds per call by number of rows](calls.svg)"]
        for kernel in dict.fromkeys(row["kernel"] for row in result["interfaces"]):
            rows = [row for row in result["interfaces"] if row["kernel"] == kernel]
            lines += ["", f"### {kernel}", "", *by_rows(rows)]
    for part, (title, text, unit) in TABLES.items():
        if part in result:
            lines += ["", f"## {title}", "", *paragraph(text), "", *table(result[part], unit)]
    if "fixed" in result and "empty plugin" not in next(iter(result["fixed"].values())):
        lines += ["", "The empty plugin is missing: benches/empty_plugin.c could not be compiled or loaded."]
    if "kernels" in result:
        lines += ["", "## Kernels alone", "", *paragraph(KERNELS)]
        for count in dict.fromkeys(row["rows"] for row in result["kernels"]):
            rows = [row for row in result["kernels"] if row["rows"] == count]
            lines += ["", f"### {count:,} rows", "", *report.table(rows)]
    return "\n".join(lines) + "\n"


INTRODUCTION = """
A time is that of the fastest call of many: {budget:g} s of calls, or at most five calls if they take longer. The calls
of a table take turns. All results were compared with hypostyle's before timing, to within 1e-9; those of a stage with
those of one whole frame, bit by bit. The ratio is the peer's time divided by hypostyle's: above 1 hypostyle is
faster; below 1 it is slower, and marked.
"""
INTERFACES = """
Microseconds per call, by number of rows. The frame has a column of f64 without nulls and a column of strings, the keys:
100, or one per 10 rows if that is less. Expressions are made before. pandas alone is `df.assign`, which for keys
brings the result of `groupby().rolling()` back into the order of the rows. `kernel alone` is the compiled function that
all interfaces call, over a Polars frame. For two threads the ratio is the time of one thread divided by theirs.
"""
KERNELS = """
Nanoseconds per row on one thread, windows of 20 rows, in a process with one thread. Hypostyle is the compiled function
that all interfaces call, over a Polars frame. Polars runs `df.select`; numbagg and bottleneck run over NumPy arrays,
pandas over a Series.
"""
TABLES = {
    "fixed": (
        "Fixed costs",
        """
Microseconds, over 10 rows. The expressions are `hs.rolling_mean("x", 2)`, `pl.col("x").rolling_mean(2)`,
`pl.col("x")`, and a plugin written in C that returns its input: what a call of any plugin costs.
""",
        1e6,
    ),
    "stage": (
        "Small frames in a stage",
        """
Microseconds per call over Polars frames. The kernels are rolling_mean, _std, _min and _max over windows of 10 to 100
rows.
""",
        1e6,
    ),
    "groups": (
        "Many groups",
        """
Milliseconds of rolling_mean over 5 rows: `df.group_by("key", maintain_order=True).agg(...)` calls the plugin once per
group; `df.select` with `over="key"` calls it once. Integer keys in random order, the given number of rows on average.
""",
        1e3,
    ),
    "start": (
        "Start",
        """
Milliseconds from start to end of a process, the median of runs in turns. `FILE` is data/demo.toml, over 1,000 rows.
""",
        1e3,
    ),
}


def by_rows(rows: Sequence[Result]) -> Iterator[str]:
    """Yield a table with a column per number of rows, and a line per interface and caller."""
    counts = [f"{row['rows']:,}" for row in rows]
    yield f"| | | {' | '.join(counts)} |"
    yield "|---|---|" + "---:|" * len(rows)
    for name, calls in rows[0]["seconds"].items():
        for who in calls:
            times = [digits(row["seconds"][name][who] * 1e6) for row in rows]
            yield f"| {name} | {who} | {' | '.join(times)} |"
        if len(calls) > 1:
            ratios = [report.shown(ratio(row["seconds"][name])) for row in rows]
            yield f"| | ratio | {' | '.join(ratios)} |"


def ratio(seconds: dict[str, float]) -> float:
    """Return the second time divided by the first."""
    first, second = list(seconds.values())[:2]
    return second / first


def table(rows: Table, unit: float) -> Iterator[str]:
    """Yield a table of times in this unit."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    yield f"| | {' | '.join(columns)} |"
    yield "|---|" + "---:|" * len(columns)
    for name, row in rows.items():
        yield f"| {name} | {' | '.join(digits(row[column] * unit) for column in columns)} |"


def digits(value: float) -> str:
    """Return a time with about three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def summary(result: Result) -> Iterator[str]:
    """Yield what benches/README.md shows: hypostyle beside the peers of two interfaces."""
    on, rows = result["machine"], result["interfaces"]
    counts = list(dict.fromkeys(row["rows"] for row in rows))
    yield f"Microseconds per call by number of rows, on {on['cpu']} ({on['cores']} cores), {result['date'][:10]}."
    yield "All kernels and interfaces, fixed costs, small frames and groups: [results/calls.md](results/calls.md)."
    yield from ("", f"| kernel | | {' | '.join(f'{count:,}' for count in counts)} |")
    yield "|---|---|" + "---:|" * len(counts)
    for kernel in dict.fromkeys(row["kernel"] for row in rows):
        for name in SHOWN:
            found = [row["seconds"][name] for row in rows if row["kernel"] == kernel]
            for who in found[0]:
                yield f"| {kernel} | {name}: {who} | {' | '.join(digits(one[who] * 1e6) for one in found)} |"
    yield from ("", "![microseconds per call by number of rows](results/calls.svg)")


def write(result: Result, folder: Path, page: Path) -> None:
    """Write the report, its numbers and the chart, and the summary between the markers of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calls.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "calls.md").write_text(markdown(result))
    if "interfaces" in result:
        draw(result["interfaces"], folder / "calls.svg")
        report.put(page, "calls", "\n".join(summary(result)))


def draw(rows: Sequence[Result], path: Path) -> None:
    """Draw a chart for each kernel and peer: microseconds against rows, hypostyle and the peer."""
    kernels = list(dict.fromkeys(row["kernel"] for row in rows))
    size = (2.3 * len(kernels), 2.4 * len(SHOWN))
    figure, grid = pyplot().subplots(len(SHOWN), len(kernels), sharex=True, sharey=True, figsize=size, squeeze=False)
    for line, (name, peer) in zip(grid, SHOWN.items(), strict=True):
        for axes, kernel in zip(line, kernels, strict=True):
            found = [row for row in rows if row["kernel"] == kernel]
            for who, color in ((peer, THEIRS), ("hypostyle", OURS)):
                times = [row["seconds"][name][who] * 1e6 for row in found]
                axes.plot([row["rows"] for row in found], times, marker="o", markersize=3, color=color, label=who)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.spines[["top", "right"]].set_visible(False)
        line[0].set_ylabel(f"{name}\nmicroseconds")
        line[0].legend(frameon=False)
    for axes, kernel in zip(grid[0], kernels, strict=True):
        axes.set_title(kernel)
    for axes in grid[-1]:
        axes.set_xlabel("rows")
    save(figure, path)
