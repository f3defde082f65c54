"""Objects by key that a loop asks: `accounts[row.user].add(row.amount)` of a class of the script.

Each attribute becomes a dictionary of its own, so that a loop with a state per key can be made of it, and methods
become functions of the attributes, as those of one object do.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypostyle._profile.keyed_state import named_keys
from hypostyle._profile.objects import hoisted
from hypostyle._profile.state_parts import key_in
from hypostyle._profile.states_left import Left
from hypostyle._profile.syntax import SourceFile, method, names_read, names_set

Functions = dict[str, ast.FunctionDef]


@dataclass
class _Made:
    """How the object of a key is made, and what stands for it."""

    name: str
    """The dictionary."""
    cls: ast.ClassDef
    made: ast.expr
    """The call that makes an object."""
    firsts: dict[str, ast.expr]
    """The first value of each attribute."""
    keys: dict[str, ast.expr] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)


def without_keyed_objects(
    file: SourceFile, body: list[ast.stmt], before: list[ast.stmt], free: Callable[[str], str]
) -> tuple[list[ast.stmt], list[ast.stmt], Functions, Left] | None:
    """Return a body, and the statements before it, without such objects, their methods, and what they are made of.

    None if there are none.
    """
    classes = {node.name: node for node in file.tree.body if isinstance(node, ast.ClassDef) and not node.bases}
    if not classes:
        return None
    for at, statement in enumerate(before):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names_read(body):
                made = _made(name, value, body, classes)
                written = None if made is None else _written(made, named_keys(copy.deepcopy(body)), free)
                if written is not None:
                    statements, starts, functions, left = written
                    return statements, [*before[:at], *starts, *before[at + 1 :]], functions, left
    return None


def _made(name: str, value: ast.expr, body: Sequence[ast.stmt], classes: dict[str, ast.ClassDef]) -> _Made | None:
    """Return how a dictionary's objects are made: by itself, or where a key is missing."""
    made: ast.expr | None = None
    match value:
        case ast.Call(func=function, args=[ast.Lambda(body=called)]) if ast.unparse(function).endswith("defaultdict"):
            made = called
        case ast.Call(func=function, args=[ast.Name() as cls]) if ast.unparse(function).endswith("defaultdict"):
            made = ast.Call(cls, [], [])
        case ast.Dict(keys=[]) | ast.Call(func=ast.Name(id="dict"), args=[], keywords=[]):
            for node in (n for s in body for n in ast.walk(s)):
                called_of = method(node)
                match node:
                    case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=found))], value=first) if found == name:
                        made = first
                if called_of is not None and called_of[1] == "setdefault" and ast.unparse(called_of[0]) == name:
                    made = called_of[2].args[-1]
    match made:
        case ast.Call(func=ast.Name(id=word), args=arguments, keywords=keywords) if word in classes:
            firsts = _firsts(classes[word], arguments, keywords)
            return None if firsts is None else _Made(name, classes[word], made, firsts)
    return None


def _firsts(
    cls: ast.ClassDef, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]
) -> dict[str, ast.expr] | None:
    """Return what a new object's attributes are; None if its class does more than to set them."""
    begun = next((s for s in cls.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"), None)
    if begun is None:
        fields = [s for s in cls.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]
        if not any("dataclass" in ast.unparse(d) for d in cls.decorator_list):
            return None
        names = [ast.unparse(s.target) for s in fields]
        known = {ast.unparse(s.target): s.value for s in fields if s.value is not None}
        given = _given(names, known, arguments, keywords)
        return given if given is None or all(not isinstance(v, ast.Call) for v in known.values()) else None
    names = [a.arg for a in begun.args.args[1:]]
    defaults = begun.args.defaults
    known = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True)) if defaults else {}
    given = _given(names, known, arguments, keywords)
    own = begun.args.args[0].arg
    firsts: dict[str, ast.expr] = {}
    for statement in begun.body:
        match statement:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Assign(targets=targets, value=value) if given is not None:
                for target in targets:
                    pairs = [(target, value)]
                    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                        pairs = list(zip(target.elts, value.elts, strict=False))
                    for part, first in pairs:
                        if not isinstance(part, ast.Attribute) or ast.unparse(part.value) != own:
                            return None
                        firsts[part.attr] = _Filled(given).visit(copy.deepcopy(first))
            case _:
                return None
    return None if own in names_read(list(firsts.values())) else firsts


def _given(
    names: Sequence[str],
    defaults: dict[str, ast.expr],
    arguments: Sequence[ast.expr],
    keywords: Sequence[ast.keyword],
) -> dict[str, ast.expr] | None:
    found = defaults | dict(zip(names, arguments, strict=False)) | {k.arg: k.value for k in keywords if k.arg}
    is_whole = found.keys() == set(names) and len(arguments) <= len(names) and all(k.arg for k in keywords)
    return {name: found[name] for name in names} if is_whole else None


class _Filled(ast.NodeTransformer):
    """Writes arguments in the place of parameters."""

    def __init__(self, given: dict[str, ast.expr]) -> None:
        self._given = given

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self._given[node.id]) if node.id in self._given else node


def _written(
    made: _Made, body: Sequence[ast.stmt], free: Callable[[str], str]
) -> tuple[list[ast.stmt], list[ast.stmt], Functions, Left] | None:
    name = free(f"{made.name}_object")
    rest = [statement for s in body for statement in _of_object(copy.deepcopy(s), made, name)]
    tested = next((a for a, first in made.firsts.items() if ast.unparse(first) != "None"), None)
    if len(made.keys) != 1 or tested is None:
        return None
    key = next(iter(made.keys.values()))
    dictionaries = {attribute: free(f"{made.name}_{attribute}") for attribute in made.firsts}
    attributes = {attribute: free(f"{made.name}_{attribute}_now") for attribute in made.firsts}
    functions: Functions = {}
    statements: list[ast.stmt] = []
    for statement in rest:
        new = hoisted(statement, name, made.cls, attributes, functions, free)
        if new is None:
            return None
        statements += new
    if {name, made.name, *made.aliases} & names_read(statements):
        return None

    def item(attribute: str, context: ast.expr_context) -> ast.Subscript:
        return ast.Subscript(ast.Name(dictionaries[attribute], ast.Load()), copy.deepcopy(key), context)

    begin: list[ast.stmt] = [ast.Assign([item(a, ast.Store())], f, lineno=0) for a, f in made.firsts.items()]
    is_new = ast.Compare(copy.deepcopy(key), [ast.NotIn()], [ast.Name(dictionaries[tested], ast.Load())])
    taken = [ast.Assign([ast.Name(v, ast.Store())], item(a, ast.Load()), lineno=0) for a, v in attributes.items()]
    changing = _changed([*statements, *functions.values()], attributes)
    kept = [ast.Assign([item(a, ast.Store())], ast.Name(attributes[a], ast.Load()), lineno=0) for a in changing]
    starts = ast.parse("".join(f"{dictionary} = {{}}\n" for dictionary in dictionaries.values())).body
    whole = [ast.fix_missing_locations(s) for s in [ast.If(is_new, begin, []), *taken, *statements, *kept]]
    left = Left(made.name, {a: dictionaries[a] for a in changing}, ast.unparse(made.made))
    return whole, starts, functions, left


def _changed(nodes: Sequence[ast.AST], attributes: dict[str, str]) -> list[str]:
    """Return the attributes that statements or methods set."""
    stored = names_set(nodes)
    return [attribute for attribute, variable in attributes.items() if variable in stored]


def _of_object(statement: ast.stmt, made: _Made, name: str) -> list[ast.stmt]:
    """Return what stands for a statement, with one name for the object of the key; nothing if it makes or names it."""
    match statement:
        case ast.If(
            test=ast.Compare(left=key, ops=[ast.NotIn()], comparators=[ast.Name(id=found)]),
            body=[ast.Assign(targets=[ast.Subscript(value=ast.Name(id=stored), slice=of)])],
            orelse=[],
        ) if found == stored == made.name and ast.dump(key) == ast.dump(of):
            made.keys[ast.unparse(key)] = key
            return []
        case ast.Assign(targets=[ast.Name(id=alias)], value=value) if (key_ := key_in(value, made.name)) is not None:
            made.keys[ast.unparse(key_)] = key_
            made.aliases.add(alias)
            return []

    class OneName(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            found = key_in(node, made.name)
            if found is None:
                return self.generic_visit(node)
            made.keys[ast.unparse(found)] = found
            return ast.Name(name, node.ctx)

        def visit_Call(self, node: ast.Call) -> ast.AST:
            found = key_in(node, made.name)
            if found is None:
                return self.generic_visit(node)
            made.keys[ast.unparse(found)] = found
            return ast.Name(name, ast.Load())

        def visit_Name(self, node: ast.Name) -> ast.AST:
            return ast.Name(name, node.ctx) if node.id in made.aliases else node

    return [OneName().visit(statement)]
