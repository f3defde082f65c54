"""Measures a loop over objects against a row function over their columns.

    python benches/records.py            prints the table
    python benches/records.py --write    and puts it into docs/own-functions.md

The loop is `sum(position.weight * factor for factor in factors) / position.notional` over dataclasses.  The results
are compared bit by bit first; Python 3.12 and later add up with a correction, so there the loop adds by itself.
"""

from __future__ import annotations

import argparse
import gc
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

import hypostyle as hs
import report
from machine import machine
from measure import best

PAGE = Path(__file__).resolve().parent.parent / "docs" / "own-functions.md"
FACTORS = [0.1, 0.2, 0.3]


@dataclass(frozen=True, slots=True)
class Position:
    """A position to score."""

    weight: float
    notional: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, and writes it with `--write`."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, nargs="+", default=[1_000, 1_000_000], help="positions (1_000 1_000_000)")
    made.add_argument("--budget", type=float, default=1.0, help="seconds for the calls behind each time (1.0)")
    made.add_argument("--write", action="store_true", help="put the table into docs/own-functions.md")
    options = made.parse_args(arguments)
    gc.freeze()  # so that collecting between blocks of calls takes no time
    given = shlex.join(["python", "benches/records.py", *(sys.argv[1:] if arguments is None else arguments)])
    text = "\n".join([*table(options.rows, options.budget), "", *report.header({"command": given, **machine()})])
    print(text)
    if options.write:
        report.put(PAGE, "records", text)
    return 0


def table(counts: Sequence[int], budget: float) -> Iterator[str]:
    """Nanoseconds per position of each way."""
    yield "| nanoseconds per position | " + " | ".join(f"{count:,} positions" for count in counts) + " |"
    yield "|---|" + "---:|" * len(counts)
    columns = [measured(count, budget) for count in counts]
    loop = [times["loop over objects"] for times in columns]
    for way in columns[0]:
        cells = [f"{times[way]:,.1f} ({base / times[way]:,.0f}x)" for times, base in zip(columns, loop, strict=True)]
        yield f"| {way} | " + " | ".join(cells) + " |"


def measured(count: int, budget: float) -> dict[str, float]:
    """The nanoseconds per position, after a look that all results agree."""
    random = np.random.default_rng(1)
    weights, notionals = random.random(count).tolist(), (1 + random.random(count)).tolist()
    positions = [Position(*both) for both in zip(weights, notionals, strict=True)]
    frame = hs.from_records(positions)
    score = hs.risk_score("weight", "notional", FACTORS).alias("score")
    ways: dict[str, Callable[[], object]] = {
        "loop over objects": lambda: loop(positions),
        "`hs.from_records(positions).select(hs.risk_score(...))`": lambda: hs.from_records(positions).select(score),
        "`frame.select(hs.risk_score(...))`": lambda: frame.select(score),
    }
    expected = pl.Series("score", loop(positions))
    for way, run in list(ways.items())[1:]:
        found = run()
        if not isinstance(found, pl.DataFrame) or not found["score"].equals(expected):
            raise RuntimeError(f"{way}: the results differ")
    return {way: took / count * 1e9 for way, took in best(ways, budget).items()}


def loop(positions: Sequence[Position]) -> list[float]:
    """The scores, as `sum(...) / notional` gives them before Python 3.12."""
    scores = []
    for position in positions:
        total = 0.0
        for factor in FACTORS:
            total += position.weight * factor
        scores.append(total / position.notional)
    return scores


if __name__ == "__main__":
    sys.exit(main())
