"""Random loops over arrays: the program gives what Python gives on whole arrays, bit for bit."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.loops import loop
from hypostyle._functions.source import function_from_text
from program_reference import evaluate
from test_functions_random import Writer

X = np.random.default_rng(1).normal(size=25).round(2)
Y = np.random.default_rng(2).normal(size=25).round(2)
NAMES = ["p", "q", "s"]
KNOWN_REFUSALS = ("is not defined (yet)", "may be read before it has a value")


class LoopWriter(Writer):
    """Writes the text of one loop."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, [])
        self.start = self.random.choice([0, 0, 1, 2])
        self.items = ["x[i]", "y[i]"]
        if self.start >= 1:
            self.items += ["x[i - 1]", "out[i - 1]"]
        if self.start >= 2:
            self.items += ["y[i - 2]", "out[i - 2]", "out[i]"]

    def whole(self) -> str:
        pick = self.random.choice
        before = [
            f"    p = {pick(['0.0', '1', 'x[0]', 'k', 'k * 2'])}",
            f"    q = {pick(['0.0', 'y[0] + p', 'p', '-1.5'])}",
        ]
        if self.random.random() < 0.8:
            before.append(f"    s = {pick(['2.0', 'k', 'q', 'x[0]'])}")
        if self.start >= 1:
            before += pick([[], ["    out[0] = x[0]"], ["    other[0] = p"]])
        if self.start == 2:
            before += pick([[], ["    out[1] = x[1] + x[0]"]])
        return "\n".join(
            [
                "def f(x, y, k=3.0):",
                "    n = len(x)",
                f"    out = {pick(['np.zeros(n)', 'np.full(n, 2.0)', 'np.ones_like(x)'])}",
                "    other = [0.0] * n",
                *before,
                f"    for i in range({self.start}, n):",
                *self.block(2, 2, NAMES),
                f"        out[i] = {self.value(1, NAMES)}",
                "    return out, other",
            ]
        )

    def value(self, depth: int, names: list[str]) -> str:
        pick = self.random.choice
        if depth <= 0 or self.random.random() < 0.2:
            return pick([*names, *self.items, *self.items, "0.5", "1.0", "-1.5"])
        a, b, c = (self.value(depth - 1, names) for _ in range(3))
        forms = [
            f"({a} + {b})", f"({a} - {b})", f"({a} * 0.5)", f"max({a}, {b})", f"min({a}, {b})", f"abs({a})",
            f"({a} if {b} > {c} else {c})", f"float({a} < {b})", f"(not {a})", f"({a} and {b})",
            f"({pick(names)} := {a})",
        ]  # fmt: skip
        if self.random.random() < 0.2:
            forms = [f"(x[i - 2] if i >= 2 else {b})", f"(y[i - 1] if i > 0 and {b} > 0 else {c})"]
        return pick(forms)

    def statement(self, depth: int, indent: int, names: list[str]) -> list[str]:
        space, kind = "    " * indent, self.random.random()
        if kind < 0.15:
            target = self.random.choice(["out[i] =", "other[i] =", "out[i] +=", "other[i] +="])
            return [f"{space}{target} {self.value(2, names)}"]
        if kind < 0.22 and not self.loops:
            return [f"{space}if {self.value(1, names)}:", f"{space}    continue"]
        if kind < 0.3 and depth > 0:
            guard = self.random.choice(["i > 0", "i >= 1", "i != 0", "not i < 1"])
            return [f"{space}if {guard}:", f"{space}    p = x[i - 1]", *self.block(depth - 1, indent + 1, names)]
        lines = super().statement(depth, indent, names)
        if any("return" in line for line in lines):
            return [f"{space}p = {self.value(2, names)}"]
        return [line.replace("(a, b, 1)", "(0.5, x[i])") for line in lines]


def bits(values: tuple[Any, ...]) -> list[bytes]:
    return [np.float64(math.nan if value is None else value).tobytes() for value in values]


@pytest.mark.parametrize("start", [0, 1000, 2000])
def test_random_loops(start: int) -> None:
    compared = 0
    for seed in range(start, start + 150):
        text = LoopWriter(seed).whole()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function = function_from_text(text)
        function.__globals__["np"] = np
        try:
            program = loop(function).program.with_constants({"k": 3.0})
        except UnsupportedError as error:
            if any(known in str(error.msg) for known in KNOWN_REFUSALS):
                continue
            raise
        try:
            expected = list(zip(*function(X, Y), strict=True))
        except NameError:
            continue
        found = evaluate(program.plain, [X.tolist(), Y.tolist()])
        for row, (left, right) in enumerate(zip(found, expected, strict=True)):
            assert bits(left) == bits(right), f"seed {seed}, row {row}:\n{text}"
        compared += 1
    assert compared > 100
