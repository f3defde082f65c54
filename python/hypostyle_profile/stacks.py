"""What was sampled: seconds by stack, and how it is written to a file.

Lines are found after the run, from the last instruction of each frame; so is what was called.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

from hypostyle_profile.instructions import Instructions
from hypostyle_profile.verdicts import State, Verdicts

VERSION = 1


class Key(NamedTuple):
    """A stack of a thread; `frames` are ids of code objects and offsets, the deepest first."""

    thread: str
    is_main: bool
    state: State
    frames: tuple[tuple[int, int], ...]


class Frame(NamedTuple):
    """A place in a file."""

    file: str
    line: int
    function: str
    first_line: int
    """The line of the function's definition."""


@dataclass
class Times:
    """Seconds of a stack."""

    python: float = 0.0
    native: float = 0.0
    waiting: float = 0.0
    """Neither on a processor nor waiting for one."""
    queue: float = 0.0
    """Waiting for a processor."""
    alone: float = 0.0
    """The part of `waiting` of the main thread in which no other thread did anything."""
    count: int = 0

    @property
    def cpu(self) -> float:
        """Python and native."""
        return self.python + self.native

    @property
    def wall(self) -> float:
        """All of it."""
        return self.python + self.native + self.waiting + self.queue

    def add(self, other: Times) -> None:
        """Add another one's seconds."""
        self.python += other.python
        self.native += other.native
        self.waiting += other.waiting
        self.queue += other.queue
        self.alone += other.alone
        self.count += other.count


@dataclass
class Stack:
    """Seconds at the same lines of a thread; the deepest frame first."""

    thread: str
    is_main: bool
    frames: tuple[Frame, ...]
    times: Times


@dataclass
class Samples:
    """All samples of a run."""

    interval: float
    clock: str = ""
    wall: float = 0.0
    cpu: float = 0.0
    children_cpu: float = 0.0
    garbage: float = 0.0
    own_cpu: float = 0.0
    delay: float = 0.0
    count: int = 0
    memory: list[tuple[float, int]] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    _by_key: dict[Key, list[float]] = field(default_factory=dict)
    _seen: dict[tuple[tuple[int, int], State], int] = field(default_factory=dict)

    def add(self, key: Key, cpu: float, outside: float, waiting: float, queue: float, alone: float) -> None:
        """Add a sample; `outside` is the time for which native threads worked for it."""
        found = self._by_key.get(key)
        if found is None:
            self._by_key[key] = [cpu, outside, waiting, queue, alone, 1]
            return
        for at, more in enumerate((cpu, outside, waiting, queue, alone, 1)):
            found[at] += more

    def saw(self, top: tuple[int, int], state: State) -> None:
        """Note a look that charges nothing: the last instruction of the deepest frame, and who had the GIL."""
        self._seen[top, state] = self._seen.get((top, state), 0) + 1

    def was_queued(self, key: Key | None, seconds: float) -> None:
        """Count waiting of an earlier sample as time in the run queue."""
        found = None if key is None else self._by_key.get(key)
        if found is None:
            return
        _, _, waiting, _, alone, _ = found
        moved = min(waiting, seconds)
        found[2] -= moved
        found[3] += moved
        found[4] = max(0.0, alone - moved)

    def resolve(self, codes: Mapping[int, CodeType]) -> None:
        """Make stacks of lines from those of instructions, and tell Python from native code."""
        known = {identity: Instructions(code) for identity, code in codes.items()}
        verdicts = Verdicts()
        for key, (*_, count) in self._by_key.items():
            verdicts.add(key.frames[0], key.state, int(count))
        for (place, state), count in self._seen.items():
            verdicts.add(place, state, int(count))
        found: dict[tuple[str, bool, tuple[Frame, ...]], Times] = {}
        for key, (cpu, outside, waiting, queue, alone, count) in self._by_key.items():
            top, at = known[key.frames[0][0]], key.frames[0][1]
            is_call = top.is_call(at)
            may_let_go = is_call or top.is_operator(at)
            is_native = verdicts.is_native(key.frames[0], key.state, is_call=is_call, may_let_go=may_let_go)
            frames = []
            for depth, (identity, offset) in enumerate(key.frames):
                code = known[identity]
                if depth == 0 and key.state in ("long", "stopped") and is_native and not is_call:
                    offset = code.last_work(offset)
                frames.append(Frame(code.file, code.line(offset), code.name, code.first_line))
            python, native = (0.0, cpu) if is_native else (cpu, 0.0)
            times = Times(python, native + outside, waiting, queue, alone, int(count))
            found.setdefault((key.thread, key.is_main, tuple(frames)), Times()).add(times)
        self._by_key.clear()
        self.stacks = [Stack(thread, is_main, frames, times) for (thread, is_main, frames), times in found.items()]

    def to_json(self) -> dict[str, Any]:
        """Return the samples as plain data."""
        numbers: dict[Frame, int] = {}
        stacks = []
        for stack in self.stacks:
            t = stack.times
            stacks.append(
                {
                    "thread": stack.thread,
                    "main": stack.is_main,
                    "frames": [numbers.setdefault(frame, len(numbers)) for frame in stack.frames],
                    "times": [round(s, 6) for s in (t.python, t.native, t.waiting, t.queue, t.alone)],
                    "count": t.count,
                }
            )
        plain = ("interval", "clock", "wall", "cpu", "children_cpu", "garbage", "own_cpu", "delay", "count", "memory")
        return {
            "version": VERSION,
            "python": sys.version.split()[0],
            **{name: getattr(self, name) for name in plain},
            "frames": [list(frame) for frame in numbers],
            "stacks": stacks,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Samples:
        """Read what `to_json` made."""
        frames = [Frame(*frame) for frame in plain["frames"]]
        made = cls(plain["interval"])
        for name in ("clock", "wall", "cpu", "children_cpu", "garbage", "own_cpu", "delay", "count"):
            setattr(made, name, plain[name])
        made.memory = [(at, size) for at, size in plain["memory"]]
        made.stacks = [
            Stack(s["thread"], s["main"], tuple(frames[n] for n in s["frames"]), _times(s)) for s in plain["stacks"]
        ]
        return made


def _times(plain: Mapping[str, Any]) -> Times:
    python, native, waiting, queue, alone = plain["times"]
    return Times(python, native, waiting, queue, alone, plain["count"])
