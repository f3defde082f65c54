"""Arrays that a function makes of its window, as elements of the turns of a loop over it.

An array is never built.  It knows in which turns of `for value in window` it has elements, and what its element is in a
turn, as an expression of the loop's variables.  `window[1:] / window[:-1]` has no element in the first turn, and in
later ones the quotient of this value and the one before.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["float", "int", "bool", "any"]
"""What the elements of an array are, as its dtype says it; "any" is not known."""

NAN = ast.Constant(float("nan"))


def name(of: str) -> ast.expr:
    """Return the value of a variable."""
    return ast.Name(of, ast.Load())


def put(variable: str, value: ast.expr | float) -> ast.stmt:
    """Return the assignment of a value."""
    value = value if isinstance(value, ast.expr) else ast.Constant(value)
    return ast.Assign([ast.Name(variable, ast.Store())], value)


def joined(left: ast.expr, operator: type[ast.operator], right: ast.expr) -> ast.expr:
    """Return `left + right`, or with another operator."""
    return ast.BinOp(left, operator(), right)


def plus(node: ast.expr, number: int) -> ast.expr:
    """Return `node + number`."""
    if not number:
        return node
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return ast.Constant(node.value + number)
    return joined(node, ast.Add if number > 0 else ast.Sub, ast.Constant(abs(number)))


def compared(left: ast.expr, operator: type[ast.cmpop], right: ast.expr | float) -> ast.expr:
    """Return `left < right`, or with another operator."""
    return ast.Compare(left, [operator()], [right if isinstance(right, ast.expr) else ast.Constant(right)])


def when(tests: Sequence[ast.expr], body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements under conditions, which are evaluated one after another."""
    for test in reversed(tests):
        body = [ast.If(test, body, [])]
    return body


class Bound(NamedTuple):
    """A turn of the loop: a number, one counted from the end (of base "n"), or from a variable."""

    base: str
    offset: int

    def shifted(self, by: int) -> Bound:
        """Return the turn so many turns later."""
        return Bound(self.base, self.offset + by)


FIRST, END = Bound("", 0), Bound("n", 0)
Bounds: TypeAlias = "frozenset[Bound]"


def shifted(bounds: Bounds, by: int) -> Bounds:
    """Return bounds so many turns later."""
    return frozenset(bound.shifted(by) for bound in bounds)


class Turn:
    """The variables of one loop over the window, as far as its arrays ask for them."""

    def __init__(self, fresh: Callable[[], str]) -> None:
        self._fresh = fresh
        self.variable = fresh()
        self.before: list[ast.stmt] = []
        """What stands before the loop."""
        self._index: str | None = None
        self._history: list[str] = []
        self._running: dict[int, tuple[list[str], list[ast.stmt]]] = {}

    def value(self, lag: int) -> ast.expr:
        """Return the value of the window so many turns ago."""
        if not lag:
            return name(self.variable)
        self._history += self._names(lag + 1 - len(self._history))
        return name(self._history[lag])

    def index(self, lag: int) -> ast.expr:
        """Return the number of the turn, from 0, so many turns ago."""
        if self._index is None:
            self._index = self._fresh()
            self.before.append(put(self._index, ast.Constant(-1)))
        return plus(name(self._index), -lag)

    def running(self, key: int, lag: int, start: float, update: Callable[[str], list[ast.stmt]]) -> ast.expr:
        """Return what a variable that each turn updates was so many turns ago."""
        if key not in self._running:
            variable = self._fresh()
            self.before.append(put(variable, start))
            self._running[key] = [variable], update(variable)
        names, _ = self._running[key]
        names += self._names(lag + 1 - len(names))
        return name(names[lag])

    def _names(self, number: int) -> list[str]:
        made = [self._fresh() for _ in range(number)]
        self.before += [put(variable, NAN) for variable in made]
        return made

    @property
    def begin(self) -> list[ast.stmt]:
        """What a turn begins with: it counts, and keeps values for later turns."""
        made = [] if self._index is None else [put(self._index, plus(name(self._index), 1))]
        if self._history:
            made += [*_moved(self._history), put(self._history[0], name(self.variable))]
        for names, update in self._running.values():
            made += [*_moved(names), *update]
        return made


def _moved(names: list[str]) -> list[ast.stmt]:
    return [put(later, name(earlier)) for earlier, later in reversed(list(pairwise(names)))]


class Mirror(Turn):
    """The turns counted from the end, for arrays of positions that are reversed."""

    def __init__(self, turn: Turn, last: ast.expr, lag: int) -> None:
        self._turn, self._last, self._lag = turn, last, lag

    def index(self, lag: int) -> ast.expr:
        """Return the number of the turn from the end."""
        return plus(joined(self._last, ast.Sub, self._turn.index(self._lag)), -lag)


Element: TypeAlias = Callable[[Turn, int], ast.expr]
"""Returns the element of a turn, so many turns before this one."""


@dataclass(frozen=True)
class Array:
    """An array with an element for each turn between bounds on which its masks are true."""

    at: Element
    kind: Kind = "float"
    starts: Bounds = frozenset({FIRST})
    """Its first turn is the last of these."""
    stops: Bounds = frozenset({END})
    """It ends before the first of these."""
    masks: tuple[Element, ...] = ()
    is_window: bool = False
    is_list: bool = False
    offset: int | None = None
    """The number of an element is the number of its turn with this added, if it is a position."""
    positional: bool = False
    """Whether the values of the window are no part of it."""

    @property
    def first(self) -> int | None:
        """The number of its first turn, if it is a constant."""
        return next(iter(self.starts)).offset if len(self.starts) == 1 and next(iter(self.starts)).base == "" else None

    @property
    def lacks(self) -> int | None:
        """How many elements it has less than the window, if that is a constant and there is no mask."""
        only = next(iter(self.stops))
        if self.masks or self.first is None or len(self.stops) > 1 or only.base != "n":
            return None
        return self.first - only.offset

    def later(self, lag: int) -> Array:
        """Return the same elements, each some turns later."""
        if not lag:
            return self

        def moved(element: Element) -> Element:
            return lambda turn, more: element(turn, lag + more)

        return replace(
            self,
            at=moved(self.at),
            starts=shifted(self.starts, lag),
            stops=shifted(self.stops, lag),
            masks=tuple(moved(mask) for mask in self.masks),
            is_window=False,
            offset=None if self.offset is None else self.offset - lag,
        )


@dataclass(frozen=True)
class Vector:
    """An array whose length is a constant: weights that are written out, or captured."""

    length: int
    at: Callable[[ast.expr], ast.expr]
    """Returns the element at a position."""


WINDOW = Array(lambda turn, lag: turn.value(lag), is_window=True)


class ShapeError(Exception):
    """Arrays do not have elements in the same turns."""


def aligned(arrays: Sequence[Array], *, exact: bool = True) -> list[Array]:
    """Return arrays with their elements in the same turns: of one length, or else as long as the shortest."""
    if any(array.starts != arrays[0].starts for array in arrays):
        firsts = [array.first for array in arrays]
        known = [first for first in firsts if first is not None]
        if len(known) < len(firsts):
            raise ShapeError
        arrays = [array.later(max(known) - first) for array, first in zip(arrays, known, strict=True)]
    if len({_masks(array) for array in arrays}) > 1:
        raise ShapeError
    if exact:
        if any(array.stops != arrays[0].stops for array in arrays):
            raise ShapeError
        return list(arrays)
    stops = frozenset(stop for array in arrays for stop in array.stops)
    return [replace(array, stops=stops) for array in arrays]


def _masks(array: Array) -> tuple[str, ...]:
    numbers = iter(range(10**9))
    probe = Turn(lambda: f"{next(numbers)}")
    masks = [mask(probe, 0) for mask in array.masks]
    return tuple(ast.dump(part) for part in [*masks, *probe.begin] if masks)


def replaced(node: ast.expr, values: dict[str, ast.expr]) -> ast.expr:
    """Return an expression with values in the place of names."""

    def change(part: ast.AST) -> ast.AST:
        return values.get(part.id, part) if isinstance(part, ast.Name) else copied(part, change)

    made = change(node)
    assert isinstance(made, ast.expr)
    return made


def copied(node: ast.AST, change: Callable[[ast.AST], ast.AST]) -> ast.AST:
    """Return a node with its parts changed; itself if none is."""
    fields: dict[str, object] = {}
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            fields[field] = change(value)
        elif isinstance(value, list):
            fields[field] = [change(item) if isinstance(item, ast.AST) else item for item in value]
        else:
            fields[field] = value
    if all(_same(value, getattr(node, field)) for field, value in fields.items()):
        return node
    made = type(node)(**fields)
    for attribute in (*node._attributes, "ieee"):
        if hasattr(node, attribute):
            setattr(made, attribute, getattr(node, attribute))
    return made


def _same(new: object, old: object) -> bool:
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(one is other for one, other in zip(new, old, strict=True))
    return new is old
