"""The switch interval: how soon Python code lets go of the GIL when the sampler asks for it.

With the usual 5 ms a look rarely sees the code that ran when it was due: if that lets go of the GIL before, as calls of
Polars, NumPy or pandas do, the look is taken there, and a loop of a millisecond between two such calls is never seen.
So the interval is short while the sampler sleeps, and is as it was while it looks, or another thread could run before
the stacks are taken.  It is left alone where other threads of Python run, which would switch more often as well.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

SHORT = 2e-5
"""Seconds.  A shorter one finds shorter loops, but the sampler's thread wakes up this often while a call keeps the GIL:
with 1e-6 it takes a whole processor then."""

_SLACK = 29
"""Linux: PR_SET_TIMERSLACK."""


class SwitchInterval:
    """Shortens the interval, and sets it back: also in a child process that is forked meanwhile."""

    def __init__(self) -> None:
        self._usual: float | None = None
        self._short = 0.0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.restore)

    def shorten(self) -> bool:
        """Shorten it if this thread and one other are all that there are; return whether it is short."""
        if thread_count() > 2:
            return False
        self._usual = sys.getswitchinterval()
        sys.setswitchinterval(min(SHORT, self._usual))
        self._short = sys.getswitchinterval()
        return True

    def restoring(self) -> list[Callable[[], Any]]:
        """Return the functions of C that set it back at once; `restored` is to know what the first one returns."""
        return [sys.getswitchinterval, partial(sys.setswitchinterval, self._usual or 0.0)]

    def restored(self, found: float) -> None:
        """Keep what the script has set meanwhile: it is set back by now."""
        self._usual = None
        if found != self._short:
            sys.setswitchinterval(found)

    def restore(self) -> None:
        """Set it back, if it is short."""
        if self._usual is not None:
            found, *_ = [call() for call in self.restoring()]
            self.restored(found)


def thread_count() -> int:
    """Return how many threads run Python code, also those that were started by C code.

    The frames that are counted are gone when the call returns: see `frames`.
    """
    count: Any = map(len, islice(iter(sys._current_frames, None), 1))
    return sum(count)


def wake_in_time() -> None:
    """Have the timers of this thread end when they are due: by default Linux lets them be 50 us late."""
    try:
        from ctypes import PyDLL

        PyDLL(None).prctl(_SLACK, 1, 0, 0, 0)
    except (ImportError, OSError, AttributeError, TypeError):
        return


def latency(lock: Any) -> float:
    """Return how long this thread takes to wake up, the least of some times.

    Args:
        lock: A lock that another thread has, while it does not run.
    """
    late = []
    for _ in range(5):
        due = time.perf_counter() + 2e-4
        lock.acquire(timeout=2e-4)
        late.append(time.perf_counter() - due)
    return min(late)
