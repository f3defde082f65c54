"""The generator of trades: notes change nothing else, and have all that makes a CSV hard to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl

GENERATE = Path(__file__).resolve().parents[2] / "data" / "generate.py"


def trades(path: Path, *options: str) -> pl.DataFrame:
    subprocess.run([sys.executable, GENERATE, "--rows", "5000", "--out", path, *options], check=True)
    return pl.read_csv(path, schema_overrides={"note": pl.String} if options else None)


def test_notes_stand_beside_the_same_trades(tmp_path: Path) -> None:
    plain, noted = trades(tmp_path / "plain.csv"), trades(tmp_path / "noted.csv", "--notes")
    assert noted.columns == [*plain.columns, "note"]
    assert noted.drop("note").equals(plain)


def test_notes_are_mostly_empty_and_one_in_ten_needs_quotes(tmp_path: Path) -> None:
    note = trades(tmp_path / "noted.csv", "--notes")["note"]
    assert 0.7 < note.null_count() / len(note) < 0.8
    texts = note.drop_nulls().filter(note.drop_nulls().str.contains('[,"\n]'))
    assert 0.08 < len(texts) / len(note) < 0.12
    assert all(texts.str.contains(sign, literal=True).any() for sign in (",", '"', "\n", "é"))
