"""`hypostyle profile`: how often a script calls a database or the network."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

from hypostyle._profile.counting import Counter, calls_of, told
from hypostyle._profile.hot import Spot, source
from hypostyle_profile.stacks import Times

SCRIPT = """import sqlite3

db = sqlite3.connect(":memory:")
db.execute("create table t (a)")
for i in range(7):
    db.execute("insert into t values (?)", (i,))
found = [db.execute("select a from t where a = ?", (i,)).fetchone() for i in range(5)]
both = [db.execute("select 1").connection.execute("select 2") for i in range(3)]
"""


def spots(path: Path) -> list[Spot]:
    """Return the statements of a script as what takes its time."""
    file = source(str(path))
    assert file is not None
    return [
        Spot(str(path), s.lineno, s.end_lineno or s.lineno, "", Times(waiting=1.0), 1.0) for s in file.tree.body[2:]
    ]


def test_every_call_counts_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "n.py"
    path.write_text(SCRIPT)
    counter = Counter(calls_of(spots(path)), 60.0)
    tree = ast.parse(SCRIPT, str(path))
    counter.compiled_into(tree, str(path))
    counter.install()
    names: dict[str, object] = {}
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), names)
    counts = counter.to_json()
    assert told(counts, str(path), range(5, 7)) == [("db.execute", 7)]
    assert told(counts, str(path), range(7, 8)) == [("db.execute", 5)]
    assert dict(told(counts, str(path), range(8, 9))) == {
        "db.execute": 3,
        "db.execute('select 1').connection.execute": 3,
    }
    assert told(counts, str(path), range(4, 5)) == []  # once is no loop
    assert names["found"] == [(i,) for i in range(5)]


def test_the_report_tells_how_often(tmp_path: Path) -> None:
    path = tmp_path / "n.py"
    path.write_text(
        "import sqlite3\ndb = sqlite3.connect(':memory:')\nfound = []\nids = list(range(40_000))\n"
        "for i in ids:\n    found.append(db.execute('select ? + 1', (i,)).fetchone()[0])\n"
    )
    command = [sys.executable, "-m", "hypostyle", "profile", "--json", str(tmp_path / "r.json"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    finding = next(f for f in json.loads((tmp_path / "r.json").read_text())["findings"] if f["kind"] == "database")
    assert finding["calls"] == [["db.execute", 40_000]]
    assert "db.execute: called 40,000 times" in done.stderr
    assert "N+1" in done.stderr
