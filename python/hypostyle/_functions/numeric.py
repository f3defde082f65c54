"""Functions of numbers that are made of others: of `math`, of NumPy, and places in sorted constants."""

from __future__ import annotations

import ast
import bisect
import itertools
import math
import sys
from collections.abc import Callable
from typing import Any

from hypostyle._functions.orders import Orders
from hypostyle._functions.values import Expr, NotFoldedError, Statement, Tup, Value, fold

_NAN: Expr = ["float", "nan"]
_TRUTHS = ("compare", "not", "in", "is_none", "and", "or")
_LARGEST_FLOAT = sys.float_info.max


class Numeric(Orders):
    """Translates functions by what they are made of."""

    def numeric(self, function: object) -> Callable[[ast.Call], Value] | None:
        """Return the translation of a function, if it has one here."""
        own: dict[int, Callable[[ast.Call], Value]] = {
            id(math.isclose): self.is_close,
            id(math.prod): self.product,
            id(math.gcd): self.divisor,
            id(math.isqrt): self.whole_root,
            id(math.modf): self.parts,
            id(bisect.bisect): lambda node: self.place(node, "bisect_right"),
            id(bisect.bisect_right): lambda node: self.place(node, "bisect_right"),
            id(bisect.bisect_left): lambda node: self.place(node, "bisect_left"),
        }
        numpy: Any = sys.modules.get("numpy")
        if numpy is not None:
            own |= {
                id(numpy.round): self.numpy_round,
                id(numpy.around): self.numpy_round,
                id(numpy.divide): self.numpy_divide,
                id(numpy.true_divide): self.numpy_divide,
                id(numpy.fmax): lambda node: self.numpy_best(node, ">="),
                id(numpy.fmin): lambda node: self.numpy_best(node, "<="),
                id(numpy.nan_to_num): self.without_nan,
                id(numpy.select): self.numpy_select,
                id(numpy.interp): self.interpolated,
                id(numpy.searchsorted): lambda node: self.place(node, "searchsorted"),
                id(numpy.digitize): lambda node: self.place(node, "digitize"),
            }
        return own.get(id(function))

    def _held_arguments(self, node: ast.Call, count: int, before: list[Statement]) -> list[Expr]:
        arguments = self.arguments(node)
        if len(arguments) != count:
            raise self.error(node, f"{ast.unparse(node.func)} takes {count} argument{'s' * (count > 1)} here")
        return [self.kept(self.expr(argument), before) for argument in arguments]

    def _options(self, node: ast.Call, *names: str) -> dict[str, ast.expr]:
        for keyword in node.keywords:
            if keyword.arg not in names:
                raise self.error(keyword, f"{ast.unparse(node.func)} is compiled without this keyword")
        return {str(keyword.arg): keyword.value for keyword in node.keywords}

    # math

    def is_close(self, node: ast.Call) -> Expr:
        """Translate `math.isclose`, as CPython computes it."""
        options = self._options(node, "rel_tol", "abs_tol")
        if len(node.args) != 2:
            raise self.error(node, "math.isclose takes two numbers")
        before: list[Statement] = []
        a, b = (self.kept(["call", "float", [self.expr(argument)]], before) for argument in node.args)
        relative = self._tolerance(options.get("rel_tol"), 1e-9)
        absolute = self._tolerance(options.get("abs_tol"), 0.0)
        gap = self.kept(["call", "abs", [["-", b, a]]], before)
        infinite: Expr = ["or", [["call", "math.isinf", [a]], ["call", "math.isinf", [b]]]]
        near: Expr = [
            "or",
            [
                ["compare", gap, [["<=", ["call", "abs", [["*", relative, b]]]]]],
                ["compare", gap, [["<=", ["call", "abs", [["*", relative, a]]]]]],
                ["compare", gap, [["<=", absolute]]],
            ],
        ]
        return self.after(before, ["if", ["compare", a, [["==", b]]], True, ["if", infinite, False, near]])

    def _tolerance(self, node: ast.expr | None, default: float) -> Expr:
        number = default if node is None else self._number(node)
        if number is None or not number >= 0:
            raise self.error(node, "the tolerances of math.isclose are constants, and not negative")
        return ["float", repr(float(number))]

    def _number(self, node: ast.expr) -> float | None:
        """Return the value of a constant number."""
        try:
            number = fold(self.expr(node), self.constants)
        except NotFoldedError:
            return None
        return number if isinstance(number, int | float) else None

    def product(self, node: ast.Call) -> Expr:
        """Translate `math.prod` of a tuple."""
        options = self._options(node, "start")
        if len(node.args) != 1:
            raise self.error(node, "math.prod takes one tuple")
        some = self.some(node.args[0])
        before = list(some.before)
        total: Expr = self.kept(self.expr(options["start"]), before) if options else 1
        variable = self.fresh("product")
        before.append(["set", variable, total])
        for condition, item in some.items:
            step: Statement = ["set", variable, ["*", ["get", variable], self.number(item, node)]]
            before.append(step if condition is None else ["if", condition, [step], []])
        return self.after(before, ["get", variable])

    def divisor(self, node: ast.Call) -> Expr:
        """Translate `math.gcd` of two integers: Euclid needs fewer than 100 steps in 64 bits."""
        before: list[Statement] = []
        a, b = self.fresh("a"), self.fresh("b")
        for name, value in zip((a, b), self._held_arguments(node, 2, before), strict=True):
            before.append(["set", name, ["call", "abs", [["|", value, 0]]]])
        rest = self.fresh("rest")
        step: list[Statement] = [
            ["set", rest, ["%", ["get", a], ["get", b]]],
            ["set", a, ["get", b]],
            ["set", b, ["get", rest]],
        ]
        before.append(["while", ["compare", ["get", b], [["!=", 0]]], step])
        return self.after(before, ["get", a])

    def whole_root(self, node: ast.Call) -> Expr:
        """Translate `math.isqrt`: the root of the float is off by one at most."""
        before: list[Statement] = []
        (value,) = self._held_arguments(node, 1, before)
        number = self.kept(["|", value, 0], before)
        root = self.kept(["call", "int", [["call", "math.sqrt", [number]]]], before)
        divisor: Expr = ["call", "max", [root, 1]]
        above: Expr = ["compare", root, [[">", ["//", number, divisor]]]]
        following: Expr = ["+", root, 1]
        below: Expr = ["compare", following, [["<=", ["//", number, following]]]]
        return self.after(before, ["if", above, ["-", root, 1], ["if", below, following, root]])

    def parts(self, node: ast.Call) -> Tup:
        """Translate `math.modf`: the fraction and the whole part, both with the sign of the number."""
        before: list[Statement] = []
        (value,) = self._held_arguments(node, 1, before)
        number = self.kept(["call", "float", [value]], before)
        whole = self.kept(["call", "np.trunc", [number]], before)
        rest: Expr = ["if", ["call", "math.isinf", [number]], ["float", "0.0"], ["-", number, whole]]
        return Tup((["call", "math.copysign", [rest, number]], whole), tuple(before))

    # NumPy

    def numpy_divide(self, node: ast.Call) -> Expr:
        """Translate `np.divide`: by zero it is infinite or NaN."""
        before: list[Statement] = []
        values = [["call", "float", [value]] for value in self._held_arguments(node, 2, before)]
        return self.after(before, ["call", "np.divide", values])

    def numpy_best(self, node: ast.Call, sign: str) -> Expr:
        """Translate `np.fmax` and `np.fmin`: NaN only if both are."""
        before: list[Statement] = []
        a, b = self._held_arguments(node, 2, before)
        first: Expr = ["or", [["compare", a, [[sign, b]]], ["compare", b, [["!=", b]]]]]
        return self.after(before, ["call", "np.where", [first, a, b]])

    def numpy_round(self, node: ast.Call) -> Expr:
        """Translate `np.round`: unlike Python's it multiplies, rounds and divides; integers stay."""
        options = self._options(node, "decimals")
        given = [*node.args, *options.values()]
        if not 1 <= len(given) <= 2:
            raise self.error(node, "np.round takes a number, and a constant number of digits")
        digits = 0 if len(given) == 1 else self._number(given[1])
        if type(digits) is not int or not 0 <= digits <= 22:
            raise self.error(given[-1], "the digits of np.round are a constant from 0 to 22: np.round(x, 2)")
        value = self.expr(given[0])
        if digits == 0:
            return ["call", "round", [value, 0]]
        before: list[Statement] = []
        number = self.kept(value, before)
        power: Expr = ["float", repr(10.0**digits)]
        rounded: Expr = ["/", ["call", "np.rint", [["*", number, power]]], power]
        # Beside an int alone 2**53 + 1 is exact, as np.where makes floats of both otherwise.
        is_int: Expr = [
            "compare",
            ["-", ["call", "np.where", [self._is_nan(number), number, 2**53 + 1]], 2**53],
            [["==", 1]],
        ]
        return self.after(before, ["if", is_int, number, rounded])

    def _is_nan(self, number: Expr) -> Expr:
        return ["compare", number, [["!=", number]]]

    def without_nan(self, node: ast.Call) -> Expr:
        """Translate `np.nan_to_num`."""
        options = self._options(node, "nan", "posinf", "neginf")
        if len(node.args) != 1:
            raise self.error(node, "np.nan_to_num takes one number here")
        defaults = {"nan": 0.0, "posinf": _LARGEST_FLOAT, "neginf": -_LARGEST_FLOAT}
        numbers: dict[str, Expr] = {}
        for name, default in defaults.items():
            number = self._number(options[name]) if name in options else default
            if number is None:
                raise self.error(options[name], f"{name} of np.nan_to_num is a constant")
            numbers[name] = ["float", repr(float(number))]
        before: list[Statement] = []
        value = self.kept(self.expr(node.args[0]), before)
        result = value
        for name, infinite in (("neginf", "-inf"), ("posinf", "inf")):
            result = ["if", ["compare", value, [["==", ["float", infinite]]]], numbers[name], result]
        result = ["if", self._is_nan(value), numbers["nan"], result]
        return self.after([*before, ["set", self.fresh("number"), ["pos", value]]], result)

    def numpy_select(self, node: ast.Call) -> Expr:
        """Translate `np.select` of conditions and values that are written out: all are evaluated."""
        options = self._options(node, "default")
        given = [*node.args, *options.values()]
        lists = given[:2]
        if not 2 <= len(given) <= 3 or not all(isinstance(part, ast.List | ast.Tuple) for part in lists):
            raise self.error(node, "np.select takes two lists that are written out: np.select([x > 0], [1.0], 0.0)")
        before: list[Statement] = []
        tests, values = (self.kept(self.iterable(part), before).items for part in lists)
        if len(tests) != len(values) or not tests:
            raise self.error(node, "np.select takes as many values as conditions")
        for part, test in zip(getattr(lists[0], "elts", ()), self.iterable(lists[0]).items, strict=True):
            if not (isinstance(test, bool) or (isinstance(test, list) and test[0] in _TRUTHS)):
                raise self.error(part, "the conditions of np.select are comparisons: x > 0")
        chosen = self.expr(given[2]) if len(given) == 3 else 0
        if len(given) == 3:
            chosen = self.kept(chosen, before)
        for test, value in reversed(list(zip(tests, values, strict=True))):
            chosen = ["call", "np.where", [test, self.number(value, node), chosen]]
        return self.after(before, chosen)

    # Places in constants

    def _sorted_constants(self, node: ast.expr, *, strictly: bool = False) -> list[float]:
        numbers: list[float] = []
        for item in self.iterable(node).items:
            try:
                number = fold(item, self.constants)
            except NotFoldedError:
                number = None
            if not isinstance(number, int | float) or math.isnan(number):
                raise self.error(node, "the numbers in which a place is looked for are constants: (0, 10, 100)")
            numbers.append(number)
        pairs = list(itertools.pairwise(numbers))
        if any(a > b or (strictly and a == b) for a, b in pairs):
            raise self.error(node, "the numbers in which a place is looked for are in ascending order")
        return numbers

    def place(self, node: ast.Call, function: str) -> Expr:
        """Translate `bisect`, `np.searchsorted` and `np.digitize`: how many constants stand before a number.

        For `bisect_left` NaN stands before all of them; for the others it stands behind.
        """
        if function == "digitize":
            options = self._options(node, "right")
        else:
            options = self._options(node, "side") if function == "searchsorted" else self._options(node)
        if len(node.args) != 2:
            raise self.error(node, f"{ast.unparse(node.func)} takes constants and a number here")
        constants, value = (node.args[1], node.args[0]) if function == "digitize" else node.args
        option = next(iter(options.values()), None)
        if option is not None and not isinstance(option, ast.Constant):
            raise self.error(option, "this option is a constant")
        chosen = option.value if isinstance(option, ast.Constant) else None
        numbers = self._sorted_constants(constants)
        if function == "digitize":
            left = bool(chosen)
            if not numbers:
                raise self.error(constants, "np.digitize needs bins")
        else:
            left = function == "bisect_left" or (function == "searchsorted" and chosen in (None, "left"))
        before: list[Statement] = []
        number = self.kept(self.expr(value), before)
        before.append(["set", self.fresh("number"), ["pos", number]])
        total: Expr = 0
        for constant in numbers:
            bound = self.encode(constant, node)
            if function == "bisect_left":
                stands: Expr = ["compare", bound, [["<", number]]]
            else:
                stands = ["not", ["compare", number, [["<=" if left else "<", bound]]]]
            total = ["+", total, ["if", stands, 1, 0]]
        return self.after(before, total)

    def interpolated(self, node: ast.Call) -> Expr:
        """Translate `np.interp` between constants, as NumPy computes it."""
        arguments = self.arguments(node)
        if len(arguments) != 3:
            raise self.error(node, "np.interp takes a number and two tuples of constants here")
        xs = self._sorted_constants(arguments[1], strictly=True)
        ys = [fold(item, self.constants) for item in self.iterable(arguments[2]).items]
        if len(xs) != len(ys) or len(xs) < 2 or not all(map(math.isfinite, [*xs, *ys])):
            raise self.error(node, "np.interp takes two tuples of finite constants, of one length")
        xs, ys = [float(x) for x in xs], [float(y) for y in ys]
        before: list[Statement] = []
        number = self.kept(["call", "float", [self.expr(arguments[0])]], before)

        def constant(value: float) -> Expr:
            return ["float", repr(value)]

        result: Expr = constant(ys[-1])
        for at in range(len(xs) - 2, -1, -1):
            slope = (ys[at + 1] - ys[at]) / (xs[at + 1] - xs[at])
            if not math.isfinite(slope):
                raise self.error(node, "the steps of np.interp are too steep for a float")
            line: Expr = ["+", ["*", constant(slope), ["-", number, constant(xs[at])]], constant(ys[at])]
            line = ["if", ["compare", number, [["==", constant(xs[at])]]], constant(ys[at]), line]
            result = ["if", ["compare", number, [["<", constant(xs[at + 1])]]], line, result]
        result = ["if", ["compare", number, [["<", constant(xs[0])]]], constant(ys[0]), result]
        return self.after(before, ["if", self._is_nan(number), number, result])
