"""For each row the last value at or before it, looked up by filtering another frame: one `merge_asof` or `join_asof`.

`quotes[quotes["time"] <= row["time"]]["bid"].iloc[-1]` goes through all quotes for every row.  A join goes through both
frames once.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hypostyle._profile.change import Change, Values, is_a, replacing, rewritten
from hypostyle._profile.loop_syntax import appended
from hypostyle._profile.rewrite import lambda_of
from hypostyle._profile.row_access import Header, header_of
from hypostyle._profile.syntax import SourceFile, functions_of, is_path, keyword, method, text_of

ADVICE = (
    "for each row this looks for the last value at or before it, through a whole frame each time: pandas.merge_asof or "
    "join_asof of Polars does so in one pass over both, if both are sorted."
)

_LAST = {"iloc", "values", "iat"}


@dataclass(frozen=True)
class Lookup:
    """`right[right["time"] <= row["time"]]["bid"].iloc[-1]`."""

    right: ast.expr
    value: str
    on: tuple[str, ast.expr]
    """The column of the frame, and the expression of the row."""
    by: tuple[tuple[str, ast.expr], ...]
    strict: bool
    default: ast.expr | None
    """What there is where nothing comes before."""


Value: TypeAlias = "tuple[ast.For | ast.Call, Header, str, ast.expr]"
"""A loop that appends, or a function of a row; its head, the list (empty for a function), and the value of a row."""


def values_of_rows(file: SourceFile) -> Iterator[Value]:
    """Yield the loops that append a value for each row, and the functions of a row."""
    functions = functions_of(file)
    for node in ast.walk(file.tree):
        head = header_of(node) if isinstance(node, ast.For) else None
        if isinstance(node, ast.For) and head is not None and (found := _appended(node.body)) is not None:
            yield node, head, *found
        called = method(node)
        if called is None or called[1] not in ("apply", "map") or not called[2].args or not is_path(called[0]):
            continue
        made = lambda_of(called[2].args[0], functions)
        if made is not None:
            by_row = keyword(called[2], "axis") is not None
            row = made.args.args[0].arg
            header = Header("rows", called[0], row=row) if by_row else Header("values", names=[row], arrays=[called[0]])
            yield called[2], header, "", made.body


def find(file: SourceFile) -> Iterator[AsofLoop | AsofFunction]:
    """Yield loops and functions of a row that look for the last value."""
    for node, header, name, value in values_of_rows(file):
        lookup = lookup_of(value)
        if lookup is not None and isinstance(node, ast.For):
            yield AsofLoop(file, node, header, name, lookup)
        elif lookup is not None and isinstance(node, ast.Call):
            yield AsofFunction(file, node, header, lookup)


class _Written(ast.NodeTransformer):
    def __init__(self, known: dict[str, ast.expr]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self._known.get(node.id, node))


def _appended(body: Sequence[ast.stmt]) -> tuple[str, ast.expr] | None:
    """Return the list that a loop appends to, and the value as one expression of the row."""
    known: dict[str, ast.expr] = {}
    for statement in body[:-1]:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known[name] = _Written(known).visit(copy.deepcopy(value))
            case _:
                return None
    found: tuple[str, ast.expr]
    match body[-1]:
        case ast.If(test=test, body=[ast.Expr() as then], orelse=[ast.Expr() as other]):
            one, two = appended(then), appended(other)
            if one is None or two is None or one[0] != two[0]:
                return None
            found = one[0], ast.IfExp(test, one[1], two[1])
        case _:
            last = appended(body[-1])
            if last is None:
                return None
            found = last
    return found[0], _Written(known).visit(copy.deepcopy(found[1]))


def lookup_of(node: ast.expr) -> Lookup | None:
    """Read an expression of a row as a lookup; None if it is none."""
    default = None
    if isinstance(node, ast.IfExp):
        is_first = _last_of(node.body) is not None
        node, default = (node.body, node.orelse) if is_first else (node.orelse, node.body)
    last = _last_of(node)
    if last is None:
        return None
    filtered, value = last
    match filtered:
        case ast.Subscript(value=ast.Attribute(value=right, attr="loc"), slice=ast.Tuple(elts=[mask, column])):
            value = value or text_of(column)
        case ast.Subscript(value=ast.Attribute(value=right, attr="loc"), slice=mask):
            pass
        case ast.Subscript(value=ast.Subscript(value=right, slice=ast.Constant(value=str(picked))), slice=mask):
            value = value or picked
        case ast.Subscript(value=right, slice=mask):
            pass
        case ast.Call(func=ast.Attribute(value=right, attr="filter"), args=[mask], keywords=[]):
            pass
        case _:
            return None
    if value is None or not is_path(right):
        return None
    return _with_conditions(right, mask, value, default)


def _last_of(node: ast.expr) -> tuple[ast.expr, str | None] | None:
    """Return the filtered frame, and the column that is picked of it, of `filtered["bid"].iloc[-1]`."""
    picked = None
    if isinstance(node, ast.Subscript) and (picked := text_of(node.slice)):  # filtered.iloc[-1]["bid"]
        node = node.value
    if not isinstance(node, ast.Subscript) or ast.unparse(node.slice) != "-1":
        return None
    inner = node.value
    if isinstance(inner, ast.Attribute) and inner.attr in _LAST:
        inner = inner.value
    elif (called := method(inner)) is not None and called[1] == "to_numpy":
        inner = called[0]
    if isinstance(inner, ast.Subscript) and (name := text_of(inner.slice)):
        return inner.value, name
    return inner, picked


def _with_conditions(right: ast.expr, mask: ast.expr, value: str, default: ast.expr | None) -> Lookup | None:
    on, by, strict = None, [], False
    left = [mask]
    while left:
        part = left.pop()
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitAnd):
            left += [part.right, part.left]
            continue
        if not isinstance(part, ast.Compare) or len(part.ops) != 1:
            return None
        one, other, operator = part.left, part.comparators[0], type(part.ops[0])
        name = column_of(one, right)
        if name is None:
            one, other = other, one
            name = column_of(one, right)
            operator = {ast.GtE: ast.LtE, ast.Gt: ast.Lt, ast.Eq: ast.Eq}.get(operator, ast.NotEq)
        if name is None:
            return None
        if operator is ast.Eq:
            by.append((name, other))
        elif operator in (ast.LtE, ast.Lt) and on is None:
            on, strict = (name, other), operator is ast.Lt
        else:
            return None
    return None if on is None else Lookup(right, value, on, tuple(by), strict, default)


def column_of(node: ast.expr, frame: ast.expr) -> str | None:
    """Return the name of `frame["x"]`, `frame.x` or `pl.col("x")`."""
    match node:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(name))) if ast.dump(owner) == ast.dump(frame):
            return name
        case ast.Attribute(value=owner, attr=name) if ast.dump(owner) == ast.dump(frame):
            return name
        case ast.Call(func=ast.Attribute(attr="col"), args=[ast.Constant(value=str(name))], keywords=[]):
            return name
    return None


def of_row(node: ast.expr, header: Header) -> tuple[ast.expr, str] | None:
    """Return frame and column of what a row is compared by."""
    match node:
        case ast.Name(id=name) if header.form == "values" and name in header.names:
            array = header.arrays[header.names.index(name)]
            called = method(array)
            array = called[0] if called is not None else array
            if isinstance(array, ast.Subscript) and (column := text_of(array.slice)):
                return array.value, column
        case ast.Subscript(value=ast.Name(id=row), slice=ast.Constant(value=str(name))):
            if header.frame is not None and row == header.row:
                return header.frame, name
        case ast.Attribute(value=ast.Name(id=row), attr=name):
            if header.frame is not None and row == header.row:
                return header.frame, name
    return None


Found: TypeAlias = "tuple[str, str, str, str]"
"""The code of a column, its library, the code of its frame, and what is used."""


def _joined(lookup: Lookup, header: Header, values: Values) -> Iterator[Found]:
    """Yield the joins that have the values."""
    on = of_row(lookup.on[1], header)
    by = [of_row(node, header) for _, node in lookup.by]
    if on is None or lookup.value in (lookup.on[0], on[1]):
        return
    frame = ast.unparse(on[0])
    lefts = [on[1]]
    for found in by:
        if found is None or ast.unparse(found[0]) != frame:
            return
        lefts.append(found[1])
    rights = [lookup.on[0], *(name for name, _ in lookup.by)]
    right = ast.unparse(lookup.right)
    both = [values.of(on[0]), values.of(lookup.right)]
    options = _pairs("on", lefts[:1], rights[:1]) + _pairs("by", lefts[1:], rights[1:])
    options += ", allow_exact_matches=False" if lookup.strict else ""
    columns = _listed([*rights, lookup.value])
    filled = _default(lookup.default)
    if all(is_a(value, "pandas", "DataFrame") for value in both) and filled != "None":
        end = "" if filled == "" else f".fillna({filled})"
        join = f'pd.merge_asof({{left}}, {right}[{columns}]{options})["{lookup.value}"]'
        picked = f"{frame}[{_listed(lefts)}]"
        yield f"{join.replace('{left}', picked)}{end}", "pandas", frame, "pd.merge_asof"
        ordered = f'{picked}.sort_values("{lefts[0]}", kind="stable")'
        kept = f".set_axis({ordered}.index).reindex({frame}.index)"
        yield f"{join.replace('{left}', ordered)}{kept}{end}", "pandas", frame, "pd.merge_asof"
    if all(is_a(value, "polars", "DataFrame") for value in both):
        end = "" if filled in ("", "None") else f".fill_null({filled})"
        yield (
            f'{frame}.join_asof({right}.select({columns}){options})["{lookup.value}"]{end}',
            "polars",
            frame,
            "join_asof",
        )


def _pairs(word: str, lefts: list[str], rights: list[str]) -> str:
    if not lefts:
        return ""
    if lefts == rights:
        return f", {word}={_one(lefts)}"
    return f", left_{word}={_one(lefts)}, right_{word}={_one(rights)}"


def _one(names: list[str]) -> str:
    return f'"{names[0]}"' if len(names) == 1 else _listed(names)


def _listed(names: Sequence[str]) -> str:
    return str(list(dict.fromkeys(names))).replace("'", '"')


def _default(node: ast.expr | None) -> str:
    """Return the code of a default; nothing for NaN, which a join gives by itself."""
    if node is None or ast.unparse(node).replace("'", '"') in ("np.nan", "math.nan", 'float("nan")', "pd.NA"):
        return ""
    return ast.unparse(node)


@dataclass(eq=False)
class ColumnOfLoop:
    """A loop that appends a value for each row, which is a column."""

    file: SourceFile
    node: ast.For
    header: Header
    name: str

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The loop, with the empty list before it, and the column that is made of it."""
        return [*self._before, self.node, *self._after]

    @property
    def _before(self) -> list[ast.stmt]:
        block = self.file.block(self.node)
        at = block.index(self.node)
        return [s for s in block[max(0, at - 1) : at] if ast.unparse(s) == f"{self.name} = []"]

    @property
    def _after(self) -> list[ast.stmt]:
        block = self.file.block(self.node)
        at = block.index(self.node)
        return [s for s in block[at + 1 : at + 2] if self._takes(s)]

    def _takes(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Assign(targets=[ast.Subscript(value=ast.Name())], value=ast.Name(id=name)):
                return name == self.name
        return False

    def codes(self, values: Values) -> Iterator[Found]:
        """Yield the code of the column."""
        raise NotImplementedError

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the list of the column: of numbers of Python, then of NumPy, which pandas gives by position."""
        if not self._before:
            return
        statements = self.statements
        after = "".join(self.file.statements([statement]) for statement in self._after)
        for code, library, _, use in self.codes(values):
            is_pandas = library == "pandas"
            for made in (f"{code}.tolist()", f"list({code}.to_numpy())") if is_pandas else (f"{code}.to_list()",):
                lines = f"{self.name} = {made}\n{after}"
                edits = [rewritten(self.file, statements, lines)]
                yield Change(use, self.file.statements(statements), lines, "", edits)


@dataclass(eq=False)
class AsofLoop(ColumnOfLoop):
    """A loop that appends the last value for each row."""

    lookup: Lookup

    pattern = "last values"
    advice = ADVICE
    suggestion = "merge_asof or join_asof"

    def codes(self, values: Values) -> Iterator[Found]:
        """Yield the joins."""
        return _joined(self.lookup, self.header, values)


@dataclass(eq=False)
class AsofFunction:
    """A call of `apply` or `map` with a function that looks for the last value."""

    file: SourceFile
    node: ast.Call
    header: Header
    lookup: Lookup

    pattern = "last values"
    advice = ADVICE
    suggestion = "merge_asof"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.node)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the column by a join."""
        for code, library, frame, use in _joined(self.lookup, self.header, values):
            if library == "pandas":
                kept = code if ".set_axis(" in code else f"{code}.set_axis({frame}.index)"
                change = replacing(self.file, self.node, kept, use)
                if change is not None:
                    yield change
