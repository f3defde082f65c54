"""Writes a loop as a function of arrays, with the call that takes its place."""

from __future__ import annotations

import ast
import copy
import keyword
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypostyle._profile.change import Change, Values, defining, is_a, rewritten
from hypostyle._profile.kept_rows import kept_rows
from hypostyle._profile.keyed_state import KeyedState, OfKey, keyed_state, named_keys
from hypostyle._profile.labels import Labels, Numbered, labels_of
from hypostyle._profile.lookups import Lookups
from hypostyle._profile.loop_forms import OneValue, numbers_written, rows_kept
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
from hypostyle._profile.objects import Objects, without_objects
from hypostyle._profile.record_rows import columns_of
from hypostyle._profile.records import Record, composed, in_every_row, records_of, without
from hypostyle._profile.row_access import Access, Column, aliases, argument_of
from hypostyle._profile.state_parts import in_parts
from hypostyle._profile.syntax import names_read, names_set, read_after, text_of
from hypostyle._profile.two_pointers import two_pointers
from hypostyle._profile.window_columns import MadeColumns, kernel_in, window_columns

if TYPE_CHECKING:
    from hypostyle._profile.patterns.loops import Loop


_MOST_FIRST = 3
"""The most items of an array before the loop that its function gets."""


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

    def __init__(
        self, loop: Loop, values: Values, *, by_row: bool, keeps_items: bool = False, as_frame: bool = False
    ) -> None:
        self._keeps_items = keeps_items
        """Whether lists hold numbers of NumPy, as those of a loop over columns may."""
        self._as_frame = as_frame
        """Whether the table that follows is made of columns, in place of the loop's list of rows."""
        self.before = copy.deepcopy(loop.before)
        self.records: list[Record] = []
        self.labels = Labels(set())
        self.objects = Objects([])
        self.items: dict[str, tuple[ast.expr, list[Any]]] = {}
        self.windows: dict[str, tuple[ast.expr, Any]] = {}
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
        self._written_plainly()
        self.access = Access(self.header, values, self._free, by_row=by_row)
        for word, (column, items) in {**self.items, **self.windows}.items():
            self.access.name_column(word, column, items)
        self.outputs: list[Output] = []
        self.extra: list[str] = []
        self.starts: dict[str, str] = {}
        self.first_items: dict[str, tuple[str, int]] = {}
        """Variables for items that an array has before the loop, with array and row."""
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

    def _written_plainly(self) -> None:
        """Write the body as a compiled loop knows it."""
        positions = {self.header.index, self.header.label} - {None}
        body = [OneValue().visit(Lookups(self.values).visit(statement)) for statement in self.node.body]
        found = without_objects(self.file, body, dict(self.values.variables), self._free)
        if found is not None:
            body, self.objects = found.body, found
            self._used |= names_set(body)
        later = read_after(self.file, self.loop.statements)
        body, self.before = kept_rows(body, self.before, self.header.row, later, self._free)
        made = MadeColumns(self._free)
        body, lost = two_pointers(body, self.header, self.values, later, made)
        self.before = [s for s in self.before if not names_set([s]) & lost]
        body = window_columns(body, self.header, self.values, made)
        self.windows = made.found
        self._used -= self.windows.keys()  # they stand for parameters, which will have these names
        body = self._of_items(body)
        body, self.before = in_parts(body, self.before, later, self._free)
        if positions:
            body = numbers_written(body, set(map(str, positions)), later)
            body, self.before = rows_kept(body, self.before, set(map(str, positions)), self._free)
        self.node.body = body

    def _of_items(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return a body with names in the place of the items of rows that are dictionaries, lists or tuples."""
        if self.header.form != "values" or len(self.header.names) != 1:
            return body
        rows = self.header.arrays[0]
        items = self.values.of(rows)
        if not isinstance(items, list) or not items or not all(isinstance(item, dict | list | tuple) for item in items):
            return body
        body, self.items = columns_of(body, self.header.names[0], rows, items, self._free)
        return body

    def _of_records(self) -> bool:
        """Take apart the rows that the loop appends to lists; False if that cannot be."""
        found = records_of(self.node.body, self._free)
        if found is None:
            return False
        self.node.body, self.records = found
        for record in self.records:
            value = self.values.variables.get(record.name)
            starts_here = any(record.name in names_set([s]) for s in self.before)
            if not starts_here and value != []:
                return False
            if not record.is_single or record.kept is not None:
                self.before = [s for s in self.before if names_set([s]) != {record.name}]
            for name in [] if record.is_single else record.lists:
                self._pass_on(record, name)
        return True

    def _pass_on(self, record: Record, name: str) -> None:
        """Take a column that a list only repeats from the frame, if it is none that a compiled loop returns."""
        given = [found[1] for s in self.node.body for n in ast.walk(s) if (found := appended(n)) and found[0] == name]
        if len({ast.dump(value) for value in given}) != 1 or self.header.start is not None:
            return
        column = self.access.column_at_row(given[0])
        if column is None:
            return
        value = self.values.of(column)
        is_list = isinstance(value, list)
        if value is None or (not is_list and getattr(getattr(value, "dtype", None), "kind", "O") in "iufb"):
            return
        code = ast.unparse(column).replace("'", '"')
        if is_a(value, "pandas", "Series") or is_a(value, "pandas", "Index") or is_a(value, "polars", "Series"):
            code += ".to_numpy()"
        elif isinstance(value, list):
            code = f"np.array({code}, dtype=object)"
        record.passed[name] = code
        self.node.body = without(self.node.body, name)

    def _of_keys(self) -> list[ast.stmt]:
        """Return the body with the items of dictionaries as variables, if the loop keeps a state per key."""
        body = named_keys(copy.deepcopy(self.node.body))
        self.state = keyed_state(body, self.before)
        if self.state is None:
            return self.node.body
        if set(self.state.variables) & read_after(self.file, self.loop.statements):
            self.access.problem = "the dictionary is read afterwards"
        return [OfKey(self.state).visit(statement) for statement in body]

    def _before(self) -> list[ast.stmt]:
        """Return the statements before the loop, with the first values of a key's variables."""
        if self.state is None:
            return self.before
        names = set(self.state.variables)
        kept = [s for s in self.before if not names & names_set([s])]
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
        self.node.body = self._of_keys()
        self.access.by_position()
        if not self._of_records() or (self._as_frame and not self.records):
            return None
        if self.by_row and (self.records or self.objects.functions):
            return None
        if (
            set(self.values.variables)
            & {code.split(".")[0] for code in self.objects.starts.values()}
            & read_after(self.file, self.loop.statements)
        ):
            return None  # the objects would not have the values of the last row
        of_keys = set() if self.state is None else set(self.state.variables.values())
        carried = [name for name in self.loop.carried_by(self.node) if name not in of_keys | self.objects.starts.keys()]
        if self.state is not None and carried:
            return None  # what goes from row to row would go from row to row of the key
        if self.by_row and self.state is not None:
            return None
        if self.by_row and (carried or any(isinstance(n, ast.While) for n in ast.walk(self.node))):
            return None
        self._find_outputs(carried)
        names = [output.name for output in self.outputs]
        if not self.outputs or len(set(names)) < len(names) or (self.by_row and len(self.outputs) != 1):
            return None
        body = [self._without_columns(s) for s in self.node.body]
        before = copy.deepcopy(self._before())
        self.labels = labels_of(body, before)
        before = [_without_word(s, self.labels.names) for s in before]
        numbered = Numbered(self.labels)
        body, before = [numbered.visit(s) for s in body], [numbered.visit(s) for s in before]
        for record in self.records:
            if record.kept is not None:
                lists = [name for name in record.lists if name not in record.passed]
                body = in_every_row(body, [*lists, record.kept], self._free)
        key = None if self.state is None else self.access.column_of(copy.deepcopy(self.state.key))
        if self.state is not None and key is None:
            return None
        self.over = key
        if key is not None:
            self.access.number_rows(key)
        body, before = [self.access.visit(s) for s in body], [self.access.visit(s) for s in before]
        if self.access.uses_index and self.header.label is not None:
            self.access.check_label()
        if key is not None and not self.access.columns:
            # Only the key is read: the number of its rows comes with another column.
            self.access.add_numbers(key)
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
        self.starts = {name: name for name in carried if name not in made and name not in self.objects.starts}
        for name in self.starts:
            if not isinstance(self.values.variables.get(name), int | float):
                return None
        nones = [name for name, code in self.objects.starts.items() if code == "None"]
        head = [*ast.parse("".join(f"{name} = None\n" for name in nones)).body, *head]
        self.starts |= {name: code for name, code in self.objects.starts.items() if code != "None"}
        for word, (name, row) in self.first_items.items():
            self.starts[word] = f"{name}[{row}]"
            head += ast.parse(f"{name}[{row}] = {word}").body
        for name in self.starts:
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
            is_new = value == [] or any(output.name in (*r.lists, r.kept) for r in self.records)
            return ast.parse(f"{output.name} = []").body[0] if is_new else None
        if value is None and output.kind == "column":
            return ast.parse(f"{output.name} = np.full({length}, np.nan)").body[0]
        fill = same_value(value, rows)
        if output.name in self.labels.names:
            word = None if fill is None else ast.literal_eval(fill.replace("np.nan", "0"))
            is_word = fill == "None" or isinstance(word, str)
            fill = str(self.labels.number(word)) if is_word else None
        if fill is None and output.kind == "array" and self._writes_all(output.target):
            is_float = is_a(value, "numpy", "ndarray") and value.dtype.kind == "f"
            output.keeps = "0" if self.header.start is None else ast.unparse(self.header.start)
            fill = "np.nan" if is_float and len(value) == rows else None
            self._pass_first(output.target)
        return None if fill is None else ast.parse(f"{output.name} = np.full({length}, {fill})").body[0]

    def _pass_first(self, name: str) -> None:
        """Give the function what an array holds before the first row that the loop writes, if the loop reads it."""
        first = getattr(self.header.start, "value", 0)
        items = [n for n in ast.walk(self.node) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load)]
        if isinstance(first, int) and any(isinstance(n.value, ast.Name) and n.value.id == name for n in items):
            self.first_items |= {self._free(f"{name}_{row}"): (name, row) for row in range(min(first, _MOST_FIRST))}

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
        first = self.outputs[0]
        of = next((r.name for r in self.records if first.name in (*r.lists, r.kept)), first.name)
        name = f"{first.target if first.kind == 'last' else of}_"
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
        words = [*arguments, *self.extra, *self.starts.values()]
        if self.over is not None:
            key = ast.unparse(self.over.argument)
            key = f"pl.Series({key})" if isinstance(self.over.value, list) else key
            words.append(f"over={key}".replace("'", '"'))
            library = "pandas" if is_a(self.over.value, "pandas", "Series") else "polars"
        call = f"{function.name}({', '.join(words)})"
        helpers = [ast.unparse(f) for f in self.objects.functions.values()]
        definition = "\n\n\n".join([*helpers, ast.unparse(function)]) + "\n"
        kernels = ", ".join(kernel_in(column) for column, _ in self.windows.values())
        use = f"@{ast.unparse(function.decorator_list[0])} {function.name} (written below)"
        use += f" of {kernels}" if kernels else ""
        if _returns_its_column(function):
            call, definition, use = arguments[0], "", kernels
        lines, codes = "", {self.outputs[0].name: call}
        if len(self.outputs) > 1:
            lines = f"found = {call}\n"
            for output in self.outputs:
                is_field = library == "polars"
                codes[output.name] = f'found.struct.field("{output.name}")' if is_field else f"found.{output.name}"
        of_records = {name for r in self.records for name in (*r.lists, r.kept)}
        for output in self.outputs:
            if output.name not in of_records:
                lines += self._taken(output, codes[output.name], library)
        lines += self._of_rows(codes, library)
        statements = self.loop.statements
        before = self.file.statements(statements)
        at_module = (
            self.file.scope(self.loop.node) is self.file.tree and self.file.parent(statements[0]) is self.file.tree
        )
        edit = rewritten(self.file, statements, (f"{definition}\n\n" if at_module and definition else "") + lines)
        edits = [edit] if at_module else [*defining(self.file, statements, definition.rstrip()), edit]
        return Change(use, before, lines, definition, edits)

    def _words(self, output: Output, code: str, library: str) -> str:
        """Return the line that makes words of their numbers."""
        array = code if library == "numpy" else f"{code}.to_numpy()"
        value = self.values.of(ast.parse(output.target, mode="eval").body)
        is_array = is_a(value, "numpy", "ndarray")
        words = self.labels.decoded(array, value.dtype.str if is_array and value.dtype.kind == "U" else "object")
        if output.kind == "last":
            return f"{output.target} = {words}[-1]\n"
        is_list = output.kind == "list" or isinstance(value, list)
        return f"{output.target} = {words}{'.tolist()' if is_list else ''}\n"

    def _of_rows(self, codes: dict[str, str], library: str) -> str:
        """Return the lines that make the lists of rows, and the statement after the loop."""
        arrays = {name: code if library == "numpy" else f"{code}.to_numpy()" for name, code in codes.items()}
        arrays = {n: self.labels.decoded(code) if n in self.labels.names else code for n, code in arrays.items()}
        lines = ""
        after = "".join(self.file.statements([statement]) for statement in self.loop.after)
        for record in self.records:
            mask = None if record.kept is None else arrays[record.kept]
            if mask is not None and len(self.outputs) == 1:
                lines += f"{record.kept} = {mask}\n"
                mask = record.kept
            code = composed(record, arrays, mask, as_frame=self._as_frame)
            if self._as_frame:
                made = self._of_table(record, code)
                if made is None:
                    self.access.problem = "no table is made of the list"
                    return lines
                after = made
            else:
                lines += f"{record.name} = {code}\n"
        return lines + after

    def _of_table(self, record: Record, columns: str) -> str | None:
        """Return the statement after the loop that makes a table of rows, made of columns."""
        if len(self.loop.after) != 1 or len(self.records) != 1 or record.is_single:
            return None
        statement = self.loop.after[0]
        if record.name in read_after(self.file, self.loop.statements) or not isinstance(statement, ast.Assign):
            return None
        match statement.value:
            case ast.Call(func=ast.Attribute(attr="DataFrame"), args=[ast.Name(id=name)], keywords=keywords):
                names = next((k.value for k in keywords if k.arg in ("columns", "schema")), None)
                words = [text_of(e) for e in names.elts] if isinstance(names, ast.List) else None
                if name != record.name or len(keywords) > 1 or (record.keys is None) != (words is not None):
                    return None
                if words is not None:
                    if len(words) != len(record.lists) or None in words:
                        return None
                    for at, word in enumerate(words):
                        columns = columns.replace(f'"{at}": ', f'"{word}": ', 1)
                call = f"{self.file.code(statement.value.func)}({columns})"
                return self.file.replaced(statement, statement.value, call)
        return None

    def _taken(self, output: Output, code: str, library: str) -> str:
        if output.name in self.labels.names or output.target in self.labels.names:
            return self._words(output, code, library)
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


def _returns_its_column(function: ast.FunctionDef) -> bool:
    """Whether a function of a row only returns its one parameter."""
    match function.body:
        case [ast.Return(value=ast.Name(id=name))]:
            return [a.arg for a in function.args.args] == [name]
    return False


def _without_word(statement: ast.stmt, labels: set[str]) -> ast.stmt:
    """Write the empty string as none: what a loop compares with the strings of a column starts as no string."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value="")) if name not in labels:
            return ast.Assign(statement.targets, ast.Constant(None), lineno=0)
    return statement
