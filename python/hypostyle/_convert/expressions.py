"""Expressions of a program as Rust."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypostyle._convert.code import (
    ADD,
    AND,
    ATOM,
    BIT_AND,
    BIT_OR,
    BIT_XOR,
    COMPARE,
    EXACT,
    LOOSE,
    MUL,
    OR,
    RUST,
    SHIFT,
    UNARY,
    Code,
    coerced,
    function,
    literal,
    method,
    number_as,
    unwrapped,
)
from hypostyle._convert.flow import Node
from hypostyle._convert.kinds import BOOL, FLOAT, INT, NO_VALUE, Types, constant_of
from hypostyle._convert.origin import Origin
from hypostyle._convert.variables import Type, Variable, Variables
from hypostyle._functions.errors import UnsupportedError

_FLOATS = {"+": ADD, "-": ADD, "*": MUL}
_BITS = {"&": BIT_AND, "|": BIT_OR, "^": BIT_XOR}
_CHECKED = {"+": "checked_add", "-": "checked_sub", "*": "checked_mul"}
_ORDER = {"<": "is_lt", "<=": "is_le", ">": "is_gt", ">=": "is_ge"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Expressions:
    """Writes expressions."""

    def __init__(self, origin: Origin, variables: Variables, types: Types) -> None:
        self.origin, self.variables, self.types = origin, variables, types
        self.used: set[str] = set()
        """The functions of `python.rs` that are called."""
        self.is_inexact = False
        """Whether a result depends on the C library's last bits."""
        self.names: set[str] = set()
        self.field_names: dict[str, str] = {}
        self.state_name = "state"
        self.known: set[Variable] = set()
        """Variables that are not None here, and that Rust knows as plain values."""
        self.at: tuple[Any, ast.AST | None] = (origin.source, origin.source.node)

    def error(self, message: str) -> UnsupportedError:
        """Return the error that points at the statement which is written now."""
        source, node = self.at
        error: UnsupportedError = source.error(node, message)
        return error

    def helper(self, name: str) -> str:
        """Return a function of `python.rs`."""
        self.used.add(name)
        return f"py::{name}"

    def coerced(self, code: Code, of: Type) -> Code:
        """Return a value in a place of a type."""
        if of.kind in ("mixed", "text") or code.kind in ("mixed", "text"):
            raise self.error("a value is a string on one path and a number on another, or a string")
        return coerced(code, of, self.helper)

    def fresh(self, name: str) -> str:
        """Return a name that no variable has."""
        number, found = 1, name
        while found in self.names:
            number += 1
            found = f"{name}_{number}"
        self.names.add(found)
        return found

    def bound(self, codes: Sequence[Code], build: Callable[..., Code]) -> Code:
        """Return what is built of values that stand more than once in it."""
        if all(code.simple for code in codes):
            return build(*codes)
        names, values, arguments = [], [], []
        for code in codes:
            if code.simple:
                arguments.append(code)
                continue
            names.append(self.fresh("value"))
            values.append(code.text if code.typed or code.nullable else f"{code.at(ATOM)} as {RUST[code.kind]}")
            arguments.append(Code(names[-1], code.type, simple=True))
        built = build(*arguments)
        self.names -= set(names)
        head = (names[0], values[0]) if len(names) == 1 else (f"({', '.join(names)})", f"({', '.join(values)})")
        return Code(f"{{ let {head[0]} = {head[1]}; {built.text} }}", built.type, LOOSE, typed=built.typed)

    # Values

    def value(self, node: Any) -> Code:
        """Write an expression."""
        constant = constant_of(node)
        if constant is not NO_VALUE:
            return literal(constant)
        match node:
            case ["get", name]:
                return self.get(node, name)
            case ["field", name]:
                text = f"{self.state_name}.{self.field_names[name]}"
                return Code(text, self.types.fields[name], simple=True)
            case ["not", _] | ["compare", _, _]:
                return self.condition(node)
            case ["is_none", value]:
                return self.is_none(self.value(value), True)
            case ["in", item, items]:
                return self.membership(item, items)
            case ["neg" | "pos" | "invert" as sign, value]:
                return self.signed(sign, self.number(value))
            case ["and" | "or" as word, values]:
                of = self.types.of(node)
                if of == BOOL and all(self.types.of(value) == BOOL for value in values):
                    return self.condition(node)
                return self.connected(word, values, of)
            case ["if", test, yes, no]:
                return self.chosen(self.condition(test), self.value(yes), self.value(no), self.types.of(node))
            case ["call", name, arguments]:
                return self.call(name, arguments)
            case ["block", body]:
                return self.block_value(node, body)
            case [operator, a, b]:
                return self.binary(operator, a, b)
        raise AssertionError(node)

    def call(self, name: str, arguments: list[Any]) -> Code:
        """Write the call of a function."""
        raise NotImplementedError

    def block_value(self, node: Node, body: list[Node]) -> Code:
        """Write a block of statements that has a value."""
        raise NotImplementedError

    def get(self, node: Node, name: str) -> Code:
        """Write the value of a variable."""
        variable = self.variables.used_by(node)
        if variable is None:
            raise self.error(f"{name.rpartition('.')[2]} has no value here")
        of = variable.type
        if variable.unbound:
            if of.nullable:
                raise self.error(f"{variable.name} may be None or have no value here; give it one before")
            return Code(f"{variable.rust}?", of)
        if variable in self.known:
            of = Type(of.kind)
        return Code(variable.rust, of, simple=True)

    def number(self, node: Any, like: str = "float") -> Code:
        """Write an expression that Python uses as a number: it raises if that is None."""
        code = self.value(node)
        if code.kind == "text":
            raise self.error("a string is not a number")
        if code.kind == "mixed":
            raise self.error("a variable is a string on one path and a number on another")
        if code.kind == "none":
            return Code(f"None::<{RUST[like]}>?", Type(like))
        return unwrapped(code)

    def as_float(self, node: Any) -> Code:
        """Write a number as a float."""
        return number_as(self.number(node), "float")

    def chosen(self, test: Code, yes: Code, no: Code, of: Type) -> Code:
        """Write `yes if test else no`."""
        a, b = self.coerced(yes, of), self.coerced(no, of)
        other = b.text if b.text.startswith("if ") else f"{{ {b.text} }}"
        return Code(f"if {test.text} {{ {a.text} }} else {other}", of, LOOSE, typed=a.typed or b.typed)

    def always(self, code: Code, truth: bool) -> Code:
        """Write a truth value that does not depend on a value; the value may raise."""
        text = "true" if truth else "false"
        return Code(f"{{ let _ = {code.text}; {text} }}", BOOL, LOOSE) if code.fails else literal(truth)

    def is_none(self, code: Code, wanted: bool) -> Code:
        """Write `x is None`, or `x is not None`."""
        if not code.nullable or code.kind == "none":
            return self.always(code, code.nullable == wanted)
        return method(code, "is_none" if wanted else "is_some", of=BOOL)

    # Truth

    def condition(self, node: Any) -> Code:
        """Write whether an expression is true."""
        match node:
            case ["and" | "or" as word, values]:
                level, sign = (AND, " && ") if word == "and" else (OR, " || ")
                return Code(sign.join(self.condition(value).at(level + 1) for value in values), BOOL, level)
            case ["not", value]:
                return self.negated(value)
            case ["compare", first, pairs]:
                return self.chain(first, pairs)
        return self.truth(self.value(node), True)

    def negated(self, node: Any) -> Code:
        """Write whether an expression is false."""
        match node:
            case ["not", value]:
                return self.condition(value)
            case ["is_none", value]:
                return self.is_none(self.value(value), False)
            case ["compare", first, [["==" | "!=" as sign, value]]]:
                return self.compare("!=" if sign == "==" else "==", self.value(first), self.value(value))
            case ["and" | "or" | "compare", *_]:
                return Code(f"!{self.condition(node).at(UNARY)}", BOOL, UNARY)
        return self.truth(self.value(node), False)

    def truth(self, code: Code, wanted: bool) -> Code:
        """Write whether a value is true, or whether it is false."""
        if code.kind in ("none", "text"):
            return self.always(code, (code.kind == "text") == wanted)
        if code.constant is not NO_VALUE:
            return literal(bool(code.constant) == wanted)
        zero = {"float": "0.0", "int": "0"}.get(code.kind)
        if not code.nullable:
            if zero is None:
                return code if wanted else Code(f"!{code.at(UNARY)}", BOOL, UNARY)
            return Code(f"{code.at(BIT_OR)} {'!=' if wanted else '=='} {zero}", BOOL, COMPARE)
        if zero is None:
            return Code(f"{code.at(BIT_OR)} {'==' if wanted else '!='} Some(true)", BOOL, COMPARE)
        test = f"|x| x {'!=' if wanted else '=='} {zero}"
        return method(code, "is_some_and" if wanted else "is_none_or", test, of=BOOL)

    def connected(self, word: str, values: list[Any], of: Type) -> Code:
        """Write `a and b`, `a or b`: the first operand that decides."""
        first = self.value(values[0])
        if len(values) == 1:
            return self.coerced(first, of)
        rest = self.connected(word, values[1:], of)
        is_or = word == "or"
        if not first.nullable or first.kind == "none":

            def build(value: Code) -> Code:
                kept = self.coerced(value, of) if value.kind != "none" or of.nullable else rest
                yes, no = (kept, rest) if is_or else (rest, kept)
                text = f"if {self.truth(value, True).text} {{ {yes.text} }} else {{ {no.text} }}"
                return Code(text, of, LOOSE, typed=yes.typed or no.typed)

            return rest if first.kind == "none" and is_or and not first.fails else self.bound([first], build)
        name = self.fresh("value")
        value = Code(name, Type(first.kind), simple=True)
        self.names.discard(name)
        test = self.truth(value, True).text
        typed = first.typed or rest.typed
        if is_or:
            arms = f"Some({name}) if {test} => {self.coerced(value, of).text}, _ => {rest.text}"
        else:
            kept = self.coerced(replace(value, type=first.type), of)
            arms = f"Some({name}) if {test} => {rest.text}, {name} => {kept.text}"
        return Code(f"match {first.text} {{ {arms} }}", of, LOOSE, typed=typed)

    # Comparisons

    def chain(self, first: Any, pairs: list[Any]) -> Code:
        """Write `a < b <= c`: each operand once, and none after a comparison that fails."""
        left = self.value(first)
        return self._chain(left, pairs)

    def _chain(self, left: Code, pairs: list[Any]) -> Code:
        (sign, node), *others = pairs
        right = self.value(node)
        if not others:
            return self.compare(sign, left, right)

        def build(middle: Code) -> Code:
            one, more = self.compare(sign, left, middle), self._chain(middle, others)
            return Code(f"{one.at(AND)} && {more.at(COMPARE)}", BOOL, AND)

        return self.bound([right], build)

    def compare(self, sign: str, a: Code, b: Code) -> Code:
        """Write one comparison."""
        if sign in ("==", "!="):
            equal = self.equal(a, b)
            if sign == "==":
                return equal
            plain = equal.level == COMPARE and equal.text.count(" == ") == 1 and "{" not in equal.text
            if plain:
                return replace(equal, text=equal.text.replace(" == ", " != "))
            return Code(f"!{equal.at(UNARY)}", BOOL, UNARY)
        if "text" in (a.kind, b.kind) or "mixed" in (a.kind, b.kind):
            raise self.error("a string is compared by == and in only")
        a, b = unwrapped(a), unwrapped(b)
        return self.less(sign, a, b)

    def alike(self, a: Code, b: Code) -> tuple[Code, Code] | None:
        """Return two numbers as one kind, in which they compare as in Python; None for an int and a float."""
        kinds = {a.kind, b.kind}
        if kinds == {"int"} and not a.typed and a.constant is not NO_VALUE and b.constant is not NO_VALUE:
            # Two literals: Rust would take them for 32 bits.
            return replace(a, text=f"{a.text}_i64", typed=True), b
        if len(kinds) == 1:
            return a, b
        if kinds == {"int", "bool"}:
            return number_as(a, "int"), number_as(b, "int")
        made: list[Code] = []
        for code in (a, b):
            small = code.constant is not NO_VALUE and abs(code.constant) <= EXACT
            if code.kind == "int" and not small:
                return None
            made.append(number_as(code, "float"))
        return made[0], made[1]

    def less(self, sign: str, a: Code, b: Code) -> Code:
        """Write `a < b` and the like of two numbers."""
        pair = self.alike(a, b)
        if pair is None:
            n, x, sign = (a, b, sign) if a.kind == "int" else (b, a, _MIRRORED[sign])
            ordered = f"{self.helper('order')}({n.text}, {x.text})"
            return Code(f"{ordered}.is_some_and(|order| order.{_ORDER[sign]}())", BOOL)
        left = f"({pair[0].text})" if pair[0].text.endswith("as f64") else pair[0].at(BIT_OR)
        return Code(f"{left} {sign} {pair[1].at(BIT_OR)}", BOOL, COMPARE)

    def equal(self, a: Code, b: Code) -> Code:
        """Write `a == b`; None equals None only."""
        if "mixed" in (a.kind, b.kind):
            raise self.error("a variable is a string on one path and a number on another")
        for one, other in ((a, b), (b, a)):
            if one.kind == "none" and not one.fails:
                return self.is_none(other, True)
            if one.kind == "text":
                same = other.kind == "text" and one.constant == other.constant
                return self.always(other, same)
        if not a.nullable and not b.nullable:
            pair = self.alike(a, b)
            if pair is not None:
                return Code(f"{pair[0].at(BIT_OR)} == {pair[1].at(BIT_OR)}", BOOL, COMPARE)
            n, x = (a, b) if a.kind == "int" else (b, a)
            return Code(f"{self.helper('order')}({n.text}, {x.text}).is_some_and(|order| order.is_eq())", BOOL)
        if a.kind == b.kind:
            left, right = (self.coerced(code, Type(code.kind, True)) for code in (a, b))
            return Code(f"{left.at(BIT_OR)} == {right.at(BIT_OR)}", BOOL, COMPARE)
        return self.bound([a, b], self._equal_kinds)

    def _equal_kinds(self, a: Code, b: Code) -> Code:
        plain = [Code(self.fresh("item"), Type(c.kind), simple=True) if c.nullable else c for c in (a, b)]
        self.names -= {code.text for code in plain}
        test = self.equal(plain[0], plain[1]).text
        for code, item in ((b, plain[1]), (a, plain[0])):
            if code.nullable:
                test = f"{code.text}.is_some_and(|{item.text}| {test})"
        if a.nullable and b.nullable:
            return Code(f"{test} || ({a.text}.is_none() && {b.text}.is_none())", BOOL, OR)
        return Code(test, BOOL, ATOM if "||" not in test else LOOSE)

    def membership(self, item: Any, items: list[Any]) -> Code:
        """Write `x in (1, 2)`."""
        first, others = self.value(item), [self.value(other) for other in items]
        if not others:
            return self.always(first, False)
        plain = all(other.constant is not NO_VALUE and other.kind not in ("none", "text") for other in others)
        if plain and not first.nullable and first.kind in ("float", "int") and first.typed:
            pairs = [self.alike(first, other) for other in others]
            if all(pair is not None and pair[0] is first for pair in pairs):
                listed = ", ".join(pair[1].text for pair in pairs if pair is not None)
                return self.bound([first], lambda x: Code(f"[{listed}].contains(&{x.text})", BOOL))

        def build(x: Code, *values: Code) -> Code:
            return Code(" || ".join(self.equal(x, value).at(AND) for value in values), BOOL, OR)

        return self.bound([first, *others], build)

    # Arithmetic

    def signed(self, sign: str, code: Code) -> Code:
        """Write `-x`, `+x`, `~x`."""
        if code.kind == "float":
            if sign == "invert":
                raise self.error("'~' needs an int, and the operand is a float")
            operand = f"({code.text})" if code.text.startswith("-") else code.at(UNARY)
            return code if sign == "pos" else Code(f"-{operand}", FLOAT, UNARY, typed=code.typed)
        code = number_as(code, "int")
        if sign == "pos":
            return code
        if sign == "invert":
            return Code(f"!{code.at(UNARY)}", INT, UNARY, typed=code.typed)
        return self.asked(method(code, "checked_neg"))

    def asked(self, code: Code) -> Code:
        """Write a value that leaves the function if there is none."""
        return replace(code, text=f"{code.text}?")

    def binary(self, operator: str, left: Any, right: Any) -> Code:
        """Write arithmetic."""
        kinds = {self.types.of(left).kind, self.types.of(right).kind} - {"none"}
        like = next(iter(kinds)) if len(kinds) == 1 else "float"
        like = like if like in RUST else "float"
        a, b = self.number(left, like), self.number(right, like)
        kinds = {a.kind, b.kind}
        if operator in _BITS or operator in ("<<", ">>"):
            if "float" in kinds:
                raise self.error(f"'{operator}' needs ints, and an operand is a float; int(x) makes one of it")
            if operator in _BITS and kinds == {"bool"}:
                level = _BITS[operator]
                return Code(f"{a.at(level + 1)} {operator} {b.at(level + 1)}", BOOL, level)
            return self._bits(operator, number_as(a, "int"), number_as(b, "int"))
        if operator == "**":
            return self.power(a, b, right)
        if "float" in kinds:
            return self.floats(operator, number_as(a, "float"), number_as(b, "float"))
        return self.ints(operator, number_as(a, "int"), number_as(b, "int"))

    def _bits(self, operator: str, a: Code, b: Code) -> Code:
        if operator in _BITS:
            level = _BITS[operator]
            inner = ATOM if level == BIT_AND else BIT_XOR + 1
            left = a.text if a.level == level else a.at(max(inner, UNARY))
            return Code(f"{left} {operator} {b.at(UNARY)}", INT, level, typed=a.typed or b.typed)
        if operator == ">>" and b.constant is not NO_VALUE and 0 <= b.constant < 64:
            return Code(f"{a.at(UNARY)} >> {b.text}", INT, SHIFT, typed=a.typed)
        name = self.helper("shift_left" if operator == "<<" else "shift_right")
        return self.asked(function(name, a.text, b.text, of=INT))

    def floats(self, operator: str, a: Code, b: Code) -> Code:
        """Write arithmetic of floats."""
        divides = b.constant is not NO_VALUE and b.constant != 0
        if operator in _FLOATS or (operator == "/" and divides):
            level = _FLOATS.get(operator, MUL)
            text = f"{a.at(level)} {operator} {b.at(level + 1)}"
            return Code(text, FLOAT, level, typed=a.typed or b.typed)
        name = {"/": "div", "//": "floor_div", "%": "modulo"}[operator]
        return self.asked(function(self.helper(name), a.text, b.text, of=FLOAT))

    def ints(self, operator: str, a: Code, b: Code) -> Code:
        """Write arithmetic of ints: what leaves 64 bits leaves the function."""
        if operator in _CHECKED:
            if operator in "+*" and not a.typed:
                a, b = b, a
            if not a.typed and a.constant is not NO_VALUE:
                a = replace(a, text=f"{a.text}_i64", typed=True)
            return self.asked(method(a, _CHECKED[operator], b.text))
        if operator == "/":
            return self.asked(function(self.helper("div_ints"), a.text, b.text, of=FLOAT))
        if b.constant is not NO_VALUE and b.constant > 0:
            return method(a, "div_euclid" if operator == "//" else "rem_euclid", b.text)
        name = self.helper("floor_div_ints" if operator == "//" else "modulo_ints")
        return self.asked(function(name, a.text, b.text, of=INT))

    def power(self, a: Code, b: Code, right: Any) -> Code:
        """Write `a ** b`."""
        if "float" in (a.kind, b.kind):
            return self.float_power(number_as(a, "float"), number_as(b, "float"))
        exponent = self.types.constant(right)
        if exponent is NO_VALUE and self.types.counts(right):
            name = self.helper("pow_ints")
            return self.asked(function(name, number_as(a, "int").text, number_as(b, "int").text, of=INT))
        if not isinstance(exponent, int):
            msg = "int ** int is an int or a float, depending on the value of the exponent"
            raise self.error(f"{msg}; write float(x) ** n, or a constant exponent")
        if exponent < 0:
            return self.float_power(number_as(a, "float"), number_as(b, "float"))
        if exponent >= 2**32:
            return self.asked(function(self.helper("pow_ints"), number_as(a, "int").text, str(exponent), of=INT))
        return self.asked(method(number_as(a, "int"), "checked_pow", str(int(exponent))))

    def float_power(self, a: Code, b: Code) -> Code:
        """Write a power of floats."""
        self.is_inexact = True
        return self.asked(function(self.helper("pow"), a.text, b.text, of=FLOAT))
