"""The comparison as Markdown, JSON and the tables in the READMEs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

YARDSTICKS = ("memory copy", "python loop")
Result = dict[str, Any]
# The rows in the repository's README.  The one in benches/ has all rows.
README_ROWS = (
    "rolling_mean 1000",
    "rolling_mean 60s",
    "rolling_std 1000",
    "rolling_max 1000",
    "rolling_median 1000",
    "rolling_quantile 1000",
    "rolling_rank 1000",
    "rolling_corr 1000",
    "rolling_ols 1000",
    "ewm_mean",
    "rolling_mean 1000, keyed",
)


def fastest(row: Result) -> tuple[str, float] | None:
    """The fastest peer of a row and its ns/row."""
    times = {name: ns for name, ns in row["ns_per_row"].items() if name not in ("hypostyle", *YARDSTICKS)}
    return min(times.items(), key=lambda item: item[1]) if times else None


def ratio(row: Result) -> float | None:
    """The fastest peer's time divided by hypostyle's: above 1 hypostyle is faster."""
    best = fastest(row)
    return None if best is None else best[1] / float(row["ns_per_row"]["hypostyle"])


def markdown(result: Result) -> str:
    """The whole report."""
    settings = result["settings"]
    lines = [
        "# Speed compared",
        "",
        *header(result),
        "",
        f"{settings['rows']:,} rows of f64 without nulls. Keyed rows have {settings['keys']:,} keys, uniformly",
        f"distributed, in random order. Times are nanoseconds per row, the best of {settings['repeat']} runs; the",
        "libraries take turns. All results were compared before timing. The ratio is the fastest peer's time divided",
        "by hypostyle's: above 1 hypostyle is faster; below 1 it is slower, and marked.",
    ]
    for threads in dict.fromkeys(row["threads"] for row in result["rows"]):
        rows = [row for row in result["rows"] if row["threads"] == threads]
        lines += ["", f"## {threads} thread{'s' if threads > 1 else ''}", "", *table(rows)]
    lines += yardsticks(result["rows"])
    return "\n".join(lines) + "\n"


def header(result: Result) -> Iterator[str]:
    on = result["machine"]
    yield f"- machine: {on['cpu']}, {on['cores']} cores, {on['system']}; load {result['load']} at the end"
    yield f"- date: {result['date']}"
    yield "- versions: " + ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    yield f"- command: `{result['command']}`"


def table(rows: Sequence[Result]) -> Iterator[str]:
    present = {name for row in rows for name in row["ns_per_row"]}
    order = ["hypostyle", "polars", "pandas", "numbagg", "bottleneck", "duckdb", "polars-ds", "ta-lib"]
    order += ["numpy", "numba, by hand"]
    names = [name for name in order if name in present]
    yield f"| | {' | '.join(names)} | fastest peer | ratio |"
    yield "|---|" + "---:|" * len(names) + "---|---:|"
    for row in rows:
        times = [f"{row['ns_per_row'][name]:.2f}" if name in row["ns_per_row"] else "" for name in names]
        best = fastest(row)
        yield f"| {row['name']} | {' | '.join(times)} | {best[0] if best else ''} | {shown(ratio(row))} |"


def shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value >= 1 else f"**{value:.2f} slower**"


def yardsticks(rows: Sequence[Result]) -> list[str]:
    """The row functions beside a memory copy of their columns and the Python loop that they replace."""
    measured = [row for row in rows if "memory copy" in row["ns_per_row"]]
    if not measured:
        return []
    lines = ["", "## Row functions", ""]
    lines += ["| | threads | hypostyle | memory copy | times the copy | Python loop over objects | times faster |"]
    lines += ["|---|---:|---:|---:|---:|---:|---:|"]
    for row in measured:
        ns = row["ns_per_row"]
        ours, copy, loop = ns["hypostyle"], ns["memory copy"], ns["python loop"]
        cells = f"{ours:.2f} | {copy:.2f} | {ours / copy:.2f} | {loop:.0f} | {loop / ours:.0f}"
        lines.append(f"| {row['name']} | {row['threads']} | {cells} |")
    return lines


def summary(result: Result, link: str, names: Sequence[str] | None = None) -> str:
    """The table of a README: one thread against the fastest peer, then hypostyle on all threads.

    `names` selects and orders the rows.  Default: all of them.
    """
    alone = min(row["threads"] for row in result["rows"])
    every = {row["name"]: row for row in result["rows"] if row["threads"] > alone}
    rows = {row["name"]: row for row in result["rows"] if row["threads"] == alone}
    settings, on = result["settings"], result["machine"]
    lines = [
        f"Nanoseconds per row over {settings['rows']:,} rows; keyed rows have {settings['keys']:,} keys. "
        f"Measured on {on['cpu']} ({on['cores']} cores), {result['date'][:10]}.",
        "The ratio is the fastest peer's time divided by hypostyle's; below 1 hypostyle is slower. "
        f"All kernels, peers and versions: [{link}/compare.md]({link}/compare.md).",
        "",
        f"| kernel, window | hypostyle, {alone} thread | fastest peer | its time | ratio | hypostyle, all threads |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for row in (rows[name] for name in (rows if names is None else names) if name in rows):
        best, ours = fastest(row), row["ns_per_row"]["hypostyle"]
        peer = f"{best[0]} | {best[1]:.1f}" if best else " | "
        more = every.get(row["name"])
        threaded = f"{more['ns_per_row']['hypostyle']:.1f}" if more else ""
        lines.append(f"| {row['name']} | {ours:.1f} | {peer} | {shown(ratio(row))} | {threaded} |")
    if names is None:
        lines += ["", f"![ratio of the fastest peer's time to hypostyle's, by kernel]({link}/compare.svg)"]
    return "\n".join(lines)


def put(page: Path, name: str, text: str) -> None:
    """Writes the text between the two markers of this name, if the page has them."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, marker, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closing, tail = rest.partition(end)
    if marker and closing:
        page.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")


def write(result: Result, folder: Path, readmes: Mapping[Path, Sequence[str] | None]) -> None:
    """Writes everything to `folder`, and the summary between the two markers of each README that has them.

    `readmes` maps the path of a README to the names of its rows, `None` for all.
    """
    from chart import draw

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compare.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "compare.md").write_text(markdown(result))
    draw(result, folder / "compare.svg")
    for readme, names in readmes.items():
        if readme.exists():
            link = Path(os.path.relpath(folder, readme.parent)).as_posix()
            put(readme, "speed", summary(result, link, names))
