"""Writes a loop as a function of arrays, with the call that takes its place."""

from __future__ import annotations

import ast
import copy
import keyword
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypostyle._profile.change import Change, Values, defining, is_a, rewritten
from hypostyle._profile.keyed_state import KeyedState, OfKey, keyed_state, named_keys
from hypostyle._profile.loop_syntax import (
    appended,
    at_end,
    cell_of,
    position_of,
    renamed,
    returning,
    same_value,
    targets_of,
    with_length,
    without_continue,
)
from hypostyle._profile.row_access import Access, Column, aliases
from hypostyle._profile.syntax import names_read, names_set, read_after

if TYPE_CHECKING:
    from hypostyle._profile.patterns.loops import Loop


@dataclass
class Output:
    """What a loop writes."""

    name: str
    kind: str
    """"list", "array", "column" or "last" (of a variable that is read afterwards)."""
    target: str
    """The code that gets it."""
    keeps: str | None = None
    """The first row that the loop writes, if the rows before it keep what they are."""


class Making:
    """Makes the change of a loop from the values that it sees."""

    def __init__(self, loop: Loop, values: Values, *, by_row: bool, keeps_items: bool = False) -> None:
        self._keeps_items = keeps_items
        """Whether lists hold numbers of NumPy, as those of a loop over columns may."""
        self.loop, self.values, self.by_row = loop, values, by_row
        self.file, self.header = loop.file, copy.copy(loop.header)
        replaced = {*self.header.names, self.header.row, self.header.label} - names_set(loop.node.body)
        self._used = (names_read(loop.statements) | names_set(loop.statements) | set(keyword.kwlist)) - replaced
        self.node = copy.deepcopy(loop.node)
        self.header.rows = dict(self.header.rows)
        for statement, name, frame, position in list(aliases(self.node, self.header, values)):
            self.node.body.remove(statement)
            if position is None and self.header.row is None:
                self.header.row, self.header.frame = name, frame
            else:
                self.header.rows[name] = frame, position or ast.Name(self.header.index or "", ast.Load())
        self.node.body = without_continue(self.node.body)
        self._name_again()
        self.access = Access(self.header, values, self._free, by_row=by_row)
        self.outputs: list[Output] = []
        self.extra: list[str] = []
        self.starts: list[str] = []
        self.state: KeyedState | None = None
        self.over: Column | None = None

    def _name_again(self) -> None:
        """Give the values of a row other names if the loop assigns theirs."""
        changed = names_set(self.node.body)
        self.header.names = list(self.header.names)
        for at, name in enumerate(self.header.names):
            if name in changed:
                self.header.names[at] = new = self._free(name)
                start = ast.Assign([ast.Name(name, ast.Store())], ast.Name(new, ast.Load()), lineno=0)
                self.node.body.insert(0, start)

    def _of_keys(self) -> list[ast.stmt]:
        """Return the body with the items of dictionaries as variables, if the loop keeps a state per key."""
        body = named_keys(copy.deepcopy(self.node.body))
        self.state = keyed_state(body, self.loop.before)
        if self.state is None:
            return self.node.body
        if set(self.state.variables) & read_after(self.file, self.loop.statements):
            self.access.problem = "the dictionary is read afterwards"
        return [OfKey(self.state).visit(statement) for statement in body]

    def _before(self) -> list[ast.stmt]:
        """Return the statements before the loop, with the first values of a key's variables."""
        if self.state is None:
            return self.loop.before
        names = set(self.state.variables)
        kept = [s for s in self.loop.before if not names & names_set([s])]
        return [*kept, *(ast.parse(f"{v} = {start}").body[0] for v, start in self.state.starts.items())]

    def _free(self, name: str) -> str:
        """Return a name that the loop does not use, and keep it."""
        others = (f"{name}_column", f"{name}_values") if len(name) > 1 else ("j", "k", "at")
        word = next((word for word in (name, *others) if word not in self._used), name)
        while word in self._used:
            word += "_"
        self._used.add(word)
        return word

    def change(self) -> Change | None:
        """Return the change; None if the loop does what cannot be written so."""
        carried = self.loop.carried()
        self.node.body = self._of_keys()
        if self.state is not None and carried:
            return None  # what goes from row to row would go from row to row of the key
        if self.by_row and self.state is not None:
            return None
        if self.by_row and (carried or any(isinstance(n, ast.While) for n in ast.walk(self.node))):
            return None
        self.access.by_position()
        self._find_outputs(carried)
        names = [output.name for output in self.outputs]
        if not self.outputs or len(set(names)) < len(names) or (self.by_row and len(self.outputs) != 1):
            return None
        body = [self.access.visit(self._without_columns(s)) for s in self.node.body]
        before = [self.access.visit(copy.deepcopy(s)) for s in self._before()]
        key = None if self.state is None else self.access.column_of(copy.deepcopy(self.state.key))
        if self.state is not None and key is None:
            return None
        self.over = key
        if self.access.uses_index and self.header.label is not None:
            self.access.check_label()
        if key is not None and not self.access.columns:
            # Only the key is read: the number of its rows comes with another column.
            numbers = ast.parse(f"np.arange(len({ast.unparse(key.argument)}))", mode="eval").body
            self.access.columns["row"] = Column(self._free("row"), numbers, key.value)
        if self.access.problem or not self.access.columns:
            return None
        rows = max(len(column.value) for column in self.access.columns.values())
        if not self._lengthen(rows):
            return None
        if self.header.length is not None and not self.access.is_length(self.header.length, rows):
            return None
        function = self._of_row(body) if self.by_row else self._of_loop(body, before, carried, rows)
        if function is None:
            return None
        return self._change(function, carried)

    def _lengthen(self, rows: int) -> bool:
        """Make columns that lack the last row, such as differences, as long as the others, if that works."""
        for column in self.access.columns.values():
            lacking = rows - len(column.value)
            is_number = is_a(column.value, "numpy", "ndarray") and column.value.dtype.kind == "f"
            if lacking > 1 or (lacking and not is_number):
                return False
            if lacking:
                code = f"np.append({ast.unparse(column.argument)}, np.nan)"
                column.argument = ast.parse(code, mode="eval").body
        return True

    # What the loop writes

    def _find_outputs(self, carried: list[str]) -> None:
        later = read_after(self.file, self.loop.statements)
        for node in ast.walk(self.node):
            if (found := appended(node)) is not None:
                self._add(Output(found[0], "list", found[0]))
            for target in targets_of(node):
                if not isinstance(target, ast.Subscript) or self._is_of_key(target):
                    continue
                if (cell := cell_of(target)) is not None:
                    frame, name = cell
                    column = f'{ast.unparse(frame)}["{name}"]'
                    if all(known.target != column for known in self.outputs):
                        self._add(Output(self._free(self._word(name)), "column", column))
                elif isinstance(target.value, ast.Name):
                    self._add(Output(target.value.id, "array", target.value.id))
        lists = {output.name for output in self.outputs if output.kind != "column"}
        for name in sorted(names_set(self.node.body) & later - lists):
            if name in carried or any(name in names_set([s]) for s in self.node.body if isinstance(s, ast.Assign)):
                self._add(Output(self._free(f"{name}_rows"), "last", name))

    def _is_of_key(self, target: ast.Subscript) -> bool:
        return self.state is not None and isinstance(n := target.value, ast.Name) and n.id in self.state.variables

    def _word(self, name: str) -> str:
        return name if name.isidentifier() and not keyword.iskeyword(name) else "result"

    def _add(self, output: Output) -> None:
        if all(known.target != output.target for known in self.outputs):
            self.outputs.append(output)

    def _without_columns(self, statement: ast.stmt) -> ast.stmt:
        """Write cells of the frame that the loop assigns as items of an array."""
        index = self.access.index

        class Cells(ast.NodeTransformer):
            def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
                cell = cell_of(node)
                if cell is not None and cell[1] in written:
                    position = position_of(node)
                    item = position if position is not None else ast.Name(index, ast.Load())
                    return ast.Subscript(ast.Name(written[cell[1]], ast.Load()), item, node.ctx)
                return self.generic_visit(node)

        written = {}
        for output in self.outputs:
            if output.kind == "column":
                written[output.target.split('["')[1].removesuffix('"]')] = output.name
        made = Cells().visit(copy.deepcopy(statement))
        assert isinstance(made, ast.stmt)
        return made

    # The function

    def _of_row(self, body: list[ast.stmt]) -> ast.FunctionDef | None:
        output = self.outputs[0]
        made = returning(body, output.name, self.access.index)
        if made is None or self.access.uses_index or output.kind == "last":
            return None
        return self._function(made, "hs.jit")

    def _of_loop(
        self, body: list[ast.stmt], before: list[ast.stmt], carried: list[str], rows: int
    ) -> ast.FunctionDef | None:
        outputs = {output.name for output in self.outputs}
        # Arrays that the loop writes are made in the function, and are no parameters.
        for code, column in list(self.access.columns.items()):
            if code in outputs and isinstance(column.argument, ast.Name):
                column_name = column.parameter
                del self.access.columns[code]
                body = [renamed(s, column_name, code) for s in body]
                before = [renamed(s, column_name, code) for s in before]
        if not self.access.columns:
            return None
        made = {n for s in before for n in names_set([s])}
        head = [with_length(s, self.access, rows) for s in before]
        for output in self.outputs:
            if output.kind == "last" or output.name not in made:
                start = self._start(output, rows)
                if start is None:
                    return None
                head.insert(0, start)
        self.starts = [name for name in carried if name not in made]
        for name in self.starts:
            if not isinstance(self.values.variables.get(name), int | float):
                return None
            head.insert(0, ast.parse(f"{name} = {name}_start").body[0])
        for output in self.outputs:
            if output.kind == "last":
                body = at_end(body, ast.parse(f"{output.name}.append({output.target})").body)
            elif output.kind == "list" and not any(appended(s) for s in body):
                body = self._appending_once(body, output.name)
        iterated = self._iterated()
        if self._starts_later():
            if any(output.kind == "list" for output in self.outputs):
                return None
            # The first row of a compiled loop is a constant, so that the rows before are passed over.
            test = ast.Compare(
                ast.Name(self.access.index, ast.Load()), [ast.GtE()], [self.header.start or ast.Constant(0)]
            )
            body = [ast.If(test, body, [])]
            first = "1, " if self.access.uses_index else ""
            iterated = ast.parse(f"range({first}{ast.unparse(self.access.length())})", mode="eval").body
        loop = ast.For(self._target(), iterated, body, [])
        names = ", ".join(output.name for output in self.outputs)
        end = ast.parse(f"return {names}").body
        return self._function([*head, loop, *end], "hs.loop")

    def _appending_once(self, body: list[ast.stmt], name: str) -> list[ast.stmt]:
        """Write appends of several branches as one at the end."""
        value = self._free(f"{name}_value")

        class Appends(ast.NodeTransformer):
            def visit_Expr(self, node: ast.Expr) -> ast.AST:
                found = appended(node)
                if found is None or found[0] != name:
                    return node
                return ast.Assign([ast.Name(value, ast.Store())], found[1], lineno=0)

        made = [Appends().visit(statement) for statement in body]
        return at_end(made, ast.parse(f"{name}.append({value})").body)

    def _target(self) -> ast.expr:
        return ast.Name(self.access.index, ast.Store())

    def _starts_later(self) -> bool:
        """Whether the first row is a variable of the function that the loop is in."""
        start = self.header.start
        return start is not None and any(map(self._is_local, names_read([start])))

    def _iterated(self) -> ast.expr:
        start = "" if self.header.start is None else f"{ast.unparse(self.header.start)}, "
        return ast.parse(f"range({start}{ast.unparse(self.access.length())})", mode="eval").body

    def _start(self, output: Output, rows: int) -> ast.stmt | None:
        """Return the statement that makes an output, as the script made it before."""
        length = ast.unparse(self.access.length())
        if output.kind == "last":
            return ast.parse(f"{output.name} = []").body[0]
        value = self.values.of(ast.parse(output.target, mode="eval").body)
        if output.kind == "list":
            return ast.parse(f"{output.name} = []").body[0] if value == [] else None
        if value is None and output.kind == "column":
            return ast.parse(f"{output.name} = np.full({length}, np.nan)").body[0]
        fill = same_value(value, rows)
        if fill is None and output.kind == "array" and self._writes_all(output.target):
            is_float = is_a(value, "numpy", "ndarray") and value.dtype.kind == "f"
            output.keeps = "0" if self.header.start is None else ast.unparse(self.header.start)
            fill = "np.nan" if is_float and len(value) == rows else None
        return None if fill is None else ast.parse(f"{output.name} = np.full({length}, {fill})").body[0]

    def _writes_all(self, name: str) -> bool:
        """Whether each row of the loop writes its item of an array."""

        def writes(body: Sequence[ast.stmt]) -> bool:
            for s in body:
                if isinstance(s, ast.If) and writes(s.body) and writes(s.orelse):
                    return True
                if any(isinstance(t, ast.Subscript) and ast.unparse(t.value) == name for t in targets_of(s)):
                    return True
            return False

        return writes(self.node.body)

    def _function(self, body: list[ast.stmt], decorator: str) -> ast.FunctionDef:
        scope = self.file.scope(self.loop.node)
        name = f"{self.outputs[0].target if self.outputs[0].kind == 'last' else self.outputs[0].name}_"
        name += "loop" if decorator == "hs.loop" else "of_row"
        while self.values.has(name):
            name += "_"
        parameters = [c.parameter for c in self.access.columns.values()]
        if scope is not self.file.tree:
            free = names_read(body) - names_set(body) - set(parameters)
            self.extra = sorted(n for n in free if self._is_local(n))
        starts = [f"{name}_start" for name in self.starts]
        arguments = ast.parse(f"def f({', '.join([*parameters, *self.extra, *starts])}): pass").body[0]
        assert isinstance(arguments, ast.FunctionDef)
        made = ast.parse(f"@{decorator}\ndef {name}(): pass").body[0]
        assert isinstance(made, ast.FunctionDef)
        made.args, made.body = arguments.args, body
        return ast.fix_missing_locations(made)

    def _is_local(self, name: str) -> bool:
        scope = self.file.scope(self.loop.node)
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        parameters = {a.arg for a in [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]}
        return name in parameters or name in names_set(scope.body)

    # The call

    def _change(self, function: ast.FunctionDef, carried: list[str]) -> Change | None:
        arguments, library = [], "numpy"
        for column in self.access.columns.values():
            code, kind = argument_of(column)
            library = kind if kind != "numpy" else library
            arguments.append(code)
        words = [*arguments, *self.extra, *self.starts]
        if self.over is not None:
            key = ast.unparse(self.over.argument)
            key = f"pl.Series({key})" if isinstance(self.over.value, list) else key
            words.append(f"over={key}".replace("'", '"'))
            library = "pandas" if is_a(self.over.value, "pandas", "Series") else "polars"
        call = f"{function.name}({', '.join(words)})"
        if len(self.outputs) == 1:
            lines = self._taken(self.outputs[0], call, library)
        else:
            lines = f"found = {call}\n"
            for output in self.outputs:
                part = f'found.struct.field("{output.name}")' if library == "polars" else f"found.{output.name}"
                lines += self._taken(output, part, library)
        lines += "".join(self.file.statements([statement]) for statement in self.loop.after)
        definition = ast.unparse(function)
        statements = self.loop.statements
        before = self.file.statements(statements)
        at_module = (
            self.file.scope(self.loop.node) is self.file.tree and self.file.parent(statements[0]) is self.file.tree
        )
        edit = rewritten(self.file, statements, (f"{definition}\n\n\n" if at_module else "") + lines)
        edits = [edit] if at_module else [*defining(self.file, statements, definition), edit]
        use = f"@{ast.unparse(function.decorator_list[0])} {function.name} (written below)"
        return Change(use, before, lines, f"{definition}\n", edits)

    def _taken(self, output: Output, code: str, library: str) -> str:
        scope = self.file.scope(self.loop.node)
        is_parameter = isinstance(scope, ast.FunctionDef) and output.target in {a.arg for a in scope.args.args}
        as_list = ".to_list()" if library == "polars" else ".tolist()"
        if self._keeps_items and library != "polars" and output.kind in ("last", "list"):
            array = code if library == "numpy" else f"{code}.to_numpy()"
            value = f"{array}[-1]" if output.kind == "last" else f"list({array})"
            return f"{output.target} = {value}\n"
        if output.kind == "last":
            return f"{output.target} = {code}{as_list}[-1]\n"
        if output.kind == "list" or isinstance(self.values.variables.get(output.target), list):
            return f"{output.target} = {code}{as_list}\n"
        if output.kind == "array" and library != "numpy":
            code = f"{code}.to_numpy()"
        if output.keeps is not None:
            return f"{output.target}[{output.keeps}:] = {code}[{output.keeps}:]\n"
        return f"{output.target}[:] = {code}\n" if is_parameter else f"{output.target} = {code}\n"


def argument_of(column: Column) -> tuple[str, str]:
    """Return the code of an argument, and the library of its type."""
    code = ast.unparse(column.argument).replace("'", '"')
    if column.is_flag:
        is_polars = is_a(column.value, "polars", "Series")
        return (
            (code, "polars")
            if is_polars
            else (f"({code}).to_numpy()" if " == " in code else f"{code}.to_numpy()", "numpy")
        )
    if is_a(column.value, "polars", "Series"):
        return code, "polars"
    if is_a(column.value, "pandas", "Series"):
        is_number = getattr(column.value.dtype, "kind", "O") in "iufb" and is_a(
            column.value.to_numpy(), "numpy", "ndarray"
        )
        return (f"{code}.to_numpy()", "numpy") if is_number else (code, "pandas")
    return (code, "numpy") if is_a(column.value, "numpy", "ndarray") else (f"np.array({code})", "numpy")
