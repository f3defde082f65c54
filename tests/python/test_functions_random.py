"""Random functions, with helpers: the program gives what CPython gives, in type and bits."""

from __future__ import annotations

import importlib.util
import math
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.translate import translate
from program_reference import evaluate

VALUES: list[Any] = [None, 0, 1, -1, 2, 3, -5, True, False, 0.0, -0.0, 0.5, -1.5, 2.0, math.nan, math.inf]
ROWS = 25
KNOWN_REFUSALS = ("has no value here", "may have no value here", "or another kind of tuple", "one shape", "not defined")
CONSTANTS = ["0", "1", "2", "-1", "3", "0.5", "1.5", "None", "True"]


class Writer:
    """Writes the text of one function."""

    def __init__(self, seed: int, helpers: list[str]) -> None:
        self.random = random.Random(seed)
        self.helpers = helpers
        self.loops = 0
        self.counters = 0

    def function(self, name: str, names: list[str]) -> str:
        body = [*self.block(3, 1, names), f"    return {self.value(2, names[:3])}"]
        return "\n".join([f"def {name}({', '.join(names[:3])}):", *body])

    def value(self, depth: int, names: list[str]) -> str:
        pick = self.random.choice
        if depth <= 0 or self.random.random() < 0.15:
            return pick([*names, *names, pick(CONSTANTS)])
        a, b, c = (self.value(depth - 1, names) for _ in range(3))
        forms = [
            *[f"({a} {sign} {b})" for sign in ("+", "-", "*", "/", "//", "%")],
            f"({a} {pick(['<', '<=', '>', '>=', '==', '!='])} {b})",
            f"({a} {pick(['<', '<=', '>', '=='])} {b} {pick(['<', '<=', '>', '!='])} {c})",
            f"({a} and {b})",
            f"({a} or {b})",
            f"(not {a})",
            f"({a} if {b} else {c})",
            f"max({a}, {b})",
            f"min({a}, {b}, {c})",
            f"({a} is None)",
            f"({a} is not None)",
            f"({a} in ({b}, {c}))",
            f"({a} not in ({b},))",
            f"({pick(names)} := {a})",
            f"sum(({a}) * g for g in (1, 2, {pick(names)}))",
            f"({a}, {b})[{pick([0, 1, -1])}]",
            f"any(({a}) for g in (1, 2))",
            f"all(g == {a} for g in (c, 1) if g)",
            f"abs({a})",
        ]
        if self.helpers:
            forms += [f"{pick(self.helpers)}({a}, {b}, {c})", f"{pick(self.helpers)}({a}, c={b}, b={c})"] * 2
        return pick(forms)

    def block(self, depth: int, indent: int, names: list[str]) -> list[str]:
        return [line for _ in range(self.random.randint(1, 3)) for line in self.statement(depth, indent, names)]

    def statement(self, depth: int, indent: int, names: list[str]) -> list[str]:
        pick, space = self.random.choice, "    " * indent
        kind = self.random.randrange(14)
        a, b, target = self.value(2, names), self.value(2, names), pick(names)
        if kind < 4 or depth <= 0:
            return [f"{space}{target} = {a}"]
        if kind == 4:
            return [f"{space}{target} {pick(['+=', '-=', '*='])} {a}"]
        if kind == 5:
            one, two = self.random.sample(names, 2)
            return [f"{space}{one}, {two} = {a}, {b}"]
        if kind in (6, 7):
            lines = [f"{space}if {a}:", *self.block(depth - 1, indent + 1, names)]
            if self.random.random() < 0.6:
                lines += [f"{space}else:", *self.block(depth - 1, indent + 1, names)]
            return lines
        if kind in (8, 9):
            return self.loop(kind == 8, depth, indent, names)
        if kind == 10 and self.loops:
            return [f"{space}if {a}:", f"{space}    {pick(['break', 'continue'])}"]
        if kind == 11:
            return [f"{space}if {a}:", f"{space}    return {b}"]
        if kind == 12:
            return [f"{space}t = ({a}, {b})", f"{space}{target} = t[1] - t[0]"]
        return [f"{space}{names[0]}, ({names[1]}, {names[2]}) = {a}, ({names[0]}, {b})"]

    def loop(self, is_for: bool, depth: int, indent: int, names: list[str]) -> list[str]:
        pick, space = self.random.choice, "    " * indent
        self.loops += 1
        if is_for:
            head = [f"{space}for {pick(names)} in {pick(['range(3)', '(1, 2.5, 4)', '(a, b, 1)'])}:"]
        else:
            self.counters += 1
            counter = f"n{self.counters}"
            test = f"{counter} < 4 and {self.value(1, names)}"
            head = [f"{space}{counter} = 0", f"{space}while {test}:", f"{space}    {counter} += 1"]
        lines = [*head, *self.block(depth - 1, indent + 1, names)]
        self.loops -= 1
        return lines


def bits(value: Any) -> tuple[str, str]:
    return type(value).__name__, "nan" if value != value else repr(value)


def is_large(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > 2**62


def check(function: Any, seed: int) -> bool:
    """Compare a function with its program; return whether it is compiled."""
    try:
        program = translate(function).plain
    except UnsupportedError as error:
        if any(known in str(error.msg) for known in KNOWN_REFUSALS):
            return False
        raise
    values = random.Random(seed)
    rows = [tuple(values.choice(VALUES) for _ in range(3)) for _ in range(ROWS)]
    for row, found in zip(rows, evaluate(program, list(zip(*rows, strict=True))), strict=True):
        try:
            expected = function(*row)
        except (TypeError, ValueError, ArithmeticError, NameError):
            expected = None
        # Python's integers have no limit: one may leave 64 bits on the way to a small result.
        if found is None and large_on_the_way(function, row):
            continue
        assert bits(found) == bits(expected), (row, function.__name__, seed)
    return True


def large_on_the_way(function: Any, row: tuple[Any, ...]) -> bool:
    """Whether a variable of Python's own run is beyond 64 bits."""
    large = False

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal large
        large = large or is_large(argument) or any(is_large(value) for value in frame.f_locals.values())
        return trace

    sys.settrace(trace)
    try:
        function(*row)
    except (TypeError, ValueError, ArithmeticError, NameError):
        pass
    finally:
        sys.settrace(None)
    return large


@pytest.mark.parametrize("start", [0, 1000, 2000])
def test_random_functions(start: int, tmp_path: Path) -> None:
    texts: list[str] = []
    for seed in range(start, start + 200):
        writer = Writer(seed, [])
        texts.append(writer.function(f"helper{seed}", ["p", "b", "c"] if seed % 3 else ["p", "b", "c", "unset"]))
        writer = Writer(seed, [f"helper{seed}"] if seed % 2 else [])
        texts.append(writer.function(f"function{seed}", ["a", "b", "c"] if seed % 5 else ["a", "b", "c", "unset"]))
    text = "\n\n".join(texts).replace("(a, b, 1)", "(b, c, 1)") + "\n"
    path = tmp_path / f"random{start}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
        compiled = sum(check(getattr(module, f"function{seed}"), seed) for seed in range(start, start + 200))
    assert compiled > 100
