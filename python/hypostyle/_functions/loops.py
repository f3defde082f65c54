"""`hs.loop`: a loop over arrays, as people write it for numba, becomes a function of columns with a state."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any, overload

from hypostyle._functions.functions import Errors, Function, python_of
from hypostyle._functions.loop_parts import Array, arrays_of, names_in, pairs_of, parts_of
from hypostyle._functions.loop_rows import Rows
from hypostyle._functions.loop_setup import LENGTH, converted
from hypostyle._functions.program import Program
from hypostyle._functions.scope import Scope, assigned
from hypostyle._functions.source import Source, source_of
from hypostyle._functions.statements import keys_of
from hypostyle._functions.translate import defaults_of, nesting
from hypostyle._functions.values import Expr, Statement, Tup, is_constant, is_text


def translate_loop(function: Any, *, outputs: Sequence[str] | None = None) -> Program:
    """Translate a function that fills arrays in one loop over their rows."""
    source = source_of(function)
    with nesting(source):
        return _Loop(source).program(outputs)


class _Loop(Rows):
    """Translates a function that is a loop."""

    def __init__(self, source: Source) -> None:
        super().__init__(Scope(source))
        self.source = source
        self.head: list[Statement] = []
        self.fixed: list[tuple[int, list[Statement]]] = []
        """Statements of one row alone, with its number."""
        self.fixed_names: dict[str, int] = {}
        """Variables that get a value in one row, with its number."""

    def program(self, wanted: Sequence[str] | None) -> Program:
        """Return the program of the loop."""
        source, scope = self.source, self.scope
        arguments = source.node.args
        if arguments.vararg or arguments.kwarg:
            raise source.error(arguments.vararg or arguments.kwarg, "* cannot be a parameter; name the arrays")
        parts = parts_of(source)
        self.changing = set(assigned(parts.loop.body)) | names_in(parts.loop.target)
        defaults = self._parameters()
        for statement in parts.before:
            self.count(statement)
            self._before(statement)
        header = self.header(parts.loop)
        self.index = header.index
        if header.index is not None:
            self.counter_field = header.index
        if self.index in scope.parameters:
            raise self.error(parts.loop.target, f"{self.index} is a parameter; use another name for the index")
        start = self._start(header.start)
        scope.maybe |= {name for name in self.changing if name in scope.locals}
        self.lowest = start
        entry: list[Statement] = []
        self.out = entry
        for target, value in header.values:
            array = self.array(value)
            self.assign(target, ["get", array.name if array else ""], parts.loop)
        body = self.rows(parts.loop)
        names, keys = self._returned(parts.end)
        head = self._head(start)
        self._write_ends(names)
        if wanted is not None and len(wanted) != len(keys):
            msg = f"{source.name}: outputs names {len(wanted)} fields, but the loop returns {len(names)}"
            raise ValueError(msg)
        fields = tuple(keys if wanted is None else wanted)
        inputs = tuple(name for name in scope.parameters if name in self.inputs)
        known = {name: value for name, value in defaults.items() if name in inputs}
        return Program(source.name, inputs, tuple(self._state()), fields, [*head, *entry, *body], known)

    def _parameters(self) -> dict[str, Any]:
        scope = self.scope
        arrays = arrays_of(self.source, scope.parameters)
        defaults = defaults_of(self)
        self.inputs = []
        for name in scope.parameters:
            what = f"the default of {name}: "
            default = self.encode(defaults.get(name), self.source.node, what)
            if isinstance(default, Tup):
                scope.bindings[name] = default
                continue
            self.inputs.append(name)
            if name in arrays:
                self.add(Array(name))
            else:
                scope.sure.add(name)
                scope.maybe.add(name)
        if not arrays:
            raise self.source.error(self.source.node, "no parameter is an array: one is read as x[i], or gone over")
        return {name: value for name, value in defaults.items() if name not in arrays}

    # Before the loop

    def _before(self, statement: ast.stmt) -> None:
        """Translate a statement before the loop."""
        match statement:
            case ast.Assign(targets=[target], value=value):
                for inner, item in pairs_of(target, value):
                    self._assigned_before(inner, item, statement)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assigned_before(target, value, statement)
            case ast.Assign(value=value):
                for target in statement.targets:
                    self._assigned_before(target, value, statement)
            case ast.AugAssign(target=ast.Name()):
                self._plain_before(statement.target, statement.value, statement)
            case ast.Pass() | ast.AnnAssign():
                pass
            case ast.If(test=test, body=[ast.Return()], orelse=[]) if self._is_about_length(test):
                pass
            case _:
                raise self.error(statement, "before the loop only assignments are compiled")

    def _is_about_length(self, test: ast.expr) -> bool:
        match test:
            case ast.Compare(left=left, ops=[operator], comparators=[ast.Constant(value=limit)]):
                is_empty = (type(operator), limit) in ((ast.Eq, 0), (ast.LtE, 0), (ast.Lt, 1))
                return is_empty and self.is_length(left)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.is_length(operand)
        return False

    def _assigned_before(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> None:
        if isinstance(target, ast.Subscript):
            self._item_before(target, value, statement)
            return
        if not isinstance(target, ast.Name):
            self._plain_before(target, value, statement)
            return
        name = target.id
        if self.is_length(value):
            self.scope.bindings[name] = LENGTH
            return
        if isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords:
            again = self.array(value.args[0])
            if again is not None and again.name == name and self.numpy_name(value.func) is not None:
                return
        if name in self.arrays:
            raise self.error(statement, f"{name} is an array already; use another name")
        if isinstance(value, ast.List):
            self.add(Array(name, False, is_list=True))
            for row, item in enumerate(value.elts):
                self._fix(row, [["set", name, self._at(row, item)]])
            return
        made = self.made(name, value)
        if made is not None:
            self.add(made)
            return
        self._plain_before(target, value, statement)

    def _at(self, row: int, value: ast.expr) -> Expr:
        """Translate a value that stands for one row."""
        self.fixed_row = row
        translated = self.expr(value)
        self.fixed_row = None
        return translated

    def _fix(self, row: int, statements: list[Statement]) -> None:
        self.fixed.append((row, statements))

    def _item_before(self, target: ast.Subscript, value: ast.expr, statement: ast.stmt) -> None:
        """Translate `out[0] = x[0]` before the loop."""
        array = self.array(target.value)
        everything = isinstance(target.slice, ast.Slice) and target.slice.lower is target.slice.upper is None
        if array is not None and everything and not array.is_input and not array.is_list:
            array.initial = converted(array.conversion, self.plain_constant(value))
            array.is_known = True
            return
        choices = self.values_of(self.expr(target.slice))
        if choices is None or len(choices) != 1 or choices[0] < 0:
            raise self.error(target, "before the loop only items with a constant number are written: out[0] = x[0]")
        row = choices[0]
        outer, self.out = self.out, []
        self.fixed_row = row
        self.assign(target, self.expr(value), statement)
        self.fixed_row = None
        self._fix(row, self.out)
        self.out = outer

    def _plain_before(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> None:
        """Translate a variable: it is the same in every row, or a start, or gets its value in the first row."""
        names, read = names_in(target), names_in(value)
        if isinstance(statement, ast.AugAssign):
            read |= names
        rows = [self.fixed_names[name] for name in read if name in self.fixed_names]
        rows += [self._last_item(value)] if read & set(self.arrays) else []
        changes = bool(names & self.changing)
        if isinstance(target, ast.Name) and changes and not rows and not isinstance(statement, ast.AugAssign):
            translated = self.value(value)
            plain = is_constant(translated) and not isinstance(translated, Tup) and not is_text(translated)
            if plain and target.id not in self.fixed_names:
                self.starts[target.id] = translated
                self.scope.maybe.add(target.id)
                return
        if not changes and not rows and not read & set(self.starts):
            outer, self.out = self.out, self.head
            self.statement(_one(target, value, statement))
            self.out = outer
            return
        row = max(rows, default=0)
        outer, self.out = self.out, []
        self.fixed_row = row
        self.statement(_one(target, value, statement))
        self.fixed_row = None
        self._fix(row, self.out)
        self.out = outer
        for name in names:
            self.fixed_names[name] = row
            self.starts.setdefault(name, None)
            self.scope.sure.discard(name)

    def _last_item(self, value: ast.expr) -> int:
        """Return the last row that a value before the loop reads."""
        last = 0
        for node in ast.walk(value):
            if isinstance(node, ast.Subscript) and self.array(node.value) is not None:
                numbers = self.values_of(self.expr(node.slice)) if not isinstance(node.slice, ast.Slice) else None
                if numbers is None or len(numbers) != 1 or numbers[0] < 0:
                    raise self.error(node, "before the loop only the first items can be read: x[0]")
                last = max(last, numbers[0])
        return last

    def _start(self, node: ast.expr | None) -> int:
        """Return the first row of the loop."""
        choices = [0] if node is None else self.values_of(self.expr(node))
        if choices is None or len(choices) != 1 or choices[0] < 0:
            raise self.error(node, "the first row of the loop is a number or a captured constant: range(1, len(x))")
        start = choices[0]
        for array in self.arrays.values():
            filled = sum(array.name == s[1] for _, block in self.fixed for s in block if s[0] == "set")
            if array.is_list and filled != start:
                msg = f"{array.name} has {filled} values before the loop, which starts at row {start}"
                raise self.error(node or self.source.node, f"{msg}; both must be the same")
        late = [name for name, row in self.fixed_names.items() if row > start]
        if late or any(row > start for row, _ in self.fixed):
            what = late[0] if late else "an item"
            msg = f"{what} is made from a row that comes after the loop's first, {start}"
            raise self.error(node or self.source.node, msg)
        return start

    # The program

    def _returned(self, end: ast.Return) -> tuple[list[str], Sequence[str]]:
        """Return the arrays that the function returns, and the names of the outputs: none for one plain array."""
        value = end.value
        names: list[str] = []
        keys: Sequence[str] | None = [] if not isinstance(value, ast.Tuple) else names
        items = value.elts if isinstance(value, ast.Tuple) else [value]
        if isinstance(value, ast.Dict):
            items, keys = list(value.values), keys_of(value)
            if not keys or len(set(keys)) < len(keys):
                raise self.error(value, "arrays are returned by distinct names: return {'low': low, 'high': high}")
        for item in items:
            inner = item
            if isinstance(inner, ast.Call) and len(inner.args) == 1 and self.numpy_name(inner.func) is not None:
                inner = inner.args[0]
            array = self.array(inner) if inner is not None else None
            if array is None or array.is_input:
                msg = "the arrays that the loop fills are returned: return out; for one number return its last row"
                raise self.error(item, msg)
            names.append(array.name)
        if len(set(names)) < len(names):
            raise self.error(end, "an array is returned twice")
        return names, keys or []

    def _head(self, start: int) -> list[Statement]:
        """Return what every row does before the body."""
        head: list[Statement] = []
        for name in self.carried:
            head.append(["set", name, ["field", name]])
        head += self.head
        for array in self.arrays.values():
            if not array.is_input:
                head.append(["set", array.name, array.initial])
        for row, statements in self.fixed:
            test = ["compare", self.row, [["==", row]]]
            if head and head[-1][0] == "if" and head[-1][1] == test:
                head[-1][2].extend(statements)
            else:
                head.append(["if", test, list(statements), []])
        if start > 0:
            end: Statement = ["return", [], []]
            self.ends.append(end)
            head.append(["if", ["compare", self.row, [["<", start]]], [end], []])
        return head

    def _write_ends(self, names: list[str]) -> None:
        """Write what rows return: their results and the next state."""
        results = [["get", name] for name in names]
        carried: list[Expr] = [["get", name] for name in self.carried]
        kept: list[Expr] = [["field", name] for name in self.carried]
        delays: list[Expr] = []
        empty: list[Expr] = []
        for name, most in self.delays.items():
            array = self.arrays[name]
            older = [["field", f"{name}[i-{back}]"] for back in range(1, most)]
            delays += [["get", name], *older]
            empty += [["get", name] if array.is_input else array.initial, *older]
        counter: list[Expr] = [["+", self.row, 1]] if self.uses_counter else []
        for end in self.ends:
            end[1:] = [results, [*carried, *delays, *counter]]
        for end in self.skipped:
            end[1:] = [[None] * len(names), [*kept, *empty, *counter]]

    def _state(self) -> list[tuple[str, Expr]]:
        state = [(name, self.starts[name]) for name in self.carried]
        for name, most in self.delays.items():
            array = self.arrays[name]
            start = array.initial if array.is_known else None
            state += [(f"{name}[i-{back}]", start) for back in range(1, most + 1)]
        if self.uses_counter:
            state.append((self.counter_field, 0))
        return state


def _one(target: ast.expr, value: ast.expr, statement: ast.stmt) -> ast.stmt:
    if isinstance(statement, ast.AugAssign):
        return statement
    return ast.copy_location(ast.Assign(targets=[target], value=value), statement)


@overload
def loop(function: Callable[..., Any], *, errors: Errors = ..., outputs: Sequence[str] | None = ...) -> Function: ...
@overload
def loop(
    function: None = ..., *, errors: Errors = ..., outputs: Sequence[str] | None = ...
) -> Callable[[Callable[..., Any]], Function]: ...
def loop(
    function: Callable[..., Any] | None = None,
    *,
    errors: Errors = "null",
    outputs: Sequence[str] | None = None,
) -> Function | Callable[[Callable[..., Any]], Function]:
    """Compile a loop over arrays, as it is written for numba, into a function of columns.

    Called with columns it returns an expression; called with arrays it runs as Python (or as numba compiled it).

        @hs.loop
        def smooth(x, alpha=0.1):
            out = np.empty(len(x))
            level = 0.0
            for i in range(len(x)):
                level += alpha * (x[i] - level)
                out[i] = level
            return out

    A variable that goes from row to row (`level`) is the state, and so is an earlier item (`x[i - 1]`, `out[i - 1]`).
    Where Python would read an item from the end of an array (`x[i - 1]` in the first row) the row is null, and only the
    earlier items move on; guard it (`if i > 0`) for another result.  A row on which Python raises is null too, and is
    left out of the sequence: the next row follows the one before it.

    Args:
        function: A Python function, or one that numba compiled.  Without it, a decorator.
        errors: What a row gives on which Python raises: "null", or "raise" for an error.
        outputs: The names of the result's fields, if several arrays are returned; their own names by default.

    Returns:
        The compiled function.

    Raises:
        UnsupportedError: The function uses Python that is not compiled.
    """
    if function is None:
        return lambda given: loop(given, errors=errors, outputs=outputs)
    plain = python_of(function)
    signature = inspect.signature(plain)
    parameters = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    runs = plain if isinstance(function, Function) else function
    return Function(translate_loop(plain, outputs=outputs), runs, inspect.Signature(parameters), errors, is_loop=True)
