"""A command in a process of its own, and what the system says of it: seconds, CPU seconds, peak memory.

The process that asks must stay small: Linux gives a child its parent's peak where that is higher.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Timer
from typing import IO, Any

Result = dict[str, Any]


def alone(command: Sequence[str | Path], timeout: float) -> Result:
    """Its `status`, "ok" or how it ended instead; its figures, and what it `printed`."""
    late = Event()
    with TemporaryFile() as output, TemporaryFile() as errors:
        begin = time.perf_counter()
        process = subprocess.Popen(list(map(str, command)), stdout=output, stderr=errors, start_new_session=True)

        def end() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = Timer(timeout, end)
        timer.start()
        first_to_go(process.pid)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            end()
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        printed, complaint = text(output), text(errors)
    if late.is_set():
        return {"status": f"> {timeout:,.0f} s"}
    if process.returncode:
        return {"status": ending(process.returncode, complaint)}
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    figures = {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak": peak}
    return {"status": "ok", **figures, "printed": printed}


def text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").strip()


def first_to_go(pid: int) -> None:
    """Where memory runs out, the kernel ends this process rather than another."""
    with suppress(OSError):  # not Linux, or gone already
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")


def ending(code: int, complaint: str) -> str:
    if code == -signal.SIGKILL or "out of memory" in complaint.lower() or "MemoryError" in complaint:
        return "out of memory"
    last = (complaint.splitlines() or [f"exit code {code}"])[-1]
    return f"failed: {last.strip()}"


def warm(path: Path) -> None:
    """Reads a file, so that the system has it in memory."""
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 24):
            pass


def synced(path: Path) -> float:
    """The seconds until a written file is on the disk."""
    begin = time.perf_counter()
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return time.perf_counter() - begin
