"""The command that the wheel installs gives the same bits as the library."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import polars as pl
import pytest

import hypostyle as hs
from data import same, wild
from kernels_under_test import NAMES, expressions


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = Path(sysconfig.get_path("scripts")) / "hypostyle"
    return subprocess.run([command, *map(str, arguments)], capture_output=True, text=True)


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return str(value["float"])
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def test_every_kernel_by_pipeline(tmp_path: Path) -> None:
    frame = wild()
    frame.write_parquet(tmp_path / "in.parquet")
    exprs = [e for name in NAMES for e in expressions(name, streams=True)]
    lines = ["[source]", f'path = "{tmp_path / "in.parquet"}"']
    for expr in exprs:
        spec = expr._kernel
        lines += ["[[stage]]", *([f"over = {toml(list(spec.over))}"] if spec.over else []), "[[stage.kernel]]"]
        lines += [f'name = "{spec.name}"', f'alias = "{spec.alias}"']
        lines += [f"{name} = {toml(value)}" for name, value in spec.parameters.items()]
    lines += ["[sink]", f'path = "{tmp_path / "out.parquet"}"']
    (tmp_path / "pipeline.toml").write_text("\n".join(lines))
    done = run("run", tmp_path / "pipeline.toml")
    assert done.returncode == 0, done.stderr
    found = pl.read_parquet(tmp_path / "out.parquet")
    expected = hs.with_columns(frame, exprs)
    for expr in exprs:
        name = expr.meta.output_name()
        assert same(found[name], expected[name]), name


def test_kernels_are_listed() -> None:
    done = run("kernels")
    assert done.returncode == 0
    assert all(name in done.stdout for name in NAMES)
    assert "window" in run("kernels", "rolling_mean").stdout


def test_mistakes_read_the_same(tmp_path: Path) -> None:
    frame = pl.DataFrame({"price": [1.0]})
    frame.write_csv(tmp_path / "in.csv")
    (tmp_path / "p.toml").write_text(
        f'[source]\npath = "{tmp_path / "in.csv"}"\n[[stage]]\n[[stage.kernel]]\nname = "rolling_mean"\n'
        f'column = "prize"\nwindow = 3\n[sink]\npath = "{tmp_path / "out.parquet"}"\n'
    )
    done = run("run", tmp_path / "p.toml")
    with pytest.raises(hs.ColumnNotFoundError) as caught:
        hs.with_columns(frame, hs.rolling_mean("prize", 3))
    assert str(caught.value) in done.stderr
    assert done.returncode != 0
    assert not (tmp_path / "out.parquet").exists()


def test_the_command_leaves_polars_alone(tmp_path: Path) -> None:
    code = "import sys, hypostyle_cli; hypostyle_cli.native(); sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert subprocess.run([sys.executable, "-m", "hypostyle", "kernels"], capture_output=True).stdout == (
        run("kernels").stdout.encode()
    )
