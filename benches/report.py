"""The comparison as Markdown, JSON and the tables in the READMEs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

YARDSTICKS = ("memory copy", "python loop")
BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"
Result = dict[str, Any]


def fastest(row: Result) -> tuple[str, float] | None:
    """The fastest peer of a row and its ns/row."""
    times = {name: ns for name, ns in row["ns_per_row"].items() if name not in ("hypostyle", *YARDSTICKS)}
    return min(times.items(), key=lambda item: item[1]) if times else None


def ratio(row: Result) -> float | None:
    """How often hypostyle's time fits into the fastest peer's: above 1 hypostyle is faster."""
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
        f"{settings['rows']:,} rows of f64 without nulls; keyed: {settings['keys']:,} keys, uniform, in random order.",
        f"Nanoseconds a row, best of {settings['repeat']} runs in turns; all answers were compared before that.",
        "The ratio is the fastest peer's time over hypostyle's: above 1 hypostyle is faster, below 1 it is marked.",
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


def summary(result: Result, link: str) -> str:
    """What a README shows: one thread against the fastest peer, then hypostyle on all threads."""
    alone = min(row["threads"] for row in result["rows"])
    every = {row["name"]: row for row in result["rows"] if row["threads"] > alone}
    settings, on = result["settings"], result["machine"]
    lines = [
        f"{settings['rows']:,} rows, {settings['keys']:,} keys, ns a row on {on['cpu']} ({on['cores']} cores), "
        f"{result['date'][:10]}; all peers and versions: [{link}/compare.md]({link}/compare.md).",
        "",
        f"| | hypostyle, {alone} thread | fastest peer | its time | ratio | hypostyle, all threads |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for row in (row for row in result["rows"] if row["threads"] == alone):
        best, ours = fastest(row), row["ns_per_row"]["hypostyle"]
        peer = f"{best[0]} | {best[1]:.1f}" if best else " | "
        more = every.get(row["name"])
        threaded = f"{more['ns_per_row']['hypostyle']:.1f}" if more else ""
        lines.append(f"| {row['name']} | {ours:.1f} | {peer} | {shown(ratio(row))} | {threaded} |")
    lines += ["", f"![fastest peer over hypostyle, by kernel]({link}/compare.svg)"]
    return "\n".join(lines)


def write(result: Result, folder: Path, readmes: Sequence[Path]) -> None:
    """Everything to `folder`, and the summary into each README that has the two marks."""
    from chart import draw

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compare.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "compare.md").write_text(markdown(result))
    draw(result, folder / "compare.svg")
    for readme in readmes:
        text = readme.read_text() if readme.exists() else ""
        if BEGIN not in text or END not in text:
            continue
        before, rest = text.split(BEGIN, 1)
        link = Path(os.path.relpath(folder, readme.parent)).as_posix()
        readme.write_text(f"{before}{BEGIN}\n{summary(result, link)}\n{END}{rest.split(END, 1)[1]}")
