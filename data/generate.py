"""Writes a CSV of made-up trades: the input of the demo and of the benchmarks.

Symbols are drawn by Zipf's law, so that a few have most of the trades, as on a real market; each symbol's price is a
random walk of its own.  Timestamps never decrease.  One value in a hundred of price, size and side is empty.

With --notes a last column holds what people type: mostly nothing, now and then a word, and one row in ten a text that
needs quotes, for it has commas, quotes or line ends inside.  The other columns stay as they are without it.

The same seed gives the same file, byte for byte.  Memory is bounded by the chunk, whatever the number of rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

CHUNK = 500_000
START = np.datetime64("2024-01-02T09:30:00", "us").astype(np.int64)
MEAN_GAP_US = 20_000
"""Between two trades, of whatever symbol."""
EMPTY = 0.01
"""The share of empty values in each of price, size and side."""
WORDS = ("late", "corrected", "cross", "odd lot", "auction", "block", "amended", "off book", "café desk", "€ leg")
JOINTS = (", ", "\n", ' "', '": ')
"""What stands between the words of a text; each makes its field need quotes."""
WORD, TEXT = 0.15, 0.1
"""The shares of notes that are a single word, and a text in quotes."""


def trades(rows: int, symbols: int, seed: int, notes: bool = False) -> Iterator[pl.DataFrame]:
    """The trades in chunks, in the order of time."""
    rng = np.random.default_rng(seed)
    note_rng = np.random.default_rng([seed, 1])
    """Of the notes alone, so that they change nothing else."""
    names = pl.Series("symbol", [f"S{i:04d}" for i in range(symbols)])
    shares = 1 / np.arange(1, symbols + 1)
    cumulative = np.cumsum(shares / shares.sum())
    cents = np.round(np.exp(rng.normal(4, 0.8, symbols)) * 100).astype(np.int64)
    cheap = cents < 2_000
    """Cheap symbols are quoted in hundredths of a cent, others in cents."""
    time = START
    for begin in range(0, rows, CHUNK):
        count = min(CHUNK, rows - begin)
        symbol = np.searchsorted(cumulative, rng.random(count), side="right").clip(0, symbols - 1)
        times = time + np.cumsum(rng.exponential(MEAN_GAP_US, count).astype(np.int64))
        time = times[-1]
        step = rng.integers(-3, 4, count)
        price = walk(symbol, step, cents)
        fine = np.where(cheap[symbol], rng.integers(0, 100, count) / 10_000, 0.0)
        chunk = pl.DataFrame(
            {
                "ts": pl.Series(times).cast(pl.Datetime("us")),
                "symbol": names.gather(symbol),
                "price": holes(rng, np.round(price / 100 + fine, 4)),
                "size": holes(rng, 1 + rng.geometric(0.01, count)),
                "side": holes(rng, np.where(rng.random(count) < 0.5, "buy", "sell")),
            }
        )
        yield chunk.with_columns(note(note_rng, count)) if notes else chunk


def walk(symbol: np.ndarray, step: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Each row's price in cents: its symbol's level moved by the steps so far, never below one.

    The levels move on to the chunk's end.
    """
    order = np.argsort(symbol, kind="stable")
    sums = np.cumsum(step[order])
    first = np.flatnonzero(np.diff(symbol[order], prepend=-1))
    lengths = np.diff(first, append=len(order))
    before = np.repeat(sums[first] - step[order][first], lengths)
    price = np.empty(len(symbol), dtype=np.int64)
    price[order] = np.maximum(level[symbol[order]] + sums - before, 1)
    last = first + lengths - 1
    level[symbol[order][last]] = price[order][last]
    return price


def holes(rng: np.random.Generator, values: np.ndarray) -> pl.Series:
    """The values, one in a hundred of them missing."""
    missing = rng.random(len(values)) < EMPTY
    return pl.Series(values).set(pl.Series(missing), None)


def note(rng: np.random.Generator, count: int) -> pl.Series:
    """So many notes: nulls, words, and texts of three to five words with a number."""
    words, joints = pl.Series(WORDS), pl.Series(JOINTS)
    kind = rng.random(count)
    drawn = [words.gather(rng.integers(0, len(WORDS), count)) for _ in range(5)]
    between = [joints.gather(rng.integers(0, len(JOINTS), count)) for _ in range(4)]
    length = rng.integers(3, 6, count)
    text = drawn[0]
    for i in range(1, 5):
        longer = text + between[i - 1] + drawn[i]
        text = longer if i < 3 else longer.zip_with(pl.Series(length > i), text)
    text = text + " " + pl.Series(rng.integers(0, 1_000_000, count)).cast(pl.String)
    word = drawn[0].zip_with(pl.Series(kind < WORD), pl.Series([None], dtype=pl.String))
    return text.zip_with(pl.Series(kind >= 1 - TEXT), word).alias("note")


def write(path: Path, rows: int, symbols: int, seed: int, notes: bool = False) -> None:
    """Writes the file under another name first, so that a file of that name is always whole."""
    part = path.with_suffix(".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        for i, chunk in enumerate(trades(rows, symbols, seed, notes)):
            chunk.write_csv(file, include_header=i == 0, datetime_format="%Y-%m-%dT%H:%M:%S%.6f")
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--symbols", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--notes", action="store_true", help="a last column of notes, some of them quoted texts")
    parser.add_argument("--out", type=Path, default=Path("data/trades.csv"))
    given = parser.parse_args()
    if given.rows < 1 or given.symbols < 1:
        parser.error("rows and symbols must be at least 1")
    write(given.out, given.rows, given.symbols, given.seed, given.notes)


if __name__ == "__main__":
    main()
