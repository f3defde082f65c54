"""Calls of other functions: the front end writes them out, here they become functions again."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from hypostyle._convert.code import Code, function, type_name
from hypostyle._convert.flow import Node
from hypostyle._convert.names import rust_name
from hypostyle._convert.origin import Helper
from hypostyle._convert.statements import Exit, Statements
from hypostyle._convert.variables import Type, Variable


class Called(Statements):
    """Writes functions for the blocks of helpers."""

    functions: dict[str, str]
    """The text of each function by its name."""

    def parameters(self, node: Node, helper: Helper) -> list[Node] | None:
        """Return the statements that set the parameters; None if the block is no function of its own."""
        body: list[Node] = node[1]
        arguments = helper.source.node.args
        names = [a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
        head: list[Node] = []
        for statement in body:
            name = statement[1].removeprefix(helper.prefix) if statement[0] == "set" else ""
            if name not in names:
                break
            names.remove(name)
            head.append(statement)
        own = set(_named("set", body)) | set(_named("for", body))
        inner = {statement[1] for statement in head}
        for number, statement in enumerate(head):
            variable = self.variables.set_by(statement)
            if variable is None or variable.unbound or not variable.at_set or variable.declared != (id(body), number):
                return None
            if not inner.isdisjoint(_named("get", statement[2])) or _named_blocks(statement[2]):
                return None
        rest = body[len(head) :]
        free = set(_named("get", rest)) - own
        of = self.types.of(node)
        if free or any(_named("field", rest)) or of.nullable or of.kind not in ("float", "int", "bool"):
            return None
        return head

    def block_value(self, node: Node, body: list[Node]) -> Code:
        """Write a block: the call of a function, if it is one."""
        helper = self.origin.helpers.get(id(node))
        head = None if helper is None else self.parameters(node, helper)
        if helper is None or head is None:
            return super().block_value(node, body)
        of = self.types.of(node)
        given, declared = [], []
        for statement in head:
            variable = self.variables.set_by(statement)
            assert isinstance(variable, Variable)
            given.append(self.coerced(self.value(statement[2]), variable.type).text)
            word = "mut " if variable.mutable else ""
            declared.append(f"{word}{variable.rust}: {type_name(variable.type)}")
        lines, fails = self._body(helper, body, len(head), of)
        result = type_name(Type(of.kind, fails))
        name = self._name(helper, f"({', '.join(declared)}) -> {result} {{\n" + "\n".join(lines) + "\n}\n")
        call = function(name, *given, of=of)
        return self.asked(call) if fails else call

    def _body(self, helper: Helper, body: list[Node], skip: int, of: Type) -> tuple[list[str], bool]:
        """Return the statements of a function, and whether it may have no result."""
        outer, outer_at, outer_known = self.exit, self.at, self.known
        key = helper.source.filename, helper.source.node.lineno
        for fails in (False, True):
            self.comments.pop(key, None)
            self.exit = Exit(of, is_function=True, fails=fails)
            self.known = set()
            lines = self.block(body, tail=True, skip=skip)
            if key in self.comments:
                lines += self.comments[key].before(self.comments[key].last + 1)
            if fails or not any("?" in line for line in lines):
                break
        self.exit, self.at, self.known = outer, outer_at, outer_known
        return lines, fails

    def _name(self, helper: Helper, text: str) -> str:
        node = helper.source.node
        documentation = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
        lines = inspect.cleandoc(documentation).splitlines() if documentation else []
        plain = rust_name(helper.source.name).removeprefix("r#")
        head = "".join(f"/// {line}".rstrip() + "\n" for line in lines)
        number, name = 1, plain
        while name in self.reserved or self.functions.get(name, f"{head}fn {name}{text}") != f"{head}fn {name}{text}":
            number += 1
            name = f"{plain}_{number}"
        self.functions[name] = f"{head}fn {name}{text}"
        return name

    reserved: frozenset[str]
    """Names that no helper can have."""


def _named(word: str, node: Any) -> Iterator[str]:
    if isinstance(node, list):
        if len(node) >= 2 and node[0] == word and isinstance(node[1], str):
            yield node[1]
        for item in node:
            yield from _named(word, item)


def _named_blocks(node: Any) -> bool:
    """Return whether an expression sets variables."""
    return any(_named("set", node))
