"""Loops that keep a window of their own: `window.append(x)` of a `deque`, or slices `prices[i - 20 : i]`.

The window becomes that of a kernel, or of `hs.rolling` with what the loop computes of it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, defining, is_a, replacing, rewritten
from hypostyle._profile.inner_loops import inner_loop
from hypostyle._profile.loop_syntax import appended
from hypostyle._profile.row_access import Access, Header, argument_of, header_of, rows_of
from hypostyle._profile.syntax import SourceFile, names_read, names_set, read_after
from hypostyle._profile.window_slices import Made, Sliced, column_and_window, made_of, sliced_of


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
            if listed is not None and listed.form == "index" and (sliced := sliced_of(node.elt, listed)) is not None:
                yield SliceList(file, node, listed, sliced)


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
    sliced = sliced_of(written[1], header, window, name)
    if sliced is None:
        return None
    return MovingWindow(file, node, header, sliced, written[0], written[3], set())


def _of_inner(file: SourceFile, node: ast.For, header: Header) -> MovingWindow | None:
    """Read a loop over the rows of the window in the loop."""
    if header.form != "index" or (found := inner_loop(node, header)) is None:
        return None
    sliced = Sliced(ast.Constant(None), found.column, found.lower, found.upper, found.otherwise, found.statements)
    return MovingWindow(file, node, header, sliced, found.output, found.is_array, set())


def _of_deque(file: SourceFile, node: ast.For, header: Header) -> MovingWindow | None:
    """Read `window.append(x)`, perhaps a `popleft`, and what is computed of the window."""
    body, of_key = _of_one_window(_with_default(node.body))
    first = appended(body[0]) if body else None
    if first is None:
        return None
    window, value = first
    rest, size = _last_rows(body[1:], window)
    match rest[0] if rest else None:
        case ast.If(test=ast.Compare(left=left, ops=[ast.Gt()], comparators=[most]), body=[dropping]):
            if ast.unparse(left) == f"len({window})" and _drops(dropping, window):
                rest, size = rest[1:], most
    if size is None:
        size = _most_set(node.body[0]) or _most_of(file, node, window if of_key is None else of_key[0])
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


def _with_default(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return a body that makes the window of a new key itself as if the dictionary did.

    It begins with `if key not in windows: windows[key] = []`, with `window = windows.setdefault(key, [])`, or with an
    append to the latter.
    """
    match list(body):
        case [
            ast.If(
                test=ast.Compare(left=key, ops=[ast.NotIn()], comparators=[ast.Name(id=windows)]),
                body=[ast.Assign(targets=[ast.Subscript(value=ast.Name(id=made), slice=of)])],
                orelse=[],
            ),
            *rest,
        ] if windows == made and ast.dump(key) == ast.dump(of):
            return rest
        case [first, *rest]:

            class Items(ast.NodeTransformer):
                def visit_Call(self, node: ast.Call) -> ast.AST:
                    self.generic_visit(node)
                    match node:
                        case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="setdefault"), args=[key, _]):
                            return ast.Subscript(owner, key, ast.Load())
                    return node

            return [Items().visit(copy.deepcopy(first)), *rest]
    return list(body)


def _most_set(statement: ast.stmt) -> ast.expr | None:
    """Return n of `windows.setdefault(key, deque(maxlen=n))`, or of `windows[key] = deque(maxlen=n)`."""
    calls = (n for n in ast.walk(statement) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("deque"))
    return next((k.value for call in calls for k in call.keywords if k.arg == "maxlen"), None)


def _last_rows(body: list[ast.stmt], window: str) -> tuple[list[ast.stmt], ast.expr | None]:
    """Return a body that looks at `window[-20:]` alone as one of a window of 20 rows, and that number."""
    sizes: dict[str, ast.expr] = {}
    names = {window}

    class Slices(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            match node:
                case ast.Subscript(
                    value=ast.Name(id=name), slice=ast.Slice(lower=ast.UnaryOp(op=ast.USub(), operand=size), upper=None)
                ) if name == window:
                    sizes[ast.unparse(size)] = size
                    return ast.Name(window, node.ctx)
            return self.generic_visit(node)

        def visit_Name(self, node: ast.Name) -> ast.AST:
            return ast.Name(window, node.ctx) if node.id in names else node

    written: list[ast.stmt] = []
    for statement in body:
        made = Slices().visit(copy.deepcopy(statement))
        match made:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=found)) if found == window and sizes:
                names.add(name)
            case _:
                written.append(made)
    return (written, next(iter(sizes.values()))) if len(sizes) == 1 else (body, None)


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
        while first > 0 and _sets_only(block[first - 1], names):
            first -= 1
        return block[first : at + 1]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the kernel over the column."""
        found = self._of_deque(values) if self.windows else column_and_window(self.sliced, self.header, values)
        if found is None or (not self.windows and self.header.length is None):
            return
        key = None if self.key is None else self._key(values)
        if self.key is not None and key is None:
            return
        made = made_of(self.sliced, found, values, self.node.lineno, self.header, key)
        if made is None or self._reads_locals(made):
            return
        rows = rows_of(self.header)
        start = f"[{rows}]" if rows else ""
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
        found = column_and_window(self.sliced, self.header, values)
        if found is None or self.header.length is None:
            return
        made = made_of(self.sliced, found, values, self.node.lineno)
        if made is None:
            return
        rows = rows_of(self.header)
        start = f"[{rows}]" if rows else ""
        for code in _as_lists(made, start):
            change = replacing(self.file, self.node, code, made.use, definitions=made.definitions)
            if change is not None:
                yield change


def _sets_only(statement: ast.stmt, names: set[str]) -> bool:
    """Whether a statement assigns some of these names, and no item of anything."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return bool(targets) and all(isinstance(target, ast.Name) and target.id in names for target in targets)


def _as_lists(made: Made, start: str) -> list[str]:
    """Return the code of a list: of Python's numbers, or of NumPy's as its functions return."""
    return [f"{made.code}.to_list(){start}", f"list({made.code}.to_numpy(){start})"]
