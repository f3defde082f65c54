"""Random expressions over variables of known kinds, as source text: the smaller half of `functions_at_random.py`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from function_oracle import Kind, Value

# "mixed" is an int or a float, as it happens.  A column of it is one of floats.
Sort = Literal["float", "int", "bool", "mixed"]
NUMBERS: tuple[Sort, ...] = ("float", "int", "bool")
FIELDS: dict[str, Value] = {"level": 0.5, "total": -0.0, "count": 0, "on": False, "last": None, "seen": None}
FIELD_SORTS: dict[str, Sort] = {
    "level": "float",
    "total": "float",
    "count": "int",
    "on": "bool",
    "last": "float",
    "seen": "int",
}
FLOATS = (0.0, -0.0, 0.5, 2.5, 2.675, -1.5, 100.0, 1e300, 5e-324, 0.1, -3.0, 1e16, float(2**53))
INTS = (0, 1, -1, 2, 3, 7, -10, 1000, 2**53 + 1, 2**62, 2**63 - 1)
# Of one argument, with results that every correct implementation shares.
EXACT = ("math.sqrt", "math.fabs", "math.degrees", "math.radians", "float")
NAME = re.compile(r"\b[a-z]\w*")
# Of a float, with an int as the result.
WHOLE = ("int", "round", "math.floor", "math.ceil", "math.trunc")
ROUGH = (
    *("exp", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh"),
    *("tanh", "asinh", "acosh", "atanh", "erf", "erfc"),
)


@dataclass(frozen=True)
class Mode:
    """What the functions may contain."""

    scan: bool = False
    # Without functions whose last bit depends on libm.
    exact: bool = True
    # With values that are an int or a float as it happens, in the middle of expressions too.
    mixed: bool = True


@dataclass(frozen=True)
class Scope:
    """The variables that can be read here, and whether they are surely bound."""

    sorts: dict[str, Sort]
    unsure: frozenset[str] = frozenset()


def after(*ends: Scope) -> Scope:
    """Return the scope after paths that end in these scopes join."""
    sorts: dict[str, Sort] = {}
    unsure: set[str] = set()
    for name in sorted({name for end in ends for name in end.sorts}):
        found = [end.sorts[name] for end in ends if name in end.sorts]
        sorts[name] = joined(*found)
        if len(found) < len(ends) or any(name in end.unsure for end in ends):
            unsure.add(name)
    return Scope(sorts, frozenset(unsure))


def joined(*sorts: Sort) -> Sort:
    """Return the sort of a value that is of one of these."""
    if "mixed" in sorts or ("float" in sorts and len(set(sorts)) > 1):
        return "mixed"
    return "float" if "float" in sorts else "int" if "int" in sorts else "bool"


def kind_of(*sorts: Sort) -> Kind:
    """Return the kind of a column that holds them."""
    sort = joined(*sorts)
    return "float" if sort == "mixed" else sort


class Expressions:
    """Writes expressions of a sort.  Methods that write return text."""

    def __init__(self, random: Random, mode: Mode) -> None:
        self.random, self.mode = random, mode
        self.helpers: dict[str, tuple[list[Sort], Sort]] = {}
        self.state: list[str] = []

    def expression(self, sort: Sort, scope: Scope, depth: int) -> str:
        """Write an expression of a sort."""
        if depth <= 0 or self.random.random() < 0.1:
            return self.leaf(sort, scope)
        kinds: dict[Sort, Callable[[Scope, int], str]] = {
            "float": self.of_float,
            "int": self.of_int,
            "bool": self.of_bool,
        }
        if sort == "mixed":
            return self.of_mixed(scope, depth - 1)
        general = self.random.random()
        if general < 0.06:
            return (
                f"({self.leaf(sort, scope)} if {self.truth(scope, depth - 1)} else {self.deeper(sort, scope, depth)})"
            )
        if general < 0.12:
            return f"({self.deeper(sort, scope, depth)} {self.pick('and', 'or')} {self.deeper(sort, scope, depth)})"
        if general < 0.18:
            of = [name for name, (_, result) in self.helpers.items() if result == sort]
            if of:
                name = self.pick(*of)
                arguments = [self.expression(one, scope, depth - 1) for one in self.helpers[name][0]]
                return f"{name}({', '.join(arguments)})"
        return kinds[sort](scope, depth - 1)

    def deeper(self, sort: Sort, scope: Scope, depth: int) -> str:
        return self.expression(sort, scope, depth - 1)

    def of_float(self, scope: Scope, depth: int) -> str:
        def one() -> str:
            return self.expression("float", scope, depth)

        def other() -> str:
            return self.expression(self.sort("float", "float", "int", "bool"), scope, depth)

        def number() -> str:
            return self.number(scope, depth)

        if self.random.random() < 0.3:
            first, second = (one, other) if self.random.random() < 0.5 else (other, one)
            return f"({first()} {self.pick('+', '-', '*')} {second()})"
        return self.written(
            lambda: f"({one()} {self.pick('+', '-', '*')} {other()})",
            lambda: f"({one()} {self.pick('/', '/', '//', '%')} {other()})",
            lambda: f"({number()} / {self.divisor(scope)})",
            lambda: f"({one()} {self.pick('//', '%')} {self.divisor(scope)})",
            lambda: f"(-{one()})",
            lambda: f"(+{one()})",
            lambda: f"abs({one()})",
            lambda: f"({one()} ** 2)",
            lambda: f"{self.pick('min', 'max')}({one()}, {one()})",
            lambda: f"{self.pick('min', 'max')}({one()}, {self.leaf('float', scope)}, {self.leaf('float', scope)})",
            lambda: f"round({one()}, {self.pick('0', '1', '2', '2', '3', '-1')})",
            lambda: f"{self.pick(*EXACT)}({number()})",
            lambda: f"math.sqrt(abs({number()}))",
            lambda: f"math.copysign({one()}, {self.signed(scope)})",
            lambda: f"math.fmod({one()}, {self.divisor(scope)})",
            *([lambda: f"({self.of_mixed(scope, depth)} * 1.5)"] if self.mode.mixed else []),
        )

    def of_int(self, scope: Scope, depth: int) -> str:
        def one() -> str:
            return self.expression(self.sort("int", "int", "int", "bool"), scope, depth)

        def whole() -> str:
            return self.expression("int", scope, depth)

        def small() -> str:
            return self.small(scope)

        return self.written(
            lambda: f"({one()} {self.pick('+', '-', '*')} {small()})",
            lambda: f"({one()} {self.pick('+', '-', '*')} {whole()})",
            lambda: f"({one()} {self.pick('//', '%')} {small()})",
            lambda: f"({one()} {self.pick('//', '%')} {self.pick('3', '-7', '1000')})",
            lambda: f"({whole()} {self.pick('&', '|', '^')} {small()})",
            lambda: f"({one()} {self.pick('<<', '>>')} {self.pick('1', '3', small())})",
            lambda: f"(-{one()})",
            lambda: f"(~{whole()})",
            lambda: f"abs({whole()})",
            lambda: f"(({small()}) ** {self.pick('0', '1', '2', '3', '5')})",
            lambda: f"{self.pick('min', 'max')}({self.deeper('int', scope, depth)}, {self.leaf('int', scope)})",
            lambda: f"{self.pick(*WHOLE)}({self.leaf('float', scope)})",
            lambda: f"round({self.leaf('int', scope)}, {self.pick('0', '2', '-1', '-2')})",
            lambda: f"({self.leaf('bool', scope)} {self.pick('+', '-', '*')} {self.leaf('bool', scope)})",
            lambda: f"int({self.expression('bool', scope, depth)})",
        )

    def of_bool(self, scope: Scope, depth: int) -> str:
        def number() -> str:
            return self.number(scope, depth)

        def whole() -> str:
            return self.leaf("int", scope)

        def truth() -> str:
            return self.deeper("bool", scope, depth)

        compare = self.pick("<", "<=", ">", ">=", "==", "!=")
        return self.written(
            lambda: f"({number()} {compare} {number()})",
            lambda: f"({number()} {compare} {number()})",
            lambda: f"({number()} {compare} {number()} {self.pick('<', '<=', '!=')} {number()})",
            lambda: f"({self.leaf('float', scope)} {compare} {whole()})",
            lambda: f"(not {number()})",
            lambda: f"bool({number()})",
            lambda: self.is_none(scope),
            lambda: f"({number()} {self.pick('==', '!=')} None)",
            lambda: f"({whole()} {self.pick('in', 'not in')} (0, 1, -1, 2.5))",
            lambda: f"math.{self.pick('isnan', 'isinf', 'isfinite')}({number()})",
            lambda: f"({truth()} {self.pick('and', 'or')} {truth()})",
            lambda: f"({truth()} {self.pick('&', '|', '^')} {truth()})",
        )

    def of_mixed(self, scope: Scope, depth: int) -> str:
        first: Sort = self.sort("float", "int")
        one, other = self.leaf(first, scope), self.leaf("int" if first == "float" else "float", scope)
        return self.written(
            lambda: f"({one} if {self.truth(scope, depth)} else {other})",
            lambda: f"({one} {self.pick('and', 'or')} {other})",
            lambda: f"{self.pick('min', 'max')}({one}, {other})",
        )

    def inexact(self, scope: Scope) -> str:
        """Write a call whose last bits depend on libm, with exact arguments, and hardly anything around it."""

        def tame() -> str:
            return f"min(max({self.expression('float', scope, 1)}, -30.0), 30.0)"

        def positive() -> str:
            return f"abs({self.expression('float', scope, 1)})"

        def number() -> str:
            return self.number(scope, 1)

        text = self.written(
            lambda: f"math.{self.pick(*ROUGH)}({tame()})",
            lambda: f"math.{self.pick(*ROUGH)}({tame()})",
            lambda: f"math.{self.pick(*ROUGH)}({number()})",
            lambda: f"math.{self.pick('log', 'log2', 'log10', 'log1p')}({positive()})",
            lambda: f"math.atan2({tame()}, {number()})",
            lambda: f"math.hypot({tame()}, {number()})",
            lambda: f"math.pow({positive()}, {tame()})",
            lambda: f"({positive()} ** {self.pick('0.5', '1.5', '3', '-1', '-0.25', tame())})",
            lambda: f"({tame()} ** {self.pick('3', '-2', '0.5')})",
        )
        return self.written(
            lambda: text,
            lambda: text,
            lambda: f"-{text}",
            lambda: f"2.0 * {text}",
            lambda: f"({text} if {self.truth(scope, 1)} else 0.0)",
        )

    def truth(self, scope: Scope, depth: int) -> str:
        """Write a condition: mostly a bool, or any number, which is true unless it is zero."""
        text = self.expression("bool" if self.random.random() < 0.85 else self.sort(*NUMBERS), scope, depth)
        # A path that is never taken would leave open which data type the result has.
        return text if {"state", *scope.sorts}.intersection(NAME.findall(text)) else self.is_none(scope)

    def is_none(self, scope: Scope) -> str:
        names = [name for name in scope.sorts if name not in scope.unsure]
        return f"({self.pick(*names)} is {self.pick('', 'not ')}None)"

    def number(self, scope: Scope, depth: int) -> str:
        return self.expression(self.sort("float", "float", "int", "bool"), scope, depth)

    def small(self, scope: Scope) -> str:
        """Write an int that is small, mostly: products of such stay within 64 bits."""
        if self.random.random() < 0.15:
            return self.leaf("int", scope)
        if self.random.random() < 0.2:
            return f"({self.leaf('int', scope)} % {self.pick('7', '10', '-4')})"
        return self.pick("2", "3", "-5", "1")

    def divisor(self, scope: Scope) -> str:
        """Write a number that is seldom zero."""
        if self.random.random() < 0.6:
            return self.pick("3", "-2.5", "0.1", "7")
        one = self.leaf(self.sort("float", "int"), scope)
        return self.pick(one, f"({one} or 1)", f"(abs({one}) + 0.5)")

    def signed(self, scope: Scope) -> str:
        """Write a float that is not NaN: the sign of a NaN is not the same on all machines."""
        one = self.leaf("float", scope)
        return f"({one} if {one} == {one} else -1.0)"

    def leaf(self, sort: Sort, scope: Scope) -> str:
        """Write a variable, a field of the state or a constant."""
        found = [name for name, of in scope.sorts.items() if of == sort and name not in scope.unsure]
        found += [f"state.{name}" for name in self.state if FIELD_SORTS[name] == sort and FIELDS[name] is not None]
        rare = [name for name, of in scope.sorts.items() if of == sort and name in scope.unsure]
        for name in self.state:
            if FIELD_SORTS[name] == sort and FIELDS[name] is None:
                rare.append(f"state.{name}")
                found.append(
                    f"(0 if state.{name} is None else state.{name})" if sort == "int" else f"(state.{name} or 1.5)"
                )
        draw = self.random.random()
        if rare and draw < 0.04:
            return self.pick(*rare)
        if found and draw < 0.8:
            return self.pick(*found)
        sure = [name for name, of in scope.sorts.items() if name not in scope.unsure and of in NUMBERS]
        if sure and draw < 0.85:
            return self.turned(sort, scope.sorts[name := self.pick(*sure)], name)
        if sort == "bool":
            return self.pick("True", "False")
        if sort == "int":
            return repr(self.random.choice(INTS[:8] if self.random.random() < 0.9 else INTS))
        return repr(self.random.choice(FLOATS))

    def turned(self, sort: Sort, of: Sort, name: str) -> str:
        """Write a value of a sort that depends on a variable of another sort."""
        if sort == "bool":
            return self.pick(f"({name} > 0)", f"bool({name})", f"(-1 <= {name} < 2.5)")
        if sort == "int":
            return self.pick(f"int({name})", f"round({name})", f"(2 if {name} else -3)")
        return self.pick(f"({name} * 0.5)", f"({name} / 4)", f"float({name})")

    def pick(self, *of: str) -> str:
        return self.random.choice(of)

    def written(self, *of: Callable[[], str]) -> str:
        """Write one of these; the others are not, which takes most of the time otherwise."""
        return self.random.choice(of)()

    def sort(self, *of: Sort) -> Sort:
        return self.random.choice(of)
