"""A thread that looks at all others, about 200 times per second.

It needs no rights, no second process and no file but those of `/proc`.  Each look takes every thread's stack and its
clocks: how long it was on a processor, in the run queue, or *waiting*, which is the rest.  If threads that Python does
not know ran meanwhile (those of BLAS or Polars), the main thread waited for them: that time is native.

The sampler needs the GIL, and most looks ask for it with a short switch interval, so that they see the code that ran
when they were due: see `switching`.  Seconds are charged by these.  One look of four is a *probe*, which asks with the
usual interval and charges nothing.  Its delay tells Python from native code, for all looks at the same instruction.

If the GIL is free at once, a thread that used the processor was in a C function that had released it.  If it comes a
little later, the thread had the GIL when the sampler asked for it, in Python code, and has let go of it since, in a C
function: that of the next group or query perhaps.  If it comes after the switch interval, the thread was interrupted in
Python code; C functions that take less belong to it, such as the builtins that loops are made of.  If it comes later, a
C function was holding it; the time goes to the last instruction that can have called one.

A busy machine delays looks too.  The time in the run queue since the sampler asked for the GIL, its own and that of the
other threads, is taken off.  What remains, such as the time that a virtual machine was stopped for, shows when all
looks at an instruction are taken together: see `verdicts`.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import count
from types import CodeType
from typing import Any

from hypostyle_profile.clocks import NOTHING, Spent, clocks_for
from hypostyle_profile.frames import stacks, stacks_after
from hypostyle_profile.memory import resident
from hypostyle_profile.stacks import Key, Samples
from hypostyle_profile.switching import SwitchInterval, latency, wake_in_time
from hypostyle_profile.verdicts import State

INTERVAL = 0.005
"""Seconds between two looks."""

AT_ONCE = 0.0005
"""A longer delay means that the GIL was held; a shorter one is the system's own."""

INTERRUPTED = 0.8
"""Switch intervals before which no thread is interrupted in Python code: one that let go of the GIL earlier did so
itself, unless a third thread asked for it."""

UNASKED = 1.5
"""Times that the sampler's thread takes to wake up, after which it may have waited for the GIL: that wakes it twice."""

LONG = 1.25
"""Switch intervals after which the GIL was held by a C function."""

SHARE = 0.025
"""The most of the time that the sampler takes; it looks less often if its looks cost more in the mean."""

REMEMBERED = 16
"""Looks whose mean is what a look costs: a single one costs much while a call keeps the GIL."""

POOLED = 0.1
"""The share of a time in which threads of native code ran that makes it native."""

LONGEST = 0.04
"""The longest pause between two looks, in seconds."""

PROBE_EVERY = 4
"""Looks of which one is a probe."""

SPREAD = 0.6180339887498949
"""The fraction of the golden ratio, by which pauses differ: what repeats is not always seen at the same place."""

MEMORY_EVERY = 0.1
"""Seconds between two looks at the memory."""


class Sampler:
    """Samples the threads of this process from `start` to `stop`.

    Args:
        interval: Seconds between two looks.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self.samples = Samples(interval)
        self._interval = interval
        self._ending = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="hypostyle profile", daemon=True)
        self._codes: dict[int, CodeType] = {}
        self._keys: dict[threading.Thread, Key] = {}
        self._knows_queue = False
        self._held = 0.0
        self._collecting = 0.0
        self._latency = 0.0
        self._taken: dict[int, list[tuple[CodeType, int]]] = {}
        self._ready = threading.Event()

    def start(self) -> None:
        """Begin to sample."""
        self._ending.acquire()
        self._thread.start()
        self._ready.wait()
        gc.callbacks.append(self._garbage)
        self._started = time.perf_counter()
        self._cpu = time.process_time()

    def stop(self) -> Samples:
        """Return the samples, after a last look."""
        self.samples.wall = time.perf_counter() - self._started
        self.samples.cpu = time.process_time() - self._cpu
        self._ending.release()
        self._thread.join()
        if self._garbage in gc.callbacks:
            gc.callbacks.remove(self._garbage)
        self.samples.resolve(self._codes)
        return self.samples

    def _run(self) -> None:
        mine = threading.current_thread()
        wake_in_time()
        self._latency = latency(self._ending)
        clocks = clocks_for(threading.enumerate())
        self.samples.clock = clocks.name
        self._knows_queue = clocks.knows_queue
        before, process_before = clocks.read(threading.enumerate()), time.process_time()
        now = memory_at = time.perf_counter()
        self._ready.set()
        mean, cost, used = self._interval, 0.0, time.thread_time()
        switching = SwitchInterval()
        for number in count(1):
            pause = mean * (0.5 + number * SPREAD % 1)
            threads = threading.enumerate()
            at_asking, asked = clocks.read(threads), time.perf_counter()
            is_prompt = number % PROBE_EVERY != 0 and switching.shorten()
            calls: list[Callable[[], Any]] = [partial(self._ending.acquire, True, pause), time.perf_counter]
            idents = [t.ident or 0 for t in threads]
            made, taken = stacks_after(calls + (switching.restoring() if is_prompt else []), idents)
            ended, came, *found = made
            if is_prompt:
                switching.restored(found[0])
            self._taken = dict(zip(idents, taken, strict=True))
            threads = threading.enumerate()
            spent, process = clocks.read(threads), time.process_time()
            known = [t for t in threads if t.ident is not None and t.ident in spent]
            since = {t: _since(spent, before, t.ident or 0) for t in known}
            meanwhile = {t: _since(spent, at_asking, t.ident or 0) for t in known}
            pooled = process - process_before - sum(each.cpu for each in since.values())
            since.pop(mine, None)
            own = meanwhile.pop(mine, NOTHING).queue
            delay = 0.0 if ended else came - asked - pause - own
            worked = _worked(meanwhile.values(), delay, own, pause, knows_queue=clocks.knows_queue)
            self.samples.delay = max(self.samples.delay, delay)
            # A probe charges nothing: what a long call has spent would go to what runs at the next look.
            is_short = delay <= LONG * sys.getswitchinterval()
            if number % PROBE_EVERY == 0 and is_short and not ended and not _several(since, came - now):
                self._probe(since, delay, worked)
            else:
                self._look(since, came - now, delay, worked, pooled, is_prompt=is_prompt)
                before, process_before, now = spent, process, came
                self._held = 0.0
            if came - memory_at >= MEMORY_EVERY:
                memory_at = came
                self.samples.memory.append((came - self._started, resident()))
            self._held += time.perf_counter() - came
            used, used_before = time.thread_time(), used
            cost += (used - used_before - cost) / min(number, REMEMBERED)
            mean = max(self._interval, min(LONGEST, cost / SHARE))
            if ended:
                break
        self.samples.own_cpu = used

    def _probe(self, threads: Iterable[threading.Thread], delay: float, worked: float) -> None:
        """Note what the delay of a look says of the instruction where a thread is."""
        state = _state(delay, worked, several=False, knows_queue=self._knows_queue)
        for thread in threads:
            frames = self._frames(thread)
            if frames:
                self.samples.saw(self._stack(frames)[0], state)

    def _look(
        self,
        since: dict[threading.Thread, Spent],
        wall: float,
        delay: float,
        worked: float,
        pooled: float,
        *,
        is_prompt: bool = False,
    ) -> None:
        """Add a sample of every thread: `since` is what each has spent since the last look, `wall` seconds ago."""
        samples = self.samples
        samples.count += 1
        main = threading.main_thread()
        busy = sum(used.cpu + used.queue for used in since.values())
        several = _several(since, wall)
        knows = self._knows_queue
        state = _state(delay, worked, several=several, knows_queue=knows, is_prompt=is_prompt, latency=self._latency)
        keys = {}
        for thread, used in since.items():
            frames = self._frames(thread)
            if not frames:
                continue
            stack = self._stack(frames)
            stands = several and thread in self._keys and self._keys[thread].frames == stack
            cpu = min(used.cpu, wall)
            queue = min(used.queue, wall - cpu)
            waiting = max(0.0, wall - cpu - queue)
            if cpu > 0:  # it wanted to run while the sampler had the GIL, perhaps in the queue itself
                held = min(waiting, self._held)
                waiting, queue = waiting - held, queue + held
            if used.queue > wall - cpu:  # it was in the queue already at the last look, as is known only now
                samples.was_queued(self._keys.get(thread), used.queue - (wall - cpu))
            outside = 0.0
            if thread is main and pooled > POOLED * wall:
                waiting, outside = 0.0, waiting
            alone = min(waiting, max(0.0, wall - busy)) if thread is main else 0.0
            key = keys[thread] = Key(thread.name, thread is main, "free" if stands else state, stack)
            samples.add(key, cpu, outside, waiting, queue, alone)
        self._keys = keys

    def _frames(self, thread: threading.Thread) -> list[tuple[CodeType, int]]:
        """Return the frames that were taken, or those of now for a thread that has started since."""
        ident = thread.ident or 0
        return self._taken[ident] if ident in self._taken else stacks([ident])[0]

    def _stack(self, frames: list[tuple[CodeType, int]]) -> tuple[tuple[int, int], ...]:
        for code, _ in frames:
            self._codes.setdefault(id(code), code)  # kept, so that no other code gets its id
        return tuple((id(code), offset) for code, offset in frames)

    def _garbage(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._collecting = time.perf_counter()
        elif self._collecting:
            self.samples.garbage += time.perf_counter() - self._collecting
            self._collecting = 0.0


def _several(since: Mapping[threading.Thread, Spent], wall: float) -> bool:
    """Whether several threads run: one of them has the GIL, and one that stands where it stood is in a call."""
    return sum(used.cpu > wall / 10 for used in since.values()) > 1


def _state(
    delay: float,
    worked: float,
    *,
    several: bool,
    knows_queue: bool = True,
    is_prompt: bool = False,
    latency: float = 0.0,
) -> State:
    """Return who had the GIL when the sampler asked for it.

    Args:
        delay: How long the sampler waited, without its own time in the run queue.
        worked: How long another thread worked with the GIL meanwhile.
        several: Whether several threads are running, which ask each other for the GIL.
        knows_queue: Whether the delay is without the time in the run queue: else it says nothing if it is short.
        is_prompt: Whether the sampler asked with a short switch interval.
        latency: How long its thread takes to wake up.
    """
    interval = sys.getswitchinterval()
    if is_prompt and delay <= LONG * interval:
        return "unasked" if delay < UNASKED * latency else "asked"
    if delay <= AT_ONCE:
        return "free"
    if not several and delay <= INTERRUPTED * interval:
        return "let go" if knows_queue else "free"
    if worked > LONG * interval:
        return "long"
    return "held" if several or worked >= INTERRUPTED * interval else "stopped"


def _worked(meanwhile: Iterable[Spent], delay: float, own: float, pause: float, *, knows_queue: bool) -> float:
    """Return how long another thread worked with the GIL while the sampler wanted it, at least.

    Args:
        meanwhile: What the other threads spent since the sampler began its pause.
        delay: How long it waited after the pause, without its own time in the run queue.
        own: Its own time in the run queue, in which a thread of Python code goes on.
        pause: The pause.
        knows_queue: Whether the clocks tell the time in the run queue.
    """
    spent = list(meanwhile)
    computed = max((each.cpu for each in spent), default=0.0) - pause - own
    if not knows_queue:
        return computed
    # The thread with the GIL may have been in the run queue itself.
    return max(computed, delay - max((each.queue for each in spent), default=0.0))


def _since(spent: Mapping[int, Spent], before: Mapping[int, Spent], ident: int) -> Spent:
    """Return what a thread has spent since the look before; all of it if it is new."""
    now, then = spent[ident], before.get(ident, NOTHING)
    if now.cpu < then.cpu:  # another thread with the same number
        return now
    return Spent(now.cpu - then.cpu, max(0.0, now.queue - then.queue))
