"""What the last instruction of a frame says: its line, and whether it called a function that is not Python's.

C functions have no frame of their own.  A frame that is seen at a call either called one, or was interrupted just after
a short one.  Functions that every Python loop calls (`min`, `len`, `list.append`, those of `math`) are part of Python.
"""

from __future__ import annotations

import ast
import builtins
import dis
import linecache
import math
from types import CodeType

_CALLS = ("CALL", "PRECALL")

_WORK = (*_CALLS, "BINARY_", "COMPARE_OP", "CONTAINS_OP", "FOR_ITER", "UNARY_", "INPLACE_", "LOAD_ATTR", "LOAD_METHOD")
"""Operations that may run a C function, by the beginning of their names."""

_METHODS = {name for kind in (str, bytes, list, dict, set, tuple, int, float) for name in dir(kind)} - {"sort"}
_PYTHON = set(dir(builtins)) - {"sorted", "sum"}


class Instructions:
    """The instructions of a code object."""

    def __init__(self, code: CodeType) -> None:
        self._code = code
        self.file = code.co_filename
        self.name = getattr(code, "co_qualname", code.co_name)
        self.first_line = code.co_firstlineno
        self._lines = [(start, end, line) for start, end, line in code.co_lines() if line is not None]
        self._names: dict[int, str] | None = None
        self._calls: dict[int, bool] = {}

    def line(self, offset: int) -> int:
        """Return the line of an instruction."""
        for start, end, line in self._lines:
            if start <= offset < end:
                return line
        return self.first_line

    def last_work(self, offset: int) -> int:
        """Return the last instruction that can have run a C function, at or before this one."""
        return max(
            (at for at, name in self._operations().items() if at <= offset and name.startswith(_WORK)), default=0
        )

    def is_native_call(self, offset: int) -> bool:
        """Whether the instruction calls a function that does not belong to Python itself."""
        if offset not in self._calls:
            self._calls[offset] = self.is_call(offset) and not self._is_of_python(offset)
        return self._calls[offset]

    def is_call(self, offset: int) -> bool:
        """Whether the instruction calls something."""
        return self._operations().get(offset, "").startswith(_CALLS)

    def _operations(self) -> dict[int, str]:
        if self._names is None:
            self._names = {i.offset: i.opname for i in dis.get_instructions(self._code)}
        return self._names

    def _is_of_python(self, offset: int) -> bool:
        """Whether the function that is called is one of builtins, math, or a method of a builtin type, by its name."""
        called = self._called(offset)
        if isinstance(called, ast.Name):
            return called.id in _PYTHON or hasattr(math, called.id)
        if not isinstance(called, ast.Attribute):
            return False
        is_math = isinstance(called.value, ast.Name) and called.value.id == "math"
        return is_math or called.attr in _METHODS

    def _called(self, offset: int) -> ast.expr | None:
        """Return the function that an instruction calls, from the source; None if that is not known."""
        positions = getattr(self._code, "co_positions", None)
        if positions is None:  # before Python 3.11
            return _only_call(linecache.getline(self.file, self.line(offset)))
        place = list(positions())[offset // 2]
        if None in place:
            return None
        first, last, start, end = place
        lines = linecache.getlines(self.file)[first - 1 : last]
        if not lines:
            return None
        encoded = [line.encode() for line in lines]
        encoded[-1] = encoded[-1][:end]
        encoded[0] = encoded[0][start:]
        return _only_call(b"".join(encoded).decode(errors="replace"))


def _only_call(text: str) -> ast.expr | None:
    try:
        parsed = ast.parse(f"({text.strip()})", mode="eval")
    except (SyntaxError, ValueError):
        return None
    return parsed.body.func if isinstance(parsed.body, ast.Call) else None
