"""Loops over the window, written before the statement that needs what they compute.

A program has loops over the window at the top level only.  So what stands in a branch is computed before it, by a loop
whose turns do nothing unless the branch is taken: its condition is kept in a variable, a guard.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.inner import imported
from hypostyle._functions.known import known_function
from hypostyle._functions.names import NOTHING, Names
from hypostyle._functions.scope import Scope
from hypostyle._functions.source import Source
from hypostyle._functions.window_arrays import (
    Array,
    Bound,
    Bounds,
    Kind,
    Turn,
    compared,
    joined,
    name,
    plus,
    put,
    when,
)


class Loops:
    """Writes loops over the window, and knows the names of the function.

    Args:
        source: The function.
        window: The name of its window.
        known: Its parameters that are constants.
        by_kernels: Whether statistics of the whole window are left to kernels, as there is no loop.
    """

    def __init__(self, source: Source, window: str, known: dict[str, Any], *, by_kernels: bool) -> None:
        self.source, self.window, self.known, self.by_kernels = source, window, known, by_kernels
        self.scope = Scope(source)
        for node in source.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node)
        self.objects: dict[str, object] = {}
        """The functions that the loops call, by names of their own."""
        self.numpy: set[str] = set()
        """Variables whose numbers are those of NumPy."""
        self.kinds: dict[str, Kind] = {}
        self.guards: list[str] = []
        self.loops = 0
        self.changed = False
        self.out: list[ast.stmt] = []
        """Where loops are written."""
        self.barriers: list[tuple[set[str], ast.AST]] = []
        """Loops around the expression, with the names that they change."""
        self._number = 0
        self._names = Names(self.scope)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        try:
            for found, value in imported(node):
                self.scope.names(found, value)
        except ImportError:
            pass  # the translator says so

    # Names

    def fresh(self) -> str:
        """Return the name of a new variable, which cannot be a name of Python."""
        self._number += 1
        return f".w{self._number}"

    def error(self, node: ast.AST, message: str) -> UnsupportedError:
        """Return the error that points at a node of the user's function."""
        return self.source.error(node, message)

    def object_of(self, node: ast.expr) -> Any:
        """Return what a name stands for outside of the function."""
        return self._names.object_of(node) if isinstance(node, ast.Name | ast.Attribute) else NOTHING

    def numpy_name(self, node: ast.expr) -> str | None:
        """Return the name of a function of NumPy."""
        found = self.object_of(node)
        module = str(getattr(found, "__module__", None) or getattr(type(found), "__module__", "")).partition(".")[0]
        is_function = found is not NOTHING and module == "numpy" and callable(found)
        return str(getattr(found, "__name__", "")) if is_function else None

    def call(self, function: Any, *arguments: ast.expr) -> ast.expr:
        """Return the call of a function, whatever the user's names stand for."""
        called = f".{function.__name__}.{'py' if function.__name__ in vars(builtins) else 'np'}"
        self.objects[called] = function
        return ast.Call(name(called), list(arguments), [])

    @property
    def size(self) -> ast.expr:
        """The number of values in the window."""
        return self.call(len, name(self.window))

    def turn_of(self, bound: Bound) -> ast.expr:
        """Return the number of a turn."""
        if not bound.base:
            return ast.Constant(bound.offset)
        return plus(self.size if bound.base == "n" else name(bound.base), bound.offset)

    def last_of(self, bounds: Bounds) -> ast.expr:
        """Return the last of some turns."""
        turns = [self.turn_of(bound) for bound in sorted(bounds)]
        return turns[0] if len(turns) == 1 else self.call(max, *turns)

    def first_of(self, bounds: Bounds) -> ast.expr:
        """Return the first of some turns."""
        turns = [self.turn_of(bound) for bound in sorted(bounds)]
        return turns[0] if len(turns) == 1 else self.call(min, *turns)

    def length_of(self, array: Array) -> ast.expr:
        """Return the number of elements of an array without masks."""
        lacks = array.lacks
        if lacks is not None and lacks <= 1:
            return plus(self.size, -lacks)
        difference = joined(self.first_of(array.stops), ast.Sub, self.last_of(array.starts))
        return self.call(max, ast.Constant(0), difference)

    def position_in(self, array: Array, turn: Turn, lag: int) -> ast.expr:
        """Return the position in an array of the element of a turn."""
        if array.first is not None:
            return turn.index(lag + array.first)
        return joined(turn.index(lag), ast.Sub, self.last_of(array.starts))

    # Writing

    def emit(self, statements: Sequence[ast.stmt], node: ast.AST) -> None:
        """Write statements before those that need them."""
        for statement in statements:
            read = {part.id for part in ast.walk(statement) if isinstance(part, ast.Name)}
            for names, where in self.barriers:
                if odd := sorted(read & names):
                    kind = "generator" if isinstance(where, ast.GeneratorExp | ast.ListComp) else "loop"
                    message = (
                        f"this depends on {odd[0]}, which changes in a {kind} around it; go through the window in "
                        "one loop, or compute this before"
                    )
                    raise self.error(node, message)
            located(statement, node)
        self.out += statements
        self.changed = True

    def kept(self, value: ast.expr, node: ast.AST, kind: Kind = "any") -> ast.expr:
        """Return a value that is computed once, before the loops that read it."""
        if isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and self.is_settled(value.id)):
            return value
        variable = self.fresh()
        self.kinds[variable] = kind
        self.emit([put(variable, value)], node)
        return name(variable)

    def is_settled(self, variable: str) -> bool:
        """Whether a variable has one value only."""
        return variable not in self.scope.locals or (
            self.scope.assignments[variable] == (variable not in self.scope.parameters)
        )

    def each(
        self,
        arrays: Sequence[Array],
        before: list[ast.stmt],
        body: Callable[..., list[ast.stmt]],
        node: ast.AST,
        *,
        often: bool = False,
    ) -> None:
        """Write a loop through aligned arrays; the body gets their elements, which it may read `often`."""
        turn = Turn(self.fresh)
        values = [array.at(turn, 0) for array in arrays]
        kept: list[ast.stmt] = []
        for place, value in enumerate(values):
            if often and not isinstance(value, ast.Name | ast.Constant):
                variable = self.fresh()
                kept.append(put(variable, value))
                values[place] = name(variable)
        inner = self.within(arrays[0], turn, [*kept, *body(*values)])
        self.emit([*before, *self.loop(turn, inner)], node)

    def within(self, array: Array, turn: Turn, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return statements for the turns in which an array has an element."""
        tests: list[ast.expr] = []
        for bound in sorted(array.starts):
            if bound.base or bound.offset > 0:
                tests.append(compared(turn.index(0), ast.GtE, self.turn_of(bound)))
        for bound in sorted(array.stops):
            if bound.base != "n" or bound.offset < 0:
                tests.append(compared(turn.index(0), ast.Lt, self.turn_of(bound)))
        tests += [mask(turn, 0) for mask in array.masks]
        return when(tests, body)

    def loop(self, turn: Turn, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return a loop over the window, with what stands before it."""
        self.loops += 1
        self.numpy.add(turn.variable)
        begin = turn.begin
        loop = ast.For(
            ast.Name(turn.variable, ast.Store()), name(self.window), [*begin, *body] or [ast.Pass()], [], None
        )
        return [*turn.before, loop]

    def guarded(self, statements: list[ast.stmt], guard: str) -> list[ast.stmt]:
        """Return statements that do nothing unless a variable is true."""
        made: list[ast.stmt] = []
        for statement in statements:
            if self.is_loop(statement):
                made.append(self._guarded_loop(statement, guard))
            elif made and isinstance(made[-1], ast.If) and getattr(made[-1], "guard", None) == guard:
                made[-1].body.append(statement)
            else:
                branch = ast.If(name(guard), [statement], [])
                branch.guard = guard  # type: ignore[attr-defined]
                made.append(located(branch, statement))
        return made

    def _guarded_loop(self, loop: ast.stmt, guard: str) -> ast.stmt:
        if not isinstance(loop, ast.For) or getattr(loop, "guarded", False):
            return loop
        made = ast.For(loop.target, loop.iter, [ast.If(name(guard), loop.body, [])], [], None)
        made.guarded = True  # type: ignore[attr-defined]
        return located(ast.copy_location(made, loop), loop)

    def is_loop(self, statement: ast.stmt) -> bool:
        """Whether a statement is a loop over the window itself."""
        return (
            isinstance(statement, ast.For)
            and isinstance(statement.iter, ast.Name)
            and (statement.iter.id == self.window)
        )

    def guard(self) -> str:
        """Return a new guard, which is false until it is set."""
        self.guards.append(self.fresh())
        return self.guards[-1]

    def may_raise(self, statements: Sequence[ast.stmt]) -> bool:
        """Whether statements can raise on some values."""
        return any(self._raises(part) for statement in statements for part in ast.walk(statement))

    def _raises(self, node: ast.AST) -> bool:
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.FloorDiv | ast.Mod | ast.Pow | ast.LShift | ast.RShift)
        if isinstance(node, ast.Call):
            function = self.objects.get(node.func.id, NOTHING) if isinstance(node.func, ast.Name) else NOTHING
            function = self.object_of(node.func) if function is NOTHING else function
            known = known_function(function)
            is_safe = known is not None and known.name in ("abs", "float", "bool")
            return not is_safe and function not in (len, max, min) and not (known and known.name.startswith("np."))
        return isinstance(node, ast.Assert | ast.Raise | ast.Subscript)


Node = TypeVar("Node", bound=ast.AST)


def located(new: Node, node: ast.AST) -> Node:
    """Return a node whose parts without a place stand where another node stands."""
    for part in ast.walk(new):
        if "lineno" in part._attributes and not hasattr(part, "lineno"):
            ast.copy_location(part, node)
    return new
