"""A function called once per row: `frame.apply(f, axis=1)`, `column.map(f)`, `[f(a, b) for a, b in zip(...)]`."""

from __future__ import annotations

import ast
import builtins
import copy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from keyword import kwlist

from hypostyle._profile.change import Change, Values, is_a, replacing
from hypostyle._profile.column_methods import of_column, of_columns
from hypostyle._profile.function_results import fields_of, numbered, words_of
from hypostyle._profile.lookups import Lookups
from hypostyle._profile.patterns.grouped import grouping_of
from hypostyle._profile.rewrite import lambda_of
from hypostyle._profile.row_access import Access, Header, argument_of, header_of
from hypostyle._profile.row_reductions import reduced
from hypostyle._profile.syntax import SourceFile, functions_of, is_path, keyword, method, names_read, names_set


def find(file: SourceFile) -> Iterator[RowFunction | Comprehension | Mapped]:
    """Yield calls that call a function for each row."""
    vectorized = _vectorized(file)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ListComp) and len(node.generators) == 1 and not node.generators[0].ifs:
            yield Comprehension(file, node)
        if isinstance(node, ast.Call) and (mapped := _mapped(node, vectorized)) is not None:
            yield Mapped(file, node, *mapped)
        called = method(node)
        if called is None or called[1] not in ("apply", "map") or not is_path(_frame(called[0])):
            continue
        call = called[2]
        takes_function = len(call.args) == 1 and isinstance(call.args[0], ast.Lambda | ast.Name | ast.Attribute)
        if takes_function and grouping_of(called[0]) is None and keyword(call, "engine") is None:
            yield RowFunction(file, call, called[0], called[1])


@dataclass(eq=False)
class RowFunction:
    """A call of `apply` or `map` of pandas."""

    file: SourceFile
    node: ast.Call
    receiver: ast.expr
    name: str

    pattern = "row functions"
    suggestion = "engine=hs.jit"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the call with our engine."""
        # Some columns of a frame are a frame too.
        owner = values.of(_frame(self.receiver))
        receiver, function = self.file.code(self.receiver), self.file.code(self.node.args[0])
        if is_a(owner, "pandas", "Series"):
            yield from self._of_words(receiver)
        if self._arguments:
            yield from self._with_arguments(receiver, owner)
            return
        options = [f"{k.arg}={self.file.code(k.value)}" for k in self.node.keywords if k.arg]
        by_row = is_a(owner, "pandas", "DataFrame") and self.name == "apply" and _by_row(self.node)
        if not by_row and not is_a(owner, "pandas", "Series"):
            return
        if by_row and len(options) == 1 and (code := reduced(receiver, self.node.args[0])) is not None:
            change = replacing(self.file, self.node, code, code)
            if change is not None:
                yield change
        name = "apply" if by_row else "map"
        call = f"{receiver}.{name}({', '.join([function, *options])}, engine=hs.jit)"
        use = f"{name}(..., engine=hs.jit)"
        if not has_engines():
            call, use = f"hs.jit({function})({receiver})", f"hs.jit({function.split(':')[0]})(...)"
        change = replacing(self.file, self.node, call, use) if has_engines() or not (by_row or options) else None
        if change is not None:
            yield change
        if not by_row and not options and getattr(getattr(owner, "dtype", None), "kind", "") in "mM":
            # The engine refuses times, of which pandas makes objects.
            direct = f"hs.jit({function})({receiver})"
            change = replacing(self.file, self.node, direct, f"hs.jit({function.split(':')[0]})(...)")
            if change is not None:
                yield change
        if not by_row and not options:
            yield from self._of_methods(owner, receiver)
        if by_row and not [o for o in options if not o.startswith(("axis", "result_type"))]:
            yield from self._of_columns(values)
            made = self._function()
            code = None if made is None or len(options) > 1 else of_columns(made.args.args[0].arg, made.body, receiver)
            if code is not None and (change := replacing(self.file, self.node, code, code)) is not None:
                yield change

    def _function(self) -> ast.Lambda | None:
        """Return the function as an expression of its one parameter."""
        return lambda_of(self.node.args[0], functions_of(self.file))

    def _of_methods(self, owner: object, column: str) -> Iterator[Change]:
        """Yield methods of the column in place of those of its values."""
        kind = "dt" if getattr(getattr(owner, "dtype", None), "kind", "") in "mM" else "str"
        made = self._function()
        code = None if made is None else of_column(made.args.args[0].arg, made.body, column, kind)
        for found in [] if code is None else [code, f'{code}.astype("str")']:
            if (change := replacing(self.file, self.node, found, found)) is not None:
                yield change

    @property
    def _arguments(self) -> list[ast.keyword]:
        """What goes to the function beside the value: `args=(0.07, 2.5)`, and names of its own parameters."""
        return [k for k in self.node.keywords if k.arg == "args" or k.arg in self._parameters()[1:]]

    def _parameters(self) -> list[str]:
        given = self.node.args[0]
        function = functions_of(self.file).get(given.id) if isinstance(given, ast.Name) else given
        return [a.arg for a in function.args.args] if isinstance(function, ast.FunctionDef | ast.Lambda) else []

    def _with_arguments(self, receiver: str, owner: object) -> Iterator[Change]:
        """Yield the call with a function of one value, in which the others are written out."""
        parameters = self._parameters()
        others = [k for k in self.node.keywords if k not in self._arguments]
        if not is_a(owner, "pandas", "Series") or not parameters or others:
            return
        words = [parameters[0]]
        for k in self._arguments:
            if k.arg == "args" and not isinstance(k.value, ast.Tuple | ast.List):
                return
            parts = k.value.elts if k.arg == "args" and isinstance(k.value, ast.Tuple | ast.List) else [k.value]
            words += [self.file.code(p) if k.arg == "args" else f"{k.arg}={self.file.code(p)}" for p in parts]
        given = self.node.args[0]
        if not isinstance(given, ast.Name):
            return
        code = f"lambda {parameters[0]}: {given.id}({', '.join(words)})"
        call, use = f"{receiver}.map({code}, engine=hs.jit)", "map(..., engine=hs.jit)"
        if not has_engines():
            call, use = f"hs.jit({code})({receiver})", "hs.jit(lambda)(...)"
        change = replacing(self.file, self.node, call, use)
        if change is not None:
            yield change

    def _of_words(self, receiver: str) -> Iterator[Change]:
        """Yield the function of a value with its words numbered, if words are what it returns."""
        found = None if self.node.keywords else words_of(self.file, self.node.args[0])
        if found is None:
            return
        labels, name, definition = found
        words = labels.decoded(f"{name}({receiver}.to_numpy())")
        code = f"pd.Series({words}, index={receiver}.index, name={receiver}.name)"
        change = replacing(self.file, self.node, code, f"@hs.jit {name} (written below)", "", definition)
        if change is not None:
            yield change

    def _of_columns(self, values: Values) -> Iterator[Change]:
        """Yield the function of a row as one of columns, where strings are compared beforehand."""
        given = self.node.args[0]
        function = functions_of(self.file).get(given.id) if isinstance(given, ast.Name) else given
        if not isinstance(function, ast.FunctionDef | ast.Lambda) or len(function.args.args) != 1:
            return
        body = function.body if isinstance(function, ast.FunctionDef) else [ast.Return(function.body)]
        row = function.args.args[0].arg
        used = names_read(body) | names_set(body) | set(kwlist)

        def free(name: str) -> str:
            while name in used:
                name += "_"
            used.add(name)
            return name

        several, body = fields_of(body, expands=keyword(self.node, "result_type") is not None)
        labels, body = (None, body) if several else numbered(body) or (None, body)
        body = [Lookups(values).visit(copy.deepcopy(statement)) for statement in body]
        access = Access(Header("rows", _frame(self.receiver), row=row), values, free, by_row=True)
        written = [access.visit(copy.deepcopy(statement)) for statement in body]
        if access.problem or not access.columns or access.uses_index:
            return
        name = f"{given.id if isinstance(given, ast.Name) else 'function'}_of_columns"
        parameters = ", ".join(column.parameter for column in access.columns.values())
        made = ast.parse(f"@hs.jit\ndef {name}({parameters}): pass").body[0]
        assert isinstance(made, ast.FunctionDef)
        made.body = written
        definition = f"{ast.unparse(ast.fix_missing_locations(made))}\n"
        arguments = ", ".join(argument_of(column)[0] for column in access.columns.values())
        call = f"{name}({arguments})" if labels is None else labels.decoded(f"{name}({arguments})")
        index = f"{self.file.code(self.receiver)}.index"
        code = f"pd.Series({call}, index={index})"
        if several:
            code = f"pd.DataFrame(dict(zip({several}, {call}, strict=True)), index={index})"
        change = replacing(self.file, self.node, code, f"@hs.jit {name} (written below)", "", definition)
        if change is not None:
            yield change


def _frame(node: ast.expr) -> ast.expr:
    """Return the frame of which a node is some columns; the node itself if it is none."""
    match node:
        case ast.Subscript(value=frame, slice=ast.List(elts=names)) if all(isinstance(n, ast.Constant) for n in names):
            return frame
    return node


def has_engines() -> bool:
    """Whether `map` and `apply` of pandas take an engine."""
    return int(sys.modules["pandas"].__version__.partition(".")[0]) >= 3


def _by_row(call: ast.Call) -> bool:
    axis = keyword(call, "axis")
    return isinstance(axis, ast.Constant) and axis.value in (1, "columns")


def _vectorized(file: SourceFile) -> dict[str, ast.expr]:
    """Return the names that stand for a function of `np.vectorize`, with that function."""
    found: dict[str, ast.expr] = {}
    if "vectorize" not in file.text:
        return found
    for node in ast.walk(file.tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(attr="vectorize"), args=[function])
            ):
                found[name] = function
            case ast.FunctionDef(name=name, decorator_list=[ast.Attribute(attr="vectorize")]):
                found[name] = ast.Attribute(ast.Name(name, ast.Load()), "pyfunc", ast.Load())
    return found


def _mapped(node: ast.Call, vectorized: dict[str, ast.expr]) -> tuple[ast.expr, list[ast.expr], str] | None:
    """Return function, columns and kind of `list(map(f, a, b))`, `np.vectorize(f)(a, b)`, and a name of the latter."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=columns, keywords=[]) if name in vectorized:
            return vectorized[name], columns, "array"
        case ast.Call(func=ast.Name(id="list"), args=[ast.Call(func=ast.Name(id="map"), args=[function, *columns])]):
            return function, columns, "list"
        case ast.Call(
            func=ast.Call(func=ast.Attribute(attr="vectorize"), args=[function], keywords=[]), args=columns, keywords=[]
        ):
            return function, columns, "array"
        case ast.Call(func=ast.Attribute(value=column, attr="combine"), args=[other, function], keywords=[]):
            return function, [column, other], "series"
    return None


@dataclass(eq=False)
class Mapped:
    """A function over columns, called value by value."""

    file: SourceFile
    node: ast.Call
    function: ast.expr
    columns: list[ast.expr]
    kind: str

    pattern = "row functions"
    suggestion = "hs.jit(f)(columns)"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield a call of the compiled function over the columns."""
        arguments = [column_code(self.file, column, values) or self._number(column, values) for column in self.columns]
        if None in arguments or not arguments:
            return
        is_written = hasattr(self.function, "lineno")
        function = self.file.code(self.function) if is_written else ast.unparse(self.function)
        if self.kind != "series" and (words := words_of(self.file, self.function)) is not None:
            labels, name, definition = words
            code = labels.decoded(
                f"{name}({', '.join(map(str, arguments))})", "object" if self.kind == "list" else "str"
            )
            code = f"{code}.tolist()" if self.kind == "list" else code
            change = replacing(self.file, self.node, code, f"@hs.jit {name} (written below)", "", definition)
            if change is not None:
                yield change
        call = f"hs.jit({function})({', '.join(map(str, arguments))})"
        if self.kind == "series":
            call = f"pd.Series({call}, index={self.file.code(self.columns[0])}.index)"
        for code in _as_lists(call, is_polars=False) if self.kind == "list" else [call]:
            change = replacing(self.file, self.node, code, f"hs.jit({function.split(':')[0]})(...)")
            if change is not None:
                yield change

    def _number(self, node: ast.expr, values: Values) -> str | None:
        """Return the code of a number, which `np.vectorize` gives to every call."""
        found = values.of(node)
        return self.file.code(node) if self.kind == "array" and isinstance(found, int | float) else None


def _as_lists(call: str, *, is_polars: bool) -> list[str]:
    """Return the code of a list: of Python's numbers, or of NumPy's as a list over an array has."""
    return [f"{call}.to_list()"] if is_polars else [f"{call}.tolist()", f"list({call})"]


def column_code(file: SourceFile, node: ast.expr, values: Values) -> str | None:
    """Return the code of a column as an argument of a compiled function; None if it is none."""
    found, code = values.of(node), file.code(node)
    if isinstance(node, ast.BinOp | ast.Compare | ast.UnaryOp):
        return _expression_code(code, node, values)
    if is_a(found, "pandas", "Series") and getattr(found.dtype, "kind", "O") in "iufb":
        return f"{code}.to_numpy()"
    if isinstance(found, list):
        return f"np.array({code})"
    is_method = method(node) is not None or isinstance(node, ast.Attribute)
    is_column = is_a(found, "polars", "Series") or is_a(found, "numpy", "ndarray") or is_a(found, "pandas", "Series")
    return code if is_column or (found is None and is_method) else None


def _expression_code(code: str, node: ast.expr, values: Values) -> str | None:
    """Return the code of `df["side"] == "buy"` and the like, columns that are computed beforehand."""
    found = [values.of(part) for part in _operands(node)]
    if any(is_a(value, "pandas", "Series") for value in found):
        return f"({code}).to_numpy()"
    is_column = any(is_a(value, "polars", "Series") or is_a(value, "numpy", "ndarray") for value in found)
    return f"({code})" if is_column and all(value is not None for value in found) else None


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what operators are applied to."""
    match node:
        case ast.BinOp(left=left, right=right):
            yield from _operands(left)
            yield from _operands(right)
        case ast.Compare(left=left, comparators=others):
            yield from _operands(left)
            for other in others:
                yield from _operands(other)
        case ast.UnaryOp(operand=operand):
            yield from _operands(operand)
        case _:
            yield node


@dataclass(eq=False)
class Comprehension:
    """A list of what a function returns for each row."""

    file: SourceFile
    node: ast.ListComp

    pattern = "row functions"
    suggestion = "hs.jit(f)(columns)"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the list."""
        return [self.file.statement(self.node)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield a call of the compiled function over the columns."""
        generator = self.node.generators[0]
        loop = ast.For(generator.target, generator.iter, [], [])
        header = header_of(loop)
        if header is None:
            return
        if header.form != "values" or header.index is not None:
            yield from self._of_rows(header, values)
            return
        names = header.names
        arguments, is_polars = [], False
        for array in header.arrays:
            code = column_code(self.file, array, values)
            if code is None:
                return
            is_polars = is_polars or is_a(values.of(array), "polars", "Series")
            arguments.append(code)
        element = self.node.elt
        is_plain = isinstance(element, ast.Call) and [ast.unparse(a) for a in element.args] == names
        called = element.func if isinstance(element, ast.Call) and not element.keywords else None
        if is_plain and isinstance(called, ast.Name) and called.id not in dir(builtins):
            function = called.id
        else:
            function = f"lambda {', '.join(names)}: {self.file.code(element)}"
        words = words_of(self.file, ast.copy_location(ast.parse(function, mode="eval").body, element))
        if words is not None:
            labels, word, definition = words
            found = f"{word}({', '.join(arguments)})" + (".to_numpy()" if is_polars else "")
            use = f"@hs.jit {word} (written below)"
            change = replacing(self.file, self.node, f"{labels.decoded(found)}.tolist()", use, "", definition)
            if change is not None:
                yield change
        call = f"hs.jit({function})({', '.join(arguments)})"
        for code in _as_lists(call, is_polars=is_polars):
            change = replacing(self.file, self.node, code, f"hs.jit({function.split(':')[0]})(...)")
            if change is not None:
                yield change

    def _of_rows(self, header: Header, values: Values) -> Iterator[Change]:
        """Yield a call of a function of the columns that the rows are read from."""
        used = names_read([self.node]) | names_set([self.node]) | set(kwlist)

        def free(name: str) -> str:
            while name in used:
                name += "_"
            used.add(name)
            return name

        for by_row in (True, False):
            access = Access(copy.copy(header), values, free, by_row=by_row)
            access.by_position()
            value = access.visit(copy.deepcopy(self.node.elt))
            if access.problem or not access.columns or (by_row and access.uses_index):
                continue
            rows = len(next(iter(access.columns.values())).value)
            if any(len(column.value) != rows for column in access.columns.values()):
                return
            if header.length is not None and not access.is_length(header.length, rows):
                return
            name = f"values_of_line_{self.node.lineno}"
            parameters = ", ".join(column.parameter for column in access.columns.values())
            start = "" if header.start is None else f"{ast.unparse(header.start)}, "
            if by_row:
                body = f"@hs.jit\ndef {name}({parameters}):\n    return {ast.unparse(value)}\n"
            else:
                length = ast.unparse(access.length())
                body = (
                    f"@hs.loop\ndef {name}({parameters}):\n    out = np.full({length}, np.nan)\n"
                    f"    for {access.index} in range({start}{length}):\n"
                    f"        out[{access.index}] = {ast.unparse(value)}\n    return out\n"
                )
            made = [argument_of(column) for column in access.columns.values()]
            call = f"{name}({', '.join(code for code, _ in made)})"
            is_polars = any(library == "polars" for _, library in made)
            part = f"[{ast.unparse(header.start)}:]" if header.start is not None else ""
            for code in _as_lists(f"{call}{part}", is_polars=is_polars):
                use = f"@hs.{'jit' if by_row else 'loop'} {name} (written below)"
                change = replacing(self.file, self.node, code, use, definitions=body)
                if change is not None:
                    yield change
            return
