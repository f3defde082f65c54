"""What a function of a row returns: words, which are numbered while it runs, or the values of several columns."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence

from hypostyle._profile.labels import Labels, Numbered, labels_of
from hypostyle._profile.syntax import SourceFile, functions_of


def fields_of(body: Sequence[ast.stmt], *, expands: bool) -> tuple[str, list[ast.stmt]]:
    """Return the columns of a function that returns several values, as code, and its statements with tuples.

    Args:
        body: The statements.
        expands: Whether a tuple or a list stands for several columns, as with `result_type="expand"`.
    """
    names: set[str] = set()

    class Tuples(ast.NodeTransformer):
        def visit_Return(self, node: ast.Return) -> ast.AST:
            match node.value:
                case ast.Call(func=ast.Attribute(attr="Series"), args=[ast.List(elts=values)], keywords=[]):
                    name = f"range({len(values)})"
                case ast.Call(func=ast.Attribute(attr="Series"), args=[ast.List(elts=values)], keywords=[index]) if (
                    index.arg == "index"
                ):
                    name = ast.unparse(index.value)
                case ast.Call(
                    func=ast.Attribute(attr="Series"), args=[ast.Dict(keys=keys, values=values)], keywords=[]
                ):
                    name = f"[{', '.join(ast.unparse(key) for key in keys if key is not None)}]"
                case ast.Tuple(elts=values) | ast.List(elts=values) if expands:
                    name = f"range({len(values)})"
                case _:
                    name, values = "", []
            names.add(name)
            return ast.Return(ast.Tuple(values, ast.Load())) if name else node

    written = [Tuples().visit(copy.deepcopy(statement)) for statement in body]
    return (names.pop(), written) if len(names) == 1 and "" not in names else ("", list(body))


def numbered(body: Sequence[ast.stmt]) -> tuple[Labels, list[ast.stmt]] | None:
    """Return the statements of a function that returns words with their numbers in place; None if it returns others."""
    labels = labels_of(body, [], "return")
    if "return" not in labels.names:
        return None
    made = [Numbered(labels, "return").visit(copy.deepcopy(statement)) for statement in body]
    if body and not _always_returns(body[-1]):
        made.append(ast.Return(ast.Constant(labels.number(None))))
    return labels, made


def words_of(file: SourceFile, given: ast.expr) -> tuple[Labels, str, str] | None:
    """Return a function that returns words as one that returns their numbers: with its name, and its text."""
    function = functions_of(file).get(given.id) if isinstance(given, ast.Name) else given
    if not isinstance(function, ast.FunctionDef | ast.Lambda):
        return None
    body = function.body if isinstance(function, ast.FunctionDef) else [ast.Return(function.body)]
    found = numbered(body)
    if found is None:
        return None
    name = f"{given.id}_number" if isinstance(given, ast.Name) else f"word_of_line_{given.lineno}"
    made = ast.parse(f"@hs.jit\ndef {name}(): pass").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.args, made.body = copy.deepcopy(function.args), found[1]
    for argument in made.args.args:
        argument.annotation = None
    return found[0], name, f"{ast.unparse(ast.fix_missing_locations(made))}\n"


def _always_returns(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return bool(statement.orelse) and all(_always_returns(part[-1]) for part in (statement.body, statement.orelse))
    return isinstance(statement, ast.Return)
