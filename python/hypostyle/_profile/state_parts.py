"""State in several parts: `state = {"position": 0, "cash": 0.0}`, a tuple, or one of these for each key.

Each part becomes a variable of its own, or a dictionary of its own where there are keys.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypostyle._profile.states_left import Left
from hypostyle._profile.syntax import method, names_read, names_set


@dataclass
class _Parts:
    """A name with its parts: variables by the code of their places."""

    name: str
    variables: dict[str, str]
    firsts: dict[str, ast.expr]
    is_tuple: bool


def in_parts(
    body: list[ast.stmt], before: list[ast.stmt], later: set[str], free: Callable[[str], str]
) -> tuple[list[ast.stmt], list[ast.stmt], list[Left]]:
    """Return a body and the statements before it, with the parts of state that they keep together.

    Dictionaries by key that are read later are returned with their parts.
    """
    left: list[Left] = []
    body, before = _without_tuples(body, before, later, free)
    for statement in list(before):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                of_key = _of_key(body, name, value)
                if name in later and (not isinstance(of_key, ast.Dict) or not isinstance(value, ast.Dict)):
                    continue
                state = value if of_key is None else of_key
                made = _parts(name, state, free)
                if made is None:
                    continue
                written = _with_variables(body, made) if of_key is None else _with_keys(body, made)
                if written is None:
                    continue
                body = written
                if name in later:
                    left.append(Left(name, made.variables))
                at = before.index(statement)
                before = [*before[:at], *_starts(made, with_keys=of_key is not None), *before[at + 1 :]]
    return body, before, left


def _without_tuples(
    body: list[ast.stmt], before: list[ast.stmt], later: set[str], free: Callable[[str], str]
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Return a body with a dictionary for each part of `state[key] = (time, level)`, which it may read by `get`."""
    for statement in before:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=[])) if name not in later:
                assigned = (n for s in body for n in ast.walk(s) if isinstance(n, ast.Assign))
                stored = [n.value for n in assigned if key_in(n.targets[0], name) is not None]
                sizes = {len(value.elts) if isinstance(value, ast.Tuple) else 0 for value in stored}
                if len(sizes) != 1 or (size := sizes.pop()) < 2:
                    continue
                tuples = _Tuples(name, [free(f"{name}_{part}") for part in range(size)])
                written = [part for s in body for part in tuples.statement(copy.deepcopy(s))]
                if not _mentions(written, name):
                    at = before.index(statement)
                    starts = ast.parse("".join(f"{variable} = {{}}\n" for variable in tuples.variables)).body
                    body, before = written, [*before[:at], *starts, *before[at + 1 :]]
    return body, before


class _Tuples(ast.NodeTransformer):
    """Writes a dictionary of tuples as one for each part."""

    def __init__(self, name: str, variables: list[str]) -> None:
        self._name, self.variables = name, variables

    def statement(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return what stands for a statement."""
        made = self.visit(statement)
        return made if isinstance(made, list) else [made]

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        match node:
            case ast.Assign(targets=[ast.Subscript() as target], value=ast.Tuple(elts=parts)) if (
                key := key_in(target, self._name)
            ) is not None:
                pairs = zip(self.variables, parts, strict=True)
                return [ast.Assign([self._item(v, key, ast.Store())], part, lineno=0) for v, part in pairs]
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=value) if len(names) == len(self.variables):
                return self._taken(names, value) or self.generic_visit(node)
        return self.generic_visit(node)

    def _taken(self, names: list[ast.expr], value: ast.expr) -> list[ast.stmt] | None:
        """Return the statements of `a, b = state[key]`, or of `state.get(key, (c, d))`."""
        if isinstance(value, ast.Subscript) and (key := key_in(value, self._name)) is not None:
            items: list[ast.expr] = [self._item(v, key, ast.Load()) for v in self.variables]
            return [ast.Assign([n], item, lineno=0) for n, item in zip(names, items, strict=True)]
        match value:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=found), attr="get"), args=[key, ast.Tuple(elts=firsts)]
            ) if found == self._name and len(firsts) == len(names) and not names_set(names) & names_read(firsts):
                made: list[ast.stmt] = []
                for name, variable, first in zip(names, self.variables, firsts, strict=True):
                    get = ast.Attribute(ast.Name(variable, ast.Load()), "get", ast.Load())
                    made.append(ast.Assign([name], ast.Call(get, [copy.deepcopy(key), first], []), lineno=0))
                return made
        return None

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        match node.slice:
            case ast.Constant(value=int(at)) if at in range(len(self.variables)):
                key = key_in(node.value, self._name)
                return self.generic_visit(node) if key is None else self._item(self.variables[at], key, node.ctx)
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        match node:
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=found)]) if found == self._name:
                node.comparators = [ast.Name(self.variables[0], ast.Load())]
        return node

    @staticmethod
    def _item(variable: str, key: ast.expr, context: ast.expr_context) -> ast.Subscript:
        return ast.Subscript(ast.Name(variable, ast.Load()), copy.deepcopy(key), context)


def _parts(name: str, state: ast.expr, free: Callable[[str], str]) -> _Parts | None:
    items: dict[str, ast.expr] = {}
    match state:
        case ast.Dict(keys=keys, values=values) if keys:
            for key, value in zip(keys, values, strict=True):
                if not isinstance(key, ast.Constant):
                    return None
                items[repr(key.value)] = value
        case ast.Tuple(elts=values) | ast.List(elts=values) if values:
            items = {str(at): value for at, value in enumerate(values)}
        case _:
            return None
    if not all(isinstance(value, ast.Constant | ast.UnaryOp | ast.Name) for value in items.values()):
        return None
    words = {place: f"{name}_{place.strip(chr(39))}" for place in items}
    variables = {place: free(w if w.isidentifier() else f"{name}_part") for place, w in words.items()}
    return _Parts(name, variables, items, isinstance(state, ast.Tuple))


def _starts(made: _Parts, *, with_keys: bool) -> list[ast.stmt]:
    starts = []
    for place, variable in made.variables.items():
        first = ast.unparse(made.firsts[place])
        value = f"defaultdict(lambda: {first})" if with_keys else first
        starts += ast.parse(f"{variable} = {value}").body
    return starts


def _with_variables(body: list[ast.stmt], made: _Parts) -> list[ast.stmt] | None:
    """Return the body with variables in the place of `state["cash"]`, or of a tuple as a whole."""

    class Variables(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            if isinstance(node.value, ast.Name) and node.value.id == made.name:
                variable = made.variables.get(ast.unparse(node.slice))
                if variable is not None:
                    return ast.Name(variable, node.ctx)
            return self.generic_visit(node)

        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id == made.name and made.is_tuple:
                return ast.Tuple([ast.Name(v, node.ctx) for v in made.variables.values()], node.ctx)
            return node

    written = [Variables().visit(copy.deepcopy(statement)) for statement in body]
    return None if _mentions(written, made.name) else written


def _mentions(body: Sequence[ast.stmt], name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for s in body for n in ast.walk(s))


def _of_key(body: Sequence[ast.stmt], name: str, value: ast.expr) -> ast.expr | None:
    """Return the first state of a key, if a name has one for each."""
    match value:
        case ast.Call(args=[ast.Lambda(body=state)]) if ast.unparse(value.func).endswith("defaultdict"):
            return state
        case ast.Dict(keys=[]) | ast.Call(func=ast.Name(id="dict"), args=[], keywords=[]):
            for node in (n for s in body for n in ast.walk(s)):
                match node:
                    case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=found))], value=state) if found == name:
                        return state
                called = method(node)
                if called is not None and called[1] == "setdefault" and ast.unparse(called[0]) == name:
                    return called[2].args[1] if len(called[2].args) == 2 else None
    return None


def _with_keys(body: list[ast.stmt], made: _Parts) -> list[ast.stmt] | None:
    """Return the body with a dictionary for each part, without the statements that make a key's first state."""
    keys: dict[str, ast.expr] = {}
    aliases: dict[str, ast.expr] = {}
    written: list[ast.stmt] = []
    for statement in body:
        if _is_first(statement, made.name):
            continue
        match statement:
            case ast.Assign(targets=[ast.Name(id=alias)], value=value) if (key := key_in(value, made.name)) is not None:
                aliases[alias] = key
                continue
        written.append(copy.deepcopy(statement))

    def key_of(node: ast.expr) -> ast.expr | None:
        found = aliases.get(node.id) if isinstance(node, ast.Name) else key_in(node, made.name)
        if found is not None:
            keys[ast.unparse(found)] = found
        return found

    class Items(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            variable = made.variables.get(ast.unparse(node.slice))
            key = None if variable is None else key_of(node.value)
            if variable is None or key is None:
                return self.generic_visit(node)
            return ast.Subscript(ast.Name(variable, ast.Load()), copy.deepcopy(key), node.ctx)

    written = [Items().visit(statement) for statement in written]
    is_left = _mentions(written, made.name) or aliases.keys() & names_read(written)
    return None if is_left or len(keys) != 1 else written


def _is_first(statement: ast.stmt, name: str) -> bool:
    """Whether a statement only makes the first state of a key."""
    match statement:
        case ast.If(
            test=ast.Compare(ops=[ast.NotIn()], comparators=[ast.Name(id=found)]),
            body=[ast.Assign(targets=[ast.Subscript(value=ast.Name(id=written))], value=ast.Dict() | ast.List())],
            orelse=[],
        ):
            return found == written == name
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="setdefault"))):
            return found == name
    return False


def key_in(node: ast.expr, name: str) -> ast.expr | None:
    """Return the key of `state[key]` or `state.setdefault(key, ...)`."""
    match node:
        case ast.Subscript(value=ast.Name(id=found), slice=key) if found == name:
            return key
        case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="setdefault"), args=[key, _]) if found == name:
            return key
    return None
