"""What the last instruction of a frame says: its line, and whether it is a call.

C functions have no frame of their own: the frame that called one stands at the call.
"""

from __future__ import annotations

import dis
from types import CodeType

_CALLS = ("CALL", "PRECALL")

_OPERATORS = ("BINARY_", "COMPARE_OP", "UNARY_", "INPLACE_", "STORE_SUBSCR")
"""Operations of objects: those of arrays let go of the GIL."""

_WORK = (*_CALLS, *_OPERATORS, "CONTAINS_OP", "FOR_ITER", "LOAD_ATTR", "LOAD_METHOD")
"""Operations that may run a C function, by the beginning of their names."""


class Instructions:
    """The instructions of a code object."""

    def __init__(self, code: CodeType) -> None:
        self._code = code
        self.file = code.co_filename
        self.name = getattr(code, "co_qualname", code.co_name)
        self.first_line = code.co_firstlineno
        self._lines = [(start, line) for start, _, line in code.co_lines() if line is not None]
        self._names: dict[int, str] | None = None

    def line(self, offset: int) -> int:
        """Return the line of an instruction; a jump back to a loop's head may have none, and has that before it."""
        return next((line for start, line in reversed(self._lines) if start <= offset), self.first_line)

    def last_work(self, offset: int) -> int:
        """Return the last instruction that can have run a C function, at or before this one."""
        return max(
            (at for at, name in self._operations().items() if at <= offset and name.startswith(_WORK)), default=0
        )

    def is_call(self, offset: int) -> bool:
        """Whether the instruction calls something."""
        return self._operations().get(offset, "").startswith(_CALLS)

    def is_operator(self, offset: int) -> bool:
        """Whether the instruction is an operator, of arrays perhaps."""
        return self._operations().get(offset, "").startswith(_OPERATORS)

    def _operations(self) -> dict[int, str]:
        if self._names is None:
            self._names = {i.offset: i.opname for i in dis.get_instructions(self._code)}
        return self._names
