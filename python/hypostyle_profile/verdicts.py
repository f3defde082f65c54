"""Which samples are native code: by the GIL, by the instruction, and by the other samples of that instruction.

A look that comes late says that a C function held the GIL.  Its own thread may have been late all the same: a virtual
machine can be stopped for some time, and nothing inside of it tells.  But where Python code was interrupted after the
switch interval again and again, no C function runs for long; a long call would have delayed those looks too.  A call
that takes ten times as long as a look may be late ends in time once in ten looks.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

State: TypeAlias = Literal["free", "let go", "held", "stopped", "long", "asked", "unasked"]
"""The GIL when a sample was taken: free, held by Python code until a C function let go of it, held by Python code, held
by a thread that was not running itself, or held by a C function for long.  Of a look with a short switch interval: it
came after that, so that the thread may have been asked for the GIL, or before."""

CALL = 1 / 3
"""The share of interrupted samples at a call from which on it is a short one."""

OTHER = 1 / 8
"""The same for other instructions, which run C functions more rarely."""

UNASKED = 1 / 4
"""The share of looks for which no thread was asked, from which on a call is native code if there were no others."""


class Verdicts:
    """Tells Python from native samples, once all of them are known."""

    def __init__(self) -> None:
        self._counts: dict[tuple[tuple[int, int], State], int] = {}

    def add(self, top: tuple[int, int], state: State, count: int) -> None:
        """Add samples at the last instruction of the deepest frame."""
        self._counts[top, state] = self._counts.get((top, state), 0) + count

    def is_native(self, top: tuple[int, int], state: State, *, is_call: bool, may_let_go: bool) -> bool:
        """Whether the samples of a state at an instruction are native code.

        Args:
            top: The instruction.
            state: The state.
            is_call: Whether it calls something.
            may_let_go: Whether it can run a C function that lets go of the GIL, as operators of arrays do.
        """
        if state in ("held", "let go") or (state == "free" and not may_let_go):
            return False
        if state in ("asked", "unasked") and not self._has_probes(top):
            asked, unasked = self._of(top, "asked"), self._of(top, "unasked")
            return may_let_go and unasked > 0 and unasked >= UNASKED * (asked + unasked)
        native = self._of(top, "long") + (self._of(top, "free") if may_let_go else 0)
        stopped = self._of(top, "stopped")
        # A thread that was not running says nothing; it does what it does in most of the other samples.
        interrupted = self._of(top, "held") + (stopped if stopped > native else 0)
        return native > 0 and interrupted < (CALL if is_call else OTHER) * (interrupted + native)

    def _has_probes(self, top: tuple[int, int]) -> bool:
        return any(self._of(top, state) for state in ("free", "let go", "held", "stopped", "long"))

    def _of(self, top: tuple[int, int], state: State) -> int:
        return self._counts.get((top, state), 0)
