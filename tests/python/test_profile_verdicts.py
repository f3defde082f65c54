"""`hypostyle profile`: what one look says, and all of them, with made-up clocks."""

from __future__ import annotations

import dis
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import pytest

from hypostyle_profile.clocks import PosixClocks, ProcessClock, SchedulerClocks, Spent
from hypostyle_profile.instructions import Instructions
from hypostyle_profile.sampler import INTERVAL, Sampler, _state, _worked
from hypostyle_profile.stacks import Key, Samples, Times
from hypostyle_profile.verdicts import State

SWITCH = sys.getswitchinterval()


@pytest.mark.parametrize(
    ("delay", "worked", "several", "state"),
    [
        (0.0, 0.0, False, "free"),
        (-0.001, 0.0, False, "free"),
        (0.5 * SWITCH, 0.0, False, "let go"),  # Python code that calls a C function without the GIL
        (0.5 * SWITCH, 0.0, True, "held"),  # unless a third thread had asked for it before
        (1.02 * SWITCH, 1.02 * SWITCH, False, "held"),
        (4 * SWITCH, 4 * SWITCH, False, "long"),
        (4 * SWITCH, 1 * SWITCH, False, "held"),  # the thread with the GIL was in the run queue
        (40 * SWITCH, -9 * SWITCH, False, "stopped"),  # all the time
    ],
)
def test_the_delay_of_a_look_tells_who_had_the_lock(delay: float, worked: float, several: bool, state: str) -> None:
    assert _state(delay, worked, several=several) == state


@pytest.mark.parametrize(
    ("cpu", "queue", "delay", "own", "knows_queue", "worked"),
    [
        (0.010, 0.030, 0.035, 0.0, True, 0.005),  # Python code: computes for the pause and the switch interval
        (0.010, 0.0, 0.035, 0.0, False, 0.005),
        (0.015, 0.0, 0.005, 0.005, True, 0.005),  # the sampler came late itself, and Python code went on
        (0.015, 0.0, 0.010, 0.005, False, 0.005),
        (0.040, 0.0, 0.035, 0.0, True, 0.035),  # a long call
        (0.040, 0.0, 0.035, 0.0, False, 0.035),
        (0.340, 0.900, 0.800, 0.0, True, 0.335),  # the same, mostly in the run queue
        (0.000, 0.0, 0.035, 0.0, False, -0.005),
    ],
)
def test_a_thread_works_with_the_lock_when_it_computes(
    cpu: float, queue: float, delay: float, own: float, knows_queue: bool, worked: float
) -> None:
    found = _worked([Spent(cpu, queue), Spent(0.0, 0.0)], delay, own, 0.005, knows_queue=knows_queue)
    assert found == pytest.approx(worked)


def loop(numbers: Sequence[int]) -> int:
    total = 0
    for i in numbers:
        total += i * i % 7
    return total


def builtins(numbers: Sequence[int]) -> int:
    total = 0
    for i in numbers:
        total = abs(i)
    return total


def multiplied(values: list[Any]) -> int:
    many = values * 1000
    one = 1
    return len(many) + one


def place(function: Callable[..., Any], *operations: str) -> int:
    """Return the offset of the last instruction with one of these names."""
    found = [i.offset for i in dis.get_instructions(function) if i.opname.startswith(operations)]
    return found[-1]


def split(function: Callable[..., Any], at: int, looks: Sequence[tuple[State, float]]) -> Samples:
    """Return the samples of looks at an instruction: how the GIL was, and the seconds on a processor."""
    samples = Samples(INTERVAL)
    for state, cpu in looks:
        samples.add(Key("MainThread", True, state, ((id(function.__code__), at),)), cpu, 0.0, 0.0, 0.0, 0.0)
    samples.resolve({id(function.__code__): function.__code__})
    return samples


def times(samples: Samples) -> Times:
    made = Times()
    for stack in samples.stacks:
        made.add(stack.times)
    return made


JUMP = ("JUMP_BACKWARD", "JUMP_ABSOLUTE")
CALLS = ("CALL",)


@pytest.mark.parametrize(
    ("function", "operations", "looks", "is_native"),
    [
        # Python code, interrupted in time.
        (loop, JUMP, [("held", 0.01)] * 5, False),
        (builtins, CALLS, [("held", 0.01)] * 5, False),
        # The same on a machine that was stopped half of the time: the looks were late.
        (loop, JUMP, [("held", 0.025)] * 7 + [("long", 0.03)] * 5, False),
        (builtins, CALLS, [("held", 0.025)] * 7 + [("long", 0.03)] * 5, False),
        (loop, JUMP, [("held", 0.02)] * 2 + [("long", 0.04)] * 6, False),
        # Clocks that take time off that was not in the queue.
        (builtins, CALLS, [("held", 0.01)] * 9 + [("free", 0.01)] * 3, False),
        # Long calls, with the GIL and without it.
        (builtins, CALLS, [("long", 0.03)] * 5, True),
        (builtins, CALLS, [("long", 0.03)], True),
        (builtins, CALLS, [("held", 0.01)] + [("long", 0.03)] * 9, True),
        (builtins, CALLS, [("free", 0.01)] * 5, True),
        (loop, JUMP, [("long", 0.2)] * 3, True),
        (loop, JUMP, [("held", 0.01)] + [("long", 0.1)] * 9, True),
        # Threads that were not running: as in the other samples, and Python code if there are none.
        (builtins, CALLS, [("stopped", 0.03)] * 9 + [("free", 0.001)], False),
        (builtins, CALLS, [("stopped", 0.03)] * 9, False),
        (builtins, CALLS, [("stopped", 0.03)] * 5 + [("free", 0.001)] * 20, True),
        (builtins, CALLS, [("stopped", 0.03)] + [("long", 0.03)] * 2, True),
        (loop, JUMP, [("stopped", 0.03)] * 5 + [("held", 0.01)], False),
        # Python code that waits for the GIL uses no C function.
        (loop, JUMP, [("free", 0.01)] * 5, False),
    ],
)
def test_all_looks_at_an_instruction_tell_python_from_native(
    function: Callable[..., Any], operations: tuple[str, ...], looks: list[tuple[State, float]], is_native: bool
) -> None:
    found = times(split(function, place(function, *operations), looks))
    assert (found.native > found.python) is is_native, found
    assert min(found.native, found.python) <= 0.2 * found.cpu, found
    assert found.cpu == pytest.approx(sum(cpu for _, cpu in looks))


def test_a_long_operation_is_charged_to_its_own_line() -> None:
    at = place(multiplied, "STORE_FAST")
    line = split(multiplied, at, [("long", 0.2)]).stacks[0].frames[0].line
    assert line == multiplied.__code__.co_firstlineno + 1
    held = split(multiplied, at, [("held", 0.01)]).stacks[0].frames[0].line
    assert held == multiplied.__code__.co_firstlineno + 2


def frame_at_a_call() -> FrameType:
    """Return a frame that stands at the call of a C function."""

    def calls() -> int:
        return int("x")

    with pytest.raises(ValueError, match="invalid literal") as raised:
        calls()
    return next(entry.frame.raw for entry in raised.traceback if entry.name == "calls")


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Times]:
    """Return what one look at threads makes of their clocks: of the main thread alone, or of two."""
    sampler = Sampler()
    frame = frame_at_a_call()
    other = threading.Thread(name="other")
    other._ident = -1  # type: ignore[attr-defined]  never started
    main = threading.main_thread()
    monkeypatch.setattr(sys, "_current_frames", lambda: {main.ident: frame, -1: frame})

    def one(spent: Spent, wall: float, delay: float = 0.0, pooled: float = 0.0, of_other: Spent | None = None) -> Times:
        since = {main: spent} if of_other is None else {main: spent, other: of_other}
        sampler._look(since, wall, delay, 0.0, pooled)
        done, sampler.samples = sampler.samples, Samples(INTERVAL)
        done.resolve(sampler._codes)
        return next(stack.times for stack in done.stacks if stack.is_main)

    return one


def test_a_thread_that_computes(look: Callable[..., Times]) -> None:
    found = look(Spent(0.01, 0.0), 0.01)
    assert found.native == pytest.approx(0.01)  # at a call, without the GIL
    assert found.waiting == pytest.approx(0.0)
    found = look(Spent(0.01, 0.0), 0.01, delay=1.1 * SWITCH)
    assert found.python == pytest.approx(0.01)


def test_a_thread_that_waits(look: Callable[..., Times]) -> None:
    found = look(Spent(0.0, 0.0), 0.01)
    assert (found.waiting, found.alone) == (pytest.approx(0.01), pytest.approx(0.01))
    found = look(Spent(0.0, 0.0), 0.01, of_other=Spent(0.008, 0.0))
    assert found.waiting == pytest.approx(0.01)
    assert found.alone == pytest.approx(0.002)


def test_a_thread_in_the_run_queue(look: Callable[..., Times]) -> None:
    found = look(Spent(0.002, 0.007), 0.01)
    assert found.queue == pytest.approx(0.007)
    assert found.waiting == pytest.approx(0.001)


def test_threads_that_python_does_not_know(look: Callable[..., Times]) -> None:
    found = look(Spent(0.0, 0.0), 0.01, pooled=0.015)
    assert found.native == pytest.approx(0.01)
    assert found.waiting == pytest.approx(0.0)


def test_of_two_threads_the_one_that_stands_still_is_in_a_call(look: Callable[..., Times]) -> None:
    both = {"wall": 0.01, "delay": 1.1 * SWITCH, "of_other": Spent(0.005, 0.0)}
    assert look(Spent(0.005, 0.0), **both).python == pytest.approx(0.005)
    assert look(Spent(0.005, 0.0), **both).native == pytest.approx(0.005)


def test_clocks_agree() -> None:
    threads = [threading.current_thread()]
    sum(i * i for i in range(100_000))
    read = [clocks.read(threads) for clocks in (SchedulerClocks(), PosixClocks(), ProcessClock())]
    seconds = [spent[threading.get_ident()].cpu for spent in read if spent]
    assert len(seconds) >= 1
    assert all(each / seconds[0] > 0.5 for each in seconds), seconds


def test_every_instruction_has_a_line_of_its_function() -> None:
    """The jump back to the head of a loop has none in the code: it is not that of the definition."""
    loop = "    for _ in range(x):\n        a = x * 2\n        if a < 9:\n            n += 1\n"
    text = f"def f(x):\n    n = 0\n{loop}    return n\n"
    names: dict[str, Any] = {}
    exec(compile(text, "f.py", "exec"), names)
    code = names["f"].__code__
    found = Instructions(code)
    jumps = [i.offset for i in dis.get_instructions(code) if i.opname.startswith(("JUMP_BACKWARD", "JUMP_ABSOLUTE"))]
    assert jumps
    assert all(3 <= found.line(offset) <= 6 for offset in jumps)
