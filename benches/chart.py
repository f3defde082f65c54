"""The chart: for each row of the comparison, the fastest peer's time over hypostyle's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from report import fastest, ratio

FASTER, SLOWER = "#2a6f97", "#c1440e"


def draw(result: dict[str, Any], path: Path) -> None:
    """Horizontal bars on a logarithmic scale, one panel for each number of threads, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "hypostyle", "font.size": 8})
    from matplotlib import pyplot

    counts = list(dict.fromkeys(row["threads"] for row in result["rows"]))
    longest = max(sum(row["threads"] == threads for row in result["rows"]) for threads in counts)
    size = (6 * len(counts), 1.2 + 0.2 * longest)
    figure, panels = pyplot.subplots(1, len(counts), figsize=size, squeeze=False, sharex=True)
    for axes, threads in zip(panels[0], counts, strict=True):
        rows = [row for row in result["rows"] if row["threads"] == threads and ratio(row) is not None]
        ratios = [ratio(row) or 1.0 for row in rows]
        places = range(len(rows), 0, -1)
        axes.barh(places, [value - 1 for value in ratios], left=1, color=[FASTER if r >= 1 else SLOWER for r in ratios])
        axes.set_yticks(list(places), [row["name"] for row in rows])
        for place, row, value in zip(places, rows, ratios, strict=True):
            best = fastest(row)
            axes.annotate(
                f" {value:.{1 if value >= 1 else 2}f} ({best[0] if best else ''})",
                (max(value, 1.0), place),
                va="center",
                fontsize=6.5,
            )
        axes.set_xscale("log")
        axes.axvline(1, color="black", linewidth=0.8)
        axes.margins(x=0.25, y=0.01)
        axes.set_title(f"{threads} thread{'s' if threads > 1 else ''}")
        axes.set_xlabel("time of the fastest peer / time of hypostyle")
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
