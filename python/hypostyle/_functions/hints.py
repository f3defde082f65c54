"""What to write instead, for every part of Python that is not compiled."""

from __future__ import annotations

import ast
import builtins
import math

NODES: dict[type[ast.AST], str] = {
    ast.Try: "try is not compiled; a row that raises is null already: leave the try out",
    ast.With: "with is not compiled; a function of rows only computes: do this outside of it",
    ast.Import: "import inside the function is not compiled; import at the top of the file",
    ast.ImportFrom: "import inside the function is not compiled; import at the top of the file",
    ast.Delete: "del is not compiled; leave it out, or use another name",
    ast.Global: "global is not compiled: a program cannot change variables outside; keep a state with hs.scan",
    ast.Nonlocal: "nonlocal is not compiled: a program cannot change variables outside; keep a state with hs.scan",
    ast.FunctionDef: "a function inside the function is not compiled; define it outside, it is inlined",
    ast.AsyncFunctionDef: "async is not compiled; a function of rows only computes",
    ast.ClassDef: "a class inside the function is not compiled; use plain variables",
    ast.AsyncFor: "async is not compiled; a function of rows only computes",
    ast.AsyncWith: "async is not compiled; a function of rows only computes",
    ast.Match: "a case is a constant, several with |, or _; for others write if/elif",
    ast.Lambda: "a lambda inside the function is not compiled; define it outside, it is inlined",
    ast.Dict: "a dict is not compiled; write if/elif, or a conditional expression (return {'low': a} names results)",
    ast.Set: "a set is not compiled; for membership write x in (1, 2)",
    ast.List: "a list is not compiled here; use a tuple",
    ast.ListComp: "a comprehension is compiled only inside sum, any, all, min and max",
    ast.SetComp: "a comprehension is compiled only inside sum, any, all, min and max",
    ast.DictComp: "a comprehension is compiled only inside sum, any, all, min and max",
    ast.GeneratorExp: "a generator is compiled only inside sum, any, all, min and max",
    ast.Await: "await is not compiled; a function of rows only computes",
    ast.Yield: "yield is not compiled; return one value per row",
    ast.YieldFrom: "yield is not compiled; return one value per row",
    ast.JoinedStr: "an f-string is not compiled; strings are only compared: side == 'buy'",
    ast.Starred: "* is not compiled; write the items one by one",
    ast.Slice: "a slice is not compiled; index a tuple with a constant",
}
if hasattr(ast, "TryStar"):
    NODES[ast.TryStar] = NODES[ast.Try]

CALLS: dict[int, str] = {
    id(getattr(builtins, name)): f"{name} is not compiled; {hint}"
    for name, hint in {
        "print": "call the function with plain numbers to look inside: it then runs as Python",
        "isinstance": "a column has one type: write x is None for nulls, int(x) or float(x) to convert",
        "type": "a column has one type: write x is None for nulls, int(x) or float(x) to convert",
        "str": "strings are only compared; pass pl.col('x').cast(pl.String) as a column",
        "repr": "strings are only compared: side == 'buy'",
        "format": "strings are only compared: side == 'buy'",
        "list": "use a tuple",
        "dict": "write if/elif, or a conditional expression",
        "set": "for membership write x in (1, 2); one that grows is no state: keep one for each key with over=",
        "sorted": "for two or three values use min and max",
        "filter": "write a generator with if inside sum",
        "hash": "there is no equal of it",
        "open": "a function of rows only computes: read the file outside and capture numbers",
        "input": "a function of rows only computes",
        "eval": "write the expression itself",
        "exec": "write the statements themselves",
        "getattr": "write the value's name itself",
        "setattr": "use plain variables",
        "hasattr": "a column has one type: write x is None for nulls",
        "callable": "a column has numbers",
        "iter": "write a for loop over a tuple",
        "next": "write a for loop over a tuple",
        "complex": "use two float variables",
        "id": "compare values: a == b",
    }.items()
}
if hasattr(math, "fma"):
    CALLS[id(math.fma)] = "math.fma is not compiled; write x * y + z (two roundings)"

STRING = "a string is compiled only in comparisons: side == 'buy', or side in ('buy', 'sell')"
SOME = "a list with a condition is compiled in sum, len, min, max, any, all, if, and as its first or last item"
TRUTH = "case True is compiled of a comparison only: match x > 1; of a column write if x, or case 1"
PART = "a part of a string is not compiled; pass pl.col('x').str.slice(0, 3) as a column, and compare that"
TUPLE = "a tuple has no value of its own here; use one of its items"
METHOD = "a method of a value is not compiled; use operators and the functions of math and numpy"
ATTRIBUTE = "an attribute of a value is not compiled; use operators and the functions of math and numpy"
RANGE = "a range needs constants here, such as range(3); for a number of rounds that depends on the row write while"


def of(node: ast.AST) -> str:
    """Return the message for a node that is not compiled."""
    return NODES.get(type(node), f"{type(node).__name__} is not compiled")
