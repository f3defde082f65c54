"""Writes a loop as a function of arrays, with the call that takes its place."""

from __future__ import annotations

import ast
import copy
import keyword
import re
from collections.abc import Sequence
from typing import Any

from hypostyle._profile.change import Change, is_a
from hypostyle._profile.keyed_state import named_keys, of_several_keys
from hypostyle._profile.labels import Numbered, labels_of
from hypostyle._profile.loop_body import Output
from hypostyle._profile.loop_result import LoopResult
from hypostyle._profile.loop_syntax import (
    appended,
    appending_once,
    at_end,
    cell_of,
    ends_with_append,
    position_of,
    renamed,
    returning,
    same_value,
    targets_of,
    with_length,
)
from hypostyle._profile.loop_totals import only_added, totals_of, without_names
from hypostyle._profile.records import in_every_row
from hypostyle._profile.running_counts import counts_first, made_states, steps_only, without_count
from hypostyle._profile.syntax import names_read, names_set, read_after, root

_MOST_FIRST = 3
"""The most items of an array before the loop that its function gets."""


class Making(LoopResult):
    """Makes the change of a loop from the values that it sees."""

    def change(self) -> Change | None:
        """Return the change; None if the loop does what cannot be written so."""
        self.node.body = self._of_keys()
        self.access.by_position()
        if self.state is None and (why := of_several_keys(named_keys(copy.deepcopy(self.node.body)), self.before)):
            self.loop.why = why
            return None
        if not self._of_records() or (self._as_frame and not self.records):
            return None
        if self.by_row and (self.records or self.objects.functions):
            return None
        of_keys = set() if self.state is None else set(self.state.variables.values())
        carried = [name for name in self.loop.carried_by(self.node) if name not in of_keys | self.objects.starts.keys()]
        if self.state is not None and carried and not self._of_all_rows(carried):
            return None  # what goes from row to row would go from row to row of the key
        carried = [n for n in carried if n not in self.counts and all(total.name != n for total in self.totals)]
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
        self.over = key or self.over
        if key is not None:
            self.access.number_rows(key)
            self.access.written = {output.name for output in self.outputs if output.kind in ("array", "column")}
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
        if self.ends_early is not None and any(output.kind != "array" for output in self.outputs):
            return None
        for output in self.outputs:
            output.keeps = self.rows if self.ends_early is not None else None
        function = self._of_row(body) if self.by_row else self._of_loop(body, before, carried, rows)
        if function is None:
            return None
        return self._change(function, carried)

    def _lengthen(self, rows: int) -> bool:
        """Make columns that lack the last row, such as differences, as long as the others, if that works."""
        written = {output.name for output in self.outputs}
        for code, column in self.access.columns.items():
            if code in written:
                continue
            lacking = rows - len(column.value)
            is_number = is_a(column.value, "numpy", "ndarray") and column.value.dtype.kind == "f"
            if lacking > 1 or (lacking and not is_number):
                return False
            if lacking:
                code = f"np.append({ast.unparse(column.argument)}, np.nan)"
                column.argument = ast.parse(code, mode="eval").body
        return True

    def _of_all_rows(self, carried: Sequence[str]) -> bool:
        """Take the variables that are carried for totals and counts over the rows of all keys; False if one is none."""
        counted = [name for name in carried if not only_added(self.node.body, name)]
        if not all(map(self._count, counted)):
            return False
        rest = [name for name in carried if name not in counted]
        found = totals_of(self.node.body, self.before, rest, self._free)
        if found is None:
            return False
        self.node.body, self.before, self.totals = found
        return True

    def _count(self, name: str) -> bool:
        """Make a column of a count that the loop reads, by a loop of its own; False if that cannot be."""
        import numpy as np

        if not counts_first(self.node.body, name):
            return False
        step, rows = self._free(f"{name}_step"), self._free(f"{name}_rows")
        body = steps_only(self.loop.node.body, name, made_states(self.begun), step)
        starts = [s for s in self.before if name in names_set([s])]
        start = starts[-1].value if starts and isinstance(starts[-1], ast.Assign) else ast.Name(name, ast.Load())
        if body is None or not isinstance(start, ast.Constant | ast.Name):
            return False
        made = Making(self.loop.again(body, f"{step}s"), self.values, by_row=False, only={f"{step}s"})
        change = made.change()
        if change is None:
            return False
        call = re.sub(r"\.to_?list\(\)$", "", change.after.strip().removeprefix(f"{step}s = "))
        begun = "" if ast.unparse(start) == "0" else f"{ast.unparse(start)} + "
        self.counts[name] = f"{rows} = {begun}np.asarray({call}).cumsum()\n"
        if name in read_after(self.file, self.loop.statements):
            self.counts[name] += f"{name} = {rows}[-1].item()\n"
        self.helpers.append(change.definitions.rstrip())
        item = self._free(f"{name}_of_row")
        self.node.body = without_count(self.node.body, name, item)
        self.before = [rest for s in self.before if (rest := without_names(s, {name})) is not None]
        length = max(len(column.value) for column in made.access.columns.values())
        self.access.name_column(item, ast.Name(rows, ast.Load()), np.zeros(length, dtype=np.int64))
        return True

    # What the loop writes

    def _find_outputs(self, carried: list[str]) -> None:
        later = read_after(self.file, self.loop.statements)
        for node in ast.walk(self.node):
            if (found := appended(node)) is not None and found[0] not in self.cells:
                self._add(Output(found[0], "list", found[0]))
            for target in targets_of(node):
                if not isinstance(target, ast.Subscript) or self._is_of_key(target) or root(target) in self.cells:
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
        changed = names_set(self.node.body)
        for variable, attribute in self.objects.attributes.items():
            if attribute.split(".")[0] in later and variable in changed:
                self._add(Output(self._free(f"{variable}_rows"), "last", variable))
        for total in self.totals:
            if total.name in later:
                self._add(Output(self._free(f"{total.name}_steps"), "total", total.name))
        parts = {part for left in self.left for part in left.parts.values()}
        for name in self.state.variables if self.state is not None else {}:
            if name in later | parts:
                self._add(Output(self._free(f"{name}_rows"), "state", name))
        if self.only is not None:
            self.outputs = [output for output in self.outputs if output.name in self.only]

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
            if output.kind in ("last", "total", "state") or output.name not in made:
                start = self._start(output, rows, carried)
                if start is None:
                    return None
                head.insert(len(head) if output.kind == "last" else 0, start)
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
            elif output.kind == "state" and self.state is not None:
                variable = self.state.variables[output.target]
                body = at_end(body, ast.parse(f"{output.name}.append({variable})").body)
            elif output.kind == "total":
                step = next(total.step for total in self.totals if total.name == output.target)
                body = at_end(body, ast.parse(f"{output.name}.append({step})").body)
            elif output.kind == "list" and not ends_with_append(body, output.name):
                body = appending_once(body, output.name, self.access.index, self._free(f"{output.name}_value"))
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

    def _target(self) -> ast.expr:
        return ast.Name(self.access.index, ast.Store())

    def _starts_later(self) -> bool:
        """Whether the first row is a variable of the function that the loop is in."""
        start = self.header.start
        return start is not None and any(map(self._is_local, names_read([start])))

    def _iterated(self) -> ast.expr:
        start = "" if self.header.start is None else f"{ast.unparse(self.header.start)}, "
        return ast.parse(f"range({start}{ast.unparse(self.access.length())})", mode="eval").body

    def _start(self, output: Output, rows: int, carried: Sequence[str]) -> ast.stmt | None:
        """Return the statement that makes an output, as the script made it before."""
        length = ast.unparse(self.access.length())
        if output.kind in ("total", "state"):
            return ast.parse(f"{output.name} = []").body[0]
        if output.kind == "last":
            first = getattr(self.header.start, "value", 0)
            known = output.target in carried or any(output.target in names_set([s]) for s in self.before)
            item = output.target if known else "0"
            items = ", ".join([item] * first) if type(first) is int and first <= _MOST_FIRST else ""
            return ast.parse(f"{output.name} = [{items}]").body[0]
        value = self.values.of(ast.parse(output.target, mode="eval").body)
        if output.kind == "list":
            is_new = value == [] or any(output.name in (*r.lists, r.kept) for r in self.records)
            return ast.parse(f"{output.name} = []").body[0] if is_new else self._begun(output.name, value)
        if output.target in self.loop.columns:
            start = self.loop.columns[output.target]
            is_word = isinstance(start, ast.Constant) and isinstance(start.value, str | None)
            if output.name in self.labels.names and is_word:
                of_column = str(self.labels.number(ast.literal_eval(start)))
            else:
                of_column = ast.unparse(start)
            return ast.parse(f"{output.name} = np.full({length}, {of_column})").body[0]
        if value is None and output.kind == "column":
            return ast.parse(f"{output.name} = np.full({length}, np.nan)").body[0]
        fill = same_value(value, rows)
        if output.name in self.labels.names:
            word = None if fill is None else ast.literal_eval(fill.replace("np.nan", "0"))
            is_word = fill == "None" or isinstance(word, str)
            fill = str(self.labels.number(word)) if is_word else None
        if fill is None and output.kind == "array" and self._writes_all(output.target):
            is_float = is_a(value, "numpy", "ndarray") and value.dtype.kind == "f"
            output.keeps = self.rows or ":"
            fill = "np.nan" if is_float and len(value) == rows else None
            self._pass_first(output.target)
        return None if fill is None else ast.parse(f"{output.name} = np.full({length}, {fill})").body[0]

    def _begun(self, name: str, items: Any) -> ast.stmt | None:
        """Return the statement that makes a list of the rows before the loop's first, which the script has filled."""
        first = getattr(self.header.start, "value", None)
        if not isinstance(items, list) or len(items) != first or len(items) > _MOST_FIRST:
            return None
        if name in self.labels.names and all(item is None or isinstance(item, str) for item in items):
            items = [self.labels.number(item) for item in items]
        if not all(type(item) in (int, float, bool) and item == item for item in items):
            return None
        return ast.parse(f"{name} = {items!r}").body[0]

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


def _without_word(statement: ast.stmt, labels: set[str]) -> ast.stmt:
    """Write the empty string as none: what a loop compares with the strings of a column starts as no string."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value="")) if name not in labels:
            return ast.Assign(statement.targets, ast.Constant(None), lineno=0)
    return statement
