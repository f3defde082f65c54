# ruff: noqa: RET503
"""`jit`, `scan`, functions of a row, and what calls give."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

import hypostyle._functions.data as data
from hypostyle._functions import state as state_module
from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.functions import Function, jit, scan
from hypostyle._functions.loops import loop
from hypostyle._functions.program import Program
from hypostyle._functions.state import State, state
from hypostyle._functions.state import state as renamed
from hypostyle._functions.translate import translate, translate_row, translate_scan
from program_reference import evaluate

NO_FIELD = "the state has no field left; its fields are up, down"
X = [1.0, 2.5, -3.0, 0.25, None, 7.0, -8.0, 1.5, float("nan"), 2.0]


def in_python(step: Callable[..., Any], fields: dict[str, Any], *columns: list[Any]) -> list[Any]:
    """Run a scan's own function: a row that raises is None and leaves the state."""
    names = tuple(fields)
    rows: list[Any] = []
    for values in zip(*columns, strict=True):
        before = State((), dict(fields))
        try:
            after, result = step(before, *values)
        except (TypeError, ValueError, ArithmeticError):
            rows.append(None)
            continue
        if isinstance(after, tuple):
            after = State(after, {})
        fields = {name: getattr(after._named(names), name) for name in names}
        rows.append(result)
    return rows


def by_position(state, x, drift=0.5):
    up = max(0.0, state.up + x - drift)
    down = max(0.0, state.down - x - drift)
    return state_module.state(up, down), max(up, down)


def by_name(state, x):
    up = max(0.0, state.up + x)
    return renamed(down=state.down + 1, up=up), up


def as_tuple(state, x):
    return (state.up + x, state.down), state.up


def unchanged(state, x):
    if x is None:
        return state, None
    new = renamed(up=state.up + x, down=x)
    return new, new.up - new.down


def by_assignment(state, x):
    state.up += x
    if x > 1:
        state.down = state.up
    return state, state.down * 2


def swapped(state, x):
    state.up, state.down = state.down, state.up + x
    return state, state.up


def in_a_loop(state, x):
    for k in (1, 2, 3):
        if x < k:
            return renamed(state.up, state.down + k), k
        state.up += k
    return state, state.up


def chosen(state, x):
    return (renamed(x, state.down) if x > state.up else renamed(state.up, x)), state.up + state.down


@pytest.mark.parametrize(
    "step",
    [by_position, by_name, as_tuple, unchanged, by_assignment, swapped, in_a_loop, chosen],
    ids=lambda f: f.__name__,
)
def test_a_scan_gives_what_python_gives(step: Callable[..., Any]) -> None:
    fields = {"up": 0.0, "down": 0}
    program = translate_scan(step, fields)
    program = program.with_constants(program.defaults)
    expected = in_python(step, fields, X)
    assert list(map(repr, evaluate(program.plain, [X]))) == list(map(repr, expected))


def test_the_text_of_a_scan() -> None:
    @scan(up=0.0, n=0, on=False, last=None)
    def step(state, x):
        up = state.up + x
        return renamed(up, state.n, True, last=x), up

    assert step.program.json == (
        '{"name":"step","inputs":["x"],"state":[["up",["float","0.0"]],["n",0],["on",false],["last",null]],"outputs":[],'
        '"body":[["set","up",["+",["field","up"],["get","x"]]],["return",[["get","up"]],[["get","up"],["field","n"],true,'
        '["get","x"]]]]}'
    )


def test_outputs_of_a_scan() -> None:
    @scan(total=0.0)
    def step(state, x):
        total = state.total + x
        alarm = total > 1
        return renamed(total), (alarm, total)

    assert step.program.outputs == ("alarm", "total")
    assert scan(total=0.0, outputs=("a", "b"))(step).program.outputs == ("a", "b")
    assert evaluate(step.program.plain, [[1.0, 1.0]]) == [(False, 1.0), (True, 2.0)]


def refused(function: Callable[..., Any], **fields: Any) -> str:
    with pytest.raises(UnsupportedError) as caught:
        translate_scan(function, fields or {"up": 0.0, "down": 0.0})
    error = caught.value
    assert error.text is not None
    assert error.offset is not None
    assert error.end_offset is not None
    return f"{error.text[error.offset - 1 : error.end_offset - 1]}: {error.msg}"


def test_what_is_refused_of_a_state() -> None:
    def alias(state, x):
        s = state
        return s, x

    def passed(state, x):
        return state, as_tuple(state, x)

    def only_state(state, x):
        return renamed(state.up, x)

    def falls(state, x):
        if x > 0:
            return state, x
        x = 1

    def in_arithmetic(state, x):
        return state, state + x

    assert refused(alias) == "s = state: the state has one name only; read its fields: state.total"
    assert refused(passed) == "as_tuple(state, x): the state cannot be passed to a function; pass its fields"
    assert refused(only_state) == (
        "return renamed(state.up, x): the next state has 2 fields: return hs.state(up, down), result"
    )
    assert refused(falls) == "def falls(state, x):: a path ends without return; every path returns a state and a result"
    assert refused(in_arithmetic) == "state: the state is used by its fields only: state.total"
    assert refused(lambda state, x: x) == "x: return the next state and the result: return state, result"
    assert refused(lambda state, x: (state, state.left)) == f"state.left: {NO_FIELD}"
    assert refused(lambda state, x: (renamed(1, 2, 3), x)) == "3: the state has only the fields up, down"
    assert refused(lambda state, x: (renamed(1), x)) == "renamed(1): hs.state needs every field; missing: down"
    assert refused(lambda state, x: (renamed(1, up=2), x)) == "up=2: the field up is given twice"
    assert refused(lambda state, x: (renamed(1, left=2), x)) == f"left=2: {NO_FIELD}"
    assert refused(lambda: 1) == "lambda: 1: the first parameter is the state, and there is none"
    assert refused(lambda s, x: (s, x), a=(1, 2)) == (
        "lambda s, x: (s, x): the field a of the state starts as a number, a string, True, False or None; "
        "keep several values in fields of their own"
    )
    with pytest.raises(ValueError, match=r"hs\.scan needs the fields of the state"):
        scan()
    with pytest.raises(UnsupportedError, match=r"hs\.state is for functions with a state"):
        translate(lambda x: renamed(x))


# Functions of a row


def test_a_function_of_a_row() -> None:
    def inner(row):
        return row["b c"] * 2

    def risk(r, scale=2.0):
        a = r.a if r["b c"] is None else r.a + r["b c"]
        return a * scale + inner(r) + r["size"]

    program = translate_row(risk)
    assert program.inputs == ("b c", "a", "size", "scale")
    assert program.defaults == {"scale": 2.0}
    assert evaluate(program.with_constants({"scale": 3.0}).plain, [[1.0, None], [2.0, 1.0], [5, 5]]) == [16.0, None]


def test_columns_named_like_variables() -> None:
    def clash(r):
        a = r.a + 1
        b = r["local.a"] * a
        return a + b + r["local..x"] + r.a

    program = translate_row(clash)
    assert evaluate(program.plain, [[1.0], [10.0], [100.0]]) == [2.0 + 20.0 + 100.0 + 1.0]


def test_what_is_refused_of_a_row() -> None:
    import pandas as pd  # noqa: F401

    for function, message in {
        (lambda r: r.size): r"size is an attribute of a row itself; for the column write \['size'\]",
        (lambda r: r.sum()): "a method of a value is not compiled",
        (lambda r: r[0]): r"a row is indexed by a column's name: r\['price'\]",
        (lambda r: r + 1): r"a row is used by its columns only: r.price or r\['price'\]",
        (lambda r: r): "a row cannot be returned",
        (lambda r: 1): "the function uses no column of the row",
        (lambda r, a: r.a + a): "a is a column and a parameter; rename the parameter",
    }.items():
        with pytest.raises(UnsupportedError, match=message):
            translate_row(function)

    def assigned(r):
        r.a = 1
        return r.a

    with pytest.raises(UnsupportedError, match="a row cannot be changed; return the new value"):
        translate_row(assigned)


# Calls


@pytest.fixture
def specs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The specifications that calls make; the kernel itself is not needed."""
    made: list[Any] = []

    def make_spec(name: str, over: Any, arguments: Any) -> Any:
        made.append((name, over, arguments))
        return made[-1]

    monkeypatch.setattr(data, "make_spec", make_spec)
    monkeypatch.setattr(data, "KernelExpr", lambda spec: spec)
    return made


@jit
def spread(bid, ask, scale=100.0):
    """The spread."""
    return (ask - bid) * scale


@scan(total=0.0)
def running(state, x, factor=1.0):
    total = state.total + x * factor
    return renamed(total), total


@loop
def cumulative(x, factor=2.0):
    out = [0.0] * len(x)
    total = 0.0
    for i in range(len(x)):
        total += x[i] * factor
        out[i] = total
    return out


def test_a_call_with_columns(specs: list[Any]) -> None:
    spread("bid", pl.col("ask") * 2, over="symbol")
    name, over, arguments = specs[0]
    assert (name, over) == ("program", "symbol")
    assert arguments["errors"] == "null"
    assert arguments["columns"][0] == "bid"
    program = json.loads(arguments["program"])
    assert program["inputs"] == ["bid", "ask"]
    assert program["body"][0] == ["set", "scale", ["float", "100.0"]]
    spread("bid", 5, scale="s")
    assert specs[1][2]["columns"] == ["bid", "s"]
    assert json.loads(specs[1][2]["program"])["body"][0] == ["set", "ask", 5]
    spread(None, ask="a", scale=True)
    assert json.loads(specs[2][2]["program"])["body"][:2] == [["set", "bid", None], ["set", "scale", True]]


def test_a_call_of_a_scan(specs: list[Any]) -> None:
    running("x", over=["a", "b"])
    running("x", factor="y")
    assert [spec[2]["columns"] for spec in specs] == [["x"], ["x", "y"]]
    cumulative(pl.col("x"))
    assert json.loads(specs[2][2]["program"])["inputs"] == ["x"]
    with pytest.raises(TypeError, match=r"running with a state needs columns: running\('price'\)"):
        running(1.0)


def test_a_call_with_numbers_runs_the_function() -> None:
    assert spread(1.0, 2.0) == 100.0
    assert spread(1.0, ask=2.0, scale=1) == 1.0
    assert cumulative([1.0, 2.0]) == [2.0, 6.0]
    assert spread.__name__ == "spread"
    assert spread.__doc__ == "The spread."
    assert repr(spread) == "<hypostyle function spread(bid, ask, scale)>"
    assert json.loads(spread.program.json) == spread.program.plain


def test_wrong_calls(specs: list[Any]) -> None:
    wrong: list[tuple[tuple[Any, ...], str]] = [
        (("a", "b", "c", "d"), "spread takes bid, ask and scale by position, got 4 values"),
        (("a",), "spread, parameter 'ask': required"),
        (("a", (1, 2)), r"parameter 'ask' takes a column \(a name or a Polars expression\) or a number, not a tuple"),
        ((pl.DataFrame([1]), 2), "spread takes columns, such as names, expressions or Series, not a DataFrame"),
        (("a", 2**70), "spread: parameter 'ask': 1180591620717411303424 is beyond 64 bits"),
    ]
    for arguments, message in wrong:
        with pytest.raises(TypeError, match=message):
            spread(*arguments)
    with pytest.raises(TypeError, match="spread with over needs columns"):
        spread(1, 2, over="a")
    with pytest.raises(ValueError, match="errors must be one of 'null', 'raise', not 'ieee'"):
        jit(lambda x: x, errors="ieee")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="a parameter cannot be named 'over'"):
        jit(lambda over: over)


def test_ways_to_decorate() -> None:
    assert jit("lambda x: x + 1")(2) == 3
    assert jit(errors="raise")(lambda x: x).errors == "raise"
    assert jit(spread).program == spread.program
    assert jit(lambda x: (x, x), outputs=["a", "b"]).program.outputs == ("a", "b")


def test_a_tuple_as_default(specs: list[Any]) -> None:
    weighted = jit(lambda x, weights=(1, 2): sum(w * x for w in weights))
    assert weighted.program.inputs == ("x",)
    weighted("x")
    assert specs[0][2]["columns"] == ["x"]
    with pytest.raises(TypeError, match="parameter 'weights' is known when the function is compiled"):
        weighted("x", "y")


def test_parameters_that_a_program_must_know(specs: list[Any]) -> None:
    polynomial = jit(lambda x, n=3, weights=(1, 2): sum(x**k for k in range(n)) + weights[-1])
    assert polynomial.program.inputs == ("x",)
    assert polynomial.program.fixed == {"n": 3, "weights": (1, 2)}
    assert evaluate(polynomial.program.plain, [[2.0]]) == [9.0]
    polynomial("x", n=4)
    polynomial("x", weights=(5, 6, 7))
    polynomial("x", 4)
    programs = [json.loads(spec[2]["program"]) for spec in specs]
    assert [evaluate(program, [[2.0]]) for program in programs] == [[17.0], [14.0], [17.0]]
    assert polynomial(2.0, n=1) == 3.0
    with pytest.raises(TypeError, match="parameter 'n' is known when the function is compiled; it takes no column"):
        polynomial("x", n="y")
    with pytest.raises(UnsupportedError, match="a range needs constants here"):
        polynomial("x", n=2.5)
    again = pickle.loads(pickle.dumps(polynomial))
    again("x", n=3)
    with pytest.raises(TypeError, match="lost its Python function in a pickle; it keeps"):
        again("x", n=5)


def test_a_lag_as_a_parameter(specs: list[Any]) -> None:
    @loop
    def momentum(x, lag=2, scale=1):
        first = lag + 1
        out = [0.0] * len(x)
        for i in range(first, len(x)):
            out[i] = (x[i] - x[i - lag]) * scale
        return out

    values = [1.0, 2.0, 4.0, 8.0, 16.0]
    assert momentum.program.inputs == ("x", "scale")
    momentum("x")
    momentum("x", lag=1, scale=2)
    programs = [json.loads(spec[2]["program"]) for spec in specs]
    assert evaluate(programs[0], [values]) == momentum(values)
    assert evaluate(programs[1], [values]) == momentum(values, 1, 2)


def test_a_string_as_default(specs: list[Any]) -> None:
    signed = jit(lambda x, side="buy": x if side == "buy" else -x)
    signed("x")
    assert json.loads(specs[0][2]["program"])["body"] == [
        [
            "return",
            [["if", ["compare", ["text", "buy"], [["==", ["text", "buy"]]]], ["get", "x"], ["neg", ["get", "x"]]]],
            [],
        ]
    ]


def test_a_compiled_function_is_inlined() -> None:
    program = translate(lambda x: spread(x, 2.0, scale=1.0))
    assert evaluate(program.plain, [[0.5]]) == [1.5]
    with pytest.raises(UnsupportedError, match="running has a state of its own; call it with columns"):
        translate(lambda x: running(x))


def test_pickles() -> None:
    again: Function = pickle.loads(pickle.dumps(spread))
    assert again.program == spread.program
    assert again.program.json == spread.program.json
    assert again(1.0, 2.0) == 100.0
    assert pickle.loads(pickle.dumps(running)).program == running.program
    lost = pickle.loads(pickle.dumps(jit(lambda x: x + 1)))
    assert lost.program.inputs == ("x",)
    with pytest.raises(TypeError, match="lost its Python function in a pickle"):
        lost(1)


def test_a_program_is_data() -> None:
    program = Program("f", ("x", "y"), (), (), [["return", [["get", "x"]], []]])
    assert (
        program.json == '{"name":"f","inputs":["x","y"],"state":[],"outputs":[],"body":[["return",[["get","x"]],[]]]}'
    )
    bound = program.with_constants({"y": 1.5})
    assert bound.inputs == ("x",)
    assert bound.body[0] == ["set", "y", ["float", "1.5"]]
    with pytest.raises(TypeError, match="f has no input z; its inputs are x, y"):
        program.with_constants({"z": 1})


def test_a_state_in_python() -> None:
    one = state(up=0.0, down=1)
    assert (one.up, one.down) == (0.0, 1)
    assert repr(one) == "state(up=0.0, down=1)"
    assert one == state(up=0.0, down=1)
    one.up = 2.0
    assert one.up == 2.0
    with pytest.raises(AttributeError, match="the state has no field left; its fields are up, down"):
        one.left = 1
    assert state(1, 2)._named(("a", "b")).b == 2


def test_constants_that_are_equal_but_of_other_types() -> None:
    weighted = jit(lambda x, weights=(1, 2): weights[0] * x)
    column = pl.Series([3])
    assert weighted(column).dtype == weighted(column, weights=(True, 2)).dtype == pl.Int64
    assert weighted(column, weights=(1.0, 2)).dtype == pl.Float64
    assert weighted(column, weights=(5, 2)).to_list() == [15]
