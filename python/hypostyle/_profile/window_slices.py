"""What is computed of a slice around the row, `prices[i - 20 : i]`, as the statistic of a moving window."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Values, is_a
from hypostyle._profile.expanding_slices import expanding_kernel
from hypostyle._profile.inner_loops import reads_row, with_counts, without_row
from hypostyle._profile.row_access import Header, ends_early
from hypostyle._profile.syntax import is_path, names_read
from hypostyle._profile.window_code import WindowCode, is_slope, weighted
from hypostyle._profile.window_kernels import kernel_of

_KERNELS = {
    "mean": ("sum({w}) / len({w})", "np.mean({w})", "statistics.mean({w})", "statistics.fmean({w})", "mean({w})"),
    "sum": ("sum({w})", "np.sum({w})"),
    "max": ("max({w})", "np.max({w})", "np.amax({w})"),
    "min": ("min({w})", "np.min({w})", "np.amin({w})"),
    "median": ("np.median({w})", "statistics.median({w})", "median({w})"),
}
_FAR = 10**6
"""A row with whole windows."""


@dataclass(frozen=True)
class Sliced:
    """What is computed of a slice."""

    result: ast.expr
    """With the name `window` in the place of the slice."""
    column: ast.expr
    lower: ast.expr
    upper: ast.expr
    otherwise: ast.expr | None = None
    """The result of the first rows."""
    statements: Sequence[ast.stmt] | None = None
    """A function of the window, in place of the result."""


@dataclass
class Made:
    """The code of a moving statistic."""

    code: str
    use: str
    definitions: str


def sliced_of(value: ast.expr, header: Header, window: ast.expr | None = None, name: str = "") -> Sliced | None:
    """Read an expression of one slice around the row; `name` stands for the slice `window`."""
    otherwise = None
    if isinstance(value, ast.IfExp) and header.index in names_read([value.test]):
        first, second = value.body, value.orelse
        value, otherwise = (first, second) if isinstance(second, ast.Constant | ast.Attribute) else (second, first)
    slices: list[ast.Subscript] = [window] if isinstance(window, ast.Subscript) else []
    of_row: list[ast.Subscript] = []

    class Windows(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            if isinstance(node.slice, ast.Slice) and header.index in names_read([node.slice]):
                slices.append(node)
                return ast.Name("window", ast.Load())
            if isinstance(node.slice, ast.Name) and node.slice.id == header.index:
                of_row.append(node)
                return ast.parse("window[-1]", mode="eval").body
            return self.generic_visit(node)

        def visit_Name(self, node: ast.Name) -> ast.AST:
            return ast.Name("window", ast.Load()) if name and node.id == name else node

    result = Windows().visit(copy.deepcopy(value))
    if not slices or len({ast.dump(s) for s in slices}) > 1 or header.index in names_read([result]):
        return None
    bounds, column = slices[0].slice, slices[0].value
    if isinstance(column, ast.Attribute) and column.attr in ("iloc", "values"):
        column = column.value
    if not isinstance(bounds, ast.Slice) or bounds.step is not None or not is_path(column):
        return None
    if bounds.upper is None:
        return None
    rows = {ast.unparse(node.value) for node in of_row}
    if rows and (rows != {ast.unparse(slices[0].value)} or ast.unparse(bounds.upper) != f"{header.index} + 1"):
        return None  # the row's own value is not the last one of the slice
    return Sliced(result, column, bounds.lower or ast.Constant(0), bounds.upper, otherwise)


def column_and_window(sliced: Sliced, header: Header, values: Values) -> tuple[str, str, int, str] | None:
    column = values.of(sliced.column)
    window = window_of(sliced, header, values)
    is_column = isinstance(column, list) or is_a(column, "numpy", "ndarray") or is_a(column, "polars", "Series")
    if window is None or not (is_column or is_a(column, "pandas", "Series")):
        return None
    length = ends_early(header) or header.length
    if length is not None and _rows(length, values) != len(column):
        return None
    code = ast.unparse(sliced.column).replace("'", '"')
    return (f"{code}.to_numpy()" if is_a(column, "pandas", "Series") else code), *window


def _rows(node: ast.expr, values: Values) -> int | None:
    """Return the number of rows that a loop goes to."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" and node.args:
        found = values.of(node.args[0])
        return len(found) if hasattr(found, "__len__") else None
    found = values.of(node)
    return found if type(found) is int else None


def window_of(sliced: Sliced, header: Header, values: Values) -> tuple[str, int, str] | None:
    """Return the number of rows of a slice, how many rows it ends before this one, and the least rows.

    A slice with the row in its middle ends as many rows after it: the number is negative.  All rows so far have
    none.
    """
    index = header.index or ""
    ends = []
    for row in (_FAR, 0):
        for node in (sliced.lower, sliced.upper):
            number = _number(node, {index: row}, values)
            if number is None:
                return None
            ends.append(number)
    lower, upper, first, _ = ends
    size, shift = upper - lower, _FAR + 1 - upper
    if lower == first == 0:
        return ("", shift, "1") if shift in (0, 1) else None
    is_centered = shift < 0 and size == 1 - 2 * shift
    if size < 1 or not (shift in (0, 1) or is_centered):
        return None
    return str(size), shift, "1" if first >= 0 else str(size)


def _number(node: ast.expr, known: dict[str, int], values: Values) -> int | None:
    """Return the value of arithmetic with whole numbers."""
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            a, b = _number(left, known, values), _number(right, known, values)
            if a is None or b is None:
                return None
            return a + b if isinstance(op, ast.Add) else a - b
        case ast.Call(func=ast.Name(id="max"), args=[left, right]):
            a, b = _number(left, known, values), _number(right, known, values)
            return None if a is None or b is None else max(a, b)
    found = values.of(node)
    return found if type(found) is int else None


def made_of(
    sliced: Sliced,
    found: tuple[str, str, int, str],
    values: Values,
    line: int,
    header: Header | None = None,
    key: str | None = None,
) -> Made | None:
    """Write the statistic of a column, as a Series of Polars."""
    column, window, shift, least = found
    if not window:
        return _made_of_all(sliced, column, shift, values, key)
    wider = shift == 1 and sliced.statements is not None and reads_row(sliced.statements)
    if wider:
        window, shift = str(int(window) + 1), 0
        least = least if least == "1" else window
    divisor = _divisor(sliced.result, window, values)
    text = ast.unparse(sliced.result)
    if least == window and text == f"sum(window) / {divisor}":
        text = "sum(window) / len(window)"
    over = "" if key is None else ', over="key"'
    options = f"min_samples={least}{', center=True' if shift < 0 else ''}{over}"
    use, definitions = _kernel_of(sliced, text, window, options), ""
    if use is None:
        name = f"window_of_line_{line}"
        if sliced.statements is not None and header is not None:
            written = _function_of(sliced, header, values, name, wider=wider)
            if written is None:
                return None
            definitions = written
        else:
            definitions = WindowCode("window", 0).function(name, sliced.result) or ""
        function = name if definitions else f"lambda window: {text}"
        use = f'hs.rolling({function})("x", {window}, {options})'
    keys = "" if key is None else f', "key": {key}'
    code = f'pl.DataFrame({{"x": {column}{keys}}}).select({use})["x"]'
    return Made(code + _moved(sliced, shift), use, definitions)


def _made_of_all(sliced: Sliced, column: str, shift: int, values: Values, key: str | None) -> Made | None:
    """Write the statistic of all rows so far."""
    if sliced.statements is not None:
        return None
    over, keys = ("", "") if key is None else (', over="key"', f', "key": {key}')
    is_series = is_a(values.of(sliced.column), "pandas", "Series")
    use = expanding_kernel(sliced.result, over, is_series=is_series)
    if use is None:
        return None
    code = f'pl.DataFrame({{"x": {column}{keys}}}).select({use})["x"]{_moved(sliced, shift)}'
    return Made(code, use, "")


def _moved(sliced: Sliced, shift: int) -> str:
    """Return the methods that move results to later rows, and fill the first ones."""
    code = f".shift({shift})" if shift > 0 else ""
    if sliced.otherwise is not None and ast.unparse(sliced.otherwise) != "None":
        code += f".fill_null({ast.unparse(sliced.otherwise)})"
    return code


def _kernel_of(sliced: Sliced, text: str, window: str, options: str) -> str | None:
    """Return the kernel that computes the same; `text` is the code of the result."""
    for name, forms in _KERNELS.items():
        is_form = sliced.statements is None and text in [form.format(w="window") for form in forms]
        if is_form or text == f"window.{name}()":
            return f'hs.rolling_{name}("x", {window}, {options})'
    if sliced.statements is not None:
        return None
    if (known := kernel_of("window", sliced.result)) is not None:
        given = "".join(f", {name}={code}" for name, code in known[1].items())
        return f'hs.{known[0]}("x", {window}{given}, {options})'
    cut = _trimmed(sliced.result)
    if cut is not None and f"min_samples={window}" in options and 2 * cut < int(window):
        # Of n values, proportion * n are left out at each end, rounded down.
        return f'hs.rolling_trimmed_mean("x", {window}, proportion={(cut + 0.5) / int(window):.4g}, {options})'
    if is_slope("window", sliced.result, window):
        return f'hs.rolling_trend("x", {window}, {options})'
    weights = weighted("window", sliced.result)
    return None if weights is None else f'hs.{weights[0]}("x", {window}, {weights[1]}, {options})'


def _trimmed(node: ast.expr) -> int | None:
    """Return how many values a mean leaves out at each end: `np.mean(np.sort(window)[2:-2])`."""
    match node:
        case ast.Call(func=function, args=[inner], keywords=[]) if ast.unparse(function) == "np.mean":
            pass
        case ast.Call(func=ast.Attribute(value=inner, attr="mean"), args=[], keywords=[]):
            pass
        case _:
            return None
    match inner:
        case ast.Subscript(
            value=ast.Call(func=sort, args=[ast.Name(id="window")], keywords=[]),
            slice=ast.Slice(
                lower=ast.Constant(value=int(low)),
                upper=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(high))),
                step=None,
            ),
        ) if low == high and ast.unparse(sort) in ("np.sort", "sorted"):
            return low
    return None


def _divisor(node: ast.expr, window: str, values: Values) -> str:
    """Return what a sum is divided by, if it is the number of rows."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return window
    found, text = values.of(node.right), ast.unparse(node.right)
    return text if text == window or (type(found) is int and str(found) == window) else window


def _function_of(sliced: Sliced, header: Header, values: Values, name: str, *, wider: bool) -> str | None:
    """Return the text of the function of a window; None if it needs the number of the row.

    Args:
        sliced: The window, and the function.
        header: The head of the loop.
        values: What names are.
        name: The function's name.
        wider: Whether the window has the row itself beside those before it.
    """
    index, rows = header.index or "", [0, 1, 2, 3, _FAR, _FAR + 1]
    is_count: dict[str, bool] = {}
    for node in (n for s in sliced.statements or () for n in ast.walk(s)):
        if isinstance(node, ast.BinOp) and index in names_read([node]):
            sizes = [
                [_number(part, {index: row}, values) for part in (node, sliced.lower, sliced.upper)] for row in rows
            ]
            is_count[ast.unparse(node)] = all(
                None not in of_row and of_row[0] == (of_row[2] or 0) - max(of_row[1] or 0, 0) for of_row in sizes
            )
    statements = with_counts(sliced.statements or (), is_count, "(len(window) - 1)" if wider else "len(window)")
    statements = without_row(statements) if wider else statements
    if index in names_read(statements):
        return None
    lines = "".join(f"    {line}\n" for s in statements for line in ast.unparse(s).splitlines())
    return f"def {name}(window):\n{lines}"


def correlation_of(node: ast.expr, named: Mapping[str, ast.expr], header: Header, values: Values) -> str | None:
    """Return the code of `np.corrcoef(x[i - 20 : i], y[i - 20 : i])[0, 1]`, or `np.cov`; slices can have names."""
    match node:
        case ast.Subscript(
            value=ast.Call(func=function, args=[first, second], keywords=[]), slice=ast.Tuple(elts=place)
        ):
            places = [getattr(p, "value", None) for p in place]
            kernel = {"corrcoef": "rolling_corr", "cov": "rolling_cov"}.get(ast.unparse(function).removeprefix("np."))
            if kernel is None or places not in ([0, 1], [1, 0]):
                return None
        case _:
            return None
    found: list[tuple[str, str, int, str]] = []
    for part in (first, second):
        given = named.get(part.id, part) if isinstance(part, ast.Name) else part
        sliced = sliced_of(given, header)
        one = None if sliced is None else column_and_window(sliced, header, values)
        if one is None:
            return None
        found.append(one)
    (x, *of_x), (y, window, shift, least) = found
    if of_x != [window, shift, least]:
        return None
    if shift < 0:
        return None
    moved = f".shift({shift})" if shift else ""
    frame = f'pl.DataFrame({{"x": {x}, "y": {y}}})'
    if not window:
        return f'{frame}.select(hs.{kernel.replace("rolling", "expanding")}("x", "y"))["x"]{moved}'
    return f'{frame}.select(hs.{kernel}("x", "y", {window}, min_samples={least}))["x"]{moved}'
