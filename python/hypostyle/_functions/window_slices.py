"""Positions in the window, slices of arrays, and constants: what is known of lengths before the loops run."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypostyle._functions.values import NeedsConstantError
from hypostyle._functions.window_arrays import (
    END,
    FIRST,
    WINDOW,
    Array,
    Bound,
    Element,
    Kind,
    Mirror,
    ShapeError,
    Turn,
    Vector,
    aligned,
    compared,
    joined,
    name,
    plus,
    put,
    shifted,
)
from hypostyle._functions.window_loops import Loops

SHAPES = "arrays are joined value by value; these have no common length, or different masks"


class Slices(Loops):
    """Reads positions and parts of arrays."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.arrays: dict[str, Array | Vector] = {self.window: WINDOW}
        """Names of arrays."""
        self.bounds: dict[str, Bound] = {}
        """Names of numbers of turns: `n = len(window)`."""

    def expr(self, node: ast.expr) -> ast.expr:
        """Return an expression that is a number, with what it computes of arrays in variables."""
        raise NotImplementedError

    def array(self, node: ast.expr) -> Array | Vector | None:
        """Return the array that an expression is; None if it is a number."""
        raise NotImplementedError

    def divided(self, left: ast.expr, right: ast.expr) -> ast.expr:
        """Return a quotient of floats that is inf or NaN where the divisor is zero."""
        made = joined(left, ast.Div, right)
        made.ieee = True  # type: ignore[attr-defined]
        return made

    def as_type(self, array: Array, of: ast.expr, node: ast.expr) -> Array:
        """Return an array with its elements converted."""
        raise NotImplementedError

    # Positions and constants

    def positions(self, node: ast.Call) -> Array | None:
        """Return `range(len(window))` and the like; None if it does not depend on the window's length."""
        bounds = [self.bound(part) for part in node.args]
        if not 1 <= len(bounds) <= 3 or not any(bound and bound.base == "n" for bound in bounds):
            return None
        step = bounds[2] if len(bounds) == 3 else Bound("", 1)
        start, stop = (FIRST, bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
        if start is None or stop is None or step not in (Bound("", 1), Bound("", -1)):
            raise self.error(node, "positions go by one from a constant to len(window), or to len(window) - 1")
        is_down = step.offset < 0
        low, high = (stop, start) if is_down else (start, stop)
        if (low.base, high.base) != ("", "n"):
            raise self.error(node, "positions go by one from a constant to len(window), or to len(window) - 1")
        lacks = low.offset - high.offset
        if lacks < 0:
            raise self.error(node, "there are more positions here than values in the window")
        kind: Kind = "int"
        for keyword in node.keywords:
            found = self.object_of(keyword.value)
            if keyword.arg != "dtype" or (found not in (float, int) and getattr(found, "__name__", "") != "float64"):
                raise self.error(node, "of the options of arange dtype=float is compiled")
            kind = "int" if found is int else "float"
        if is_down:
            top = self.turn_of(start)

            def down(turn: Turn, lag: int) -> ast.expr:
                return joined(top, ast.Sub, turn.index(lag + lacks))

            starts = frozenset({Bound("", lacks)})
            return Array(down, "int", starts=starts, positional=True)
        first = low.offset if low.offset >= 0 >= high.offset else lacks
        made = Array(
            lambda turn, lag: plus(turn.index(lag), low.offset - first),
            "int",
            starts=frozenset({Bound("", first)}),
            stops=frozenset({END.shifted(first - lacks)}),
            offset=low.offset - first,
            positional=True,
        )
        return made if kind == "int" else self.as_type(made, ast.Constant("float"), node)

    def filled(self, called: str, node: ast.Call) -> Array | None:
        """Return `np.ones(len(window))` and the like; None if it does not depend on the window's length."""
        size = {"linspace": 2, "full": 0, "ones": 0, "zeros": 0}.get(called, 0)
        if len(node.args) <= size:
            return None
        if called.endswith("_like"):
            array = self.array(node.args[0])
        else:
            bound = self.bound(node.args[size])
            array = WINDOW if bound == END else None
            if bound is not None and bound.base == "n" and array is None:
                raise self.error(node, f"np.{called} is compiled of len(window)")
        if not isinstance(array, Array):
            return None
        if called == "linspace":
            low, high = (self.kept(self.expr(part), node) for part in node.args[:2])
            step = self.kept(
                self.divided(self.call(float, joined(high, ast.Sub, low)), plus(self.size, -1)), node, "float"
            )

            def spaced(turn: Turn, lag: int) -> ast.expr:
                index = turn.index(lag)
                made = joined(low, ast.Add, joined(index, ast.Mult, step))
                return ast.IfExp(compared(index, ast.Gt, 0), made, self.call(float, low))

            return replace(array, at=spaced, kind="float", is_window=False, offset=None, positional=True)
        value: ast.expr = ast.Constant(1.0 if called.startswith("ones") else 0.0)
        kind: Kind = "float"
        if called.startswith("full"):
            value, kind = self.kept(self.expr(node.args[1]), node), self.kind_of(node.args[1])
        return replace(array, at=constant(value), kind=kind, is_window=False, offset=None, positional=True)

    def vector(self, node: ast.expr) -> Vector | None:
        """Return the array of constants that an expression is: a tuple, by its name or written out."""
        match node:
            case ast.Tuple(elts=[_, *_] as items) | ast.List(elts=[_, *_] as items):
                length = len(items)
            case ast.Call(args=[inner]) if self.numpy_name(node.func) in ("array", "asarray"):
                return self.vector(inner)
            case ast.Name(id=found):
                value = self.constant_of(found)
                if not isinstance(value, tuple):
                    return None
                length = len(value)
            case _:
                return None

        def at(position: ast.expr) -> ast.expr:
            index = position if isinstance(position, ast.Constant) else self.call(int, position)
            owner = ast.Tuple(node.elts, ast.Load()) if isinstance(node, ast.List) else node
            return ast.Subscript(owner, index, ast.Load())

        return Vector(length, at)

    def constant_of(self, found: str) -> Any:
        """Return the value of a name that is known when the function is compiled."""
        if found in self.known:
            return self.known[found]
        if found in self.scope.parameters:
            return self.defaults.get(found) if self.is_settled(found) else None
        if self.scope.is_local(found):
            return None
        try:
            return self.scope.captured(found)
        except NameError:  # the variable of a generator
            return None

    @property
    def defaults(self) -> dict[str, Any]:
        """The defaults of the function's parameters."""
        function, arguments = self.source.function, self.source.node.args
        positional = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
        found = dict(zip(reversed(positional), reversed(function.__defaults__ or ()), strict=False))
        return found | (function.__kwdefaults__ or {})

    def bound(self, node: ast.expr) -> Bound | None:
        """Return the number of a turn that an expression is: `len(window) - 1`, a constant, or a variable and one."""
        match node:
            case ast.Constant(value=int(value)) if not isinstance(value, bool):
                return Bound("", value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.bound(operand)
                return Bound("", -inner.offset) if inner is not None and not inner.base else None
            case ast.Name(id=found):
                return self._bound_of_name(found)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() as op, right=right):
                one, other = self.bound(left), self.bound(right)
                if one is None or other is None:
                    return None
                if isinstance(op, ast.Add) and not one.base:
                    one, other = other, one
                if other.base or (isinstance(op, ast.Mult) and one.base):
                    return None
                apply = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}[type(op)]
                return Bound(one.base, apply(one.offset, other.offset))
        lacks = self.length_read(node)
        return None if lacks is None else Bound("n", -lacks)

    def length_read(self, node: ast.expr) -> int | None:
        """Return how much less than the window's length an expression like `len(window)` or `w.size` is."""
        match node:
            case ast.Call(func=ast.Name() as function, args=[of], keywords=[]) if self.object_of(function) is len:
                array = self.array(of) if isinstance(of, ast.Name) else None
            case ast.Attribute(value=ast.Name() as of, attr="size"):
                array = self.array(of)
            case ast.Subscript(value=ast.Attribute(value=ast.Name() as of, attr="shape"), slice=ast.Constant(value=0)):
                array = self.array(of)
            case _:
                return None
        return array.lacks if isinstance(array, Array) else None

    def _bound_of_name(self, found: str) -> Bound | None:
        if found in self.bounds:
            return self.bounds[found]
        if found in self.scope.parameters and found not in self.known and self.is_settled(found):
            value = self.defaults.get(found)
            if type(value) is int:
                raise NeedsConstantError(found, value)
        value = self.constant_of(found)
        if type(value) is int:
            return Bound("", value)
        return Bound(found, 0) if self.scope.is_local(found) and found not in self.arrays else None

    # Kinds

    def kind_of(self, node: ast.expr) -> Kind:
        """Return what kind of number an expression is."""
        if self.length_read(node) is not None:
            return "int"
        match node:
            case ast.Constant(value=bool()):
                return "bool"
            case ast.Constant(value=int()):
                return "int"
            case ast.Constant(value=float()):
                return "float"
            case ast.Name(id=found):
                is_turn = found in self.bounds and self.bounds[found].base in ("", "n")
                return "int" if is_turn else self.kinds.get(found, "any")
            case ast.Compare():
                return "bool"
            case ast.UnaryOp(op=ast.Not()):
                return "bool"
            case ast.UnaryOp(operand=operand):
                return self.kind_of(operand)
            case ast.BinOp(op=ast.Div()):
                return "float"
            case ast.BinOp(left=left, op=op, right=right):
                return arithmetic_kind(type(op), [self.kind_of(left), self.kind_of(right)])
            case ast.IfExp(body=body, orelse=orelse):
                return arithmetic_kind(ast.Sub, [self.kind_of(body), self.kind_of(orelse)])
            case ast.Call(func=ast.Name(id=found)) if found in self.objects:
                return {"square": self.kind_of(node.args[0]), "len": "int", "float": "float", "sqrt": "float"}.get(
                    getattr(self.objects[found], "__name__", ""), "any"
                )
        return "any"

    # Parts of arrays

    def part(self, node: ast.Subscript) -> Array | None:
        """Return `window[1:]` or `window[mask]`; None for one item."""
        owner = self.array(node.value)
        if not isinstance(owner, Array):
            return None
        if isinstance(node.slice, ast.Slice):
            return self._sliced(owner, node.slice, node)
        mask = self.array(node.slice)
        if mask is None:
            return None
        if not isinstance(mask, Array) or mask.kind != "bool" or owner.is_list:
            raise self.error(node.slice, "an array is indexed by a number, a slice, or a comparison of its values")
        try:
            owner, mask = aligned([owner, mask])
        except ShapeError:
            raise self.error(node, SHAPES) from None
        return replace(owner, masks=(*owner.masks, mask.at), is_window=False, offset=None)

    def _sliced(self, array: Array, part: ast.Slice, node: ast.Subscript) -> Array:
        step = None if part.step is None else self.bound(part.step)
        if step == Bound("", -1) and part.lower is None and part.upper is None:
            return self.backwards(array, node)
        if step not in (None, Bound("", 1)):
            raise self.error(node, "a step of a slice is not compiled; go through the window in a loop")
        if array.masks:
            raise self.error(node, "a part of window[mask] is not known; go through the window in a loop")
        whole = array
        if part.lower is not None:
            array = self._from(array, whole, part.lower, node)
        if part.upper is not None:
            array = self._until(array, whole, part.upper, node)
        is_window = array.is_window and array.starts == whole.starts and array.stops == whole.stops
        return replace(array, is_window=is_window)

    def _from(self, array: Array, whole: Array, lower: ast.expr, node: ast.expr) -> Array:
        bound = self._bound_in(whole, lower, node)
        if not bound.base:
            if bound.offset >= 0:
                return replace(array, starts=shifted(array.starts, bound.offset))
            ends = shifted(self._one(whole.stops, node, min), bound.offset)
        else:
            ends = frozenset({bound})
        return replace(array, starts=frozenset({*array.starts, *ends}))

    def _until(self, array: Array, whole: Array, upper: ast.expr, node: ast.expr) -> Array:
        bound = self._bound_in(whole, upper, node)
        if not bound.base:
            if bound.offset < 0:
                return replace(array, stops=shifted(array.stops, bound.offset))
            ends = shifted(self._one(whole.starts, node, max), bound.offset)
        else:
            ends = frozenset({bound})
        return replace(array, stops=frozenset({*array.stops, *ends}))

    def _one(self, bounds: frozenset[Bound], node: ast.expr, pick: Callable[..., Any]) -> frozenset[Bound]:
        """Return bounds of which the last, or the first, is one that is known."""
        if len(bounds) == 1:
            return bounds
        found = self.last_of(bounds) if pick is max else self.first_of(bounds)
        variable = self.fresh()
        self.emit([put(variable, found)], node)
        return frozenset({Bound(variable, 0)})

    def _bound_in(self, array: Array, of: ast.expr, node: ast.expr) -> Bound:
        """Return a bound of a slice: a constant as it is, anything else as a turn of the loop."""
        bound = self.bound(of)
        if bound is not None and not bound.base:
            return bound
        position = self.fresh()
        self.kinds[position] = "int"
        # Of a float NumPy makes no slice; neither does Python of its bits.
        given = joined(self.expr(of), ast.BitOr, ast.Constant(0))
        from_end = joined(name(position), ast.Add, self.length_of(array))
        sign = compared(name(position), ast.Lt, 0)
        turn = self.call(max, ast.IfExp(sign, from_end, name(position)), ast.Constant(0))
        starts = self.last_of(array.starts)
        is_first = isinstance(starts, ast.Constant) and starts.value == 0
        self.emit(
            [put(position, given), put(position, turn if is_first else joined(starts, ast.Add, turn))],
            node,
        )
        return Bound(position, 0)

    def backwards(self, array: Array, node: ast.expr) -> Array:
        """Return positions in reversed order."""
        if not array.positional or array.lacks != 0 or array.first != 0:
            raise self.error(node, "a window is gone through from its first value to its last")
        element, last = array.at, plus(self.size, -1)
        return replace(array, at=lambda turn, lag: element(Mirror(turn, last, lag), 0), is_list=False, offset=None)


def arithmetic_kind(op: type[ast.operator], kinds: Sequence[Kind]) -> Kind:
    """Return what arithmetic gives of numbers of these kinds."""
    if "float" in kinds or op is ast.Div:
        return "float"
    if "any" in kinds:
        return "any"
    if set(kinds) == {"bool"} and op in (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor):
        return "bool"
    return "int"


def constant(value: ast.expr) -> Element:
    """Return the element of an array of one value."""
    return lambda _turn, _lag: value
