"""Statements of a program as Rust: `if` stays `if`, a loop stays a loop, and an early return stays one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypostyle._convert.calls import Calls, unit
from hypostyle._convert.code import LOOSE, MUL, Code, as_result, type_name
from hypostyle._convert.comments import Comments
from hypostyle._convert.flow import Node, is_endless, leaves
from hypostyle._convert.kinds import Types
from hypostyle._convert.origin import Mark, Origin
from hypostyle._convert.variables import Type, Variable, Variables

_INPLACE = {"+": "+=", "-": "-=", "*": "*="}


@dataclass
class Exit:
    """What `return` means: of the function, or of the block of a helper."""

    of: Type | None = None
    label: str = ""
    is_function: bool = False
    fails: bool = False
    """Whether the function of a helper may have no result."""
    is_labelled: bool = False
    is_typed: bool = True


class Statements(Calls):
    """Writes statements."""

    def __init__(self, origin: Origin, variables: Variables, types: Types) -> None:
        super().__init__(origin, variables, types)
        self.comments: dict[tuple[str, int], Comments] = {}
        self.exit = Exit()
        self.hoisted: dict[tuple[int, int], list[Variable]] = {}
        for variable in variables.all():
            if not variable.at_set and variable.is_used:
                self.hoisted.setdefault(variable.declared, []).append(variable)

    # Comments

    def comments_of(self, mark: Mark) -> Comments:
        """Return the comments of the function that a statement is from."""
        key = mark.source.filename, mark.source.node.lineno
        if key not in self.comments:
            self.comments[key] = Comments(mark.source)
        return self.comments[key]

    # Blocks

    def block(self, body: list[Node], tail: bool = False, skip: int = 0) -> list[str]:
        """Write statements without the first ones; with `tail` a `return` at their end is the value of the block."""
        known = set(self.known)
        lines: list[str] = []
        for number, statement in enumerate(body):
            if number < skip:
                continue
            mark = self.origin.marks.get(id(statement))
            beside: list[str] = []
            if mark is not None:
                self.at = mark.source, mark.node
                comments = self.comments_of(mark)
                lines += comments.before(mark.node.lineno)
                if statement[0] in ("set", "return", "break", "continue"):
                    beside = comments.beside(mark.node.lineno, mark.node.end_lineno or mark.node.lineno)
            written = self.statement(statement, (id(body), number), tail and number == len(body) - 1)
            if beside and len(written) == 1 and len(beside) == 1 and "\n" not in written[0]:
                written[0] += f" {beside[0]}"
            else:
                lines += beside
            lines += written
        self.known = known
        return lines

    def statement(self, node: Node, place: tuple[int, int], tail: bool) -> list[str]:
        """Write a statement, with the variables that are declared before it."""
        hoisted = self.hoisted.get(place, [])
        if len(hoisted) == 1 and node[0] == "if" and self.is_choice(node, hoisted[0]):
            return self.choice(node, hoisted[0])
        lines = [self.declaration(variable) for variable in hoisted]
        match node:
            case ["set", _, value]:
                lines += self.set(node, value, place)
            case ["if", test, yes, no]:
                lines += self.conditional(test, yes, no, tail)
            case ["for", _, items, body]:
                lines += self.for_loop(node, items, body)
            case ["while", test, body]:
                head = "loop" if is_endless(test) else f"while {self.condition(test).text}"
                lines += [f"{head} {{", *self.block(body), "}"]
            case ["break" | "continue" as word]:
                lines.append(f"{word};")
            case ["return", results, state]:
                lines += self.leave(results, state, tail)
        return lines

    # Variables

    def let(self, variable: Variable, code: Code | None) -> str:
        """Write a declaration."""
        word = "let mut" if variable.mutable else "let"
        of = Type(variable.type.kind, True) if variable.unbound else variable.type
        typed = f": {type_name(of)}" if code is None or not code.typed else ""
        return f"{word} {variable.rust}{typed}" + ("" if code is None else f" = {code.text}") + ";"

    def declaration(self, variable: Variable) -> str:
        """Write the declaration of a variable that is assigned later."""
        if variable.unbound:
            return f"let mut {variable.rust}: {type_name(Type(variable.type.kind, True))} = None;"
        return self.let(variable, unit(variable.type) if variable.starts else None)

    def set(self, node: Node, value: Any, place: tuple[int, int]) -> list[str]:
        """Write an assignment."""
        variable = self.variables.set_by(node)
        if variable is None:
            return []
        code = self.value(value)
        if not variable.is_used:
            return [f"let _ = {code.text};"] if code.fails else []
        if variable.at_set and variable.declared == place:
            return [self.let(variable, self.coerced(code, variable.type))]
        match value:
            case ["+" | "-" | "*" as operator, ["get", _], right] if variable.type == Type("float"):
                if self.variables.used_by(value[1]) is variable and not variable.unbound:
                    return [f"{variable.rust} {_INPLACE[operator]} {self.as_float(right).text};"]
            case ["/", ["get", _], ["float", _] | int() as right] if (
                variable.type == Type("float") and "?" not in code.text
            ):
                if self.variables.used_by(value[1]) is variable and not variable.unbound:
                    return [f"{variable.rust} /= {self.as_float(right).at(MUL)};"]
        text = self.coerced(code, variable.type).text
        if code.text == variable.rust:
            return []
        return [f"{variable.rust} = Some({text});" if variable.unbound else f"{variable.rust} = {text};"]

    # Branches

    def conditional(self, test: Any, yes: list[Node], no: list[Node], tail: bool) -> list[str]:
        """Write `if`."""
        tail = tail and returns(yes) and returns(no)
        missing = self.tested_for_none(test)
        if missing and not no and leaves(yes):
            lines = [f"let {_some(missing)} = {_all(missing)} else {{", *self.block(yes), "};"]
            self.known |= set(missing)
            return lines
        given = self.tested_for_none(test[1]) if isinstance(test, list) and test[0] == "not" else []
        if len(given) == 1:
            head = f"if let Some({given[0].rust}) = {given[0].rust} {{"
            outer, self.known = self.known, self.known | set(given)
            lines = [head, *self.block(yes, tail)]
            self.known = outer
        else:
            lines = [f"if {self.condition(test).text} {{", *self.block(yes, tail)]
        if not no:
            return [*lines, "}"]
        other = self.block(no, tail)
        if len(no) == 1 and no[0][0] == "if" and other[0].startswith("if ") and _is_one(other):
            return [*lines, f"}} else {other[0]}", *other[1:]]
        return [*lines, "} else {", *other, "}"]

    def tested_for_none(self, test: Any) -> list[Variable]:
        """Return the variables of `x is None or y is None`, if they can be unwrapped for what follows."""
        found: list[Variable] = []
        for part in test[1] if isinstance(test, list) and test[0] == "or" else [test]:
            match part:
                case ["is_none", ["get", _] as node]:
                    variable = self.variables.used_by(node)
                    if variable is None or variable in self.known or variable in found:
                        return []
                    if variable.mutable or variable.unbound or not variable.type.nullable:
                        return []
                    if variable.type.kind == "none":
                        return []
                    found.append(variable)
                case _:
                    return []
        return found

    def is_choice(self, node: Node, variable: Variable) -> bool:
        """Return whether an `if` only chooses what one variable is."""
        return (
            not variable.unbound and not variable.starts and self._tails(node, variable) == self._count(node, variable)
        )

    def _tails(self, node: Node, variable: Variable) -> int:
        total = 0
        for arm in node[2:4]:
            last = arm[-1] if arm else [""]
            if last[0] == "set" and self.variables.set_by(last) is variable:
                total += 1
            elif last[0] == "if" and (inner := self._tails(last, variable)):
                total += inner
            elif not leaves(arm):
                return 0
        return total

    def _count(self, node: Any, variable: Variable) -> int:
        if not isinstance(node, list):
            return 0
        own = node[:1] in (["set"], ["for"]) and self.variables.set_by(node) is variable
        own = own or (node[:1] == ["get"] and self.variables.used_by(node) is variable)
        return int(own) + sum(self._count(item, variable) for item in node)

    def choice(self, node: Node, variable: Variable) -> list[str]:
        """Write `let x = if ... { a } else { b };`."""
        lines, typed = self._arms(node, variable)
        of = "" if typed else f": {type_name(variable.type)}"
        word = "let mut" if variable.mutable else "let"
        return [f"{word} {variable.rust}{of} = {lines[0]}", *lines[1:-1], f"{lines[-1]};"]

    def _arms(self, node: Node, variable: Variable) -> tuple[list[str], bool]:
        _, test, yes, no = node
        lines, typed = [f"if {self.condition(test).text} {{"], False
        for number, arm in enumerate((yes, no)):
            last = arm[-1]
            if number:
                lines.append("} else {")
            if last[0] == "set" and self.variables.set_by(last) is variable:
                lines += self._with_comments(arm[:-1], last)
                code = self.coerced(self.value(last[2]), variable.type)
                lines.append(code.text)
                typed = typed or code.typed
            elif last[0] == "if" and self._tails(last, variable):
                lines += self._with_comments(arm[:-1], last)
                inner, inner_typed = self._arms(last, variable)
                typed = typed or inner_typed
                if number and len(arm) == 1 and lines[-1] == "} else {":
                    lines[-1] = f"}} else {inner[0]}"
                    lines += inner[1:]
                    return lines, typed
                lines += inner
            else:
                lines += self.block(arm)
        return [*lines, "}"], typed

    def _with_comments(self, before: list[Node], last: Node) -> list[str]:
        lines = self.block(before)
        mark = self.origin.marks.get(id(last))
        if mark is not None:
            self.at = mark.source, mark.node
            comments = self.comments_of(mark)
            lines += comments.before(mark.node.lineno)
            if last[0] == "set":
                lines += comments.beside(mark.node.lineno, mark.node.end_lineno or mark.node.lineno)
        return lines

    # Loops

    def for_loop(self, node: Node, items: list[Any], body: list[Node]) -> list[str]:
        """Write a loop over values that are written out."""
        variable = self.variables.set_by(node)
        if variable is None:
            return []
        over = self._range(items, variable) or self._listed(items, variable)
        if not variable.is_used:
            return [f"for _ in {over} {{", *self.block(body), "}"]
        if variable.declared[0] == id(body):
            name = f"mut {variable.rust}" if variable.mutable else variable.rust
            return [f"for {name} in {over} {{", *self.block(body), "}"]
        name = self.fresh("item")
        value = f"Some({name})" if variable.unbound else name
        lines = [f"for {name} in {over} {{", f"{variable.rust} = {value};", *self.block(body), "}"]
        self.names.discard(name)
        return lines

    def _range(self, items: list[Any], variable: Variable) -> str | None:
        if not all(type(item) is int for item in items) or variable.type != Type("int"):
            return None
        if len(items) < 3 or items != list(range(items[0], items[0] + len(items))):
            return None
        return f"{items[0]}..{items[-1] + 1}" + ("_i64" if variable.is_used else "")

    def _listed(self, items: list[Any], variable: Variable) -> str:
        codes = [self.coerced(self.value(item), variable.type) for item in items]
        texts = [code.text for code in codes]
        if (
            not any(code.typed for code in codes)
            and variable.type.kind in ("int", "float")
            and not variable.type.nullable
        ):
            first = codes[0]
            texts[0] = f"{first.text}_{'i64' if variable.type.kind == 'int' else 'f64'}"
        return f"[{', '.join(texts)}]"

    # Returns

    def leave(self, results: list[Any], state: list[Any], tail: bool) -> list[str]:
        """Write `return`."""
        if self.exit.of is not None:
            code = self.coerced(self.value(results[0]), self.exit.of)
            self.exit.is_typed = self.exit.is_typed and code.typed
            if self.exit.is_function:
                text = as_result(code).text if self.exit.fails else code.text
                return [text if tail else f"return {text};"]
            if tail:
                return [code.text]
            self.exit.is_labelled = True
            text = f"({code.text})" if code.text.startswith(("{", "'")) else code.text
            return [f"break '{self.exit.label} {text};"]
        lines, result = self.result(results, state)
        return [*lines, result if tail else f"return {result};"]

    def result(self, results: list[Any], state: list[Any]) -> tuple[list[str], str]:
        """Return the statements before the result of a row, and the result."""
        codes = [self.value(value) for value in results]
        types = self.types.results
        if len(types) == 1 and not self.origin.program.outputs:
            kind = _kind(types[0])
            code = codes[0]
            plain = not code.nullable and code.kind != "none"
            text = (
                as_result(self.coerced(code, Type(kind))).text if plain else self.coerced(code, Type(kind, True)).text
            )
        else:
            items = [self.coerced(c, Type(_kind(t), t.nullable)).text for c, t in zip(codes, types, strict=True)]
            text = f"Some(({', '.join(items)}{',' if len(items) == 1 else ''}))"
        fields = list(self.types.fields.items())
        parts = []
        changed = False
        for (name, of), value in zip(fields, state, strict=True):
            code = self.coerced(self.value(value), Type(_kind(of), of.nullable))
            changed = changed or value != ["field", name]
            rust = self.field_names[name]
            parts.append(rust if code.text == rust else f"{rust}: {code.text}")
        if not changed:
            return [], text
        lines = []
        if any(code.fails or f"{self.state_name}." in code.text for code in codes):
            # Before the state changes: an error leaves it as it was.
            name = self.fresh("result")
            self.names.discard(name)
            if len(types) == 1 and not self.origin.program.outputs:
                value = self.coerced(codes[0], Type(_kind(types[0]), codes[0].nullable))
                typed = "" if value.typed else f": {type_name(value.type)}"
                lines.append(f"let {name}{typed} = {value.text};")
                text = name if value.nullable else f"Some({name})"
            else:
                lines.append(f"let {name}: {self.result_type()} = {text};")
                text = name
        lines.append(f"*{self.state_name} = State {{ {', '.join(parts)} }};")
        return lines, text

    def result_type(self) -> str:
        """Return the type of a row's result."""
        types = self.types.results
        if not self.origin.program.outputs:
            return type_name(Type(_kind(types[0]), True))
        items = [type_name(Type(_kind(of), of.nullable)) for of in types]
        return f"Option<({', '.join(items)}{',' if len(items) == 1 else ''})>"

    def block_value(self, node: Node, body: list[Node]) -> Code:
        """Write the block of a helper, or of an assignment in an expression."""
        of = self.types.of(node)
        outer, outer_at = self.exit, self.at
        self.exit = Exit(of, self.fresh("call"))
        lines = self.block(body, tail=True)
        if id(body) in self.variables.flow.falls:
            lines.append("None")
        label = f"'{self.exit.label}: " if self.exit.is_labelled else ""
        typed = self.exit.is_typed
        self.names.discard(self.exit.label)
        self.exit, self.at = outer, outer_at
        if not label and len(lines) == 1:
            return Code(lines[0], of, LOOSE, typed=typed)
        return Code(f"{label}{{\n" + "\n".join(lines) + "\n}", of, LOOSE, typed=typed)


def returns(body: list[Node]) -> bool:
    """Return whether statements end with `return` on every path."""
    if not body:
        return False
    last = body[-1]
    return last[0] == "return" or (last[0] == "if" and returns(last[2]) and returns(last[3]))


def _kind(of: Type) -> str:
    return of.kind if of.kind in ("float", "int", "bool") else "float"


def _some(variables: list[Variable]) -> str:
    parts = [f"Some({variable.rust})" for variable in variables]
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def _all(variables: list[Variable]) -> str:
    parts = [variable.rust for variable in variables]
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def _is_one(lines: list[str]) -> bool:
    """Return whether lines are one `if` with nothing after it."""
    depth = 0
    for number, line in enumerate(lines):
        depth += line.count("{") - line.count("}")
        if depth == 0 and number < len(lines) - 1 and not line.startswith("}"):
            return False
    return lines[-1] == "}"
