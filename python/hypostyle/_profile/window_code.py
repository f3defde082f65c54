"""Writes functions that compute with all values of a window, `np.mean(np.abs(w - w.mean()))`, as loops over it.

`hs.rolling` knows what kernels compute of a window, and loops over its values; NumPy's arithmetic of whole arrays is
neither.  A sum of it is a loop: `for value in window: total += abs(value - mean)`.  Weights by position and the slope
of a line are kernels of their own.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, field

from hypostyle._profile.syntax import method

_AGGREGATES = {"sum", "mean", "prod", "min", "max", "std", "var", "any", "all"}
_BY_VALUE = {"abs": "abs", "absolute": "abs", "fabs": "abs", "square": "", "maximum": "max", "minimum": "min"}
_MATH = {"sqrt", "log", "log1p", "log2", "log10", "exp", "expm1", "sin", "cos", "tanh", "sign"}


class _OtherError(Exception):
    """A part of the function is something else."""


@dataclass
class _Elements:
    """What is computed value by value."""

    value: ast.expr
    condition: ast.expr | None = None
    pairs: bool = False
    """Whether it reads the value before, so that the first one has none."""


@dataclass
class WindowCode:
    """Writes a function of a window.

    Args:
        window: The name of its parameter.
        ddof: That of `std()` without one: 1 for a Series, 0 for an array.
    """

    window: str
    ddof: int
    lines: list[str] = field(default_factory=list)
    _is_needed: bool = False
    """Whether something is summed up that no kernel of a window computes."""
    _names: int = 0
    _known: dict[str, str] = field(default_factory=dict)

    def function(self, name: str, body: ast.expr, *, as_float: bool = False) -> str | None:
        """Return the text of the function; None if it computes nothing with all values, or something unknown."""
        try:
            result = self._scalar(_Values(self.window).visit(copy.deepcopy(body)))
        except _OtherError:
            return None
        if not self._is_needed:
            return None
        code = ast.unparse(result)
        lines = [*self.lines, f"return float({code})" if as_float else f"return {code}"]
        return f"def {name}({self.window}):\n" + "".join(f"    {line}\n" for line in lines)

    # One number of the window

    def _scalar(self, node: ast.expr) -> ast.expr:
        """Return the code of one number; loops that it needs come before."""
        found = self._aggregate(node)
        if found is not None:
            return found
        if not self._reads_window(node):
            return node
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                return ast.BinOp(self._scalar(left), op, self._scalar(right))
            case ast.UnaryOp(op=op, operand=operand):
                return ast.UnaryOp(op, self._scalar(operand))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return ast.Compare(self._scalar(left), [op], [self._scalar(right)])
            case ast.IfExp(test=test, body=body, orelse=other):
                self._only_plain(body)
                self._only_plain(other)
                return ast.IfExp(self._scalar(test), self._scalar(body), self._scalar(other))
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=0)) if name == self.window:
                return node
            case ast.Subscript(value=ast.Name(id=name), slice=ast.UnaryOp(operand=ast.Constant(value=1))):
                if name == self.window:
                    return node
            case ast.Subscript(value=inner, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))):
                return self._last(inner)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="argmax" | "argmin" as name), args=[of]):
                return self._position(name, of)
            case ast.Call(func=ast.Attribute(value=of, attr="argmax" | "argmin" as name), args=[], keywords=[]):
                return self._position(name, of)
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]) if name == self.window:
                return node
            case ast.Attribute(value=ast.Name(id=name), attr="size") if name == self.window:
                return _parsed(f"len({self.window})")
            case ast.Call(func=ast.Name(id="float" | "abs") as function, args=[inner], keywords=[]):
                value = self._scalar(inner)
                return value if function.id == "float" else ast.Call(function, [value], [])
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "math"), attr=name) as function, args=[inner]):
                if name in _MATH or name == "abs":
                    return ast.Call(function, [self._scalar(inner)], [])
        raise _OtherError

    def _position(self, name: str, of: ast.expr) -> ast.expr:
        """Return the position of the first extreme value of the window, or of its values from the last one on."""
        text = ast.unparse(of).replace(" ", "")
        if text not in (self.window, f"{self.window}[::-1]"):
            raise _OtherError
        self._is_needed = True
        is_reversed = text != self.window
        sign = (">" if name == "argmax" else "<") + ("=" if is_reversed else "")
        self._names += 1
        best, at, found = (f"{word}_{self._names}" for word in ("best", "at", "found"))
        self.lines += [
            *(f"{best} = {self.window}[0]", f"{at} = 0", f"{found} = 0", f"for value in {self.window}:"),
            *(f"    if value {sign} {best}:", f"        {best} = value", f"        {found} = {at}", f"    {at} += 1"),
        ]
        return _parsed(f"{at} - 1 - {found}" if is_reversed else found)

    def _last(self, node: ast.expr) -> ast.expr:
        """Return the last of what is computed of each value."""
        if isinstance(node, ast.Attribute) and node.attr in ("iloc", "values"):
            return self._last(node.value)
        elements = self._elements(node)
        if elements is None or elements.condition is not None or elements.pairs:
            raise _OtherError
        self._is_needed = True
        found = _Renamed("value", f"{self.window}[-1]").visit(elements.value)
        assert isinstance(found, ast.expr)
        return found

    def _only_plain(self, node: ast.expr) -> None:
        """Refuse a loop that would stand in a branch."""
        if any(isinstance(n, ast.Call) and self._reads_window(n) for n in ast.walk(node)):
            raise _OtherError

    def _aggregate(self, node: ast.expr) -> ast.expr | None:
        """Return the number that sums up all values, after the loop that computes it."""
        name, inner, options = _aggregated(node)
        if inner is None or not self._reads_window(inner):
            return None
        known = ast.unparse(node)
        if known in self._known:
            return _parsed(self._known[known])
        elements = self._elements(inner)
        if elements is None:
            return None
        is_window = isinstance(elements.value, ast.Name) and elements.condition is None and not elements.pairs
        self._is_needed |= not is_window or name in ("any", "all")
        if name in ("std", "var"):
            given = options.pop("ddof", None)
            if options or (given is not None and not isinstance(given, ast.Constant)):
                raise _OtherError
            ddof = self.ddof if given is None and method(node) and not _is_numpy(node) else 0
            if isinstance(given, ast.Constant) and isinstance(given.value, int):
                ddof = given.value
            mean, count = self._mean(elements)
            squares = copy.copy(elements)
            squares.value = _parsed(f"({ast.unparse(elements.value)} - {mean}) ** 2")
            variance = f"{self._loop('sum', squares)} / ({count} - {ddof})"
            result = self._named("variance", variance)
            result = f"np.sqrt({result})" if name == "std" else result
        elif name == "mean":
            result, _ = self._mean(elements)
        else:
            if options:
                raise _OtherError
            result = self._loop(name, elements)
        self._known[known] = result
        return _parsed(result)

    def _mean(self, elements: _Elements) -> tuple[str, str]:
        """Return the mean and the number of values."""
        if elements.condition is None:
            count = f"(len({self.window}) - 1)" if elements.pairs else f"len({self.window})"
        else:
            counted = copy.copy(elements)
            counted.value = ast.Constant(1)
            count = self._loop("sum", counted)
        return self._named("mean", f"{self._loop('sum', elements)} / {count}"), count

    def _named(self, word: str, code: str) -> str:
        self._names += 1
        name = f"{word}_{self._names}"
        self.lines.append(f"{name} = {code}")
        return name

    def _loop(self, kind: str, elements: _Elements) -> str:
        """Write the loop of a sum and the like; return the name of its result."""
        value, condition = ast.unparse(elements.value), elements.condition
        self._names += 1
        name = f"{'total' if kind == 'sum' else kind}_{self._names}"
        start, step = {
            "sum": ("0.0", f"{name} += {value}"),
            "prod": ("1.0", f"{name} *= {value}"),
            "min": ("np.inf", f"{name} = min({name}, {value})"),
            "max": ("-np.inf", f"{name} = max({name}, {value})"),
            "any": ("False", f"{name} = {name} or ({value})"),
            "all": ("True", f"{name} = {name} and ({value})"),
        }[kind]
        if isinstance(elements.value, ast.Compare) and kind == "sum":
            start, step = "0", f"{name} += 1"
            condition = elements.value if condition is None else ast.BoolOp(ast.And(), [condition, elements.value])
        tests = [] if condition is None else [ast.unparse(condition)]
        if elements.pairs:
            self.lines += [f"before = {self.window}[0]", "at = 0"]
            tests.insert(0, "at > 0")
        self.lines += [f"{name} = {start}", f"for value in {self.window}:"]
        if tests:
            self.lines += [f"    if {' and '.join(tests)}:", f"        {step}"]
        else:
            self.lines.append(f"    {step}")
        if elements.pairs:
            self.lines += ["    before = value", "    at += 1"]
        return name

    # What is computed value by value

    def _elements(self, node: ast.expr) -> _Elements | None:
        """Return what is computed of each value; None if the node is one number."""
        if not self._reads_window(node):
            return None
        pairs = [False]
        conditions: list[ast.expr] = []
        written = self._of_value(node, pairs, conditions)
        if written is None or len({ast.dump(c) for c in conditions}) > 1:
            return None
        return _Elements(written, conditions[0] if conditions else None, pairs[0])

    def _of_value(self, node: ast.expr, pairs: list[bool], conditions: list[ast.expr]) -> ast.expr | None:
        """Return the code of a value; None if the node is one number of the window."""

        def of(part: ast.expr) -> ast.expr:
            found = self._of_value(part, pairs, conditions)
            return self._hoisted(part) if found is None else found

        value, before = ast.Name("value", ast.Load()), ast.Name("before", ast.Load())
        if _aggregated(node)[1] is not None:
            return None
        match node:
            case ast.Name(id=name) if name == self.window:
                return value
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower=lower, upper=upper, step=None)) if (
                name == self.window
            ):
                ends = [None if part is None else ast.unparse(part) for part in (lower, upper)]
                if ends == ["1", None] or ends == [None, "-1"]:
                    pairs[0] = True
                    return value if lower is not None else before
                raise _OtherError
            case ast.Subscript(value=inner, slice=ast.Compare() as test) if self._is_by_value(inner):
                found = self._of_value(test, pairs, conditions)
                if found is not None:
                    conditions.append(found)
                    return of(inner)
            case ast.BinOp(left=left, op=op, right=right) if self._is_by_value(left) or self._is_by_value(right):
                return ast.BinOp(of(left), op, of(right))
            case ast.UnaryOp(op=op, operand=operand) if self._is_by_value(operand):
                return ast.UnaryOp(op, of(operand))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                if self._is_by_value(left) or self._is_by_value(right):
                    return ast.Compare(of(left), [op], [of(right)])
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name), args=arguments, keywords=[]):
                if any(map(self._is_by_value, arguments)):
                    return self._of_numpy(name, [of(a) for a in arguments], arguments, pairs)
            case ast.Call(func=ast.Attribute(value=inner, attr="abs"), args=[], keywords=[]):
                if self._is_by_value(inner):
                    return ast.Call(ast.Name("abs", ast.Load()), [of(inner)], [])
            case ast.Call(func=ast.Name(id="abs") as function, args=[inner], keywords=[]) if self._is_by_value(inner):
                return ast.Call(function, [of(inner)], [])
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="diff"), args=[], keywords=[]):
                if name == self.window:
                    pairs[0] = True
                    return _parsed("value - before")
        return None

    def _of_numpy(
        self, name: str, written: list[ast.expr], arguments: list[ast.expr], pairs: list[bool]
    ) -> ast.expr | None:
        if name == "diff" and isinstance(arguments[0], ast.Name) and len(arguments) == 1:
            pairs[0] = True
            return _parsed("value - before")
        if name == "where" and len(written) == 3:
            return ast.IfExp(*written)
        if name == "square" and len(written) == 1:
            return ast.BinOp(written[0], ast.Pow(), ast.Constant(2))
        if name in _BY_VALUE:
            return ast.Call(ast.Name(_BY_VALUE[name], ast.Load()), written, [])
        if name in _MATH and len(written) == 1:
            return ast.Call(_parsed(f"np.{name}"), written, [])
        raise _OtherError

    def _is_by_value(self, node: ast.expr) -> bool:
        """Whether a node is an array as long as the window."""
        if not self._reads_window(node) or _aggregated(node)[1] is not None:
            return False
        copied = WindowCode(self.window, self.ddof)
        try:
            return copied._of_value(node, [False], []) is not None
        except _OtherError:
            return True

    def _hoisted(self, node: ast.expr) -> ast.expr:
        """Return one number that a loop needs, computed before it."""
        if not self._reads_window(node):
            return node
        code = self._scalar(node)
        return code if isinstance(code, ast.Name) else _parsed(self._named("number", ast.unparse(code)))

    def _reads_window(self, node: ast.AST) -> bool:
        return any(isinstance(n, ast.Name) and n.id == self.window for n in ast.walk(node))


class _Values(ast.NodeTransformer):
    """Writes `sum(v * 2 for v in w if v > 0)` as `np.sum((w * 2)[w > 0])`: arithmetic of all values."""

    def __init__(self, window: str) -> None:
        self._window = window

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(
                func=ast.Name(id="sum" | "min" | "max" | "any" | "all" as name),
                args=[ast.GeneratorExp(elt=element, generators=[only]) | ast.ListComp(elt=element, generators=[only])],
                keywords=[],
            ):
                match only:
                    case ast.comprehension(target=ast.Name(id=value), iter=ast.Name(id=window), ifs=tests):
                        if window != self._window or len(tests) > 1:
                            return node
                        return self._of(name, value, element, tests)
        return node

    def _of(self, name: str, value: str, element: ast.expr, tests: list[ast.expr]) -> ast.expr:
        of_values = _Renamed(value, self._window)
        if name == "sum" and isinstance(element, ast.Constant) and element.value == 1 and tests:
            element, tests = tests[0], []
        inner = of_values.visit(element)
        if tests:
            inner = ast.Subscript(inner, of_values.visit(tests[0]), ast.Load())
        return _parsed(f"np.{name}({ast.unparse(inner)})")


def _aggregated(node: ast.expr) -> tuple[str, ast.expr | None, dict[str | None, ast.expr]]:
    """Return name, array and options of `a.sum()`, `np.sum(a)`, `sum(a)` and their like."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name), args=[inner], keywords=keywords):
            if name in _AGGREGATES:
                return name, inner, {k.arg: k.value for k in keywords}
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=[], keywords=keywords) if name in _AGGREGATES:
            return name, inner, {k.arg: k.value for k in keywords}
        case ast.Call(func=ast.Name(id="sum" | "min" | "max" as name), args=[inner], keywords=[]):
            return name, inner, {}
        case ast.Call(func=ast.Name(id="len"), args=[ast.Subscript(value=inner, slice=ast.Compare() as test)]):
            return "sum", ast.Compare(test.left, test.ops, test.comparators), {}
    return "", None, {}


def _is_numpy(node: ast.expr) -> bool:
    called = method(node)
    return called is not None and isinstance(called[0], ast.Name) and called[0].id == "np"


def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def with_length(window: str, body: ast.expr, rows: str) -> ast.expr:
    """Return a function of windows that all have so many rows with that number in place of `len(window)`."""

    class Lengths(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            return _parsed(rows) if ast.unparse(node) == f"len({window})" else node

    found = Lengths().visit(copy.deepcopy(body))
    assert isinstance(found, ast.expr)
    return found


def weighted(window: str, body: ast.expr) -> tuple[str, str] | None:
    """Return kernel and weights of `np.dot(w, weights)`, and of that over the sum of the weights."""
    match body:
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            inner = weighted(window, left)
            if inner is not None and inner[0] == "rolling_fir_sum" and _is_sum_of(right, inner[1]):
                return "rolling_fir_mean", inner[1]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="average"), args=[ast.Name(id=name)]):
            given = {k.arg: k.value for k in body.keywords}
            if name == window and set(given) == {"weights"}:
                return "rolling_fir_mean", ast.unparse(given["weights"])
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="dot"), args=[first, second], keywords=[]):
            return _of_product(window, first, second)
        case ast.BinOp(left=first, op=ast.MatMult(), right=second):
            return _of_product(window, first, second)
        case ast.Call():
            name, summed, options = _aggregated(body)
            if name == "sum" and not options and isinstance(summed, ast.BinOp) and isinstance(summed.op, ast.Mult):
                return _of_product(window, summed.left, summed.right)
    return None


def _of_product(window: str, first: ast.expr, second: ast.expr) -> tuple[str, str] | None:
    for values, weights in ((first, second), (second, first)):
        if isinstance(values, ast.Name) and values.id == window and not isinstance(weights, ast.Constant):
            reads = any(isinstance(n, ast.Name) and n.id == window for n in ast.walk(weights))
            return None if reads else ("rolling_fir_sum", ast.unparse(weights))
    return None


def _is_sum_of(node: ast.expr, weights: str) -> bool:
    return ast.unparse(node) in (f"{weights}.sum()", f"sum({weights})", f"np.sum({weights})")


def is_slope(window: str, body: ast.expr, rows: str) -> bool:
    """Whether a function is the slope of the line through a window; positions under a name are taken for 0, 1, 2..."""
    match body:
        case ast.Subscript(value=ast.Call() as call, slice=ast.Constant(value=0)):
            pass
        case ast.Attribute(value=ast.Call() as call, attr="slope"):
            pass
        case _:
            return False
    name = ast.unparse(call.func)
    degree = [ast.unparse(a) for a in call.args[2:]] + [ast.unparse(k.value) for k in call.keywords if k.arg == "deg"]
    is_line = name == "np.polyfit" and degree == ["1"] and isinstance(body, ast.Subscript)
    is_line |= name in ("linregress", "stats.linregress", "scipy.stats.linregress") and not degree
    if not is_line or len(call.args) < 2 or ast.unparse(call.args[1]) != window:
        return False
    counts = (f"len({window})", f"{window}.size", f"{window}.shape[0]", rows)
    positions = {f"{r}({n})" for r in ("np.arange", "range") for n in counts}
    return isinstance(call.args[0], ast.Name) or ast.unparse(call.args[0]) in positions


class _Renamed(ast.NodeTransformer):
    """Puts code in the place of a name."""

    def __init__(self, name: str, code: str) -> None:
        self._name, self._code = name, code

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return _parsed(self._code) if node.id == self._name else node
