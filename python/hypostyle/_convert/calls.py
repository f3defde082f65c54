"""Calls of the functions that a program knows, as Rust."""

from __future__ import annotations

from functools import reduce
from typing import Any

from hypostyle._convert.code import MUL, Code, function, literal, method, number_as
from hypostyle._convert.expressions import Expressions
from hypostyle._convert.helpers import FROM_C, INEXACT, METHODS
from hypostyle._convert.kinds import BOOL, FLOAT, INT
from hypostyle._convert.variables import Type, join

_TESTS = {"isnan": "is_nan", "isinf": "is_infinite", "isfinite": "is_finite"}
_NUMPY = {
    **{name: METHODS[name] for name in ("exp", "log", "log2", "log10", "log1p", "expm1", "sin", "cos", "tan")},
    **{name: METHODS[name] for name in ("sinh", "cosh", "tanh")},
    "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "round_ties_even", "abs": "abs",
}  # fmt: skip
_NUMPY_EXACT = ("sqrt", "floor", "ceil", "trunc", "rint", "abs")
_ROUNDING = {"int": "int", "round": "round", "math.floor": "floor", "math.ceil": "ceil", "math.trunc": "int"}


class Calls(Expressions):
    """Writes calls."""

    def call(self, name: str, arguments: list[Any]) -> Code:
        """Write the call of a function."""
        if name == "bool":
            return self.condition(arguments[0])
        if name in ("min", "max"):
            return self.extreme(name, arguments)
        if name in _ROUNDING and len(arguments) == 1:
            return self.to_int(_ROUNDING[name], arguments[0])
        if name == "round":
            return self.round_to(*arguments)
        if name == "float":
            return self.as_float(arguments[0])
        if name in ("abs", "np.abs"):
            return self.absolute(arguments[0])
        module, _, plain = name.partition(".")
        return self.math(plain, arguments) if module == "math" else self.numpy(plain, arguments)

    def absolute(self, node: Any) -> Code:
        """Write `abs(x)`."""
        code = self.number(node)
        if code.kind == "float":
            return method(code, "abs")
        return self.asked(method(number_as(code, "int"), "checked_abs"))

    def to_int(self, name: str, node: Any) -> Code:
        """Write the conversion to an int."""
        code = self.number(node)
        if code.kind != "float":
            return number_as(code, "int")
        return self.asked(function(self.helper(name), code.text, of=INT))

    def round_to(self, node: Any, digits: Any) -> Code:
        """Write `round(x, 2)`."""
        code, count = self.number(node), self.types.constant(digits)
        if not isinstance(count, int) or abs(count) > 400:
            raise self.error("round(x, n) needs a constant integer n from -400 to 400")
        if code.kind == "float":
            return self.asked(function(self.helper("round_to"), code.text, str(int(count)), of=FLOAT))
        if count < 0:
            return self.asked(function(self.helper("round_int"), number_as(code, "int").text, str(-int(count)), of=INT))
        return number_as(code, "int")

    def extreme(self, name: str, arguments: list[Any]) -> Code:
        """Write `min` and `max`: the first operand, unless another is less, or greater."""
        codes = [self.number(argument) for argument in arguments]
        return reduce(lambda best, following: self._better(name, best, following), codes)

    def _better(self, name: str, a: Code, b: Code) -> Code:
        pair = self.alike(a, b)
        if pair is None:
            return self.bound([a, b], lambda x, y: self._better_exactly(name, x, y))
        a, b = pair
        if a.kind == "float":
            return function(self.helper(name), a.text, b.text, of=FLOAT)
        if not a.typed:
            a, b = b, a
        return method(a, name, b.text)

    def _better_exactly(self, name: str, a: Code, b: Code) -> Code:
        test = self.less(">" if name == "max" else "<", b, a)
        return self.chosen(test, b, a, FLOAT)

    def inexact(self, name: str) -> None:
        """Note the use of a function whose last bits are the C library's."""
        self.is_inexact = self.is_inexact or name in INEXACT

    def math(self, name: str, arguments: list[Any]) -> Code:
        """Write a function of the module `math`, which raises outside of its domain."""
        x, *others = [self.as_float(argument) for argument in arguments]
        self.inexact(name)
        if name in _TESTS:
            return method(x, _TESTS[name], of=BOOL)
        if name == "fabs":
            return method(x, "abs")
        if name in ("degrees", "radians"):
            return method(x, f"to_{name}")
        if name == "pow":
            return self.float_power(x, others[0])
        if name in ("atan2", "copysign"):
            return method(x, name, others[0].text)
        if name == "log" and others:
            self.inexact("log_base")
            return self.asked(function(self.helper("log_base"), x.text, others[0].text, of=FLOAT))
        if name in ("hypot", "fmod", "sqrt", *METHODS, *FROM_C):
            return self.asked(function(self.helper(name), *(code.text for code in (x, *others)), of=FLOAT))
        raise self.error(f"math.{name} is not converted: Rust's standard library has no equal of CPython's")

    def numpy(self, name: str, arguments: list[Any]) -> Code:
        """Write a function of numpy, which raises nothing."""
        if name == "where":
            return self.where(*arguments)
        codes = [self.number(argument) for argument in arguments]
        if name in ("maximum", "minimum"):
            return self._numpy_better(name, codes[0], codes[1])
        if name == "clip":
            return self._numpy_better("minimum", self._numpy_better("maximum", codes[0], codes[1]), codes[2])
        if name == "square" and codes[0].kind != "float":
            square = self.bound([number_as(codes[0], "int")], lambda n: method(n, "checked_mul", n.text))
            return self.asked(square if square.text.startswith(codes[0].text) else Code(f"({square.text})", INT))
        if name in ("power", "sign") and all(code.kind != "float" for code in codes):
            raise self.error(f"np.{name} of ints is not converted; float(x) makes a float of one")
        x, *others = [number_as(code, "float") for code in codes]
        if name in _TESTS:
            return method(x, _TESTS[name], of=BOOL)
        if name == "square" or (name == "power" and others[0].constant == 2.0):
            return self.bound([x], lambda x: Code(f"{x.at(MUL)} * {x.at(MUL + 1)}", FLOAT, MUL))
        if name == "sign":
            return function(self.helper("sign"), x.text, of=FLOAT)
        if name == "fmod":
            return Code(f"{x.at(MUL)} % {others[0].at(MUL + 1)}", FLOAT, MUL)
        if name == "copysign":
            return method(x, name, others[0].text)
        self.is_inexact = self.is_inexact or name not in _NUMPY_EXACT
        if name in ("power", "arctan2", "hypot"):
            return method(x, {"power": "powf", "arctan2": "atan2"}.get(name, name), others[0].text)
        if name in _NUMPY:
            return method(x, _NUMPY[name])
        raise self.error(f"np.{name} is not converted")

    def _numpy_better(self, name: str, a: Code, b: Code) -> Code:
        if "float" in (a.kind, b.kind):
            a, b = number_as(a, "float"), number_as(b, "float")
            return function(self.helper(name), a.text, b.text, of=FLOAT)
        return self._better("max" if name == "maximum" else "min", a, b)

    def where(self, test: Any, yes: Any, no: Any) -> Code:
        """Write `np.where`: both values are evaluated."""
        condition, a, b = self.condition(test), self.value(yes), self.value(no)
        of = join(self.types.of(yes), self.types.of(no))
        if not (a.fails or b.fails):
            return self.chosen(condition, a, b, of)
        kept = [code for code in (a, b) if not code.simple]
        spare = [code if code.simple else Code(f"({code.text})", code.type) for code in kept]
        return self.bound([*spare], lambda *values: self.chosen(condition, *_filled(a, b, list(values)), of))


def _filled(a: Code, b: Code, values: list[Code]) -> tuple[Code, Code]:
    return (a if a.simple else values.pop(0)), (b if b.simple else values.pop(0))


def unit(of: Type) -> Code:
    """Return a value of a type, for a variable that Rust does not know to have one."""
    if of.nullable:
        return literal(None)
    return literal({"int": 0, "bool": False}.get(of.kind, 0.0))
