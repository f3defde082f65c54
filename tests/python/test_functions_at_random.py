"""The random functions and their oracle, without hypostyle: what they cover, and that the oracle is right."""

from __future__ import annotations

import ast
import math
from collections import Counter

import polars as pl
import pytest

from expressions_at_random import Mode
from function_oracle import ALONE, DTYPES, Difference, Program, Rows, expected, first_difference, place, same
from functions_at_random import HEAD, columns, program
from user_function_samples import Example
from user_functions import ROWS, SCANS

SEEDS, LENGTH = 60, 40
MODES = [Mode(), Mode(scan=True), Mode(exact=False), Mode(scan=True, exact=False), Mode(mixed=False)]


def oracle_of(body: str, *values: float | int | bool | None, **more: object) -> list[object]:
    """Return the results of a function of `x` over these values."""
    made = Program(f"{HEAD}def f(x):\n    {body}\n", "f", {"x": "float"}, {ALONE: "float"}, **more)  # type: ignore[arg-type]
    return list(expected(made, {"x": values})[ALONE])


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_most_rows_have_a_result(mode: Mode) -> None:
    filled = total = 0
    constant = 0
    for seed in range(SEEDS):
        made = program(seed, mode)
        data = columns(seed, LENGTH, made)
        found = expected(made, data, [row % 3 for row in range(LENGTH)])
        for values in found.values():
            total += len(values)
            filled += sum(value is not None for value in values)
            constant += len(set(map(repr, values))) == 1
        # The results fit into the columns that are announced.
        pl.DataFrame(found, schema={name: DTYPES[kind] for name, kind in made.results.items()})
    assert filled > total / 2
    assert constant < SEEDS / 4


def test_they_cover_the_language() -> None:
    nodes, calls = Counter[str](), Counter[str]()
    for seed in range(400):
        tree = ast.parse(program(seed, Mode(scan=seed % 2 == 0, exact=seed % 3 > 0)).source)
        for node in ast.walk(tree):
            nodes[type(node).__name__] += 1
            if isinstance(node, ast.Call):
                calls[ast.unparse(node.func).rstrip("01")] += 1
    wanted = "Add Sub Mult Div FloorDiv Mod Pow LShift RShift BitAnd BitOr BitXor USub UAdd Invert Not And Or Is IsNot"
    wanted += " Lt LtE Gt GtE Eq NotEq In NotIn IfExp If For While Break Continue Return AugAssign Assign Dict"
    assert min((nodes[name], name) for name in wanted.split())[0] >= 10
    for name in ("min", "max", "abs", "round", "int", "float", "bool", "hs.state", "helper", "math.sqrt", "math.floor"):
        assert calls[name] >= 10, name


def test_a_seed_gives_the_same_program() -> None:
    assert program(7) == program(7)
    assert program(7) != program(8)


def test_errors_are_null() -> None:
    assert oracle_of("return 1 / x", 2.0, 0.0, None) == [0.5, None, None]
    assert oracle_of("return math.sqrt(x)", 4.0, -1.0) == [2.0, None]
    assert oracle_of("return x ** 0.5", 4.0, -1.0) == [2.0, None]
    assert oracle_of("return x if x is not None and x > 0 else None", 4.0, -1.0, None) == [4.0, None, None]
    assert oracle_of("return int(x)", 4.0, 1e19, math.inf) == [4.0, None, None]
    assert oracle_of("if x > 0: y = x\n    return y", 4.0, -1.0) == [4.0, None]


@pytest.mark.parametrize(
    "body",
    [
        "return (x + 1) - 1",
        "return (True + x) - 1",
        "return -(-x - 1) - 1",
        "x += 1\n    return x - 1",
        "return (x << 1) >> 1",
        "return x ** 2 - x ** 2",
        "return abs(-x - 1) - 1",
        "return round(2.0 ** 63) - x",
    ],
)
def test_an_int_must_not_leave_64_bits_even_in_between(body: str) -> None:
    made = Program(f"{HEAD}def f(x):\n    {body}\n", "f", {"x": "int"}, {ALONE: "int"})
    assert expected(made, {"x": [2**63 - 1]}) == {ALONE: [None]}


def test_the_square_of_a_float_is_a_product() -> None:
    values = [0.1 * row for row in range(-2_000, 2_000)]
    assert oracle_of("return x ** 2", *values, 1e200, math.inf) == [*(x * x for x in values), None, math.inf]


def test_an_error_leaves_the_state() -> None:
    source = f"{HEAD}def f(state, x):\n    n = state.n + x\n    return hs.state(n=n), 12 // x\n"
    made = Program(source, "f", {"x": "int"}, {ALONE: "int"}, {"n": 2**63 - 9})
    assert expected(made, {"x": [3, 0, 4, 2, 1, None, 1]}) == {ALONE: [4, None, 3, None, 12, None, None]}
    assert expected(made, {"x": [6, 6, 6]}, keys=["a", "b", "a"]) == {ALONE: [2, 2, None]}


def test_same() -> None:
    assert same(math.nan, -math.nan)
    assert not same(0.0, -0.0)
    assert not same(1, 1.0)
    assert not same(True, 1)
    assert not same(None, 0)
    assert same(None, None)
    above = math.nextafter(1.0, 2.0)
    assert same(1.0, above, ulps=1)
    assert not same(1.0, above)
    assert not same(1.0, math.nextafter(above, 2.0), ulps=1)
    assert place(5e-324) - place(-5e-324) == 2


def test_first_difference() -> None:
    made = Program("", "f", {}, {"a": "int", "b": "float"})
    want: Rows = {"a": [1, None], "b": [0.0, None]}
    found = pl.DataFrame({"a": [1, None], "b": [-0.0, None]}).to_struct()
    assert first_difference(made, want, found) == Difference("b", 0, 0.0, -0.0)
    assert first_difference(made, {**want, "b": [-0.0, None]}, found) is None
    assert first_difference(made, want, found.struct.field("a")) is not None
    narrow = pl.DataFrame({"a": [1, None], "b": [False, None]}).to_struct()
    assert first_difference(made, want, narrow) == Difference("b", None, pl.Float64, pl.Boolean)
    assert first_difference(made, want, narrow, narrowed=True) is None
    assert first_difference(made, {**want, "b": [0.5, None]}, narrow, narrowed=True) == Difference("b", 0, 0.5, False)
    # A row of a struct that is null as a whole has nulls in its fields.
    whole = pl.Series([{"a": 1, "b": 0.0}, None], dtype=pl.Struct({"a": pl.Int64, "b": pl.Float64}))
    assert first_difference(made, want, whole) is None


@pytest.mark.parametrize("example", [*ROWS, *SCANS], ids=lambda example: example.name)
def test_the_functions_of_users_run(example: Example) -> None:
    found = expected(example.program(), example.frame(500).to_dict(as_series=False))[ALONE]
    assert len(set(found)) > 1
    assert found.count(None) < len(found) / 2
