"""Rewrites a function of a series: kernels where the templates fit, the same arithmetic around them.

`s / s.rolling(20).mean() - 1` becomes `table["price"] / table["_1"] - 1`, where `_1` is the kernel.  What goes value by
value stays as it is, since it has the same result over all keys at once.  A kernel of something computed, as in
`s.pct_change().rolling(20).std()`, comes after it, in a step of its own.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from hypostyle._profile.syntax import method
from hypostyle._profile.templates import Column, Kernel, kernel_for
from hypostyle._profile.window_code import WindowCode, is_slope, weighted, with_length
from hypostyle._profile.window_kernels import kernel_of

_PLACE = "\0"
"""The name of a column that is not computed yet."""
_MOST = 8
"""Calls of the user's functions within each other."""
_BY_VALUE = {"abs", "clip", "fillna", "round", "astype", "where", "mask", "eq", "ne", "lt", "le", "gt", "ge", "rename"}
_ARITHMETIC = {"add", "sub", "mul", "div", "truediv", "pow"}
_NUMPY = {"abs", "log", "log1p", "exp", "expm1", "sqrt", "sign", "square", "where", "maximum", "minimum", "clip"}
_OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp)
_WHOLE = {"mean", "sum", "min", "max", "std", "var", "median", "count", "first", "last"}

Whole: TypeAlias = "Callable[[str, str], str]"
"""Returns the code of a statistic of all rows of a key, for a column and a method."""


Step: TypeAlias = "tuple[str, Kernel | str]"
"""The name of a new column, and the kernel or the code that makes it."""


@dataclass
class Rewritten:
    """New code of an expression."""

    code: str
    steps: list[Step] = field(default_factory=list)
    """Columns that it needs, in order."""
    definitions: str = ""
    """Functions that it calls."""

    @property
    def kernels(self) -> dict[str, Kernel]:
        """The kernels by the names of their columns."""
        return {name: made for name, made in self.steps if isinstance(made, Kernel)}

    @property
    def only(self) -> Kernel | None:
        """The kernel, if the expression is nothing else."""
        name, made = self.steps[0] if len(self.steps) == 1 else ("", "")
        return made if isinstance(made, Kernel) and self.code == _column(name) else None

    @property
    def ends_with_kernel(self) -> bool:
        """Whether the last kernel is the result."""
        return bool(self.steps) and self.code == _column(self.steps[-1][0])


def in_steps(frame: str, steps: Sequence[Step], keys: Sequence[str] = ()) -> str:
    """Return the statements that make `table` of a frame: with the columns of all steps."""
    lines, table = "", frame
    pending: dict[str, str] = {}
    for name, made in steps:
        needs = made.columns if isinstance(made, Kernel) else list(pending)
        if pending and set(needs) & pending.keys():
            lines += f"table = hs.with_columns({table}, {', '.join(pending.values())})\n"
            table, pending = "table", {}
        if isinstance(made, Kernel):
            pending[name] = made.code(keys, name)
            continue
        if table != "table":
            lines += f"table = {table}\n"
        lines += f"table = table.assign({name}={made})\n"
        table = "table"
    if pending:
        lines += f"table = hs.with_columns({table}, {', '.join(pending.values())})\n"
    return lines or f"table = {frame}\n"


def _column(name: str) -> str:
    return f'table["{name}"]'


_ALL_ROWS = "1_000_000_000"


Adjusts = Literal["array", "float", ""]
"""What functions of windows get of pandas: what its Series do unlike arrays, floats of integers too, or nothing."""
ADJUSTMENTS: tuple[Adjusts, ...] = ("array", "float", "")


class Rewriter:
    """Rewrites expressions.

    Args:
        column: What columns are.
        whole: The code of a statistic of a whole key; None if there is none.
        time: The time column, for windows that are durations of the index.
        functions: The user's functions by name.
    """

    def __init__(
        self,
        column: Column,
        whole: Whole | None = None,
        time: str | None = None,
        functions: dict[str, ast.FunctionDef] | None = None,
    ) -> None:
        self._column = column
        self._whole = whole
        self.time = time
        self._functions = functions or {}
        self.steps: list[Step] = []
        self.nests = True
        """Whether a kernel may be one of something computed."""
        self.masks = False
        """Whether a running sum is missing where its column is, as in pandas."""
        self.definitions: dict[str, str] = {}
        """Functions that the code calls, by name."""
        self._depth = 0
        self.adjust: Adjusts = ""

    def rewrite(self, node: ast.expr) -> Rewritten | None:
        """Return the new code of an expression; None if a part of it is not known."""
        self.steps, self.definitions = [], {}
        code = self._code(_Named().visit(copy.deepcopy(node)))
        if code is None or not (self.steps or self._whole):
            return None
        return Rewritten(code, list(self.steps), "\n\n".join(self.definitions.values()))

    def more(self, node: ast.expr) -> str | None:
        """Return the new code of another expression, whose steps follow those before."""
        return self._code(node)

    def _code(self, node: ast.expr) -> str | None:
        kernel = kernel_for(node, self._column, "pandas", self.time) or self._of_window(node)
        if kernel is not None:
            code = _column(self._kept(kernel))
            if self.masks and kernel.name.startswith("cum_"):
                code += f".where({_column(kernel.columns[0])}.notna())"
            return code
        name = self._column(node)
        if name is not None:
            return _column(name)
        if not any(self._column(part) for part in ast.walk(node)):
            return ast.unparse(node)  # a number, or a variable
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._functions:
            inlined = result_of(self._functions[node.func.id], node.args, node.keywords)
            return None if inlined is None or self._depth > _MOST else self._inside(inlined)
        if self.nests and (kernel := self._nested(node)) is not None:
            return _column(self._kept(kernel))
        if isinstance(node, ast.BinOp):
            left, right = self._code(node.left), self._code(node.right)
            if left is None or right is None:
                return None
            return _unparsed(ast.BinOp(_parsed(left), node.op, _parsed(right)))
        if isinstance(node, ast.UnaryOp):
            operand = self._code(node.operand)
            return None if operand is None else _unparsed(ast.UnaryOp(node.op, _parsed(operand)))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = self._code(node.left), self._code(node.comparators[0])
            if left is None or right is None:
                return None
            return _unparsed(ast.Compare(_parsed(left), node.ops, [_parsed(right)]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._call(node, node.func)
        return self._end(node)

    def _end(self, node: ast.expr) -> str | None:
        """Return the code of the first or the last value of a key: `s.iloc[0]`."""
        match node:
            case ast.Subscript(value=ast.Attribute(value=inner, attr="iloc"), slice=ast.Constant(value=0)):
                name = "first"
            case ast.Subscript(
                value=ast.Attribute(value=inner, attr="iloc"),
                slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)),
            ):
                name = "last"
            case _:
                return None
        column = self._column(inner)
        return None if column is None or self._whole is None else self._whole(column, name)

    def _call(self, node: ast.Call, function: ast.Attribute) -> str | None:
        keywords = [(k.arg, self._code(k.value)) for k in node.keywords]
        arguments = [self._code(argument) for argument in node.args]
        if None in arguments or any(name is None or code is None for name, code in keywords):
            return None
        words = [*map(str, arguments), *(f"{name}={code}" for name, code in keywords)]
        if isinstance(function.value, ast.Name) and function.value.id in ("np", "numpy"):
            if function.attr not in _NUMPY:
                return None
            return f"{function.value.id}.{function.attr}({', '.join(words)})"
        if isinstance(function.value, ast.Attribute) and function.value.attr == "dt":  # s.diff().dt.total_seconds()
            receiver = self._code(function.value.value)
            return None if receiver is None else f"{_owner(receiver)}.dt.{function.attr}({', '.join(words)})"
        column = self._column(function.value)
        if column is not None and function.attr in _WHOLE and not words and self._whole is not None:
            return self._whole(column, function.attr)
        if column is not None and function.attr == "rank" and self._whole is not None:
            return f"{self._whole(column, 'rank')[:-1]}{''.join(f', {word}' for word in words)})"
        if function.attr not in _BY_VALUE | _ARITHMETIC:
            return None
        receiver = self._code(function.value)
        if receiver is None:
            return None
        return f"{_owner(receiver)}.{function.attr}({', '.join(words)})"

    def _inside(self, node: ast.expr) -> str | None:
        self._depth += 1
        try:
            return self._code(node)
        finally:
            self._depth -= 1

    def _nested(self, node: ast.expr) -> Kernel | None:
        """Return the kernel of something computed: `x.pct_change().rolling(20).std()`."""
        receiver = node
        while (called := method(receiver)) is not None:
            receiver = called[0]
            if self._column(receiver) is not None or not any(self._column(part) for part in ast.walk(receiver)):
                return None
            kernel = self._of_place(node, receiver)
            if kernel is None:
                continue
            known = len(self.steps)
            code = self._code(receiver)
            if code is None or "table[" not in code:
                del self.steps[known:]
                return None
            name = self._made(code)
            kernel.columns = [name if column == _PLACE else column for column in kernel.columns]
            kernel.arguments = [repr(name) if code == repr(_PLACE) else code for code in kernel.arguments]
            return kernel
        return None

    def _of_place(self, node: ast.expr, receiver: ast.expr) -> Kernel | None:
        """Return the kernel of a call whose receiver is taken for a column."""
        marked = copy.deepcopy(node)
        part = marked
        for _ in range(_depth_of(node, receiver)):
            called = method(part)
            assert called is not None
            part = called[0]
        column = self._column
        inner = Rewriter(lambda n: _PLACE if n is part else column(n), None, self.time, self._functions)
        inner.adjust, inner.definitions = self.adjust, self.definitions
        return kernel_for(marked, inner._column, "pandas", self.time) or inner._of_window(marked)

    def _made(self, code: str) -> str:
        """Return the name of the column of a code, which is made if there is none."""
        for name, _ in self.steps:
            if code == _column(name):
                return name
        return self._kept(code)

    def _kept(self, made: Kernel | str) -> str:
        for name, known in self.steps:
            if known == made:
                return name
        name = f"_{len(self.steps) + 1}"
        self.steps.append((name, made))
        return name

    def _of_window(self, node: ast.expr) -> Kernel | None:
        """Return the kernel of `x.rolling(20).apply(f)`."""
        applied = method(node)
        if applied is None or applied[1] != "apply":
            return None
        rolled = method(applied[0])
        if rolled is None or rolled[1] not in ("rolling", "expanding") or (column := self._column(rolled[0])) is None:
            return None
        given = [*applied[2].args, *(k.value for k in applied[2].keywords if k.arg == "func")]
        rest = {k.arg: k.value for k in applied[2].keywords if k.arg != "func"}
        if len(given) != 1 or set(rest) - {"raw", "engine", "engine_kwargs"}:
            return None
        # The same statistic by its own method gives the window's options.
        plain = ast.Call(ast.Attribute(rolled[2], "sum", ast.Load()), [], [])
        kernel = kernel_for(plain, self._column, "pandas", self.time)
        if kernel is None:
            return None
        options = dict(kernel.options)
        if rolled[1] == "expanding":  # a window that no column fills
            options.setdefault("min_samples", "1")
        window = kernel.arguments[1] if rolled[1] == "rolling" else _ALL_ROWS
        options.setdefault("min_samples", "1" if "by" in options else window)
        is_raw = isinstance(raw := rest.get("raw"), ast.Constant) and raw.value is True
        return self._own(given[0], is_raw, column, window, options)

    def _own(self, node: ast.expr, is_raw: bool, column: str, window: str, options: dict[str, str]) -> Kernel:
        """Return the kernel of a function of a window: one that does the same, or the function itself."""
        made = lambda_of(node, self._functions)
        made = None if made is None else _without_nan(made)
        if isinstance(node, ast.Name | ast.Attribute) and made is None:
            called = ast.Call(node, [ast.Name("w", ast.Load())], [])  # stats.iqr
            known = kernel_of("w", called)
        else:
            known = None if made is None else kernel_of(made.args.args[0].arg, made.body)
        if known is not None and self.adjust == "array":
            if known[0] == "rolling_autocorr" and window == options["min_samples"] and window.isdigit():
                # Pairs are counted, of which there are fewer than values.
                window = options["min_samples"] = str(int(window) - int(known[1].get("lag", "1")))
            return Kernel(known[0], [column], [repr(column), window], {**known[1], **options})
        if made is not None and self.adjust:
            name = made.args.args[0].arg
            body = made.body if is_raw else _OfArrays(name).visit(copy.deepcopy(made.body))
            of_whole = with_length(name, body, window) if window.isdigit() else body
            if (weights := weighted(name, of_whole)) is not None:
                return Kernel(weights[0], [column], [repr(column), window, weights[1]], options)
            if is_slope(name, body, window):
                return Kernel("rolling_trend", [column], [repr(column), window], options)
            # A name that no other replacement in the file has.
            kind = "array" if is_raw else "window"
            word = f"{node.id}_of_{kind}" if isinstance(node, ast.Name) else f"window_of_line_{node.lineno}"
            text = WindowCode(name, 0 if is_raw else 1).function(word, body, as_float=self.adjust == "float")
            if text is not None:
                self.definitions[word] = text
                return Kernel(f"rolling({word})", [column], [repr(column), window], options)
        function = self._function(node, is_raw)
        return Kernel(f"rolling({function})", [column], [repr(column), window], options)

    def _function(self, node: ast.expr, is_raw: bool) -> str:
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np", "numpy", "stats", "scipy.stats"):
            return f"lambda window: {ast.unparse(node)}(window)"
        if isinstance(node, ast.Name) and node.id in ("min", "max", "sum", "len"):
            return f"lambda window: {node.id}(window)"
        made = node if isinstance(node, ast.Lambda) else self._inlined(node)
        if made is None or not self.adjust or (is_raw and made is not node):
            return ast.unparse(node)
        made = _without_nan(made)
        if not is_raw:
            made = _OfArrays(made.args.args[0].arg).visit(made)
        if self.adjust == "float" and not _is_float(made.body):
            made.body = ast.Call(ast.Name("float", ast.Load()), [made.body], [])
        return ast.unparse(made)

    def _inlined(self, node: ast.expr) -> ast.Lambda | None:
        return lambda_of(node, self._functions)


class _Named(ast.NodeTransformer):
    """Writes `rolling(20).agg("mean")` and `interpolate()` as the methods of which they are made."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Call(func=ast.Attribute(attr="rolling" | "expanding" | "ewm")) as windows,
                    attr="agg" | "aggregate",
                ),
                args=[ast.Constant(value=str() as name)],
                keywords=[],
            ):
                return ast.Call(ast.Attribute(windows, name, ast.Load()), [], [])
            case ast.Call(func=ast.Attribute(value=inner, attr="interpolate"), args=[], keywords=[]):
                # Behind the last value pandas repeats it.
                inside = ast.keyword("limit_area", ast.Constant("inside"))
                between = ast.Call(ast.Attribute(inner, "interpolate", ast.Load()), [], [inside])
                return ast.Call(ast.Attribute(between, "ffill", ast.Load()), [], [])
        return node


_FLOATS = {
    "mean",
    "std",
    "var",
    "median",
    "nanmean",
    "quantile",
    "percentile",
    "average",
    "sqrt",
    "log",
    "exp",
    "float",
}


def _is_float(body: ast.expr) -> bool:
    """Whether an expression is a float for integers too."""
    if isinstance(body, ast.BinOp):
        return isinstance(body.op, ast.Div) or _is_float(body.left) or _is_float(body.right)
    if isinstance(body, ast.UnaryOp):
        return _is_float(body.operand)
    name = getattr(body.func, "attr", getattr(body.func, "id", "")) if isinstance(body, ast.Call) else ""
    return name in _FLOATS or (isinstance(body, ast.Constant) and isinstance(body.value, float))


def lambda_of(node: ast.expr, functions: dict[str, ast.FunctionDef]) -> ast.Lambda | None:
    """Return a lambda, or a function of plain statements as one; None for others, and for more than one parameter."""
    made = node if isinstance(node, ast.Lambda) else None
    if isinstance(node, ast.Name) and node.id in functions:
        function = functions[node.id]
        only = function.args.args[0].arg if function.args.args else ""
        result = result_of(function, [ast.Name(only, ast.Load())], [])
        if result is not None:
            arguments = ast.parse(f"lambda {only}: 0", mode="eval").body
            assert isinstance(arguments, ast.Lambda)
            made = ast.Lambda(arguments.args, result)
    if made is None or len(made.args.args) != 1 or made.args.vararg or made.args.kwonlyargs or made.args.kwarg:
        return None
    return _without_call(made, functions)


def _without_call(made: ast.Lambda, functions: dict[str, ast.FunctionDef]) -> ast.Lambda:
    """Return `lambda w: f(w.to_list())` as what `f` computes of the window, if it is a function of plain statements."""
    match made:
        case ast.Lambda(
            args=ast.arguments(args=[ast.arg(arg=parameter)]),
            body=ast.Call(func=ast.Name(id=name), args=[given, *others], keywords=keywords),
        ) if name in functions:
            called = method(given)
            whole = called[0] if called is not None and called[1] in ("to_list", "tolist", "to_numpy") else given
            if isinstance(whole, ast.Name) and whole.id == parameter:
                result = result_of(functions[name], [whole, *others], keywords)
                return made if result is None else ast.Lambda(made.args, result)
    return made


def result_of(
    function: ast.FunctionDef, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]
) -> ast.expr | None:
    """Return what a function of plain assignments returns, with arguments in the place of its parameters."""
    given = function.args
    if function.decorator_list or given.vararg or given.kwarg or given.posonlyargs or given.kwonlyargs:
        return None
    names = [a.arg for a in given.args]
    if len(arguments) > len(names) or any(k.arg not in names for k in keywords):
        return None
    known: dict[str, ast.expr] = dict(zip(names[len(names) - len(given.defaults) :], given.defaults, strict=True))
    known |= dict(zip(names, arguments, strict=False))
    known |= {k.arg: k.value for k in keywords if k.arg is not None}
    if set(names) - known.keys():
        return None
    for statement in function.body:
        match statement:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known[name] = substituted(value, known)
            case ast.Assign(targets=[ast.Tuple(elts=elements)], value=value):
                items = substituted(value, known)
                for at, element in enumerate(elements):
                    if not isinstance(element, ast.Name):
                        return None
                    known[element.id] = ast.Subscript(items, ast.Constant(at), ast.Load())
            case ast.Return(value=value) if value is not None:
                return substituted(value, known)
            case _:
                return None
    return None


def substituted(node: ast.expr, known: Mapping[str, ast.expr]) -> ast.expr:
    """Return an expression with others in the place of names."""

    class Names(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.AST:
            return copy.deepcopy(known[name.id]) if name.id in known and isinstance(name.ctx, ast.Load) else name

        def visit_Lambda(self, made: ast.Lambda) -> ast.AST:
            inner = {name: value for name, value in known.items() if name not in {a.arg for a in made.args.args}}
            return ast.Lambda(made.args, substituted(made.body, inner))

    new = Names().visit(copy.deepcopy(node))
    assert isinstance(new, ast.expr)
    return new


def _depth_of(node: ast.expr, receiver: ast.expr) -> int:
    """Return how many calls stand between an expression and one of its receivers."""
    depth = 0
    while node is not receiver:
        called = method(node)
        assert called is not None
        node, depth = called[0], depth + 1
    return depth


def of_array(body: ast.expr, window: str) -> ast.expr:
    """Return a function of a Series as one of an array."""
    made = _OfArrays(window).visit(copy.deepcopy(body))
    assert isinstance(made, ast.expr)
    return made


def _without_nan(function: ast.Lambda) -> ast.Lambda:
    made = _WithoutNan().visit(copy.deepcopy(function))
    assert isinstance(made, ast.Lambda)
    return made


class _WithoutNan(ast.NodeTransformer):
    """Calls `np.mean` for `np.nanmean`: a window has no missing values."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("np", "numpy"):
            node.func.attr = node.func.attr.removeprefix("nan")
        return node


class _OfArrays(ast.NodeTransformer):
    """Writes a function of a Series for an array: `iloc`, and the ddof of pandas."""

    def __init__(self, window: str) -> None:
        self._window = window

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return node.value if node.attr in ("iloc", "values") and self._is_window(node.value) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "to_numpy" and self._is_window(node.func.value):
            return node.func.value
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in ("std", "var")
            and self._is_window(node.func.value)
            and not node.args
            and not node.keywords
        ):
            node.keywords = [ast.keyword("ddof", ast.Constant(1))]
        if isinstance(node.func, ast.Attribute) and self._is_window(node.func.value):
            if node.func.attr == "nunique":
                return _parsed(f"len(np.unique({self._window}))")
            if node.func.attr == "median":
                return ast.Call(_parsed("np.median"), [node.func.value], [])
            if node.func.attr == "quantile":
                return ast.Call(_parsed("np.quantile"), [node.func.value, *node.args], node.keywords)
        return node

    def _is_window(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and node.id == self._window


def _owner(code: str) -> str:
    """Return code of which a method can be called."""
    return f"({code})" if isinstance(_parsed(code), _OPERATIONS) else code


def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def _unparsed(node: ast.expr) -> str:
    return ast.unparse(ast.fix_missing_locations(ast.Expression(node))).replace("'", '"')
