"""What `pipeline.py` reports: tables, charts, and the part that the docs show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import report
from keyed_report import OURS, THEIRS, pyplot, save
from pipeline_jobs import ALPHA, CHECK_ROWS, PANDAS_CHUNK, WINDOW

TITLES = {
    "features": "From CSV to features in Parquet",
    "read": "Reading CSV",
    "convert": "From Parquet to Parquet",
    "scan": "Reading Parquet",
    "size": "Size of the file",
}
COLORS = {"hypostyle": OURS, "polars": "#c1440e", "duckdb": "#7a8b3c", "duckdb, memory_limit 1GB": THEIRS}
Result = dict[str, Any]


def markdown(result: Result) -> str:
    """The whole report."""
    settings = result["settings"]
    lines = ["# Pipelines over files", "", *report.header(result), "", *paragraph(METHOD.format(**settings))]
    lines += ["", *paragraph(f"Of that, beginning alone takes {beginnings(result['start'])}.")]
    for part in (part for part in TITLES if part in result):
        lines += ["", f"## {TITLES[part]}", "", *paragraph(SAID[part])]
        lines += ["", *(sizes_table(result[part]) if part == "size" else table(result[part], settings["rows"]))]
        lines += [
            "",
            f"![{TITLES[part]}: {'seconds' if part == 'size' else 'speed'} and peak memory](pipeline-{part}.svg)",
        ]
    return "\n".join(lines) + "\n"


METHOD = """
The files hold made-up trades in the order of time: a timestamp with microseconds, one of 5,000 symbols, a price, a
size, a side and a note; 1% of prices, sizes and sides are missing, and one note in ten is a quoted text with commas,
quotes or line ends inside. Everyone is a process of their own: seconds and CPU seconds are those of the whole
process, its beginning and its imports included, peak memory is its resident set. Hypostyle is the command that pip
installs, a Python process too. Best of {repeat} runs in turns (one run from 100 million rows on), the input in the
system's cache. The ratio is the peer's time over hypostyle's with the same kernels on all threads: above 1
hypostyle is faster. Parquet is zstd at level 1 everywhere; hypostyle leaves columns uncompressed that would hardly
shrink, and writes no statistics for texts that come again and again in no order. Hypostyle brings its output to
the disk before it puts it in its place, which is in its time; what that takes for a peer's output stands beside
the peer's time, not in it.
"""
SAID = {
    "features": f"""
All input columns with their types, and for each symbol `mean`, rolling_mean of the price over {WINDOW} rows, and
`ewm`, ewm_mean with alpha {ALPHA}. Everyone's answers over {CHECK_ROWS:,} rows were compared with hypostyle's row by
row, and over the whole file as the table says: texts, times and sizes exactly, other numbers within 1e-9 of theirs;
where rows come in another order, for each symbol the rows, nulls, sums, and sums of products with the time. duckdb has
no ewm_mean; its windows follow row_number(), for two trades may have one time, and leave another order unless sorted
back. Polars has its times from the reader, by its schema, or as strings that to_datetime parses by a format. pandas
reads by its C engine in chunks of {PANDAS_CHUNK:,} rows, with each symbol's state carried by hand.""",
    "read": """
Every column is read and typed: hypostyle with a sink of format "none", the others to the number of rows, sums of price
and size, the latest time, and the bytes of symbols, sides and notes. These figures were compared with those of a
Parquet file that hypostyle had made of the same CSV; numbers within 1e-9. pandas' reader by pyarrow refuses line ends
in quotes, so its C engine reads in chunks.""",
    "convert": """
The input was written by pyarrow in row groups of a million rows. Every row of the output was compared with the
input.""",
    "scan": """
The same file, read to the figures of reading CSV; compared with those of a copy by hypostyle. Engines that know the
format may take a text's length once for many rows.""",
    "size": """
The features again, over files of several sizes. Answers were compared by sums for each symbol. Who failed or ran out
of time wasn't asked for a larger file.""",
}


def paragraph(text: str) -> Iterator[str]:
    """The words in lines of at most 120 characters."""
    import textwrap

    return iter(textwrap.wrap(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False))


def beginnings(start: dict[str, Result]) -> str:
    """What it takes to begin, in seconds and memory."""
    done = [(name, ran) for name, ran in start.items() if ran["status"] == "ok"]
    return ", ".join(f"{name} {ran['seconds']:.2f} s and {ran['peak'] / 1e6:.0f} MB" for name, ran in done)


def is_ours(row: Result) -> bool:
    return str(row["name"]).startswith("hypostyle")


def size(count: float) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def unit(row: Result) -> str:
    """Of speed: Parquet's megabytes say more of the compression than of the work."""
    return "million rows/s" if row["source"] == "parquet" else "MB/s"


def speed(row: Result) -> float:
    return float(row["rows" if row["source"] == "parquet" else "bytes"] / row["seconds"] / 1e6)


def rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def fastest_ways(rows: Sequence[Result]) -> list[Result]:
    """The rows without those that another of the same family beats."""

    def beaten(row: Result) -> bool:
        return any(rank(other) < rank(row) for other in rows if row["family"] and other["family"] == row["family"])

    return [row for row in rows if not beaten(row)]


def rank(row: Result) -> float:
    return float(row["seconds"]) if row["status"] == "ok" else float("inf")


def ratio(row: Result, rows: Sequence[Result]) -> float | None:
    """A peer's time for a row over hypostyle's, with the same kernels."""
    mine = [other for other in rows if other["label"] == "hypostyle" and other["kernels"] == row["kernels"]]
    if is_ours(row) or not mine or mine[0]["status"] != "ok" or row["status"] != "ok":
        return None
    return float(row["seconds"] / row["rows"] / (mine[0]["seconds"] / mine[0]["rows"]))


def table(rows: Sequence[Result], full: int) -> Iterator[str]:
    """Everything about a part."""
    shown = fastest_ways(rows)
    kernels, written = any(row["kernels"] for row in rows), any("output_bytes" in row for row in rows)
    heads = ["", *["kernels"] * kernels, "rows", "seconds", *["then to disk", "output"] * written]
    heads += ["CPU seconds", unit(rows[0]), "peak RSS", "ratio", "compared"]
    yield f"| {' | '.join(heads)} |"
    yield f"|---|{'---|' * kernels}{'---:|' * (len(heads) - 2 - kernels)}---|"
    for row in shown:
        cells = [row["label"], *[", ".join(row["kernels"])] * kernels, count(row, full)]
        if row["status"] != "ok":
            yield f"| {' | '.join([*cells, cell(row['status'])])} |{' |' * (len(heads) - len(cells) - 1)}"
            continue
        cells += [f"{row['seconds']:.2f}"]
        cells += ["" if is_ours(row) else f"+ {row['sync_seconds']:.2f}", size(row["output_bytes"])] if written else []
        cells += [f"{row['cpu']:.1f}", rounded(speed(row)), size(row["peak"])]
        yield f"| {' | '.join([*cells, times(ratio(row, rows)), row['compared']])} |"
    yield from slower_ways(rows, shown)


def count(row: Result, full: int) -> str:
    return f"{row['rows']:,}" if row["rows"] == full else f"**first {row['rows']:,}**"


def cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


def times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def slower_ways(rows: Sequence[Result], shown: Sequence[Result]) -> Iterator[str]:
    """What the table leaves out."""
    others = [row for row in rows if row not in shown]
    if others:
        said = (
            f"{row['label']} {row['seconds']:.2f} s"
            if row["status"] == "ok"
            else f"{row['label']} {cell(row['status'])}"
            for row in others
        )
        yield from ("", f"Ways that took longer: {', '.join(said)}.")


def sizes_table(rows: Sequence[Result]) -> Iterator[str]:
    """A line for each file, two columns for each contender."""
    labels = dict.fromkeys(row["label"] for row in rows)
    yield f"| file | rows | {' | '.join(f'{label}, s | peak RSS' for label in labels)} |"
    yield f"|---:|---:|{'---:|' * 2 * len(labels)}"
    for bytes_ in dict.fromkeys(row["bytes"] for row in rows):
        by = {row["label"]: row for row in rows if row["bytes"] == bytes_}
        cells = [seconds_and_peak(by.get(label)) for label in labels]
        yield f"| {size(bytes_)} | {next(iter(by.values()))['rows']:,} | {' | '.join(cells)} |"


def seconds_and_peak(row: Result | None) -> str:
    if row is None or row["status"] != "ok":
        return f"{cell(row['status']) if row else ''} | "
    return f"{row['seconds']:.1f} | {size(row['peak'])}"


def write(result: Result, folder: Path, page: Path) -> None:
    """The report, its numbers, a chart for each part that ran, and a short table in a page of the docs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "pipeline.md").write_text(markdown(result))
    for part in (part for part in TITLES if part in result):
        path = folder / f"pipeline-{part}.svg"
        draw_sizes(result[part], path) if part == "size" else draw(result[part], result["settings"]["rows"], path)
    if {"features", "read"} <= result.keys():
        report.put(page, "pipeline", "\n".join(summary(result)))


def summary(result: Result) -> Iterator[str]:
    """What the docs show."""
    on, rows = result["machine"], result["settings"]["rows"]
    bytes_ = max(row["bytes"] for row in result["features"])
    yield from paragraph(
        f"""{rows:,} rows in {size(bytes_)} of CSV on {on["cpu"]} ({on["cores"]} cores), {result["date"][:10]}; the
        ratio is the peer's time over hypostyle's, with the same kernels. How it was measured, other jobs and sizes:
        [benches/results/pipeline.md](../benches/results/pipeline.md)."""
    )
    yield from ("", "| | | seconds | MB/s | peak RSS | ratio |", "|---|---|---:|---:|---:|---:|")
    for part, said in (("features", "to Parquet with {}"), ("read", "read alone")):
        for row in fastest_ways(result[part]):
            job = said.format(" and ".join(row["kernels"])) + ("" if row["rows"] == rows else f", {count(row, rows)}")
            if row["status"] != "ok":
                yield f"| {job} | {row['label']} | {cell(row['status'])} | | | |"
                continue
            cells = [f"{row['seconds']:.1f}", rounded(speed(row)), size(row["peak"]), times(ratio(row, result[part]))]
            yield f"| {job} | {row['label']} | {' | '.join(cells)} |"
    if "size" in result:
        yield from ("", "![seconds and peak memory by size of the file](../benches/results/pipeline-size.svg)")


def draw(rows: Sequence[Result], full: int, path: Path) -> None:
    """Bars of megabytes a second, and of peak memory beside."""
    done = [row for row in fastest_ways(rows) if row["status"] == "ok"]
    names = [row["label"] + (f" ({', '.join(row['kernels'])})" if row["kernels"] else "") for row in done]
    names = [
        name + ("" if row["rows"] == full else f", first {row['rows'] / 1e6:g}M rows")
        for name, row in zip(names, done, strict=True)
    ]
    places = range(len(done), 0, -1)
    figure, (rate, memory) = pyplot().subplots(1, 2, sharey=True, figsize=(9, 1 + 0.28 * len(done)))
    for axes, figures, label in (
        (rate, [speed(row) for row in done], unit(rows[0])),
        (memory, [row["peak"] / 1e6 for row in done], "peak RSS, MB"),
    ):
        axes.barh(places, figures, color=[OURS if is_ours(row) else THEIRS for row in done])
        for place, value in zip(places, figures, strict=True):
            axes.annotate(f" {rounded(value)}", (value, place), va="center", fontsize=6.5)
        axes.margins(x=0.15)
        axes.set_xlabel(label)
        axes.spines[["top", "right"]].set_visible(False)
    rate.set_yticks(list(places), names)
    save(figure, path)


def draw_sizes(rows: Sequence[Result], path: Path) -> None:
    """Lines of seconds, and of peak memory, against the size of the file."""
    figure, (seconds, memory) = pyplot().subplots(1, 2, figsize=(9, 3.4))
    for label in dict.fromkeys(row["label"] for row in rows):
        done = [row for row in rows if row["label"] == label and row["status"] == "ok"]
        color = next(color for name, color in reversed(COLORS.items()) if label.startswith(name))
        named = f"{label} ({', '.join(rows_kernels(rows, label))})"
        at = [row["bytes"] / 1e9 for row in done]
        seconds.plot(at, [row["seconds"] for row in done], marker="o", color=color, label=named)
        memory.plot(at, [row["peak"] / 1e9 for row in done], marker="o", color=color, label=named)
    for axes, label in ((seconds, "seconds"), (memory, "peak RSS, GB")):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("CSV, GB")
        axes.set_ylabel(label)
        axes.spines[["top", "right"]].set_visible(False)
    seconds.legend(frameon=False, fontsize=6.5)
    save(figure, path)


def rows_kernels(rows: Sequence[Result], label: str) -> Sequence[str]:
    return next(row["kernels"] for row in rows if row["label"] == label)
