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
        input=tmp_path / "in.csv", output=tmp_path / "out.parquet", progress=lambda now: seen.append(now.rows_written)
    )
    expected = frame.with_columns(hs.rolling_mean("price", 3, min_samples=1, over="symbol").alias("mean"))
    assert pl.read_parquet(tmp_path / "out.parquet").equals(expected)
    assert (summary.rows_written, summary.rows_read) == (10_000, 10_000)
    assert (summary.bad_rows, dict(summary.bad_row_counts)) == (0, {})
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
    summary = pipeline.run(output=tmp_path / "out.csv", threads=1, limit=10, memory_limit=8_000_000_000)
    assert summary.rows_written == 10 == pl.read_csv(tmp_path / "out.csv").height


def test_bad_rows_are_counted(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("symbol,price\nA,1\nB,x\nA\n")
    toml = f"""
    [source]
    on_bad_row = "reject"
    rejects = "{tmp_path / "rejects.csv"}"
    schema = {{ price = "f64" }}
    """
    summary = hs.Pipeline(toml + STAGE).run(input=tmp_path / "in.csv", output=tmp_path / "out.csv")
    assert (summary.rows_written, summary.bad_rows) == (1, 2)
    assert summary.bad_row_counts == {"invalid value in 'price'": 1, "wrong number of fields": 1}
    assert summary.rejects == tmp_path / "rejects.csv"
    assert pl.read_csv(tmp_path / "rejects.csv")["row"].to_list() == ["B,x", "A"]


def test_a_filter_counts_the_rows_that_it_filters_out(tmp_path: Path) -> None:
    frame = write(tmp_path, 10_000).with_row_index("n")
    frame.write_parquet(tmp_path / "in.parquet", row_group_size=1_000, statistics=True)
    toml = """
    [source.filter]
    n = { min = 8500 }
    symbol = { one_of = ["S1", "S2"] }
    """
    pipeline = hs.Pipeline(toml + STAGE)
    assert "filter   skips 8 of 10 row groups" in pipeline.check(
        input=tmp_path / "in.parquet", output=tmp_path / "out.parquet"
    )
    summary = pipeline.run(input=tmp_path / "in.parquet", output=tmp_path / "out.parquet")
    matching = frame.filter(pl.col("n") >= 8_500, pl.col("symbol").is_in(["S1", "S2"]))
    expected = matching.with_columns(hs.rolling_mean("price", 3, min_samples=1, over="symbol").alias("mean"))
    assert pl.read_parquet(tmp_path / "out.parquet").equals(expected)
    assert (summary.rows_written, summary.rows_read) == (matching.height, 10_000)
    assert summary.filtered_rows == 10_000 - matching.height
    assert (summary.skipped_row_groups, summary.skipped_files) == (8, 0)


def test_errors_are_exceptions(tmp_path: Path) -> None:
    write(tmp_path, 10)
    files = {"input": tmp_path / "in.csv", "output": tmp_path / "out.csv"}
    with pytest.raises(ValueError, match="unknown setting 'nix'"):
        hs.Pipeline("nix = 1")
    with pytest.raises(FileNotFoundError, match=r"none\.toml: cannot read the pipeline file"):
        hs.Pipeline.from_file(tmp_path / "none.toml")
    with pytest.raises(hs.ColumnNotFoundError, match="'nix'"):
        hs.Pipeline(STAGE.replace("price", "nix")).check(**files)
    with pytest.raises(TypeError, match="'symbol'"):
        hs.Pipeline(STAGE.replace('"price"', '"symbol"')).run(**files)
    for name in ["none.csv", "none.parquet", "none.arrow", "none/*.csv"]:
        with pytest.raises(FileNotFoundError, match=name.replace("*", r"\*")):
            hs.Pipeline(STAGE).check(input=tmp_path / name, output=tmp_path / "out.csv")
        with pytest.raises(FileNotFoundError, match=name.replace("*", r"\*")):
            hs.Pipeline(STAGE).run(input=tmp_path / name, output=tmp_path / "out.csv")
    with pytest.raises(FileNotFoundError, match="the directory of the output does not exist"):
        hs.Pipeline(STAGE).run(input=tmp_path / "in.csv", output=tmp_path / "none" / "out.csv")
    with pytest.raises(ValueError, match=r"in\.csv:2: record 1, column 'symbol': \"S0\" is not a valid i64"):
        hs.Pipeline('[source.schema]\nsymbol = "i64"\n' + STAGE).run(**files)
    assert not (tmp_path / "out.csv").exists()


def test_what_progress_raises_stops_the_run(tmp_path: Path) -> None:
    write(tmp_path, 200_000)

    def fail(progress: object) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        hs.Pipeline("[source]\nchunk_bytes = 100\n" + STAGE).run(
            input=tmp_path / "in.csv", output=tmp_path / "out.csv", progress=fail
        )
    assert os.listdir(tmp_path) == ["in.csv"]


def test_ctrl_c_stops_the_run(tmp_path: Path) -> None:
    write(tmp_path, 300_000)
    begun = threading.Event()
    # Python leaves a signal ignored that its parent ignores, as shells do for jobs in the background.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    pipeline = hs.Pipeline("[source]\nchunk_bytes = 40\n" + STAGE)
    try:
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(input=tmp_path / "in.csv", output=tmp_path / "out.csv", progress=lambda progress: begun.set())
    finally:
        thread.join()
        signal.signal(signal.SIGINT, handler)
    assert os.listdir(tmp_path) == ["in.csv"]
