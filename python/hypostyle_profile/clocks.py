"""How long a thread ran, and how long it waited for a processor.

Linux keeps both for each thread in `/proc/self/task/TID/schedstat`.  The second number is needed on a busy machine:
without the time in the run queue, half of a hot loop would look as if it waited for something.  Elsewhere the POSIX
clock of the thread is read, and where there is none, the process' own time is shared by its threads.

None of them gives the GIL away while it reads, as `os.pread` would: another thread could run between two readings.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from threading import Thread
from typing import NamedTuple, Protocol


class Spent(NamedTuple):
    """Seconds since a thread began."""

    cpu: float
    queue: float


NOTHING = Spent(0.0, 0.0)


class Clocks(Protocol):
    """Reads the clocks of threads."""

    name: str
    knows_queue: bool

    def read(self, threads: Iterable[Thread]) -> dict[int, Spent]:
        """Return what each thread has spent, by its `ident`; those that ended are left out."""


class SchedulerClocks:
    """Linux: the scheduler's own statistics."""

    name = "schedstat"
    knows_queue = True

    def __init__(self) -> None:
        self._files: dict[int, int] = {}
        self._pread = _pread()

    def read(self, threads: Iterable[Thread]) -> dict[int, Spent]:
        """Read the statistics of each thread."""
        spent = {}
        seen = set()
        for thread in threads:
            if thread.ident is None or thread.native_id is None:
                continue
            numbers = self._numbers(thread.native_id)
            if numbers is not None:
                spent[thread.ident] = numbers
                seen.add(thread.native_id)
        for gone in self._files.keys() - seen:
            os.close(self._files.pop(gone))
        return spent

    def _numbers(self, native_id: int) -> Spent | None:
        try:
            file = self._files.get(native_id)
            if file is None:
                file = self._files[native_id] = os.open(f"/proc/self/task/{native_id}/schedstat", os.O_RDONLY)
            cpu, queue, _ = self._pread(file, 100, 0).split()
            return Spent(int(cpu) / 1e9, int(queue) / 1e9)
        except (OSError, ValueError):
            return None


def _pread() -> Callable[[int, int, int], bytes]:
    """Return `os.pread`, if possible as a call that keeps the GIL."""
    try:
        from ctypes import PyDLL, c_int, c_long, c_size_t, c_ssize_t, c_void_p, create_string_buffer

        read = PyDLL(None).pread
    except (ImportError, OSError, AttributeError, TypeError):
        return os.pread
    read.argtypes, read.restype = (c_int, c_void_p, c_size_t, c_long), c_ssize_t

    def pread(file: int, size: int, offset: int) -> bytes:
        buffer = create_string_buffer(size)
        length = read(file, buffer, size, offset)
        return buffer.raw[: max(0, length)]

    return pread


class PosixClocks:
    """The CPU clock of each thread; the time in the run queue is not known."""

    name = "thread clocks"
    knows_queue = False

    def read(self, threads: Iterable[Thread]) -> dict[int, Spent]:
        """Read the clock of each thread, none of which can end as long as this holds the GIL."""
        spent = {}
        for thread in threads:
            if thread.ident is not None and thread.native_id is not None:
                try:
                    clock = time.pthread_getcpuclockid(thread.ident)
                    spent[thread.ident] = Spent(time.clock_gettime(clock), 0.0)
                except OSError:
                    continue
        return spent


class ProcessClock:
    """The time of the process: exact for one busy thread, an equal share for several."""

    name = "process clock"
    knows_queue = False

    def read(self, threads: Iterable[Thread]) -> dict[int, Spent]:
        """Give each thread its share."""
        idents = [thread.ident for thread in threads if thread.ident is not None]
        return {ident: Spent(time.process_time() / len(idents), 0.0) for ident in idents}


def clocks_for(threads: Iterable[Thread]) -> Clocks:
    """Return the best clocks that this system has, tried on these threads."""
    threads = list(threads)
    scheduler = SchedulerClocks()
    if any(spent.cpu > 0 for spent in scheduler.read(threads).values()):
        return scheduler
    if hasattr(time, "pthread_getcpuclockid"):
        return PosixClocks()
    return ProcessClock()
