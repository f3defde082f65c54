# ruff: noqa
# mypy: ignore-errors
"""What is not compiled: each is an error at the user's own line that says what to write instead."""

from __future__ import annotations

import functools
import math
import traceback

import numpy as np
import pytest

from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.source import function_from_text
from hypostyle._functions.translate import translate

LIST = [1, 2]
DICT = {"a": 1}
ARRAY = np.array([1.0, 2.0])
BIG = 2**70
OBJECT = object()
counter = 0


class Settings:
    LIMIT = 5


def recursive(x):
    return recursive(x - 1) if x > 0 else 0


def even(x):
    return x == 0 or odd(x - 1)


def odd(x):
    return x != 0 and even(x - 1)


def star_helper(*values):
    return values[0]


def list_helper(x):
    return [x]


def maybe_helper(x):
    if x > 0:
        y = x
    return y


def mixed_helper(x):
    if x > 0:
        return x
    return x, 1


def uses_try(x):
    try:
        return 1 / x
    finally:
        x = 0


def uses_global(x):
    global counter
    counter += 1
    return counter


def uses_nonlocal(x):
    total = 0

    def inner(y):
        nonlocal total
        total += y
        return y

    return inner(x)


def uses_list(x):
    values = [x, 1]
    return values


def uses_import(x):
    import os

    return os.getpid() + x


def uses_with(x):
    with open("x") as f:
        return x


def uses_delete(x):
    y = x
    del y
    return x


def uses_match(x):
    match x:
        case [1, y]:
            return y
    return x


def for_else(x):
    while True:
        x += 1
        if x > 3:
            break
    else:
        x = 0
    return x


def tuple_then_number(x):
    y = (x, 1)
    y = 2
    return y


def never_assigned(x):
    if x > 0:
        return y
    y = 1
    return y


def different_returns(x):
    if x > 0:
        return x, 1
    return x


def no_return(x):
    y = x


def unpack_number(x):
    a, b = x
    return a


def unpack_wrong(x):
    a, b = x, 1, 2
    return a


def unpack_star(x):
    a, *b = x, 1, 2
    return a


def item_assignment(x):
    t = (x, 1)
    t[0] = 2
    return t


def attribute_assignment(x):
    x.y = 2
    return x


def looks_up_names(x, y):
    return {y: 1}[x]


def prints(x):
    print(x)
    return x


def star_parameters(*x):
    return x


def generator(x):
    yield x


def unicode_before(x):
    größe = "ä"
    return hash(x)


CASES = {
    uses_try: "    x = 0\n    ^^^^^\nhypostyle.UnsupportedError: finally is not compiled; write its statements behind the try",
    uses_global: "global counter: global is not compiled: a program cannot change variables outside; keep a state with hs.scan",
    uses_nonlocal: "def inner(y):: nonlocal is not compiled; return the new value, and assign it",
    uses_list: "values: a list is not compiled as a result; return a tuple",
    uses_import: "import os: import inside the function is not compiled; import at the top of the file",
    uses_with: 'with open("x") as f:: with is not compiled; a function of rows only computes: do this outside of it',
    uses_delete: "del y: del is not compiled; leave it out, or use another name",
    uses_match: "[1, y]: a case is a constant, several with |, or _; for others write if/elif",
    looks_up_names: "y: the keys of a dict are constants here: {'buy': 1, 'sell': -1}[side]",
    for_else: "x = 0: else of a while with a constant condition is not compiled; leave it out",
    tuple_then_number: "y = 2: y was a number or another kind of tuple before; use two names",
    never_assigned: "y: y has no value here: it is assigned later, or never",
    different_returns: "return x: every return must have the same number of results",
    no_return: "def no_return(x):: no_return never returns a value",
    unpack_number: "a, b = x: only a tuple can be unpacked",
    unpack_wrong: "a, b = x, 1, 2: 3 values cannot be unpacked into 2 names",
    unpack_star: "*b: * is not compiled; write the items one by one",
    item_assignment: "t[0]: an item cannot be assigned; use a variable (hs.loop compiles out[i] = x)",
    attribute_assignment: "x.y: an attribute cannot be assigned; use a variable",
    prints: "print(x): print is not compiled; call the function with plain numbers to look inside: it then runs as Python",
    star_parameters: "x: * cannot be a parameter; name the columns one by one",
    generator: "generator is a generator; write a function that returns one value per row",
    unicode_before: "hash(x): hash is not compiled; there is no equal of it",
    recursive: "recursive(x - 1): recursive calls itself; write a while loop",
    even: "even(x - 1): even calls itself; write a while loop (in odd, which is inlined)",
    (lambda x: star_helper(x)): "star_helper(x): star_helper has * in its parameters; name them one by one",
    (
        lambda x: list_helper(x)
    ): "[x]: a list is not compiled as a result; return a tuple (in list_helper, which is inlined)",
    (
        lambda x: maybe_helper(x)
    ): "y: y may have no value here; give it one at the start of the function (in maybe_helper, which is inlined)",
    (
        lambda x: mixed_helper(x)
    ): "return x, 1: every return must have one shape: a number, or tuples of one length (in mixed_helper, which is inlined)",
    (
        lambda x: x in LIST
    ): "LIST: LIST cannot be captured: a list can change, and a program keeps the value it had when compiled; use a tuple",
    (
        lambda x: DICT["a"] * x
    ): "DICT: DICT cannot be captured: a dict can change, and a program keeps the value it had when compiled; write it in the function, or wrap it: types.MappingProxyType({...})",
    (
        lambda x: x + ARRAY
    ): "ARRAY: ARRAY cannot be captured: a ndarray can change, and a program keeps the value it had when compiled; use a tuple",
    (lambda x: x + BIG): "BIG: BIG cannot be captured: 1180591620717411303424 is beyond 64 bits",
    (lambda x: x + 9223372036854775808): "9223372036854775808: 9223372036854775808 is beyond 64 bits",
    (
        lambda x: x + OBJECT
    ): "OBJECT: OBJECT cannot be captured: it is of type object; numbers, True, False, None, strings and tuples of these can be captured",
    (lambda x: x + 1j): "1j: a constant of type complex is not compiled; use numbers",
    (
        lambda x: x.bit_length()
    ): "x.bit_length(): a method of a value is not compiled; use operators and the functions of math and numpy",
    (
        lambda x: x.real
    ): "x.real: an attribute of a value is not compiled; use operators and the functions of math and numpy",
    (lambda x: x[0]): "x[0]: only tuples can be indexed; a function gets one row: hs.loop compiles x[i]",
    (lambda x: f"{x}"): "f\"{x}\": an f-string is not compiled; strings are only compared: side == 'buy'",
    (lambda x: x + "a"): "\"a\": a string is compiled only in comparisons: side == 'buy', or side in ('buy', 'sell')",
    (lambda x: {1: 2}): "1: the names of results are constants: return {'low': a, 'high': b}",
    (lambda x: {x}): "{x}: a set is not compiled; for membership write x in (1, 2)",
    (lambda x: [v for v in (1, 2)]): "[v for v in (1, 2)]: a list is not compiled as a result; return a tuple",
    (lambda x: (lambda y: y)(x)): "(lambda y: y)(x): a call of a value is not compiled; name the function",
    (
        lambda x: isinstance(x, int)
    ): "isinstance(x, int): isinstance is not compiled; a column has one type: write x is None for nulls, int(x) or float(x) to convert",
    (
        lambda x: sorted((x, 1, 2, 3, 4, 5))[0]
    ): "sorted((x, 1, 2, 3, 4, 5)): 6 values are not sorted; up to 5 are, or use Polars' list.sort",
    (
        lambda x: np.mean(x)
    ): "np.mean(x): numpy.mean is not compiled; of a tuple write sum(t) / len(t); of a whole column pass it as another column: f('x', pl.col('x').mean()), with .over('key') for each key",
    (
        lambda x: math.comb(x, 2)
    ): "math.comb(x, 2): math.comb is not compiled; write the product out, or pass it as a column",
    (lambda x: math.nothing(x)): "math.nothing: math has no attribute nothing",
    (lambda x: math.sqrt(x, 1)): "math.sqrt(x, 1): math.sqrt takes 1 argument here",
    (lambda x: math.log()): "math.log(): math.log takes 1 to 2 arguments here",
    (lambda x: undefined + x): "undefined: undefined is not defined (yet); define it above the function",
    (lambda x: x @ 2): "x @ 2: @ is not compiled; write the products and sums",
    (lambda x: x is True): "x is True: is compares with None only; write == for values",
    (
        lambda x: 1 < x in (1, 2)
    ): "1 < x in (1, 2): is and in cannot be part of a chain of comparisons; write two, with and",
    (lambda x: (x, 1) + (2,)): "(x, 1): a tuple has no value of its own here; use one of its items",
    (lambda x: sum(x)): "x: only a tuple, a list written out, or a range of constants can be gone through",
    (
        lambda x: sum(range(x))
    ): "x: a range needs constants here, such as range(3); for a number of rounds that depends on the row write while",
    (lambda x: max(x)): "x: only a tuple, a list written out, or a range of constants can be gone through",
    (lambda x: max(x, 1, default=0)): "0: max of several values takes no default",
    (
        lambda x: len(x)
    ): "len(x): len is compiled for tuples only; of a string pass pl.col('x').str.len_chars() as a column",
    (lambda x: (1, 2)[2]): "(1, 2)[2]: index 2 is beyond a tuple of 2",
    (lambda x: (1, 2)[0:1]): "0:1: a slice is not compiled; index a tuple with a constant",
    (lambda x, n: round(x, n)): "n: the digits of round are a constant: round(x, 2)",
    (
        lambda x: sum(v for v in range(20_000))
    ): "range(20_000): the function has more than 10000 nodes with loops and helpers written out",
    (lambda x: ((x, 1), 2)): "((x, 1), 2): a result is a number, or a tuple of numbers",
    (
        lambda x: functools.partial(max, 1)(x)
    ): "functools.partial(max, 1)(x): a call of a value is not compiled; name the function",
}


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_a_refusal(function):
    with pytest.raises(UnsupportedError) as caught:
        translate(function)
    error = caught.value
    printed = "".join(traceback.format_exception_only(error))
    assert len(printed.splitlines()) <= 5
    shown = str(error.msg)
    if error.text is not None:
        shown = f"{error.text[error.offset - 1 : error.end_offset - 1]}: {shown}"
    if CASES[function].startswith(" "):
        assert printed.endswith(CASES[function] + "\n")
    else:
        assert shown == CASES[function]


def test_how_an_error_is_printed():
    def outer(x):
        größe = x
        return größe + ("ä", 1)[0]

    with pytest.raises(UnsupportedError) as caught:
        translate(outer)
    lines = "".join(traceback.format_exception_only(caught.value)).splitlines()
    assert lines[1:] == [
        '    return größe + ("ä", 1)[0]',
        "                   ^^^^^^^^^^^",
        "hypostyle.UnsupportedError: a string is compiled only in comparisons: side == 'buy', or side in ('buy', 'sell')",
    ]
    assert isinstance(caught.value, SyntaxError)


def test_an_error_of_several_lines_has_its_first():
    def outer(x):
        return hash(
            x,
        )

    with pytest.raises(UnsupportedError) as caught:
        translate(outer)
    assert "".join(traceback.format_exception_only(caught.value)).splitlines()[1:3] == [
        "    return hash(",
        "           ^^^^^",
    ]


def test_constants_of_a_class():
    assert translate(lambda x: x + Settings.LIMIT).plain["body"] == [["return", [["+", ["get", "x"], 5]], []]]


def test_methods_and_other_callables():
    class Model:
        def step(self, x):
            return x

        @staticmethod
        def free(x):
            return x

    for given, message in {
        Model().step: "is a method; write a function outside of the class",
        Model.step: "step is a method; write a function outside of the class",
        math.sqrt: "a Python function is needed, not a builtin_function_or_method; write a lambda that calls it",
        functools.partial(max, 1): "a Python function is needed, not a partial; write a lambda that calls it",
    }.items():
        with pytest.raises(UnsupportedError, match=message):
            translate(given)
    assert translate(Model.free).name == "free"
