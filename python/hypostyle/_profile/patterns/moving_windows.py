"""Loops that keep a window of their own: `window.append(x)` of a `deque`, or slices `prices[i - 20 : i]`.

The window becomes that of a kernel, or of `hs.rolling` with what the loop computes of it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, defining, is_a, replacing, rewritten
from hypostyle._profile.inner_loops import inner_loop, reads_row, with_counts, without_row
from hypostyle._profile.loop_code import argument_of
from hypostyle._profile.loop_syntax import appended
from hypostyle._profile.row_access import Access, Header, header_of
from hypostyle._profile.syntax import SourceFile, is_path, names_read, names_set, read_after
from hypostyle._profile.window_code import WindowCode

_KERNELS = {
    "mean": ("sum({w}) / len({w})", "np.mean({w})", "statistics.mean({w})", "statistics.fmean({w})", "mean({w})"),
    "sum": ("sum({w})", "np.sum({w})"),
    "max": ("max({w})", "np.max({w})", "np.amax({w})"),
    "min": ("min({w})", "np.min({w})", "np.amin({w})"),
    "median": ("np.median({w})", "statistics.median({w})", "median({w})"),
}
_FAR = 10**6
"""A row with whole windows."""


def find(file: SourceFile) -> Iterator[MovingWindow | SliceList]:
    """Yield loops and lists whose values are of a moving window."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.For) and (header := header_of(node)) is not None:
            found = _of_deque(file, node, header) or _of_slices(file, node, header) or _of_inner(file, node, header)
            if found is not None:
                yield found
        if isinstance(node, ast.ListComp) and len(node.generators) == 1 and not node.generators[0].ifs:
            generator = node.generators[0]
            loop = ast.For(generator.target, generator.iter, [], [])
            listed = header_of(loop)
            if listed is not None and listed.form == "index" and (sliced := _sliced(node.elt, listed)) is not None:
                yield SliceList(file, node, listed, sliced)


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


def _sliced(value: ast.expr, header: Header, window: ast.expr | None = None, name: str = "") -> Sliced | None:
    """Read an expression of one slice around the row; `name` stands for the slice `window`."""
    otherwise = None
    if isinstance(value, ast.IfExp) and header.index in names_read([value.test]):
        first, second = value.body, value.orelse
        value, otherwise = (first, second) if isinstance(second, ast.Constant | ast.Attribute) else (second, first)
    slices: list[ast.Subscript] = [window] if isinstance(window, ast.Subscript) else []

    class Windows(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            if isinstance(node.slice, ast.Slice) and header.index in names_read([node.slice]):
                slices.append(node)
                return ast.Name("window", ast.Load())
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
    if bounds.lower is None or bounds.upper is None:
        return None
    return Sliced(result, column, bounds.lower, bounds.upper, otherwise)


def _written(body: Sequence[ast.stmt], header: Header) -> tuple[str, ast.expr, ast.expr | None, bool] | None:
    """Return the output, its value, the one of the first rows, and whether it is an array that is written."""
    if len(body) != 1:
        return None
    statement = body[0]
    if (found := appended(statement)) is not None:
        return found[0], found[1], None, False
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Name(id=index))], value=value):
            return (name, value, None, True) if index == header.index else None
        case ast.If(test=test, body=first, orelse=second):
            one, other = _written(first, header), _written(second, header)
            if one is None or other is None or one[0] != other[0]:
                return None
            is_first = isinstance(one[1], ast.Constant | ast.Attribute)
            inner = ast.IfExp(test, other[1], one[1]) if is_first else ast.IfExp(test, one[1], other[1])
            return one[0], inner, one[1] if is_first else other[1], one[3]
    return None


def _of_slices(file: SourceFile, node: ast.For, header: Header) -> MovingWindow | None:
    if header.form != "index":
        return None
    body: list[ast.stmt] = list(node.body)
    window: ast.expr | None = None
    name = ""
    match body[0]:
        case ast.Assign(targets=[ast.Name(id=found)], value=ast.Subscript(slice=ast.Slice()) as given):
            body, window, name = body[1:], given, found
    written = _written(body, header)
    if written is None:
        return None
    sliced = _sliced(written[1], header, window, name)
    if sliced is None:
        return None
    return MovingWindow(file, node, header, sliced, written[0], written[3], set())


def _of_inner(file: SourceFile, node: ast.For, header: Header) -> MovingWindow | None:
    """Read a loop over the rows of the window in the loop."""
    if header.form != "index" or (found := inner_loop(node, header)) is None:
        return None
    sliced = Sliced(ast.Constant(None), found.column, found.lower, found.upper, found.otherwise, found.statements)
    return MovingWindow(file, node, header, sliced, found.output, found.is_array, set())


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


def _of_deque(file: SourceFile, node: ast.For, header: Header) -> MovingWindow | None:
    """Read `window.append(x)`, perhaps a `popleft`, and what is computed of the window."""
    body, of_key = _of_one_window(node.body)
    first = appended(body[0]) if body else None
    if first is None:
        return None
    window, value = first
    rest, size = body[1:], None
    match rest[0] if rest else None:
        case ast.If(test=ast.Compare(left=left, ops=[ast.Gt()], comparators=[most]), body=[dropping]):
            if ast.unparse(left) == f"len({window})" and _drops(dropping, window):
                rest, size = rest[1:], most
    if size is None:
        size = _most_of(file, node, window if of_key is None else of_key[0])
    written = _written(rest, header)
    if size is None or written is None or written[3]:
        return None
    result, otherwise = written[1], written[2]
    if isinstance(result, ast.IfExp):
        is_whole = ast.unparse(result.test) in {
            f"len({window}) {op} {ast.unparse(size)}" for op in ("==", ">=", "<", "!=")
        }
        if not is_whole or otherwise is None:
            return None
        result = result.body if result.orelse is otherwise else result.orelse
    if names_set([node.target, *body]) & names_read([result]) or window not in names_read([result]):
        return None

    class Window(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.AST:
            return ast.Name("window", ast.Load()) if name.id == window else name

    sliced = Sliced(Window().visit(copy.deepcopy(result)), value, size, size, otherwise)
    if of_key is not None and of_key[0] in read_after(file, [node]):
        return None
    made = MovingWindow(file, node, header, sliced, written[0], False, {window if of_key is None else of_key[0]})
    made.key = None if of_key is None else of_key[1]
    return made


def _of_one_window(body: Sequence[ast.stmt]) -> tuple[list[ast.stmt], tuple[str, ast.expr] | None]:
    """Return a body that has a window for each key as one of a single window, with their dictionary and the key.

    It begins with `window = windows[key]`, or with `windows[key].append(value)`.
    """
    rest = list(body)
    match rest[0] if rest else None:
        case ast.Assign(targets=[ast.Name()], value=ast.Subscript(value=ast.Name(id=windows), slice=key)):
            return rest[1:], (windows, key)
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Subscript(value=ast.Name(id=windows), slice=key) as item, attr="append")
            )
        ):
            code = ast.dump(item)

            class Window(ast.NodeTransformer):
                def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
                    return ast.Name("window", ast.Load()) if ast.dump(node) == code else self.generic_visit(node)

            return [Window().visit(copy.deepcopy(statement)) for statement in rest], (windows, key)
    return rest, None


def _drops(statement: ast.stmt, window: str) -> bool:
    return ast.unparse(statement) in (f"{window}.popleft()", f"{window}.pop(0)", f"del {window}[0]")


def _most_of(file: SourceFile, node: ast.For, window: str) -> ast.expr | None:
    """Return n of `window = deque(maxlen=n)` in front of the loop."""
    block = file.block(node)
    for statement in block[: block.index(node)]:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(keywords=keywords) as call) if name == window:
                if (
                    ast.unparse(call.func).endswith("defaultdict")
                    and call.args
                    and isinstance(call.args[0], ast.Lambda)
                ):
                    made = call.args[0].body
                    call, keywords = (made, made.keywords) if isinstance(made, ast.Call) else (call, keywords)
                if ast.unparse(call.func).endswith("deque"):
                    return next((k.value for k in keywords if k.arg == "maxlen"), None)
    return None


@dataclass
class Made:
    """The code of a moving statistic."""

    code: str
    use: str
    definitions: str


def _made(
    sliced: Sliced,
    found: tuple[str, str, int, str],
    values: Values,
    line: int,
    header: Header | None = None,
    key: str | None = None,
) -> Made | None:
    """Write the statistic of a column, as a Series of Polars."""
    column, window, shift, least = found
    wider = shift == 1 and sliced.statements is not None and reads_row(sliced.statements)
    if wider:
        window, shift = str(int(window) + 1), 0
        least = least if least == "1" else window
    divisor = _divisor(sliced.result, window, values)
    text = ast.unparse(sliced.result)
    if least == window and text == f"sum(window) / {divisor}":
        text = "sum(window) / len(window)"
    definitions, over = "", "" if key is None else ', over="key"'
    for name, forms in _KERNELS.items():
        if (
            sliced.statements is None and text in [form.format(w="window") for form in forms]
        ) or text == f"window.{name}()":
            use = f'hs.rolling_{name}("x", {window}, min_samples={least}{over})'
            break
    else:
        name = f"window_of_line_{line}"
        if sliced.statements is not None and header is not None:
            written = _function_of(sliced, header, values, name, wider=wider)
            if written is None:
                return None
            definitions = written
        else:
            definitions = WindowCode("window", 0).function(name, sliced.result) or ""
        function = name if definitions else f"lambda window: {text}"
        use = f'hs.rolling({function})("x", {window}, min_samples={least}{over})'
    keys = "" if key is None else f', "key": {key}'
    code = f'pl.DataFrame({{"x": {column}{keys}}}).select({use})["x"]'
    code += f".shift({shift})" if shift else ""
    if sliced.otherwise is not None and ast.unparse(sliced.otherwise) != "None":
        code += f".fill_null({ast.unparse(sliced.otherwise)})"
    return Made(code, use, definitions)


def _divisor(node: ast.expr, window: str, values: Values) -> str:
    """Return what a sum is divided by, if it is the number of rows."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return window
    found, text = values.of(node.right), ast.unparse(node.right)
    return text if text == window or (type(found) is int and str(found) == window) else window


def _window_of(sliced: Sliced, header: Header, values: Values) -> tuple[str, int, str] | None:
    """Return the number of rows of a slice, how many rows it ends before this one, and the least rows."""
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
    if size < 1 or shift not in (0, 1):
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


@dataclass(eq=False)
class MovingWindow:
    """A loop with a window of its own."""

    file: SourceFile
    node: ast.For
    header: Header
    sliced: Sliced
    output: str
    is_array: bool
    windows: set[str]
    """The name of its `deque`; none if it takes slices."""
    key: ast.expr | None = None
    """The key of which it has a window for each value."""

    pattern = "moving windows"
    suggestion = "hs.rolling_mean and its like, or hs.rolling(f)"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The loop, with the statements before it that make its window and its list."""
        block = self.file.block(self.node)
        at = first = block.index(self.node)
        names = self.windows | (set() if self.is_array else {self.output})
        while first > 0 and isinstance(block[first - 1], ast.Assign) and names_set([block[first - 1]]) <= names:
            first -= 1
        return block[first : at + 1]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the kernel over the column."""
        found = self._of_deque(values) if self.windows else _of_slice(self.sliced, self.header, values)
        if found is None:
            return
        key = None if self.key is None else self._key(values)
        if self.key is not None and key is None:
            return
        made = _made(self.sliced, found, values, self.node.lineno, self.header, key)
        if made is None or self._reads_locals(made):
            return
        start = "" if self.header.start is None else f"[{ast.unparse(self.header.start)}:]"
        before = self.file.statements(self.statements)
        if self.is_array:
            codes = [f"{self.output}{start or '[:]'} = {made.code}.to_numpy(){start}\n"]
        else:
            lists = _as_lists(made, start)
            if self.sliced.statements is not None:
                lists.append(f"{made.code}.cast(pl.Int64).to_list(){start}")  # of a loop that counts
            codes = [f"{self.output} = {code}\n" for code in lists]
        for code in codes:
            edit = rewritten(self.file, self.statements, code)
            definitions = defining(self.file, self.statements, made.definitions)
            yield Change(made.use, before, code, made.definitions, [*definitions, edit])

    def _key(self, values: Values) -> str | None:
        """Return the code of the column of keys."""
        names = iter([f"column_{n}" for n in range(99)])
        access = Access(self.header, values, lambda _: next(names), by_row=True)
        access.by_position()
        column = None if self.key is None else access.column_of(copy.deepcopy(self.key))
        if column is None or access.problem:
            return None
        code = ast.unparse(column.argument).replace("'", '"')
        return f"{code}.to_numpy()" if is_a(column.value, "pandas", "Series") else code

    def _reads_locals(self, made: Made) -> bool:
        """Whether the function of a window, which stands in front of the user's, reads what only that one knows."""
        scope = self.file.scope(self.node)
        if not made.definitions or scope is self.file.tree or not isinstance(scope, ast.FunctionDef):
            return False
        function = ast.parse(made.definitions).body
        free = names_read(function) - names_set(function) - {"window"}
        return bool(free & (names_set(scope.body) | {a.arg for a in scope.args.args}))

    def _of_deque(self, values: Values) -> tuple[str, str, int, str] | None:
        names = iter([f"column_{n}" for n in range(99)])
        access = Access(self.header, values, lambda _: next(names), by_row=True)
        access.by_position()
        access.visit(copy.deepcopy(self.sliced.column))
        if access.problem or access.uses_index or len(access.columns) != 1:
            return None
        column = next(iter(access.columns.values()))
        size = ast.unparse(self.sliced.lower)
        least = "1" if self.sliced.otherwise is None else size
        return argument_of(column)[0], size, 0, least


def _of_slice(sliced: Sliced, header: Header, values: Values) -> tuple[str, str, int, str] | None:
    column = values.of(sliced.column)
    window = _window_of(sliced, header, values)
    is_column = isinstance(column, list) or is_a(column, "numpy", "ndarray") or is_a(column, "polars", "Series")
    if window is None or header.length is None or not (is_column or is_a(column, "pandas", "Series")):
        return None
    if _rows(header.length, values) != len(column):
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


@dataclass(eq=False)
class SliceList:
    """A list of what is computed of slices."""

    file: SourceFile
    node: ast.ListComp
    header: Header
    sliced: Sliced

    pattern = "moving windows"
    suggestion = "hs.rolling_mean and its like, or hs.rolling(f)"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the list."""
        return [self.file.statement(self.node)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the kernel over the column."""
        found = _of_slice(self.sliced, self.header, values)
        if found is None:
            return
        made = _made(self.sliced, found, values, self.node.lineno)
        if made is None:
            return
        start = "" if self.header.start is None else f"[{ast.unparse(self.header.start)}:]"
        for code in _as_lists(made, start):
            change = replacing(self.file, self.node, code, made.use, definitions=made.definitions)
            if change is not None:
                yield change


def _as_lists(made: Made, start: str) -> list[str]:
    """Return the code of a list: of Python's numbers, or of NumPy's as its functions return."""
    return [f"{made.code}.to_list(){start}", f"list({made.code}.to_numpy(){start})"]
