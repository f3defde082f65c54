"""Reads expressions of the user's function that are arrays over the window."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypostyle._functions.known import known_function
from hypostyle._functions.names import NOTHING
from hypostyle._functions.window_arrays import (
    WINDOW,
    Array,
    Element,
    Kind,
    ShapeError,
    Turn,
    Vector,
    aligned,
    compared,
    joined,
    name,
    put,
    replaced,
    shifted,
)
from hypostyle._functions.window_slices import SHAPES, Slices, arithmetic_kind, constant

_OPERATORS: dict[str, type[ast.operator]] = {
    "add": ast.Add, "subtract": ast.Sub, "multiply": ast.Mult, "divide": ast.Div, "power": ast.Pow,
    "logical_and": ast.BitAnd, "logical_or": ast.BitOr, "logical_xor": ast.BitXor,
}  # fmt: skip
_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "less": ast.Lt, "less_equal": ast.LtE, "greater": ast.Gt, "greater_equal": ast.GtE, "equal": ast.Eq,
    "not_equal": ast.NotEq,
}  # fmt: skip
_BOOLEAN = {"isnan", "isinf", "isfinite"}
_COPIES = {"array", "asarray", "ascontiguousarray", "asfarray", "copy", "ravel", "squeeze"}
_COPY_METHODS = {"copy", "tolist", "to_numpy", "to_list", "ravel", "flatten"}
_RUNNING = {"cumsum": "+", "cumprod": "*"}

_SORTED = "the values are not sorted; np.median(window) and np.quantile(window, q) are known of the whole window"


class Reader(Slices):
    """Reads arrays."""

    def array(self, node: ast.expr) -> Array | Vector | None:
        """Return the array that an expression is; None if it is a number."""
        match node:
            case ast.Name(id=found):
                return self.arrays.get(found)
            case ast.Subscript():
                return self.part(node)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert() as sign, operand=operand):
                return self._signed(sign, operand, node)
            case ast.BinOp(op=op) if not isinstance(op, ast.MatMult):
                return self.binary([node.left, node.right], type(op), node)
            case ast.Compare(
                left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE() | ast.Eq() | ast.NotEq() as op]
            ):
                sides = [left, *node.comparators]
                return self.mapped(sides, lambda a, b: compared(a, type(op), b), lambda _: "bool", node)
            case ast.Compare(left=left, comparators=comparators) if not isinstance(node.ops[0], ast.In | ast.NotIn):
                if any(isinstance(self.array(side), Array) for side in [left, *comparators]):
                    raise self.error(node, "NumPy has no chain of comparisons; write (low < x) & (x < high)")
            case ast.Call():
                return self._called(node)
            case ast.ListComp() | ast.GeneratorExp():
                return self._comprehension(node)
        return None

    # Value by value

    def mapped(
        self,
        parts: Sequence[ast.expr],
        build: Callable[..., ast.expr],
        kind: Callable[[Sequence[Kind]], Kind],
        node: ast.expr,
    ) -> Array | Vector | None:
        """Return the array of what a function gives of the elements of arrays, and of numbers."""
        read = [self.array(part) for part in parts]
        arrays = [part for part in read if isinstance(part, Array)]
        if not arrays and not any(isinstance(part, Vector) for part in read):
            return None
        if any(array.is_list for array in arrays):
            raise self.error(node, "a list is not computed with; write np.array([...])")
        read = [self.vector(at) if part is None else part for at, part in zip(parts, read, strict=True)]
        scalars = {
            place: self.kept(self.expr(parts[place]), node, self.kind_of(parts[place]))
            for place, part in enumerate(read)
            if part is None
        }
        if not arrays:
            return self._mapped_vectors(read, scalars, build, node)
        try:
            moved = aligned(arrays)
        except ShapeError:
            raise self.error(node, SHAPES) from None
        model = moved[0]
        elements: list[Element] = []
        kinds: list[Kind] = []
        following = iter(moved)
        for place, part in enumerate(read):
            if place in scalars:
                kinds.append(self.kind_of(scalars[place]))
                elements.append(constant(scalars[place]))
            elif isinstance(part, Vector):
                kinds.append("any")
                elements.append(self._by_position(part, model, node))
            else:
                array = next(following)
                kinds.append(array.kind)
                elements.append(array.at)

        def at(turn: Turn, lag: int) -> ast.expr:
            return build(*(element(turn, lag) for element in elements))

        return replace(
            model,
            at=at,
            kind=kind(kinds),
            is_window=False,
            offset=None,
            positional=all(array.positional for array in arrays) and len(arrays) + len(scalars) == len(read),
        )

    def _mapped_vectors(
        self,
        read: Sequence[Array | Vector | None],
        scalars: dict[int, ast.expr],
        build: Callable[..., ast.expr],
        node: ast.expr,
    ) -> Vector:
        vectors = [part for part in read if isinstance(part, Vector)]
        if any(vector.length != vectors[0].length for vector in vectors):
            raise self.error(node, SHAPES)

        def at(position: ast.expr) -> ast.expr:
            return build(
                *(part.at(position) if isinstance(part, Vector) else scalars[i] for i, part in enumerate(read))
            )

        return Vector(vectors[0].length, at)

    def _by_position(self, vector: Vector, model: Array, node: ast.expr) -> Element:
        if model.masks:
            raise self.error(node, SHAPES)
        fits = compared(self.length_of(model), ast.Eq, vector.length)
        self.emit([ast.Assert(fits, None)], node)
        return lambda turn, lag: vector.at(self.position_in(model, turn, lag))

    def binary(self, sides: Sequence[ast.expr], op: type[ast.operator], node: ast.expr) -> Array | Vector | None:
        """Return arithmetic of arrays, as NumPy computes it."""
        kinds: list[Kind] = []

        def noted(found: Sequence[Kind]) -> Kind:
            kinds[:] = found
            if op is ast.Div:
                return "float"
            return arithmetic_kind(op, found)

        def build(left: ast.expr, right: ast.expr) -> ast.expr:
            known = kinds or ["any", "any"]
            return self.arithmetic(op, left, right, known[0], known[1])

        return self.mapped(sides, build, noted, node)

    def arithmetic(
        self, op: type[ast.operator], left: ast.expr, right: ast.expr, of_left: Kind, of_right: Kind
    ) -> ast.expr:
        """Return `left + right` of elements, or another operation, without an error on any values."""
        import numpy as np

        if op is ast.Div:
            return self.divided(left if "float" in (of_left, of_right) else self.call(float, left), right)
        if of_left == of_right == "bool" and op in (ast.Add, ast.Mult):
            return joined(left, ast.BitOr if op is ast.Add else ast.BitAnd, right)
        if op is ast.Pow:
            exponent = right.value if isinstance(right, ast.Constant) else None
            if exponent == 2:
                return self.call(np.square, left)
            if exponent == 0.5:
                return self.call(np.sqrt, left)
            return self.call(np.power, left, right)
        if op in (ast.Mod, ast.FloorDiv):
            made = joined(left, op, right)
            if isinstance(right, ast.Constant) and right.value:
                return made
            beyond = ast.Constant(float("nan")) if op is ast.Mod else self.divided(self.call(float, left), right)
            return ast.IfExp(compared(right, ast.Eq, 0), beyond, made)
        return joined(left, op, right)

    def _signed(self, sign: ast.unaryop, operand: ast.expr, node: ast.expr) -> Array | Vector | None:
        read = self.array(operand)
        if isinstance(read, Array) and isinstance(sign, ast.Invert):
            if read.kind != "bool":
                raise self.error(node, "~ is compiled of comparisons: ~(window > 0)")
            return self.mapped([operand], lambda a: ast.UnaryOp(ast.Not(), a), lambda _: "bool", node)
        return self.mapped([operand], lambda a: ast.UnaryOp(sign, a), lambda kinds: kinds[0], node)

    # Calls

    def _called(self, node: ast.Call) -> Array | Vector | None:
        if isinstance(node.func, ast.Attribute) and self.object_of(node.func) is NOTHING:
            return self._accumulated(node) or self._method(node, node.func)
        function = self.object_of(node.func)
        if function in (range, reversed, list, tuple, sorted) if callable(function) else False:
            return self._builtin(function, node)
        called = self.numpy_name(node.func)
        if called == "arange":
            return self.positions(node)
        if called is not None and called in (*_COPIES, "diff", *_RUNNING, "sort", "flip"):
            return self._of_one(called, node)
        if called in ("ones", "zeros", "full", "ones_like", "zeros_like", "full_like", "linspace"):
            return self.filled(called, node)
        if called in _OPERATORS and len(node.args) == 2:
            return self.binary(node.args, _OPERATORS[called], node)
        if called in _COMPARISONS and len(node.args) == 2:
            compare = _COMPARISONS[called]
            return self.mapped(node.args, lambda a, b: compared(a, compare, b), lambda _: "bool", node)
        if called == "negative" and len(node.args) == 1:
            return self._signed(ast.USub(), node.args[0], node)
        if called == "logical_not" and len(node.args) == 1:
            return self.mapped(node.args, lambda a: ast.UnaryOp(ast.Not(), a), lambda _: "bool", node)
        known = known_function(function)
        if known is None or not node.args or any(isinstance(part, ast.Starred) for part in node.args):
            return None
        if not known.name.startswith("np.") and known.name != "abs":
            if any(isinstance(self.array(part), Array) for part in node.args):
                message = f"{known.name} takes one number, not an array; write it in NumPy, or in a generator"
                raise self.error(node, message)
            return None
        if len(node.args) != known.fewest or node.keywords:
            return None

        def kind(kinds: Sequence[Kind]) -> Kind:
            if called in _BOOLEAN:
                return "bool"
            if called in ("where", "absolute", "sign", "square", "clip", "maximum", "minimum") or called is None:
                return arithmetic_kind(ast.Sub, kinds[1:] if called == "where" else kinds)
            return "float"

        return self.mapped(node.args, lambda *parts: self.call(function, *parts), kind, node)

    def _builtin(self, function: Any, node: ast.Call) -> Array | Vector | None:
        if function is range:
            return self.positions(node)
        read = self.array(node.args[0]) if len(node.args) == 1 else None
        if not isinstance(read, Array):
            return None
        if function is sorted:
            raise self.error(node, _SORTED)
        if function is reversed:
            return self.backwards(read, node)
        return replace(read, is_list=True, is_window=False)

    def _of_one(self, called: str, node: ast.Call) -> Array | Vector | None:
        if not node.args:
            return None
        array = self.array(node.args[0]) or (self.vector(node.args[0]) if called in _COPIES else None)
        if array is None or (isinstance(array, Vector) and called in _COPIES):
            return array
        if isinstance(array, Vector):
            raise self.error(node, f"np.{called} of constants is not compiled; write its result")
        if called in _COPIES:
            of_type = [keyword.value for keyword in node.keywords if keyword.arg == "dtype"] + node.args[1:2]
            return self.as_type(replace(array, is_list=False), of_type[0], node) if of_type else self._plain(array)
        if called == "sort":
            raise self.error(node, _SORTED)
        if called == "flip":
            return self.backwards(array, node)
        if len(node.args) > 1 or node.keywords:
            raise self.error(node, f"np.{called} is compiled with the array alone")
        return self.difference(array, node) if called == "diff" else self._running(array, _RUNNING[called], node)

    def _plain(self, array: Array) -> Array:
        return replace(array, is_list=False) if array.is_list else array

    def difference(self, array: Array, node: ast.expr) -> Array:
        """Return `np.diff` of an array: of each value and the one before."""
        if array.masks:
            raise self.error(node, "neighbors of window[mask] are not known; go through the window in a loop")
        op = ast.BitXor if array.kind == "bool" else ast.Sub

        def at(turn: Turn, lag: int) -> ast.expr:
            return joined(array.at(turn, lag), op, array.at(turn, lag + 1))

        return replace(array, at=at, starts=shifted(array.starts, 1), is_window=False, is_list=False, offset=None)

    def _running(self, array: Array, op: str, node: ast.expr) -> Array:
        kind: Kind = "int" if array.kind == "bool" else array.kind

        def at(turn: Turn, lag: int) -> ast.expr:
            def update(variable: str) -> list[ast.stmt]:
                value, element = name(variable), array.at(turn, 0)
                if op in ("+", "*"):
                    made = joined(value, ast.Add if op == "+" else ast.Mult, element)
                else:
                    made = self.call(_extreme(op), value, element)
                return self.within(array, turn, [put(variable, made)])

            start: float = {"+": 0, "*": 1, "max": float("-inf"), "min": float("inf")}[op]
            return turn.running(id(at), lag, float(start) if kind != "int" else start, update)

        if op in ("max", "min") and kind != "float":
            raise self.error(node, "running extremes are compiled of floats")
        return replace(array, at=at, kind=kind, is_window=False, is_list=False, offset=None, positional=False)

    def _accumulated(self, node: ast.Call) -> Array | None:
        match node:
            case ast.Call(func=ast.Attribute(value=ufunc, attr="accumulate"), args=[of], keywords=[]):
                op = {"maximum": "max", "minimum": "min", "add": "+", "multiply": "*"}.get(self.numpy_name(ufunc) or "")
                array = self.array(of) if op is not None else None
                if op is not None and isinstance(array, Array):
                    return self._running(array, op, node)
        return None

    def _method(self, node: ast.Call, method: ast.Attribute) -> Array | Vector | None:
        if method.attr not in {*_COPY_METHODS, *_RUNNING, "astype", "clip", "abs"}:
            return None
        owner = self.array(method.value)
        if not isinstance(owner, Array):
            return owner if method.attr in _COPY_METHODS else None
        if method.attr in _COPY_METHODS:
            return replace(owner, is_list=method.attr in ("tolist", "to_list"))
        if method.attr in _RUNNING and not node.args:
            return self._running(owner, _RUNNING[method.attr], node)
        if method.attr == "astype" and len(node.args) == 1:
            return self.as_type(owner, node.args[0], node)
        if method.attr == "clip" and len(node.args) == 2:
            import numpy as np

            return self.mapped(
                [method.value, *node.args],
                lambda *parts: self.call(np.clip, *parts),
                lambda kinds: arithmetic_kind(ast.Sub, kinds),
                node,
            )
        return None

    def as_type(self, array: Array, of: ast.expr, node: ast.expr) -> Array:
        """Return an array with its elements converted."""
        wanted = of.value if isinstance(of, ast.Constant) else self.object_of(of)
        kinds: dict[Any, Kind] = {float: "float", "float": "float", "float64": "float", "f8": "float"}
        kinds |= {int: "int", "int": "int", "int64": "int", bool: "bool", "bool": "bool"}
        kind = kinds.get(getattr(wanted, "__name__", wanted) if wanted is not NOTHING else None)
        if kind is None:
            raise self.error(node, "arrays are of float, int or bool here")
        if kind == array.kind:
            return array
        function = {"float": float, "int": int, "bool": bool}[kind]
        element = array.at
        return replace(
            array,
            at=lambda turn, lag: self.call(function, element(turn, lag)),
            kind=kind,
            is_window=False,
            offset=None,
        )

    # Generators

    def stream(self, node: ast.expr) -> Any:
        """Return what a loop or a generator goes through: an array, or a tuple of these; None if it is no array."""
        raise NotImplementedError

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> Array | None:
        generator = node.generators[0]
        stream = self.stream(generator.iter)
        if stream is None:
            return None
        if len(node.generators) > 1:
            raise self.error(node, "one for in a generator is compiled over the window; write a loop")
        values = self.unpacked(generator.target, stream)
        model = next(iter(values.values())) if values else WINDOW
        self.barriers.append(({*values}, node))
        hidden = {found: self.arrays.pop(found) for found in values if found in self.arrays}
        element, *tests = (self.expr(part) for part in [node.elt, *generator.ifs])
        self.arrays |= hidden
        self.barriers.pop()

        def of(part: ast.expr) -> Element:
            return lambda turn, lag: replaced(part, {v: array.at(turn, lag) for v, array in values.items()})

        outer = {found: self.kinds.get(found) for found in values}
        self.kinds |= {found: array.kind for found, array in values.items()}
        kind = self.kind_of(element)
        for found, before in outer.items():
            self.kinds.pop(found)
            if before is not None:
                self.kinds[found] = before
        return replace(
            model,
            at=of(element),
            kind=kind,
            masks=(*model.masks, *(of(test) for test in tests)),
            is_window=False,
            is_list=True,
            offset=None,
            positional=False,
        )

    def unpacked(self, target: ast.expr, stream: Any) -> dict[str, Array]:
        """Return the arrays whose elements the names of a target have."""
        if isinstance(target, ast.Name) and isinstance(stream, Array):
            return {target.id: stream}
        if isinstance(target, ast.Tuple | ast.List) and isinstance(stream, tuple) and len(stream) == len(target.elts):
            found: dict[str, Array] = {}
            for part, inner in zip(target.elts, stream, strict=True):
                found |= self.unpacked(part, inner)
            return found
        raise self.error(target, "the values do not have this shape")


def _extreme(op: str) -> Any:
    import numpy as np

    return np.maximum if op == "max" else np.minimum
