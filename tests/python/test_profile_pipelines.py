"""`hypostyle profile`: scripts that read a file, add columns and write a file, as pipelines."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hypostyle as hs
from hypostyle._profile.capture import Capture
from hypostyle._profile.patch import patched_text
from hypostyle._profile.patterns.pipeline_scripts import find
from hypostyle._profile.prove import Proof
from hypostyle._profile.syntax import SourceFile

ROWS = 400

READ = "f = pd.read_csv('in.csv')\n"
WRITE = "f.to_csv('out.csv', index=False)\n"
MEAN = "f['m'] = f.groupby('k')['x'].transform(lambda s: s.rolling(3).mean())\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the files that scripts read, and go there."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "t": pd.date_range("2024-01-01", periods=ROWS, freq="s"),
            "k": rng.choice(list("ABC"), ROWS),
            "x": np.round(rng.normal(50, 4, ROWS), 2),
            "n": rng.integers(0, 9, ROWS),
            "text": "a, b",
        }
    )
    frame.to_csv("whole.csv", index=False)
    frame.loc[::17, "x"] = np.nan
    frame.to_csv("in.csv", index=False)
    frame.to_parquet("in.parquet", index=False)
    Path("words.csv").write_text("k,x\nA,1.5\nA,NA\nB,2.5\n")


def proof_of(code: str, path: Path) -> Proof:
    """Run a script, and return the proof of its pipeline."""
    path.write_text(code)
    units = list(find(SourceFile(str(path), code)))
    assert len(units) == 1, "no pipeline is recognized"
    capture = Capture(units)
    capture.around(compile(code, str(path), "exec"), {"__name__": "__main__"})
    return capture.watched[0].result()


HEAD = "import sys\nimport numpy as np\nimport pandas as pd\nimport polars as pl\n"

EQUAL = {
    "a mean of groups": (READ + MEAN + WRITE, 'rolling_mean("x", 3, over="k")'),
    "rows without a value": (
        READ + "f = f.dropna(subset=['x'])\nf['d'] = f.groupby('k')['x'].diff()\n" + WRITE,
        "diff",
    ),
    "a filter": (
        READ + "f = f[(f['x'] > 45.0) & (f.n <= 6) & f['k'].isin(['A', 'B'])]\n" + MEAN + WRITE,
        "rolling_mean",
    ),
    "arithmetic": (READ + MEAN + "f['z'] = (f['x'] - f['m']) / f['m'] * 100\n" + WRITE, '"z" = '),
    "a function of windows": (
        "f = pd.read_csv('whole.csv')\nf['r'] = f['x'].rolling(4).apply(lambda w: w.max() - w.min(), raw=True)\n"
        + WRITE,
        "function(",
    ),
    "functions of the user": (
        "def load(path, kind='.csv'):\n    return pd.read_csv(path + kind)\n"
        "def add(g, n):\n    g['m'] = g.groupby('k')['x'].transform(lambda s: s.rolling(n).mean())\n    return g\n"
        "f = add(load('in'), 4)\n" + WRITE,
        'rolling_mean("x", 4, over="k")',
    ),
    "picked columns": (READ + MEAN + "f[['m', 'k']].to_parquet('out.parquet', index=False)\n", "rolling_mean"),
    "words for missing values": (
        "f = pd.read_csv('words.csv')\nf['s'] = f['x'].shift(1)\nf.to_csv('out.csv', index=False)\n",
        "shift",
    ),
    "times": (
        "f = pd.read_csv('in.csv', parse_dates=['t'])\n" + MEAN + "f.to_parquet('out.parquet')\n",
        "rolling_mean",
    ),
    "Parquet": ("f = pd.read_parquet('in.parquet')\n" + MEAN + "f.to_parquet('out.parquet')\n", "rolling_mean"),
    "a column that is replaced": (READ + "f['x'] = f.groupby('k')['x'].ffill()\n" + MEAN + WRITE, "ffill"),
    "the number of rows": (READ + MEAN + WRITE + "print('rows', len(f))\n", "rolling_mean"),
    "Polars": (
        "(pl.scan_csv('in.csv').filter(pl.col('x').is_not_null()).with_columns(pl.col('x').rolling_mean(3).over('k')"
        ".alias('m'), d=pl.col('x').diff().over('k')).drop('text').sink_parquet('out.parquet'))\n",
        'rolling_mean("x", 3, over="k")',
    ),
    "Polars, statement by statement": (
        "f = pl.read_csv('in.csv').drop_nulls()\nf = f.with_columns(pl.col('x').cum_max().over('k').alias('c'))\n"
        "f = f.with_columns(q=pl.col('x') / pl.col('c'))\nf.select('k', 'q').write_csv('out.csv')\n",
        "cum_max",
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_the_pipeline_writes_what_the_script_wrote(name: str, tmp_path: Path) -> None:
    code, use = EQUAL[name]
    proof = proof_of(HEAD + code, tmp_path / "script.py")
    assert proof.state == "equal", (proof.why, proof.definitions)
    assert use in proof.use
    assert proof.before > 0
    assert proof.after > 0
    # The changed script writes the same, as the file alone does.
    written = next(iter(Path().glob("out.*")))
    expected = read(written)
    written.unlink()
    changed = patched_text(HEAD + code, proof.edits)
    exec(compile(ast.parse(changed), "changed.py", "exec"), {"__name__": "__main__"})
    found = read(written)
    assert found.equals(expected, null_equal=True) or proof.exactness != "bit for bit"
    written.unlink()
    hs.Pipeline(proof.definitions).run()
    assert read(written).equals(found, null_equal=True)


def read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)


NOT = {
    "rows dropped afterwards": (READ + MEAN + "f = f.dropna()\n" + WRITE, "drops rows first"),
    "the frame is read too": (READ + MEAN + WRITE + "print(f.head())\n", "reads f too"),
    "another step": (READ + MEAN + "f = f.sort_values('x')\n" + WRITE, ".sort_values(...)"),
    "other values": (READ + "f['m'] = f.groupby('k')['x'].transform('mean')\n" + MEAN + WRITE, "end of the file"),
    "a running maximum over gaps": (READ + "f['m'] = f.groupby('k')['x'].cummax()\n" + WRITE, "column 'm': row"),
    "the file itself": (
        "f = pd.read_csv('in.csv')\n" + MEAN + "f.to_csv('in.csv', index=False)\n",
        "file that it reads",
    ),
    "the index": (READ + MEAN + "f.to_csv('out.csv')\n", "index=False"),
    "options": ("f = pd.read_csv('in.csv', nrows=9)\n" + MEAN + WRITE, "nrows"),
    "a line that changes it": (READ + "f.loc[f['n'] == 3, 'x'] = 0.0\n" + MEAN + WRITE, "no step"),
    "booleans": (READ + "f['b'] = f['x'] > 50\n" + MEAN + WRITE, "no kernel and no arithmetic"),
}


@pytest.mark.parametrize("name", NOT)
def test_it_says_why_there_is_no_pipeline(name: str, tmp_path: Path) -> None:
    code, why = NOT[name]
    proof = proof_of(HEAD + code, tmp_path / "script.py")
    assert proof.state != "equal"
    assert why in proof.why


def test_scripts_that_write_nothing_are_none(tmp_path: Path) -> None:
    code = HEAD + READ + MEAN + "print(f)\n"
    assert list(find(SourceFile(str(tmp_path / "s.py"), code))) == []
    other = HEAD + "f = make()\nf.to_csv('out.csv')\n"
    assert list(find(SourceFile(str(tmp_path / "s.py"), other))) == []


def test_a_pipeline_is_reported_with_its_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from hypostyle._profile.command import main

    script = tmp_path / "features.py"
    slow = "f['m'] = f.groupby('k')['x'].apply(lambda s: s.rolling(9).apply(lambda w: sorted(w)[4])).droplevel(0)\n"
    script.write_text(HEAD + READ + slow * 12 + WRITE + "print(f.tail(1))\n")
    main([str(script)])
    said: Any = capfd.readouterr().err
    assert "features.py:5-18 is not replaced by a pipeline file: line" in " ".join(said.split())
