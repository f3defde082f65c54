"""`hypostyle.Pipeline`: the command's pipelines from Python."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import polars as pl
import pytest

import hypostyle as hs

STAGE = """
[[stage]]
over = "symbol"
[[stage.kernel]]
name = "rolling_mean"
column = "price"
window = 3
min_samples = 1
alias = "mean"
"""


def write(folder: Path, rows: int) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"symbol": [f"S{i % 7}" for i in range(rows)], "price": [float(i * 31 % 101) for i in range(rows)]}
    )
    frame.write_csv(folder / "in.csv")
    return frame


def test_the_bits_of_the_expression(tmp_path: Path) -> None:
    frame = write(tmp_path, 10_000)
    pipeline = hs.Pipeline("[source]\nchunk_bytes = 5000\n" + STAGE)
    seen: list[int] = []
    summary = pipeline.run(
        input=tmp_path / "in.csv", output=tmp_path / "out.parquet", progress=lambda status: seen.append(status.rows)
    )
    expected = frame.with_columns(hs.rolling_mean("price", 3, min_samples=1, over="symbol").alias("mean"))
    assert pl.read_parquet(tmp_path / "out.parquet").equals(expected)
    assert (summary.rows, summary.rows_read, summary.bad_rows, dict(summary.reasons)) == (10_000, 10_000, 0, {})
    assert summary.output == tmp_path / "out.parquet"
    assert summary.bytes_read == (tmp_path / "in.csv").stat().st_size
    assert seen
    assert seen == sorted(seen)


def test_from_file_with_bounds(tmp_path: Path) -> None:
    write(tmp_path, 1_000)
    (tmp_path / "p.toml").write_text(f'[source]\npath = "{tmp_path / "in.csv"}"\n' + STAGE)
    pipeline = hs.Pipeline.from_file(tmp_path / "p.toml")
    plan = pipeline.check(output=tmp_path / "out.csv")
    assert "rolling_mean(column='price'" in plan
    assert "out.csv (csv, 3 columns)" in plan
    assert not (tmp_path / "out.csv").exists()
    summary = pipeline.run(output=tmp_path / "out.csv", threads=1, limit=10, memory=8_000_000_000)
    assert summary.rows == 10 == pl.read_csv(tmp_path / "out.csv").height


def test_bad_rows_are_counted(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("symbol,price\nA,1\nB,x\nA\n")
    toml = f"""
    [source]
    on_bad_row = "reject"
    rejects = "{tmp_path / "rejects.csv"}"
    schema = {{ price = "f64" }}
    """
    summary = hs.Pipeline(toml + STAGE).run(input=tmp_path / "in.csv", output=tmp_path / "out.csv")
    assert (summary.rows, summary.bad_rows) == (1, 2)
    assert summary.reasons == {"not readable in 'price'": 1, "another number of fields": 1}
    assert summary.rejects == tmp_path / "rejects.csv"
    assert pl.read_csv(tmp_path / "rejects.csv")["row"].to_list() == ["B,x", "A"]


def test_a_filter_takes_rows_and_tells_how_many_it_left_out(tmp_path: Path) -> None:
    frame = write(tmp_path, 10_000).with_row_index("n")
    frame.write_parquet(tmp_path / "in.parquet", row_group_size=1_000, statistics=True)
    toml = """
    [source.filter]
    n = { min = 8500 }
    symbol = { one_of = ["S1", "S2"] }
    """
    pipeline = hs.Pipeline(toml + STAGE)
    assert "filter   leaves unread 8 of 10 row groups" in pipeline.check(
        input=tmp_path / "in.parquet", output=tmp_path / "out.parquet"
    )
    summary = pipeline.run(input=tmp_path / "in.parquet", output=tmp_path / "out.parquet")
    taken = frame.filter(pl.col("n") >= 8_500, pl.col("symbol").is_in(["S1", "S2"]))
    expected = taken.with_columns(hs.rolling_mean("price", 3, min_samples=1, over="symbol").alias("mean"))
    assert pl.read_parquet(tmp_path / "out.parquet").equals(expected)
    assert (summary.rows, summary.rows_read) == (taken.height, 10_000)
    assert (summary.filtered_rows, summary.skipped_groups, summary.skipped_files) == (10_000 - taken.height, 8, 0)


def test_mistakes_are_exceptions(tmp_path: Path) -> None:
    write(tmp_path, 10)
    files = {"input": tmp_path / "in.csv", "output": tmp_path / "out.csv"}
    with pytest.raises(ValueError, match="unknown field `nix`"):
        hs.Pipeline("nix = 1")
    with pytest.raises(ValueError, match="can't read the pipeline file"):
        hs.Pipeline.from_file(tmp_path / "none.toml")
    with pytest.raises(hs.ColumnNotFoundError, match="'nix'"):
        hs.Pipeline(STAGE.replace("price", "nix")).check(**files)
    with pytest.raises(TypeError, match="'symbol'"):
        hs.Pipeline(STAGE.replace('"price"', '"symbol"')).run(**files)
    with pytest.raises(OSError, match="can't open the input"):
        hs.Pipeline(STAGE).run(input=tmp_path / "none.csv", output=tmp_path / "out.csv")
    with pytest.raises(ValueError, match=r"in\.csv:2: record 1, column 'symbol': \"S0\" is no i64"):
        hs.Pipeline('[source.schema]\nsymbol = "i64"\n' + STAGE).run(**files)
    assert not (tmp_path / "out.csv").exists()


def test_what_progress_raises_stops_the_run(tmp_path: Path) -> None:
    write(tmp_path, 200_000)

    def fail(status: object) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        hs.Pipeline("[source]\nchunk_bytes = 100\n" + STAGE).run(
            input=tmp_path / "in.csv", output=tmp_path / "out.csv", progress=fail
        )
    assert os.listdir(tmp_path) == ["in.csv"]


def test_ctrl_c_stops_the_run(tmp_path: Path) -> None:
    write(tmp_path, 300_000)
    begun = threading.Event()

    def interrupt() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    pipeline = hs.Pipeline("[source]\nchunk_bytes = 40\n" + STAGE)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(input=tmp_path / "in.csv", output=tmp_path / "out.csv", progress=lambda status: begun.set())
    thread.join()
    assert os.listdir(tmp_path) == ["in.csv"]
