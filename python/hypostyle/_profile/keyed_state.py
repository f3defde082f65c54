"""State per key in a dictionary: `last[row.symbol]` in a loop over rows becomes a variable, and the key `over=`.

A kernel with `over` keeps a state for each key, which is what such dictionaries are for.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypostyle._profile.syntax import names_read

_MADE_BY = {"float": "0.0", "int": "0", "bool": "False"}


@dataclass
class KeyedState:
    """The dictionaries of a loop that have one key."""

    key: ast.expr
    """The key, as the loop writes it."""
    variables: dict[str, str] = field(default_factory=dict)
    """By dictionary, the variable that stands for the key's item."""
    starts: dict[str, str] = field(default_factory=dict)
    """By variable, the code of its first value."""


def keyed_state(body: Sequence[ast.stmt], before: Sequence[ast.stmt]) -> KeyedState | None:
    """Return the dictionaries that a loop reads and writes by one key; None if there are none, or several keys."""
    starts = {}
    for statement in before:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if (start := _start(value)) is not None:
                starts[name] = start
    found: KeyedState | None = None
    for name, start in starts.items():
        keys = [key for statement in body for node in ast.walk(statement) if (key := _key(node, name)) is not None]
        uses = sum(isinstance(n, ast.Name) and n.id == name for s in body for n in ast.walk(s))
        if not keys:
            continue
        if found is None:
            found = KeyedState(keys[0])
        if uses != len(keys) or any(ast.dump(key) != ast.dump(found.key) for key in keys):
            return None
        variable = f"{name}_of_key"
        defaults = {ast.unparse(d) for s in body for n in ast.walk(s) if (d := _default(n, name)) is not None}
        default = defaults.pop() if len(defaults) == 1 else None
        if default is not None and _is_number(default) and start == "None" and not _asks(body, name):
            start = default
        found.variables[name], found.starts[variable] = variable, start
    return found


def of_several_keys(body: Sequence[ast.stmt], before: Sequence[ast.stmt]) -> str:
    """Return why no loop per key is made of a loop: it reads one dictionary by several keys; nothing if it does not."""
    for statement in before:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _start(value) is not None:
                nodes = [n for s in body for n in ast.walk(s)]
                keys = dict.fromkeys(ast.unparse(key) for n in nodes if (key := _key(n, name)) is not None)
                if len(keys) > 1:
                    words = " and ".join(list(keys)[:2]).replace("'", '"')
                    return f"{name} is read by several keys in a row, {words}; a compiled loop keeps state for one key"
    return ""


def _start(value: ast.expr) -> str | None:
    """Return what an item starts with, as code, if an expression makes an empty dictionary or set."""
    match value:
        case ast.Dict(keys=[]) | ast.Call(func=ast.Name(id="dict" | "set"), args=[], keywords=[]):
            return "None"
        case ast.Call(func=ast.Name(id="defaultdict") | ast.Attribute(attr="defaultdict"), args=[made]):
            if isinstance(made, ast.Name) and made.id in _MADE_BY:
                return _MADE_BY[made.id]
            if isinstance(made, ast.Lambda) and isinstance(made.body, ast.Constant | ast.UnaryOp):
                return ast.unparse(made.body)
    return None


def _key(node: ast.AST, name: str) -> ast.expr | None:
    """Return the key of a use of the dictionary."""
    match node:
        case ast.Subscript(value=ast.Name(id=found), slice=key) if found == name:
            return key
        case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="get"), args=[key, *_], keywords=[]) if (
            found == name
        ):
            return key
        case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="add"), args=[key], keywords=[]) if (
            found == name
        ):
            return key
        case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=found)]) if found == name:
            return key
    return None


def _default(node: ast.AST, name: str) -> ast.expr | None:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="get"), args=[_, default]) if found == name:
            return default
    return None


def _is_number(code: str) -> bool:
    """Whether code is a number that is written out: other defaults may differ from row to row."""
    try:
        return isinstance(ast.literal_eval(code), int | float)
    except ValueError:
        return False


def _asks(body: Sequence[ast.stmt], name: str) -> bool:
    """Whether a loop asks for a key in another way than `get` with a default."""
    for node in (n for statement in body for n in ast.walk(statement)):
        match node:
            case ast.Compare(comparators=[ast.Name(id=found)]) if found == name:
                return True
            case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="get"), args=[_]) if found == name:
                return True
    return False


class OfKey(ast.NodeTransformer):
    """Writes the items of the key as variables."""

    def __init__(self, state: KeyedState) -> None:
        self._state = state

    def _variable(self, node: ast.AST) -> str | None:
        return next((v for name, v in self._state.variables.items() if _key(node, name) is not None), None)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        variable = self._variable(node)
        return self.generic_visit(node) if variable is None else ast.Name(variable, node.ctx)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        match node.value:
            case ast.Call(func=ast.Attribute(attr="add")) if (variable := self._variable(node.value)) is not None:
                return ast.Assign([ast.Name(variable, ast.Store())], ast.Constant(True), lineno=0)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        variable = self._variable(node)
        if variable is None:
            return self.generic_visit(node)
        name = ast.Name(variable, ast.Load())
        if len(node.args) == 1 or self._state.starts[variable] == ast.unparse(node.args[1]):
            return name
        is_none = ast.Compare(name, [ast.Is()], [ast.Constant(None)])
        return ast.IfExp(is_none, node.args[1], name)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        variable = self._variable(node)
        if variable is None:
            return self.generic_visit(node)
        operator: ast.cmpop = ast.IsNot() if isinstance(node.ops[0], ast.In) else ast.Is()
        return ast.Compare(ast.Name(variable, ast.Load()), [operator], [ast.Constant(None)])


def named_keys(body: list[ast.stmt]) -> list[ast.stmt]:
    """Write `symbol = row["symbol"]` at the beginning of a loop into its uses, if nothing else sets the name."""
    for at, statement in enumerate(body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() | ast.Attribute() as value):
                rest = body[at + 1 :]
                sets = any(
                    isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
                    for s in rest
                    for n in ast.walk(s)
                )
                if not sets and name in names_read(rest) and name not in names_read(body[:at]):
                    made = [_Written(name, value).visit(s) for s in rest]
                    return [*body[:at], *named_keys(made)]
            case _:
                continue
    return body


class _Written(ast.NodeTransformer):
    def __init__(self, name: str, value: ast.expr) -> None:
        self._name, self._value = name, value

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._value if node.id == self._name else node
