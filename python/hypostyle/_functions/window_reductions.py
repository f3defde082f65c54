"""What NumPy and Python compute of a whole array, as loops over the window."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace

from hypostyle._functions.window_arrays import (
    Array,
    Kind,
    ShapeError,
    Turn,
    aligned,
    compared,
    joined,
    name,
    plus,
    put,
    when,
)
from hypostyle._functions.window_reader import Reader
from hypostyle._functions.window_slices import SHAPES, arithmetic_kind

_ERROR: ast.expr = joined(ast.Constant(1), ast.FloorDiv, ast.Constant(0))
"""What raises, as Python does."""

_INFINITY = float("inf")

Make = Callable[[Array, ast.expr], ast.expr]


class Reductions(Reader):
    """Writes the loops of reductions, each with its result in a variable."""

    def reductions(self) -> dict[str, Make]:
        """Return the reductions of one array that take no option, by their names in NumPy."""
        return {
            "sum": self.sum_of,
            "mean": self.mean_of,
            "prod": self.product_of,
            "min": lambda array, node: self.extreme_of(array, node, ast.Lt),
            "amin": lambda array, node: self.extreme_of(array, node, ast.Lt),
            "max": lambda array, node: self.extreme_of(array, node, ast.Gt),
            "amax": lambda array, node: self.extreme_of(array, node, ast.Gt),
            "any": lambda array, node: self.truth_of(array, node, is_any=True),
            "all": lambda array, node: self.truth_of(array, node, is_any=False),
            "ptp": lambda array, node: joined(
                self.extreme_of(array, node, ast.Gt), ast.Sub, self.extreme_of(array, node, ast.Lt)
            ),
            "argmin": lambda array, node: self.place_of(array, node, ast.Lt),
            "argmax": lambda array, node: self.place_of(array, node, ast.Gt),
            "count_nonzero": self.number_of,
            "nansum": lambda array, node: self.sum_of(self.without_nan(array), node),
            "nanmean": lambda array, node: self.mean_of(self.without_nan(array), node),
            "nanprod": lambda array, node: self.product_of(self.without_nan(array), node),
            "nanmin": lambda array, node: self.nan_extreme_of(array, node, ast.Lt),
            "nanmax": lambda array, node: self.nan_extreme_of(array, node, ast.Gt),
            "norm": self.norm_of,
        }

    # One array

    def result(self, kind: Kind, *, is_numpy: bool = True) -> str:
        """Return the name of a variable for a result."""
        variable = self.fresh()
        self.kinds[variable] = kind
        if is_numpy:
            self.numpy.add(variable)
        return variable

    def sum_of(self, array: Array, node: ast.expr, start: ast.expr | None = None, *, is_numpy: bool = True) -> ast.expr:
        """Return the sum: Python's begins with the integer 0."""
        kind: Kind = "int" if array.kind == "bool" else array.kind
        # Python's sum of numbers of NumPy is one of them too, if there are any.
        are_numpy = is_numpy or (array.lacks == 0 and self.is_numpy(array))
        total = self.result(kind if is_numpy else arithmetic_kind(ast.Sub, ["any", kind]), is_numpy=are_numpy)
        first = start or ast.Constant(0.0 if kind == "float" and is_numpy else 0)

        def body(value: ast.expr) -> list[ast.stmt]:
            if array.kind == "bool":
                return when([value], [put(total, plus(name(total), 1))])
            return [put(total, joined(name(total), ast.Add, value))]

        self.each([array], [put(total, first)], body, node)
        return name(total)

    def is_numpy(self, array: Array) -> bool:
        """Whether the elements are numbers of NumPy on every path."""
        turn = Turn(self.fresh)

        def of(value: ast.expr) -> bool:
            match value:
                case ast.Name(id=found):
                    return found == turn.variable or found in self.numpy
                case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                    return of(operand)
                case ast.BinOp(left=left, right=right) | ast.Compare(left=left, comparators=[right]):
                    return of(left) or of(right)
                case ast.IfExp(body=body, orelse=orelse):
                    return of(body) and of(orelse)
            return False

        return of(array.at(turn, 0))

    def length(self, array: Array, node: ast.expr) -> ast.expr:
        """Return the number of elements, which is an integer of Python."""
        if not array.masks:
            return self.length_of(array)
        return self.number_of(replace(array, at=lambda _turn, _lag: ast.Constant(True), kind="bool"), node)

    def number_of(self, array: Array, node: ast.expr) -> ast.expr:
        """Return how many elements are true."""
        number = self.result("int", is_numpy=False)

        def body(value: ast.expr) -> list[ast.stmt]:
            tests = [] if isinstance(value, ast.Constant) and value.value is True else [value]
            return when(tests, [put(number, plus(name(number), 1))])

        self.each([array], [put(number, 0)], body, node)
        return name(number)

    def mean_of(self, array: Array, node: ast.expr) -> ast.expr:
        """Return the mean; of no elements it is NaN."""
        if not array.masks:
            return self.ratio(self.sum_of(array, node), self.length_of(array), node)
        total, number = self.result("float"), self.result("int")

        def body(value: ast.expr) -> list[ast.stmt]:
            added = self.call(float, value) if array.kind == "bool" else value
            return [put(total, joined(name(total), ast.Add, added)), put(number, plus(name(number), 1))]

        self.each([array], [put(total, 0.0), put(number, 0)], body, node)
        return self.ratio(name(total), name(number), node)

    def ratio(self, left: ast.expr, right: ast.expr, node: ast.expr) -> ast.expr:
        """Return a quotient of floats in a variable."""
        variable = self.result("float")
        self.emit([put(variable, self.divided(self.call(float, left), right))], node)
        return name(variable)

    def product_of(self, array: Array, node: ast.expr) -> ast.expr:
        """Return the product."""
        total = self.result("int" if array.kind == "bool" else array.kind)
        start = put(total, 1.0 if array.kind == "float" else 1)
        self.each([array], [start], lambda value: [put(total, joined(name(total), ast.Mult, value))], node)
        return name(total)

    def extreme_of(
        self, array: Array, node: ast.expr, better: type[ast.cmpop], default: ast.expr | None = None,
        *, is_numpy: bool = True,
    ) -> ast.expr:  # fmt: skip
        """Return the largest or the smallest element: NumPy's is NaN if one is, Python's is the first that is best."""
        found, is_there = self.result(array.kind, is_numpy=is_numpy), self.fresh()

        def body(value: ast.expr) -> list[ast.stmt]:
            tests = [ast.UnaryOp(ast.Not(), name(is_there)), compared(value, better, name(found))]
            if is_numpy and array.kind in ("float", "any"):
                tests.append(compared(value, ast.NotEq, value))
            return [ast.If(ast.BoolOp(ast.Or(), tests), [put(found, value), put(is_there, ast.Constant(True))], [])]

        start = [put(found, self.zero(array.kind)), put(is_there, ast.Constant(False))]
        self.each([array], start, body, node, often=True)
        if array.lacks == 0:
            return name(found)
        return ast.IfExp(name(is_there), name(found), default or _ERROR)

    def zero(self, kind: Kind) -> ast.expr:
        """Return a value of a kind, for a variable that has none yet."""
        return ast.Constant({"float": 0.0, "int": 0, "bool": False, "any": 0.0}[kind])

    def truth_of(self, array: Array, node: ast.expr, *, is_any: bool) -> ast.expr:
        """Return whether an element is true, or all are; as Python does, no more is looked at than needed."""
        found = self.result("bool", is_numpy=False)

        def body(value: ast.expr) -> list[ast.stmt]:
            tests = [name(found), ast.UnaryOp(ast.Not(), value)] if not is_any else []
            tests = tests or [ast.UnaryOp(ast.Not(), name(found)), value]
            return when(tests, [put(found, ast.Constant(is_any))])

        self.each([array], [put(found, ast.Constant(not is_any))], body, node)
        return name(found)

    def place_of(self, array: Array, node: ast.expr, better: type[ast.cmpop]) -> ast.expr:
        """Return the position of the largest or the smallest element; NaN is more than both."""
        place, best, count = self.result("int"), self.fresh(), self.fresh()

        def body(value: ast.expr) -> list[ast.stmt]:
            first = compared(name(count), ast.Eq, 0)
            nan = ast.BoolOp(ast.And(), [compared(value, ast.NotEq, value), compared(name(best), ast.Eq, name(best))])
            test = ast.BoolOp(ast.Or(), [first, compared(value, better, name(best)), nan])
            return [
                ast.If(test, [put(best, value), put(place, name(count))], []),
                put(count, plus(name(count), 1)),
            ]

        start = [put(place, 0), put(best, self.zero(array.kind)), put(count, 0)]
        self.each([array], start, body, node, often=True)
        if array.lacks == 0:
            return name(place)
        return ast.IfExp(compared(name(count), ast.Gt, 0), name(place), _ERROR)

    def item_of(self, array: Array, index: ast.expr, node: ast.expr) -> ast.expr:
        """Return the element at a position, which is an error beyond the ends."""
        found, is_there = self.result(array.kind), self.fresh()
        bound = self.bound(index)
        constant = bound.offset if bound is not None and not bound.base else None
        start = [put(found, self.zero(array.kind)), put(is_there, ast.Constant(False))]
        keep: list[ast.stmt] = [put(is_there, ast.Constant(True))]
        if array.masks:
            if constant not in (0, -1):
                raise self.error(node, "of window[mask] the items [0] and [-1] are known")
            tests = [ast.UnaryOp(ast.Not(), name(is_there))] if constant == 0 else []
            self.each([array], start, lambda value: when(tests, [put(found, value), *keep]), node)
            return ast.IfExp(name(is_there), name(found), _ERROR)
        if constant is not None and constant >= 0:
            wanted: ast.expr = plus(self.last_of(array.starts), constant)
        elif constant is not None:
            wanted = plus(self.first_of(array.stops), constant)
        else:
            position, turn = self.fresh(), self.fresh()
            given = put(position, joined(self.expr(index), ast.BitOr, ast.Constant(0)))
            from_start = joined(self.last_of(array.starts), ast.Add, name(position))
            from_end = joined(self.first_of(array.stops), ast.Add, name(position))
            chosen = ast.IfExp(compared(name(position), ast.Lt, 0), from_end, from_start)
            self.emit([given, put(turn, chosen)], node)
            wanted = name(turn)
        self.at_turn(array, wanted, start, found, keep, node)
        return ast.IfExp(name(is_there), name(found), _ERROR)

    def at_turn(
        self,
        array: Array,
        wanted: ast.expr,
        start: list[ast.stmt],
        found: str,
        keep: list[ast.stmt],
        node: ast.expr,
    ) -> None:
        """Write a loop that keeps the element of one turn."""
        turn = Turn(self.fresh)
        test = compared(turn.index(0), ast.Eq, wanted)
        body = when([test], [put(found, array.at(turn, 0)), *keep])
        inner = self.within(array, turn, body)
        self.emit([*start, *self.loop(turn, inner)], node)

    def norm_of(self, array: Array, node: ast.expr) -> ast.expr:
        """Return the Euclidean norm."""
        return self.root(self.dot([array, array], node), node)

    def root(self, value: ast.expr, node: ast.expr) -> ast.expr:
        """Return a square root in a variable."""
        import numpy as np

        variable = self.result("float")
        self.emit([put(variable, self.call(np.sqrt, self.call(float, value)))], node)
        return name(variable)

    # NaN left out

    def without_nan(self, array: Array) -> Array:
        """Return an array without its NaN."""
        element = array.at

        def mask(turn: Turn, lag: int) -> ast.expr:
            return compared(element(turn, lag), ast.Eq, element(turn, lag))

        return replace(array, masks=(*array.masks, mask), is_window=False)

    def nan_extreme_of(self, array: Array, node: ast.expr, better: type[ast.cmpop]) -> ast.expr:
        """Return the largest or the smallest element without NaN; NaN if all are NaN."""
        nan = ast.Constant(float("nan"))
        empty: ast.expr = nan
        if array.lacks != 0:
            empty = ast.IfExp(compared(self.length(array, node), ast.Gt, 0), nan, _ERROR)
        return self.extreme_of(self.without_nan(array), node, better, empty)

    # Deviations

    def variance_of(self, array: Array, node: ast.expr, ddof: ast.expr, *, is_root: bool = False) -> ast.expr:
        """Return the variance, or its root."""
        count = self.kept(self.length(array, node), node, "int")
        squares = self.dot([self.centered(array, node)] * 2, node)
        freedom = self.call(max, joined(count, ast.Sub, ddof), ast.Constant(0))
        found = self.ratio(squares, freedom, node)
        return self.root(found, node) if is_root else found

    def centered(self, array: Array, node: ast.expr) -> Array:
        """Return the deviations of the elements from their mean."""
        mean, element = self.mean_of(array, node), array.at
        return replace(
            array,
            at=lambda turn, lag: joined(element(turn, lag), ast.Sub, mean),
            kind="float",
            is_window=False,
            is_list=False,
            offset=None,
        )

    # Two arrays

    def pair(self, arrays: Sequence[Array], node: ast.expr) -> list[Array]:
        """Return arrays of one length."""
        try:
            return aligned(arrays)
        except ShapeError:
            raise self.error(node, SHAPES) from None

    def dot(self, arrays: Sequence[Array], node: ast.expr) -> ast.expr:
        """Return the sum of the products."""
        one, other = self.pair(arrays, node)
        kind = arithmetic_kind(ast.Sub, [one.kind, other.kind])
        total = self.result(kind)

        def body(left: ast.expr, right: ast.expr) -> list[ast.stmt]:
            return [put(total, joined(name(total), ast.Add, joined(left, ast.Mult, right)))]

        start = put(total, 0.0 if kind == "float" else 0)
        if one is other:
            self.each([one], [start], lambda value: body(value, value), node, often=True)
        else:
            self.each([one, other], [start], body, node)
        return name(total)

    def average(self, array: Array, weights: Array, node: ast.expr) -> ast.expr:
        """Return `np.average(array, weights=weights)`, which raises if the weights have no sum."""
        array, weights = self.pair([array, weights], node)
        total = self.kept(self.sum_of(weights, node), node, weights.kind)
        found = self.ratio(self.dot([array, weights], node), total, node)
        return ast.IfExp(compared(total, ast.Eq, 0), _ERROR, found)

    def covariance(self, arrays: Sequence[Array], node: ast.expr, ddof: int) -> ast.expr:
        """Return the covariance of two arrays."""
        one, other = self.pair(arrays, node)
        count = self.kept(self.length(one, node), node, "int")
        products = self.dot([self.centered(one, node), self.centered(other, node)], node)
        return self.ratio(products, self.call(max, plus(count, -ddof), ast.Constant(0)), node)

    def correlation(self, arrays: Sequence[Array], node: ast.expr) -> ast.expr:
        """Return the correlation of two arrays, which NumPy keeps within -1 and 1."""
        import numpy as np

        one, other = (self.centered(array, node) for array in self.pair(arrays, node))
        products = self.dot([one, other], node)
        roots = [self.root(self.dot([array, array], node), node) for array in (one, other)]
        first = self.ratio(products, roots[0], node)
        return self.call(np.clip, self.ratio(first, roots[1], node), ast.Constant(-1.0), ast.Constant(1.0))

    def line(self, arrays: Sequence[Array], node: ast.expr) -> list[ast.expr]:
        """Return the slope and the intercept of `np.polyfit(x, y, 1)`."""
        x, y = self.pair(arrays, node)
        of_x, of_y = self.centered(x, node), self.centered(y, node)
        means = [self.mean_of(array, node) for array in (x, y)]
        squares = self.dot([of_x, of_x], node)
        slope, level = self.result("float"), self.result("float")
        steep = [
            put(slope, self.divided(self.dot([of_x, of_y], node), squares)),
            put(level, joined(means[1], ast.Sub, joined(name(slope), ast.Mult, means[0]))),
        ]
        # Of one place there are many lines; LAPACK takes the shortest coefficients of the scaled equations.
        half = joined(means[1], ast.Mult, ast.Constant(0.5))
        upright = [
            put(level, joined(half, ast.Add, joined(means[1], ast.Sub, means[1]))),  # NaN beyond finite numbers
            put(slope, self.divided(name(level), means[0])),
        ]
        self.emit([ast.If(compared(squares, ast.Gt, 0), steep, upright)], node)
        is_fit = ast.BoolOp(
            ast.And(),
            [
                compared(squares, ast.Lt, _INFINITY),
                ast.BoolOp(ast.Or(), [compared(squares, ast.Gt, 0), compared(means[0], ast.NotEq, 0)]),
            ],
        )
        is_fit = ast.BoolOp(ast.And(), [compared(squares, ast.Eq, squares), is_fit])
        return [ast.IfExp(is_fit, name(found), _ERROR) for found in (slope, level)]
