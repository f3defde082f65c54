"""Words that a loop or a function sets: `"up"`, `"flat"`, or the name of a state.  They are numbered while it runs.

Compiled functions compare strings, and return none.  Where all that a name can be is written out, it has a number for
each word, and the result gets its words back.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypostyle._profile.loop_syntax import appended


@dataclass
class Labels:
    """The names that stand for words."""

    names: set[str]
    words: list[str | None] = field(default_factory=list)

    def number(self, word: str | None) -> int:
        """Return the number of a word."""
        if word not in self.words:
            self.words.append(word)
        return self.words.index(word)

    def decoded(self, code: str, dtype: str = "object") -> str:
        """Return the code of the words, from that of their numbers."""
        dtype = dtype if dtype in ("object", "str") else repr(dtype)
        return f"np.array({self.words!r}, dtype={dtype})[{code}]".replace("'", '"')


def labels_of(body: Sequence[ast.stmt], before: Sequence[ast.stmt], returned: str | None = None) -> Labels:
    """Return the names to which statements give words and nothing else.

    Args:
        body: The statements.
        before: Statements that give first values.
        returned: A name for what the statements return.
    """
    given: dict[str, list[ast.expr]] = {}
    for statement in [*before, *body]:
        for node in ast.walk(statement):
            for name, value in _given(node, returned, is_before=statement in before):
                given.setdefault(name, []).append(value)
    names = set(given)
    while True:
        kept = {name for name in names if all(_is_word(value, names) for value in given[name])}
        if kept == names:
            break
        names = kept
    # Of these, the names that get a word, or values of such names, or give them theirs.
    sources = {name: {n for value in given[name] for n in _sources(value)} for name in names}
    found = {name for name in names if any(_words(value) for value in given[name])}
    while True:
        more = {n for n in names if sources[n] & found} | {s for n in found for s in sources[n] & names}
        if more <= found:
            return Labels(found)
        found |= more


def _given(node: ast.AST, returned: str | None, *, is_before: bool) -> list[tuple[str, ast.expr]]:
    """Return the names that a node gives values."""
    if (found := appended(node)) is not None:
        return [found]
    match node:
        case ast.Assign(targets=targets, value=value):
            made = []
            for target in targets:
                if isinstance(target, ast.Name) and not (is_before and isinstance(value, ast.List | ast.Call)):
                    made.append((target.id, value))
                elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    made.append((target.value.id, value))
                elif isinstance(target, ast.Tuple):
                    values = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
                    pairs = zip(target.elts, values, strict=False)
                    made += [(t.id, v) for t, v in pairs if isinstance(t, ast.Name)]
            return made
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            return [(name, ast.BinOp(value, ast.Add(), value))]
        case ast.Return(value=ast.expr() as value) if returned is not None:
            return [(returned, value)]
    return []


def _words(value: ast.expr) -> bool:
    return (isinstance(value, ast.Constant) and isinstance(value.value, str)) or (
        isinstance(value, ast.IfExp) and (_words(value.body) or _words(value.orelse))
    )


def _is_word(value: ast.expr, names: set[str]) -> bool:
    match value:
        case ast.Constant(value=word):
            return word is None or isinstance(word, str)
        case ast.IfExp(body=first, orelse=second):
            return _is_word(first, names) and _is_word(second, names)
    return _is_of(value, names)


def _sources(value: ast.expr) -> list[str]:
    """Return the names of which an expression has the values."""
    match value:
        case ast.IfExp(body=first, orelse=second):
            return [*_sources(first), *_sources(second)]
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            return [name]
    return []


def _is_of(value: ast.expr, names: set[str]) -> bool:
    match value:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            return name in names
    return False


class Numbered(ast.NodeTransformer):
    """Writes the words of labels as numbers."""

    def __init__(self, labels: Labels, returned: str | None = None) -> None:
        self._labels = labels
        self._returned = returned

    def _value(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Constant(value=word) if word is None or isinstance(word, str):
                return ast.Constant(self._labels.number(word))
            case ast.IfExp(test=test, body=first, orelse=second):
                made = self.visit(test)
                return ast.IfExp(made, self._value(first), self._value(second))
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        for target in node.targets:
            name = target.value if isinstance(target, ast.Subscript) else target
            if isinstance(name, ast.Name) and name.id in self._labels.names:
                node.value = self._value(node.value)
                return node
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for at, part in enumerate(target.elts):
                    if isinstance(part, ast.Name) and part.id in self._labels.names:
                        node.value.elts[at] = self._value(node.value.elts[at])
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        found = appended(node)
        if found is not None and found[0] in self._labels.names and isinstance(node.value, ast.Call):
            node.value.args[0] = self._value(found[1])
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if node.value is not None and self._returned in self._labels.names:
            node.value = self._value(node.value)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Number the keys of `{"basic": 1.0, "gold": 1.5}[level]`."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Dict) and _is_of(node.slice, self._labels.names):
            node.value.keys = [None if key is None else self._value(key) for key in node.value.keys]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        left, right = node.left, node.comparators[0]
        if len(node.ops) == 1 and isinstance(left, ast.Constant):
            left, right = right, left
        if len(node.ops) != 1 or not _is_of(left, self._labels.names):
            return self.generic_visit(node)
        operator: ast.cmpop = node.ops[0]
        if isinstance(right, ast.Tuple | ast.List | ast.Set):
            return ast.Compare(left, [operator], [ast.Tuple([self._value(e) for e in right.elts], ast.Load())])
        if isinstance(operator, ast.Is | ast.IsNot):
            operator = ast.Eq() if isinstance(operator, ast.Is) else ast.NotEq()
        return ast.Compare(left, [operator], [self._value(right)])
