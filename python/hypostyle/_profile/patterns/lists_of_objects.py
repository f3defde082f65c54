"""Lists of what an object answers for each value, `[detector.update(x) for x in frame["x"]]`: they are loops."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hypostyle._profile.change import Change, Values
from hypostyle._profile.patterns.loops import Loop
from hypostyle._profile.row_access import header_of
from hypostyle._profile.syntax import SourceFile, method, names_set

_LIST = "answers"
"""The name of the list in the loop that is written; the result gets the user's."""


def find(file: SourceFile) -> Iterator[ObjectList]:
    """Yield assignments of lists that call methods of an object of one of the file's classes."""
    if not any(isinstance(node, ast.ClassDef) for node in file.tree.body):
        return
    for node in ast.walk(file.tree):
        match node:
            case ast.Assign(
                targets=[ast.Name() | ast.Subscript() as target],
                value=ast.ListComp(elt=result, generators=[ast.comprehension(ifs=[], is_async=0) as rows]),
            ) if _asks(result, names_set([rows.target])):
                loop = _loop(file, node, result, rows)
                if loop is not None:
                    yield ObjectList(file, node, target, loop)


def _asks(result: ast.expr, of_row: set[str]) -> bool:
    """Whether an expression calls a method of something that is not of the row."""
    owners = [called[0] for node in ast.walk(result) if (called := method(node)) is not None]
    return any(isinstance(owner, ast.Name) and owner.id not in of_row for owner in owners)


def _loop(file: SourceFile, node: ast.Assign, result: ast.expr, rows: ast.comprehension) -> Loop | None:
    """Return the loop that appends what a list holds."""
    append = ast.parse(f"{_LIST}.append(0)").body[0]
    assert isinstance(append, ast.Expr)
    assert isinstance(append.value, ast.Call)
    append.value.args = [copy.deepcopy(result)]
    made = ast.For(copy.deepcopy(rows.target), copy.deepcopy(rows.iter), [append], [])
    for part in ast.walk(made):
        ast.copy_location(part, node)
    header = header_of(made)
    if header is None:
        return None
    file.put_in_place(made, node)
    loop = Loop(file, made, header)
    loop.before = list(ast.parse(f"{_LIST} = []").body)
    return loop


@dataclass(eq=False)
class ObjectList:
    """An assignment of a list."""

    file: SourceFile
    node: ast.Assign
    target: ast.expr
    loop: Loop

    pattern = "lists of objects"
    suggestion = "@hs.loop"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The assignment."""
        return [self.node]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the loop as a function, if it is one of an object's state."""
        target = ast.unparse(self.target).replace("'", '"')
        for change in self.loop.changes(values):
            if not change.definitions.count("def ") > 1:
                continue  # no method is called
            after = _named(change.after, target)
            edits = [(first, last, _named(text, target)) for first, last, text in change.edits]
            yield replace(change, after=after, edits=edits)


def _named(text: str, target: str) -> str:
    """Return text with the user's target in the place of the list."""
    lines = text.splitlines(keepends=True)
    mark = f"{_LIST} = "
    made = [line.replace(mark, f"{target} = ", 1) if line.strip().startswith(mark) else line for line in lines]
    # In the function the list keeps its name.
    return "".join(old if old.strip() == f"{_LIST} = []" else new for old, new in zip(lines, made, strict=True))
