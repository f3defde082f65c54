"""What `keyed.py` reports: tables, charts, and the part that the docs show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import report
from keyed_jobs import ALPHA, LOWER, NULLS, THREE, UPPER, WINDOW

OURS, THEIRS = "#2a6f97", "#9aa5ad"
Result = dict[str, Any]


def markdown(result: Result) -> str:
    """The whole report."""
    lines = ["# Kernels over keys", "", *report.header(result), ""]
    lines += [
        f"One run each. Kernels: `mean` is rolling_mean over {WINDOW} rows, `ewm` is ewm_mean with alpha {ALPHA}, and",
        f"`level` is cumsum_clip to [{LOWER:g}, {UPPER:g}]. The values are multiples of 0.01;",
        f"{NULLS:.0%} of them are null. Peak memory is that of the whole process, libraries included.",
    ]
    if "files" in result:
        lines += ["", "## From Parquet to Parquet", "", *files_table(result)]
    if "keys" in result:
        lines += ["", "## Number of keys", "", *keys_tables(result["keys"])]
    if "expressions" in result:
        lines += ["", "## Several kernels in one expression", "", *expressions_table(result)]
    return "\n".join(lines) + "\n"


def files_table(result: Result) -> Iterator[str]:
    rows, settings = result["files"], result["settings"]
    yield f"{settings['rows']:,} rows, {settings['keys']:,} keys in random order, Parquet files with zstd at level 1."
    yield "Peers that would take minutes or tens of gigabytes for so many rows ran over the first rows only, as marked."
    yield "The ratio is hypostyle's rows per second with the same kernels, divided by the peer's. Results were compared"
    yield "with hypostyle's: every row, to within 1e-9 of the largest value. If rows may come out in another order, as"
    yield "with duckdb, sums were compared."
    yield from ("", "| | kernels | rows | seconds | rows/s | peak RSS | ratio | compared |")
    yield "|---|---|---:|---:|---:|---:|---:|---|"
    for row in rows:
        count = f"{row['rows']:,}" if row["rows"] == settings["rows"] else f"**first {row['rows']:,}**"
        head = f"| {row['label']} | {', '.join(row['kernels']) or 'none'} | {count} |"
        if row["status"] != "ok":
            yield f"{head} {row['status']} | | | | |"
            continue
        ratio = same_kernels(row, rows)
        cells = [f"{row['seconds']:.1f}", f"{row['rows_per_second']:,.0f}", size(row["peak"])]
        cells += ["" if ratio is None else f"{ratio:.2f}", row.get("difference") or row.get("compared", "")]
        yield f"{head} {' | '.join(cells)} |"
    yield from ("", verdict(rows), "", "![rows per second and peak memory by library](keyed-files.svg)")


def is_ours(row: Result) -> bool:
    return str(row["name"]).startswith("hypostyle")


def same_kernels(row: Result, rows: Sequence[Result]) -> float | None:
    """Hypostyle's rows per second with the same kernels, divided by the peer's."""
    if is_ours(row) or not row["kernels"]:
        return None
    peer = next((one for one in rows if is_ours(one) and one["kernels"] == row["kernels"]), None)
    if peer is None or peer["status"] != "ok":
        return None
    return float(peer["rows_per_second"] / row["rows_per_second"])


def verdict(rows: Sequence[Result]) -> str:
    """Hypostyle with all kernels beside the fastest peer, and beside the fastest that has all kernels."""
    done = [row for row in rows if row["status"] == "ok" and row["kernels"]]
    mine = next((row for row in done if row["name"] == "hypostyle"), None)
    peers = [row for row in done if not is_ours(row)]
    if mine is None or not peers:
        return "No peer was compared."

    def beside(some: Sequence[Result]) -> str:
        best = max(some, key=lambda row: float(row["rows_per_second"]))
        return f"{best['label']} ({mine['rows_per_second'] / best['rows_per_second']:.2f} times its rows per second)"

    text = f"hypostyle with all three kernels peaks at {size(mine['peak'])}. The fastest peer is {beside(peers)}."
    whole = [row for row in peers if tuple(row["kernels"]) == THREE]
    return f"{text} The fastest peer with all three kernels is {beside(whole)}." if whole else text


def size(count: float) -> str:
    return f"{count / 1e9:.2f} GB"


def keys_tables(rows: Sequence[Result]) -> Iterator[str]:
    yield "In memory: hypostyle's stage runs all three kernels in batches of 1,000,000 rows. Polars' `.over` runs"
    yield '`mean` and `ewm` over one frame. "Second half" is the speed over the second half of the batches, when most'
    yield "keys are known. Null counts and sums of both columns were compared."
    yield from ("", "| keys | rows | hypostyle, rows/s | second half | peak RSS | polars .over, rows/s | peak RSS |")
    yield "|---:|" + "---:|" * 6
    for row in rows:
        mine, theirs = row["hypostyle"], row["polars"]
        late = f"{row['rows'] / mine['late_seconds']:,.0f}" if mine["status"] == "ok" else ""
        cells = [*speed_and_peak(mine)[:1], late, *speed_and_peak(mine)[1:], *speed_and_peak(theirs)]
        yield f"| {row['keys']:,} | {row['rows']:,} | {' | '.join(cells)} |"
    yield from (f"\nWith {row['keys']:,} keys {row['difference']}." for row in rows if row.get("difference"))
    yield from ("", "State per key, with all three kernels:", "")
    yield "| keys seen | rows per key | bytes in memory | bytes in a file | save, µs | load, µs | copy, µs |"
    yield "|---:|" + "---:|" * 6
    for row in (row for row in rows if row["hypostyle"]["status"] == "ok"):
        mine, seen = row["hypostyle"], row["hypostyle"]["keys_seen"]
        cells = [f"{row['rows'] / seen:,.0f}", *(f"{mine[name] / seen:,.0f}" for name in ("state_bytes", "file_bytes"))]
        cells += [f"{mine[f'{name}_seconds'] / seen * 1e6:,.3f}" for name in ("save", "load", "copy")]
        yield f"| {seen:,} | {' | '.join(cells)} |"
    yield from ("", "![rows per second and bytes per key, by number of keys](keyed-keys.svg)")


def speed_and_peak(ran: Result) -> list[str]:
    if ran["status"] != "ok":
        return [ran["status"], ""]
    return [f"{ran['rows_per_second']:,.0f}", size(ran["peak"])]


def write(result: Result, folder: Path, page: Path) -> None:
    """The report, its numbers, a chart for each part that ran, and the first part's table in a page of the docs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "keyed.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "keyed.md").write_text(markdown(result))
    if "files" in result:
        draw_files(result["files"], result["settings"]["rows"], folder / "keyed-files.svg")
    if "keys" in result:
        draw_keys(result["keys"], folder / "keyed-keys.svg")
    if {"files", "keys", "expressions"} <= result.keys():
        text = "\n".join(summary(result)).replace("](keyed", "](../benches/results/keyed")
        report.put(page, "keyed", text)


def summary(result: Result) -> Iterator[str]:
    """What the docs show."""
    on = result["machine"]
    yield f"On {on['cpu']} ({on['cores']} cores), {result['date'][:10]}."
    yield from ("", *files_table(result), "", *keys_tables(result["keys"]), "", *expressions_table(result))


def expressions_table(result: Result) -> Iterator[str]:
    yield "Four kernels (rolling_mean, rolling_std, ewm_mean, cumsum_clip) over the same keys: nanoseconds per row, the"
    yield "best of three runs. All three results are bit-identical."
    yield ""
    yield "| keys | rows | `with_columns(kernels)` | `with_columns(hs.struct(kernels))` | `hs.with_columns` |"
    yield "|---|---:|---:|---:|---:|"
    for row in result["expressions"]:
        cells = [f"{row[way] / row['rows'] * 1e9:.1f}" for way in ("apart", "struct", "past")]
        yield f"| {row['keys']:,} {row['kind']} | {row['rows']:,} | {' | '.join(cells)} |"


def pyplot() -> Any:
    """Matplotlib's, set up as in `chart.py`: the same figure gives the same file."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "hypostyle", "font.size": 8})
    from matplotlib import pyplot as made

    return made


def draw_files(rows: Sequence[Result], full: int, path: Path) -> None:
    """Bars of rows a second, and of peak memory beside."""
    done = [row for row in rows if row["status"] == "ok"]
    names = [
        f"{row['label']} ({', '.join(row['kernels']) or 'no kernels'})"
        + ("" if row["rows"] == full else f", first {row['rows'] / 1e6:g}M rows")
        for row in done
    ]
    places = range(len(done), 0, -1)
    figure, (speed, memory) = pyplot().subplots(1, 2, sharey=True, figsize=(9, 1 + 0.28 * len(done)))
    for axes, figures, label, form in (
        (speed, [row["rows_per_second"] / 1e6 for row in done], "million rows a second", " {:.2f}"),
        (memory, [row["peak"] / 1e9 for row in done], "peak RSS, GB", " {:.2f}"),
    ):
        axes.barh(places, figures, color=[OURS if is_ours(row) else THEIRS for row in done])
        for place, value in zip(places, figures, strict=True):
            axes.annotate(form.format(value), (value, place), va="center", fontsize=6.5)
        axes.margins(x=0.15)
        axes.set_xlabel(label)
        axes.spines[["top", "right"]].set_visible(False)
    speed.set_yticks(list(places), names)
    save(figure, path)


def draw_keys(rows: Sequence[Result], path: Path) -> None:
    """Lines of rows a second, and of bytes a key, against the number of keys."""
    figure, (speed, memory) = pyplot().subplots(1, 2, figsize=(9, 3.2))
    for name, label, color in (("hypostyle", "hypostyle, 3 kernels", OURS), ("polars", "polars .over, 2", THEIRS)):
        done = [row for row in rows if row[name]["status"] == "ok"]
        rates = [row[name]["rows_per_second"] / 1e6 for row in done]
        speed.plot([row["keys"] for row in done], rates, marker="o", color=color, label=label)
    speed.set_ylabel("million rows a second")
    speed.set_yscale("log")
    done = [row for row in rows if row["hypostyle"]["status"] == "ok"]
    for figures, label, style in (("state_bytes", "in memory", "-"), ("file_bytes", "in a file", "--")):
        bytes_ = [row["hypostyle"][figures] / row["hypostyle"]["keys_seen"] for row in done]
        memory.plot([row["keys"] for row in done], bytes_, style, marker="o", color=OURS, label=label)
    memory.set_ylabel("bytes a key, 3 kernels")
    memory.set_yscale("log")
    for axes in (speed, memory):
        axes.set_xscale("log")
        axes.set_xlabel("keys")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot().close(figure)
