"""Pieces of Rust, and how values change their types."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypostyle._convert.kinds import NO_VALUE, type_of_constant
from hypostyle._convert.variables import NONE, Type

# How tightly Rust binds, loosest first.
LOOSE, OR, AND, COMPARE, BIT_OR, BIT_XOR, BIT_AND, SHIFT, ADD, MUL, CAST, UNARY, ATOM = range(13)

RUST = {"float": "f64", "int": "i64", "bool": "bool", "none": "f64", "unknown": "f64"}
EXACT = 2**53


@dataclass(frozen=True)
class Code:
    """An expression of Rust."""

    text: str
    type: Type
    level: int = ATOM
    constant: Any = NO_VALUE
    typed: bool = True
    """Whether Rust knows its type without help; a literal's it does not."""
    simple: bool = False
    """Whether it may stand twice: a name or a literal."""

    @property
    def kind(self) -> str:
        """The kind of the value."""
        return self.type.kind

    @property
    def nullable(self) -> bool:
        """Whether it is an `Option`."""
        return self.type.nullable

    @property
    def fails(self) -> bool:
        """Whether it may leave the function."""
        return "?" in self.text

    def at(self, level: int) -> str:
        """Return the text as an operand of something that binds this tightly."""
        return self.text if self.level >= level else f"({self.text})"


def type_name(of: Type) -> str:
    """Return the type in Rust."""
    return f"Option<{RUST[of.kind]}>" if of.nullable else RUST[of.kind]


def literal(value: Any) -> Code:
    """Return a constant."""
    of = type_of_constant(value)
    if value is None:
        return Code("None", NONE, constant=None, typed=False, simple=True)
    if isinstance(value, bool):
        return Code("true" if value else "false", of, constant=value, simple=True)
    if isinstance(value, str):
        return Code(repr(value), of, constant=value, simple=True)
    if isinstance(value, int):
        if value == -(2**63):
            return Code("i64::MIN", of, constant=value, simple=True)
        text = f"{value:_}" if abs(value) >= 10_000 else str(value)
        if abs(value) >= 2**31:
            # Rust takes literals alone for 32 bits.
            return Code(f"{text}_i64", of, UNARY if value < 0 else ATOM, value, simple=True)
    elif math.isnan(value):
        return Code("f64::NAN", of, constant=value, simple=True)
    elif math.isinf(value):
        name = "f64::INFINITY" if value > 0 else "f64::NEG_INFINITY"
        return Code(name, of, constant=value, simple=True)
    else:
        text = _float_text(value)
    negative = text.startswith("-")
    return Code(text, of, UNARY if negative else ATOM, value, typed=False, simple=True)


def _float_text(value: float) -> str:
    text = repr(value)
    if "e" in text:
        return text.replace("e+", "e").replace("e-0", "e-")
    whole, _, fraction = text.partition(".")
    return f"{int(whole):_}.{fraction}" if abs(value) >= 10_000 else text


def method(receiver: Code, name: str, *arguments: str, of: Type | None = None) -> Code:
    """Return the call of a method; of a literal it is a function of the type, for Rust has to know the type."""
    of = of or receiver.type
    if receiver.typed or receiver.nullable:
        return Code(f"{receiver.at(ATOM)}.{name}({', '.join(arguments)})", of)
    return Code(f"{RUST[receiver.kind]}::{name}({', '.join([receiver.text, *arguments])})", of)


def function(name: str, *arguments: str, of: Type) -> Code:
    """Return the call of a function."""
    return Code(f"{name}({', '.join(arguments)})", of)


def unwrapped(code: Code) -> Code:
    """Return the value itself: where it is None, Python raises, and Rust leaves the function."""
    if not code.nullable:
        return code
    if code.kind == "none":
        return Code("None::<f64>?", Type("float"))
    return Code(f"{code.at(ATOM)}?", Type(code.kind), typed=code.typed)


def number_as(code: Code, kind: str, helper: Callable[[str], str] | None = None) -> Code:
    """Return a value that is no Option as another kind; `helper` names the exact conversion, if it has to be exact."""
    if code.kind == kind:
        return code
    if code.constant is not NO_VALUE and (kind == "int" or abs(code.constant) <= EXACT or helper is None):
        return literal({"int": int, "float": float}[kind](code.constant))
    of = Type(kind)
    if kind == "int":
        return function("i64::from", code.text, of=of)
    if code.kind == "bool":
        return function("f64::from", f"u8::from({code.text})", of=of)
    if helper is None:
        return Code(f"{code.at(CAST)} as f64", of, CAST)
    return Code(f"{helper('exact')}({code.text})?", of)


def as_result(code: Code) -> Code:
    """Return `Some(...)` of the result of a function; `Some(x?)` is `x` there, and nowhere else."""
    of = Type(code.kind, True)
    if code.level < ATOM or not code.text.endswith("?"):
        return Code(f"Some({code.text})", of, typed=code.typed)
    text = code.text[:-1]
    depth, closed = 0, 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        closed += 1
        if depth == 0:
            break
    if text.startswith("(") and closed == len(text):
        return Code(text[1:-1], of, LOOSE, typed=code.typed)
    return Code(text, of, typed=code.typed)


def coerced(code: Code, of: Type, helper: Callable[[str], str]) -> Code:
    """Return a value in a place of a type that holds it."""
    if code.kind == "none":
        # A field or a variable that is never anything else is of another type in Rust.
        text = f"{{ let _ = {code.text}; None }}" if code.fails else "None"
        return Code(text, of, LOOSE if code.fails else ATOM, typed=False, simple=not code.fails)
    if code.nullable and not of.nullable:
        # It is known to be there.
        code = unwrapped(code)
    if not code.nullable:
        code = number_as(code, of.kind, helper)
        if not of.nullable:
            return code
        return Code(f"Some({code.text})", of, typed=code.typed)
    if code.kind == of.kind:
        return replace(code, type=of)
    if of.kind == "int":
        return Code(f"{code.at(ATOM)}.map(i64::from)", of)
    if code.kind == "bool":
        return Code(f"{code.at(ATOM)}.map(|flag| f64::from(u8::from(flag)))", of)
    return Code(f"match {code.text} {{ Some(n) => Some({helper('exact')}(n)?), None => None }}", of, LOOSE)
