"""A forked process neither hangs nor gives other answers (Polars' own operations aside, which don't survive a fork)."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

HEAD = """
import multiprocessing, threading, time
import numpy as np, pandas as pd
import hypostyle as hs
frame = pd.DataFrame({"key": np.arange(200_000) % 700, "x": np.arange(200_000) / 8.0})
kernels = [hs.rolling_mean("x", 20, over="key").alias("m"), hs.expanding_sum("x").alias("s")]
"""


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(HEAD) + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=90,
        env=os.environ | {"POLARS_MAX_THREADS": "2"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_frames_after_a_fork() -> None:
    out = run("""
    expected = hs.with_columns(frame, *kernels)
    def child(_):
        return hs.with_columns(frame, *kernels).equals(expected)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map_async(child, range(4)).get(60))
    """)
    assert out == "[True, True, True, True]\n"


def test_a_stage_goes_on_in_both_processes(tmp_path: object) -> None:
    out = run("""
    stage = hs.Stage(kernels[0], threads=2)
    stage.advance(frame)
    twin = stage.copy()
    def child(_):
        saved = stage.copy()
        return stage.advance(frame), len(saved._running.to_bytes())
    with multiprocessing.get_context("fork").Pool(1) as pool:
        theirs, size = pool.apply_async(child, [0]).get(60)
    print(theirs.equals(twin.advance(frame)), size > 1000)
    """)
    assert out == "True True\n"


def test_a_fork_in_mid_batch_is_told() -> None:
    """Another thread runs the stage when the process forks: the copy is in mid-batch for ever."""
    out = run("""
    import os
    stage = hs.Stage(kernels[0], threads=1)
    long = pd.concat([frame] * 40, ignore_index=True)
    stop = False
    def feed():
        while not stop:
            stage.advance(long)
    thread = threading.Thread(target=feed)
    thread.start()
    said = set()
    for _ in range(20):
        time.sleep(0.02)
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            for _ in range(2):  # it is told again, and the second call waits for nothing either
                try:
                    stage.state_bytes()
                    said_now = b"works"
                except RuntimeError as error:
                    said_now = str(error).encode()
            os.write(writing, said_now)
            os._exit(0)
        os.waitpid(child, 0)
        said.add(os.read(reading, 200).decode().partition(",")[0])
    stop = True
    thread.join()
    print(sorted(said - {"works"}))
    """)
    assert out == "['this process was forked while another thread was running this stage']\n"
