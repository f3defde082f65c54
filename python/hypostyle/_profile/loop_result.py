"""The call of a loop's function, and the statements that give what follows the same names and values."""

from __future__ import annotations

import ast

from hypostyle._profile.change import Change, defining, is_a, rewritten
from hypostyle._profile.loop_body import LoopBody, Output
from hypostyle._profile.records import Record, composed
from hypostyle._profile.row_access import argument_of
from hypostyle._profile.states_left import flat, rows_of_keys
from hypostyle._profile.syntax import names_set, read_after, text_of
from hypostyle._profile.window_columns import kernel_in


class LoopResult(LoopBody):
    """Writes the call."""

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
            if is_a(self.over.value, "pandas", "Series"):
                library = "pandas"
            elif isinstance(self.over.value, list) or is_a(self.over.value, "polars", "Series"):
                library = "polars"
        call = f"{function.name}({', '.join(words)})"
        helpers = [*self.helpers, *(ast.unparse(f) for f in self.objects.functions.values())]
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
            if output.name not in of_records and output.kind != "state":
                lines += self._taken(output, codes[output.name], library)
        if self.ends_early is not None:
            # The last rows of the arrays keep what these are made with.
            makers = [s for s in self.loop.before if names_set([s]) & {output.name for output in self.outputs}]
            lines = "".join(self.file.statements([s]) for s in makers) + lines
        lines += self._states(codes, library)
        lines = "".join(self.file.statements([s]) for s in self.loop.passed) + lines
        lines = self.frame_made + "".join(self.counts.values()) + lines
        lines += self._of_rows(codes, library)
        statements = self.loop.statements
        before = self.file.statements(statements)
        at_module = (
            self.file.scope(self.loop.node) is self.file.tree and self.file.parent(statements[0]) is self.file.tree
        )
        edit = rewritten(self.file, statements, (f"{definition}\n\n" if at_module and definition else "") + lines)
        edits = [edit] if at_module else [*defining(self.file, statements, definition.rstrip()), edit]
        lost = (names_set(self.loop.emptied) | self.lost) - read_after(self.file, statements)
        return Change(use, before, lines, definition, edits, frozenset(lost))

    def _states(self, codes: dict[str, str], library: str) -> str:
        """Return the lines that make the dictionaries of state that are read later."""
        states = [output for output in self.outputs if output.kind == "state"]
        if not states or self.over is None or self.state is None:
            return ""
        rows = self._free("last_rows")
        lines = rows_of_keys(ast.unparse(self.over.argument).replace("'", '"'), rows)
        parts = {part for left in self.left for part in left.parts.values()}
        as_list = ".to_list()" if library == "polars" else ".tolist()"
        for output in states:
            code = codes[output.name]
            if output.name in self.labels.names or self.state.variables[output.target] in self.labels.names:
                code = self.labels.decoded(code if library == "numpy" else f"{code}.to_numpy()") + ".tolist()"
            elif self._keeps_items and library != "polars":
                code = f"list({code}.to_numpy())"
            else:
                code += as_list
            lines += f"{output.name} = {code}\n"
            if output.target not in parts:
                lacks = self.state.starts[self.state.variables[output.target]] == "None"
                made = flat(output.target, self.begun, output.name, rows, may_lack=lacks)
                if made is None:
                    self.access.problem = "the state is read afterwards"
                lines += made or ""
        items = {output.target: f"{output.name}[row]" for output in states}
        return lines + "".join(left.lines(items, rows) for left in self.left)

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
        if output.kind == "total":
            total = f"{code}.sum()" if library == "polars" else f"{code}.sum().item()"
            start = next(total.start for total in self.totals if total.name == output.target)
            if start is None:
                return f"{output.target} += {total}\n"
            return f"{output.target} = {total if ast.unparse(start) == '0' else f'{ast.unparse(start)} + {total}'}\n"
        as_list = ".to_list()" if library == "polars" else ".tolist()"
        target = self.objects.attributes.get(output.target, output.target)
        if self._keeps_items and library != "polars" and output.kind in ("last", "list"):
            array = code if library == "numpy" else f"{code}.to_numpy()"
            value = f"{array}[-1]" if output.kind == "last" else f"list({array})"
            return f"{target} = {value}\n"
        if output.kind == "last":
            return f"{target} = {code}{as_list}[-1]\n"
        if output.kind == "list" or isinstance(self.values.variables.get(output.target), list):
            return f"{output.target} = {code}{as_list}\n"
        if output.kind == "array" and library != "numpy":
            code = f"{code}.to_numpy()"
        if output.keeps is not None:
            return f"{output.target}[{output.keeps}] = {code}[{output.keeps}]\n"
        return f"{output.target}[:] = {code}\n" if is_parameter else f"{output.target} = {code}\n"


def _returns_its_column(function: ast.FunctionDef) -> bool:
    """Whether a function of a row only returns its one parameter."""
    match function.body:
        case [ast.Return(value=ast.Name(id=name))]:
            return [a.arg for a in function.args.args] == [name]
    return False
