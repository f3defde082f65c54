"""The statement of a loop that no pattern reads: found by leaving statements out, with the patterns themselves.

If the loop is recognized without a statement, that one stands against it.  If there are several, the first one is found
by leaving out more and more of the end.  Statements that append are kept, as a loop without results is none.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator, Sequence

from hypostyle._profile.change import Unit, Values
from hypostyle._profile.loop_syntax import appended
from hypostyle._profile.patterns import place, recognize
from hypostyle._profile.syntax import SourceFile, names_set

_LONGEST = 3.0
"""Seconds after which no more is tried."""

_SHOWN = 70
"""The most characters of a statement that are shown."""


def first_unread(unit: Unit, values: Values) -> str:
    """Return which statement of a unit is not recognized; nothing if that cannot be said."""
    if not isinstance(unit.node, ast.For | ast.While):
        return ""
    return _Search(unit, values).result()


class _Search:
    def __init__(self, unit: Unit, values: Values) -> None:
        self._unit, self._values = unit, values
        self._first, self._last = place(unit)
        self._ends = time.perf_counter() + _LONGEST

    def result(self) -> str:
        loops = (n for n in ast.walk(ast.parse(self._unit.file.text)) if isinstance(n, ast.For | ast.While))
        loop = next((n for n in loops if n.lineno == self._first), None)
        if loop is None:
            return ""
        found = self._alone(loop.body, names_set(loop.body))
        if found is not None:
            return f"line {found.lineno}: `{self._shown(found)}` is not recognized"
        unusual = next((s for s in _statements(loop.body) if _is_unusual(s)), None)
        return "" if unusual is None else f"line {unusual.lineno}: perhaps `{self._shown(unusual)}` is not recognized"

    def _alone(self, statements: Sequence[ast.stmt], own: set[str]) -> ast.stmt | None:
        """Return the innermost statement without which, or without which and what follows, the loop is recognized.

        Args:
            statements: The statements.
            own: The names that the loop sets.
        """
        for statement in statements:
            inner = [*_inner(statement)]
            if self._reads_without([statement]):
                return self._alone(inner, own) or statement
            if inner and (found := self._alone(inner, own)):
                return found
        left: list[ast.stmt] = []
        for statement in reversed(statements):
            if any((made := appended(n)) and made[0] not in own for n in ast.walk(statement)):
                continue
            left.append(statement)
            if self._reads_without(left):
                return statement
        return None

    def _reads_without(self, statements: Sequence[ast.stmt]) -> bool:
        """Whether the loop is recognized without some statements."""
        if time.perf_counter() > self._ends:
            return False
        lines = [line.encode() for line in self._unit.file.lines]
        for s in statements:
            last = (s.end_lineno or s.lineno) - 1
            rest = lines[last][s.end_col_offset or 0 :]
            lines[s.lineno - 1 : last + 1] = [
                lines[s.lineno - 1][: s.col_offset] + b"pass" + (rest if last == s.lineno - 1 else b"\n"),
                *([b"\n"] * (last - s.lineno + 1)),
            ]
        try:
            file = SourceFile(self._unit.file.path, b"".join(lines).decode())
            units = [u for u in recognize(file) if u.pattern == self._unit.pattern and place(u)[0] == self._first]
            return any(next(iter(u.changes(self._values)), None) is not None for u in units)
        except Exception:  # what is left is not what the patterns were written for
            return False

    def _shown(self, statement: ast.stmt) -> str:
        text = self._unit.file.lines[statement.lineno - 1].strip().removesuffix(":")
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


_CHANGES = {"setdefault", "pop", "popleft", "appendleft", "insert", "remove", "extend", "update", "clear", "sort"}
"""Methods that change an object."""


def _is_unusual(statement: ast.stmt) -> bool:
    """Whether a statement changes an object, or an item of an item, or leaves the loop in another way."""
    if isinstance(statement, ast.Try | ast.With | ast.Raise | ast.Return | ast.Delete | ast.Match | ast.Break):
        return True
    if isinstance(statement, ast.If | ast.For | ast.While):
        return False
    for node in ast.walk(statement):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in _CHANGES:
                return True
            case (
                ast.Subscript(value=ast.Subscript(), ctx=ast.Store())
                | ast.Subscript(slice=ast.Constant(value=int()), ctx=ast.Store())
            ):
                return True
            case ast.Attribute(ctx=ast.Store()):
                return True
    return False


def _statements(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and those inside of them, as they stand."""
    for statement in statements:
        yield statement
        yield from _statements([*_inner(statement)])


def _inner(statement: ast.stmt) -> Iterator[ast.stmt]:
    for block in ("body", "orelse"):
        if isinstance(statement, ast.If | ast.For | ast.While):
            yield from getattr(statement, block)
