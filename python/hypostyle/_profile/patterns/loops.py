"""Loops over the rows of a frame or over arrays: `for _, row in frame.iterrows()`, `for i in range(len(frame))`, `zip`.

The loop becomes a function of arrays: with `hs.loop` if it carries variables from row to row, with `hs.jit` if not.
What follows it gets the same names with the same values.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hypostyle._profile.change import Change, Values
from hypostyle._profile.loop_code import Making
from hypostyle._profile.loop_syntax import appended, cell_of, is_written, targets_of
from hypostyle._profile.row_access import Header, header_of
from hypostyle._profile.syntax import SourceFile, is_literal, method, names_read, names_set, root, text_of


def find(file: SourceFile) -> Iterator[Loop]:
    """Yield loops over rows, from the outermost."""
    inside: set[int] = set()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.For) and id(node) not in inside and (header := header_of(node)) is not None:
            if header.form != "rows" and not _writes(node):
                continue
            inside.update(id(part) for part in ast.walk(node))
            yield Loop(file, node, header)


def _writes(loop: ast.For) -> bool:
    """Whether a loop appends, writes items, or changes variables; that of a generator belongs to its caller."""
    if any(isinstance(n, ast.Yield | ast.YieldFrom) for n in ast.walk(loop)):
        return False
    return any(isinstance(n, ast.AugAssign | ast.Assign) or appended(n) for n in ast.walk(loop))


@dataclass(eq=False)
class Loop:
    """A loop, with the statements before it that only prepare it."""

    file: SourceFile
    node: ast.For
    header: Header
    before: list[ast.stmt] = field(init=False)
    """Statements that give the loop's variables their first values."""
    emptied: list[ast.stmt] = field(init=False)
    """Assignments of empty dictionaries, for those that are emptied or made further above."""
    passed: list[ast.stmt] = field(init=False)
    """Statements between them with which the loop has nothing to do."""
    columns: dict[str, ast.expr] = field(init=False)
    """By the code of a column, the constant that the script sets it to before the loop writes its cells."""
    after: list[ast.stmt] = field(init=False)
    """The statement that makes a column of the loop's list, if it follows at once."""

    why: str = field(init=False, default="")
    """Why no function can be made of the loop, if that is known."""

    pattern = "loops"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """What is replaced."""
        return [*self._block, self.node, *self.after]

    def __post_init__(self) -> None:
        block = self.file.block(self.node)
        at = block.index(self.node)
        mine = names_set([self.node]) | {root(n) for n in ast.walk(self.node) if is_written(n)}
        mine |= {found[0] for n in ast.walk(self.node) if (found := appended(n))}
        mine |= {name for n in ast.walk(self.node) if (name := _added(n))}
        read = {root(n) for n in ast.walk(self.node) if isinstance(n, ast.Subscript)}
        calls = [called for n in ast.walk(self.node) if (called := method(n)) is not None]
        read |= {root(owner) for owner, name, _ in calls if name == "setdefault"}
        states = read | {root(owner) for owner, name, _ in calls if name in ("get", "add")}
        cells = {f'{ast.unparse(cell[0])}["{cell[1]}"]' for n in ast.walk(self.node) if (cell := _cell_written(n))}
        others = names_read([self.node]) | mine | read
        first = above = at
        kinds: dict[int, str] = {}
        while above > 0 and (kind := _kind(block[above - 1], mine, read, cells, others)):
            above -= 1
            kinds[above] = kind
            first = above if kind == "before" else first
        self._block = block[first:at]
        kinds = {k: kind for k, kind in kinds.items() if k >= first}
        self.before = [block[k] for k in sorted(kinds) if kinds[k] == "before"]
        begun = names_set(self.before)
        self.emptied = [s for name in sorted(map(str, states - begun)) if (s := _emptied(block[:first], name))]
        self.passed = [block[k] for k in sorted(kinds) if kinds[k] == "passed"]
        starts = [s for k, s in enumerate(block) if kinds.get(k) == "column" and isinstance(s, ast.Assign)]
        self.columns = {_code(s.targets[0]): s.value for s in starts}
        self.after = [s for s in block[at + 1 : at + 2] if _takes(s, mine)]

    @property
    def suggestion(self) -> str:
        """The decorator."""
        lists = {found[0] for n in ast.walk(self.node) if (found := appended(n))}
        reads_back = any(isinstance(n, ast.Subscript) and root(n) in lists for n in ast.walk(self.node))
        return "@hs.loop" if reads_back or self._carried(self.node) else "@hs.jit"

    def _carried(self, loop: ast.For) -> list[str]:
        """Return the variables that may be read before the loop assigns them."""
        assigned = names_set([loop.target])
        carried: dict[str, None] = {}
        changed = names_set(loop.body)

        def go(statements: Sequence[ast.stmt], known: set[str]) -> set[str]:
            for s in statements:
                if isinstance(s, ast.Try):
                    whole = go([*s.body, *s.orelse], set(known))
                    caught = [go(handler.body, set(known)) for handler in s.handlers]
                    known = known | whole.intersection(*caught)
                    continue
                tests = [s.test] if isinstance(s, ast.If | ast.While) else []
                read = (
                    names_read(tests or [s]) if not isinstance(s, ast.If | ast.For | ast.While) else names_read(tests)
                )
                if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name):
                    read = read | {s.target.id}
                if isinstance(s, ast.For):
                    read = names_read([s.iter])
                carried.update(dict.fromkeys(sorted(n for n in read if n in changed and n not in known)))
                if isinstance(s, ast.If):
                    known = known | (go(s.body, set(known)) & go(s.orelse, set(known)))
                elif isinstance(s, ast.For | ast.While):
                    go(s.body, known | names_set([s.target] if isinstance(s, ast.For) else []))
                else:
                    known = known | names_set([s])
            return known

        go(loop.body, assigned)
        return list(carried)

    def again(self, body: Sequence[ast.stmt], made: str) -> Loop:
        """Return the same loop with another body, which makes a list."""
        other = copy.copy(self)
        other.node = copy.copy(self.node)
        other.node.body = [ast.fix_missing_locations(ast.copy_location(s, self.node)) for s in body]
        used = names_read(body) | names_set(body)
        other.before = [*(s for s in self.before if names_set([s]) & used), ast.parse(f"{made} = []").body[0]]
        other.passed, other.after, other.columns = [], [], {}
        self.file.put_in_place(other.node, self.node)
        return other

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the loop as a function of a row, or as one over arrays."""
        if self.after and (made := Making(self, values, by_row=False, as_frame=True).change()) is not None:
            yield made
        for by_row in (True, False):
            for keeps_items in (False, True):
                made = Making(self, values, by_row=by_row, keeps_items=keeps_items).change()
                if made is not None:
                    yield made

    def carried_by(self, node: ast.For) -> list[str]:
        """Return the variables that go from row to row of this loop, as it is or written anew."""
        return self._carried(node)


_MAKERS = {"zeros", "empty", "full", "ones", "len", "float", "int", "zeros_like", "empty_like", "full_like"}
_MAKERS |= {"deque"}
_MAKERS |= {"dict", "defaultdict", "set"}


def _added(node: ast.AST) -> str | None:
    """Return the set to which a statement adds."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="add"), args=[_], keywords=[])):
            return name
    return None


def _emptied(block: Sequence[ast.stmt], name: str) -> ast.stmt | None:
    """Return an assignment of an empty dictionary, if that is what statements leave a name with."""
    for statement in reversed(block):
        if all(not isinstance(n, ast.Name) or n.id != name for n in ast.walk(statement)):
            continue
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="clear"), args=[])):
                return ast.parse(f"{name} = {{}}").body[0]
            case ast.Assign(targets=[ast.Name()], value=value) if _makes_states(statement, {name}):
                return ast.Assign([ast.Name(name, ast.Store())], value, lineno=0)
        return None
    return None


def _kind(
    statement: ast.stmt, mine: set[str | None], read: set[str | None], cells: set[str], others: set[str | None]
) -> str:
    """Return what a statement before a loop is for it; nothing if the loop cannot be moved above it.

    Args:
        statement: The statement.
        mine: The names that the loop changes.
        read: The names of which it reads items.
        cells: The columns of which it writes cells.
        others: All names that it uses.
    """
    if _prepares(statement, mine) or _makes_states(statement, read):
        return "before"
    match statement:
        case ast.Assign(targets=[ast.Subscript() as target], value=ast.Constant()) if _code(target) in cells:
            return "column"
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in others and is_literal(value):
            return "passed"
    return ""


def _cell_written(node: ast.AST) -> tuple[ast.expr, str] | None:
    return cell_of(node) if is_written(node) else None


def _code(node: ast.expr) -> str:
    return ast.unparse(node).replace("'", '"')


def _takes(statement: ast.stmt, names: set[str | None]) -> bool:
    """Whether a statement is `frame["x"] = out` or `table = pd.DataFrame(out)`."""
    match statement:
        case ast.Assign(
            targets=[ast.Name()],
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id="pd" | "pl"), attr="DataFrame"), args=[ast.Name(id=name)]
            ),
        ):
            return name in names
        case ast.Assign(targets=[ast.Subscript(value=ast.Name())], value=ast.Name(id=name)):
            return name in names
    return False


def _makes_states(statement: ast.stmt, names: set[str | None]) -> bool:
    """Whether a statement makes a dictionary of a first state for each key, of which a loop changes the parts."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[ast.Lambda() | ast.Name()]) as call):
            return name in names and ast.unparse(call.func).endswith("defaultdict")
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=[])):
            return name in names
    return False


def _prepares(statement: ast.stmt, names: set[str | None]) -> bool:
    """Whether a statement only gives a loop's variables their first values."""
    match statement:
        case ast.Assign(value=value):
            targets = targets_of(statement)
            calls = [n for n in ast.walk(value) if isinstance(n, ast.Call)]
            plain = all(getattr(c.func, "attr", getattr(c.func, "id", "")) in _MAKERS for c in calls)
            for t in targets:
                is_item = (
                    isinstance(t, ast.Subscript) and isinstance(t.slice, ast.Constant) and text_of(t.slice) is None
                )
                if not (isinstance(t, ast.Name) or is_item) or root(t) not in names:
                    return False
            return plain
    return False
