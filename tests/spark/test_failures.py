"""Workers and drivers that die."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rows import KERNELS, assert_same_bits, comparable, in_memory, shuffled, trades
from test_streaming import Feed, pieces, written

import hypostyle.spark as hss

PROGRAM = Path(__file__).with_name("streaming_program.py")


def test_a_worker_dies_within_a_partition(spark: Any, tmp_path: Path) -> None:
    table = trades()

    def dying(batches: Any) -> Any:
        for batch in batches:
            yield batch
            if not (tmp_path / "died").exists():
                (tmp_path / "died").touch()
                os._exit(1)

    df = spark.createDataFrame(shuffled(table))
    out = hss.with_columns(df, *KERNELS, order_by=["ts", "i"], partitions=3)
    out = out.mapInArrow(dying, out.schema)
    assert_same_bits(comparable(out.toArrow()), in_memory(table))
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize("seed", [0])
def test_a_driver_is_killed_and_started_again(spark: Any, tmp_path: Path, seed: int) -> None:
    """With all of its processes, some time after a batch, until the third start ends by itself."""
    dice = random.Random(seed)
    table = trades(3_000, seed=seed)
    feed = Feed(spark, tmp_path)
    feed.put(*pieces(table, 8, seed))
    committed = tmp_path / "checkpoint" / "committed"
    for after in (1, 4, None):
        program = subprocess.Popen([sys.executable, str(PROGRAM), str(tmp_path)], start_new_session=True)
        try:
            while after is not None and program.poll() is None:
                if committed.exists() and int(committed.read_text()) >= after:
                    time.sleep(dice.random())
                    break
                time.sleep(0.01)
            if after is None:
                assert program.wait(timeout=1_800) == 0
        finally:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)
                program.wait()
    assert_same_bits(written(feed, tmp_path), in_memory(table))
    assert hss.load_stage(tmp_path / "checkpoint").n_rows == 3_000
