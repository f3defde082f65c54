"""Which samples are native code: by the GIL, by the instruction, and by the other samples of that instruction.

A look that comes late says that a C function held the GIL.  Its own thread may have been late all the same: a virtual
machine can be stopped for some time, and nothing inside of it tells.  But where Python code was interrupted after the
switch interval again and again, no C function runs for long; a long call would have delayed those looks too.  A call
that takes ten times as long as a look may be late ends in time once in ten looks.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

State: TypeAlias = Literal["free", "held", "long"]
"""The GIL when a sample was taken: free, held, or held by a C function for long."""

CALL = 1 / 3
"""The share of interrupted samples at a call from which on it is a short one."""

OTHER = 1 / 8
"""The same for other instructions, which run C functions more rarely."""


class Verdicts:
    """Tells Python from native samples, once all of them are known."""

    def __init__(self) -> None:
        self._all: dict[tuple[int, int], float] = {}
        self._interrupted: dict[tuple[int, int], float] = {}

    def add(self, top: tuple[int, int], state: State, cpu: float) -> None:
        """Add samples at the last instruction of the deepest frame, with their seconds on a processor."""
        self._all[top] = self._all.get(top, 0.0) + cpu
        if state == "held":
            self._interrupted[top] = self._interrupted.get(top, 0.0) + cpu

    def is_native(self, top: tuple[int, int], state: State, *, is_call: bool) -> bool:
        """Whether the samples of a state at an instruction are native code."""
        if state == "held" or (state == "free" and not is_call):
            return False
        return self._interrupted.get(top, 0.0) < (CALL if is_call else OTHER) * self._all[top]
