"""The chart: for each row of the comparison, the fastest peer's time over hypostyle's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from report import fastest, ratio

FASTER, SLOWER = "#2a6f97", "#c1440e"


def draw(result: dict[str, Any], path: Path) -> None:
    """Horizontal bars on a logarithmic scale, for the fewest threads, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "hypostyle", "font.size": 8})
    from matplotlib import pyplot

    threads = min(row["threads"] for row in result["rows"])
    rows = [row for row in result["rows"] if row["threads"] == threads and ratio(row) is not None]
    ratios = [ratio(row) or 1.0 for row in rows]
    places = range(len(rows), 0, -1)
    figure, axes = pyplot.subplots(figsize=(7, 1.2 + 0.18 * len(rows)))
    axes.barh(places, [value - 1 for value in ratios], left=1, color=[FASTER if r >= 1 else SLOWER for r in ratios])
    axes.set_yticks(list(places), [row["name"] for row in rows])
    for place, row, value in zip(places, rows, ratios, strict=True):
        best = fastest(row)
        label = f" {value:.{1 if value >= 1 else 2}f} ({best[0] if best else ''})"
        axes.annotate(label, (max(value, 1.0), place), va="center", fontsize=6.5)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.margins(x=0.25, y=0.01)
    axes.set_title(f"{threads} thread{'s' if threads > 1 else ''}")
    axes.set_xlabel("time of the fastest peer / time of hypostyle")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
