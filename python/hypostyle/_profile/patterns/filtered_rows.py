"""A statistic of rows before a row, by filtering the frame: `df[(df["t"] > t - five) & (df["t"] <= t)]["x"].sum()`.

That goes through the whole frame for every row.  A kernel over a window of time, by key, goes through it once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, is_a, replacing
from hypostyle._profile.patterns.asof_loops import ColumnOfLoop, Found, column_of, of_row, values_of_rows
from hypostyle._profile.row_access import Header, header_of
from hypostyle._profile.syntax import SourceFile, is_path, text_of

_STATISTICS = {"sum", "mean", "min", "max", "median", "std", "var", "nunique", "count"}
_RUNNING = {"sum": "cum_sum", "min": "cum_min", "max": "cum_max", "count": "cum_count"}
_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.GtE: ast.LtE,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.Lt: ast.Gt,
    ast.Eq: ast.Eq,
}


@dataclass(frozen=True)
class Filtered:
    """A statistic of the rows of a frame that a row picks."""

    frame: ast.expr
    statistic: str
    column: str | None
    """None for the number of rows."""
    time: str
    until: ast.expr
    """What the row compares the time with."""
    closed: str
    span: str | None
    """The code of the duration; None from the first row on."""
    keys: tuple[tuple[str, ast.expr], ...]


def find(file: SourceFile) -> Iterator[FilteredLoop | FilteredFunction]:
    """Yield loops, lists and functions of a row that filter the frame of the row."""
    for node, header, name, value in values_of_rows(file):
        filtered = filtered_of(value)
        if filtered is not None and isinstance(node, ast.For):
            yield FilteredLoop(file, node, header, name, filtered)
        elif filtered is not None and isinstance(node, ast.Call):
            yield FilteredFunction(file, node, header, filtered)
    for part in ast.walk(file.tree):
        if isinstance(part, ast.ListComp) and len(part.generators) == 1 and not part.generators[0].ifs:
            listed = header_of(ast.For(part.generators[0].target, part.generators[0].iter, [], []))
            filtered = filtered_of(part.elt)
            if listed is not None and filtered is not None:
                yield FilteredFunction(file, part, listed, filtered)


def filtered_of(node: ast.expr) -> Filtered | None:
    """Read an expression of a row; None if it is no statistic of rows that it picks."""
    statistic = "count"
    column: str | None = None
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[inner], keywords=[]):
            pass
        case ast.Subscript(value=ast.Attribute(value=inner, attr="shape"), slice=ast.Constant(value=0)):
            pass
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=[], keywords=[]) if name in _STATISTICS:
            statistic = name
            match inner:
                case ast.Subscript(value=rows, slice=ast.Constant(value=str() as found)):
                    inner, column = rows, found
                case ast.Attribute(value=ast.Subscript() as rows, attr=found):
                    inner, column = rows, found
                case ast.Subscript(value=ast.Attribute(attr="loc"), slice=ast.Tuple(elts=[_, picked])):
                    column = text_of(picked)
                case ast.BinOp(op=ast.BitAnd()) if statistic == "sum":
                    frame = next((f for part in _parts(inner) if (f := _frame_of(part)) is not None), None)
                    return None if frame is None else _with_conditions(frame, inner, "count", None)
            if column is None:
                return None
        case _:
            return None
    match inner:
        case ast.Subscript(value=ast.Attribute(value=frame, attr="loc"), slice=ast.Tuple(elts=[mask, _])):
            pass
        case ast.Subscript(value=ast.Attribute(value=frame, attr="loc"), slice=mask):
            pass
        case ast.Subscript(value=ast.Subscript(value=frame, slice=ast.Constant(value=str() as name)), slice=mask):
            column = column or name
        case ast.Subscript(value=frame, slice=mask):
            pass
        case _:
            return None
    return _with_conditions(frame, mask, statistic, column) if is_path(frame) else None


def _parts(mask: ast.expr) -> list[ast.expr]:
    """Return the conditions that are joined by `&`."""
    if isinstance(mask, ast.BinOp) and isinstance(mask.op, ast.BitAnd):
        return [*_parts(mask.left), *_parts(mask.right)]
    return [mask]


def _frame_of(part: ast.expr) -> ast.expr | None:
    """Return the frame of which a condition compares a column."""
    match part:
        case ast.Compare(left=ast.Subscript(value=frame, slice=ast.Constant(value=str()))) if is_path(frame):
            return frame
        case ast.Compare(left=ast.Attribute(value=ast.Name() as name)):
            return name
    return None


def _with_conditions(frame: ast.expr, mask: ast.expr, statistic: str, column: str | None) -> Filtered | None:
    keys: list[tuple[str, ast.expr]] = []
    until: tuple[str, ast.expr, bool] | None = None
    since: tuple[str, ast.expr, bool] | None = None
    for part in _parts(mask):
        if not isinstance(part, ast.Compare) or len(part.ops) != 1:
            return None
        one, other, operator = part.left, part.comparators[0], type(part.ops[0])
        name = column_of(one, frame)
        if name is None:
            one, other, operator = other, one, _FLIPPED.get(operator, ast.NotEq)
            name = column_of(one, frame)
        if name is None:
            return None
        if operator is ast.Eq:
            keys.append((name, other))
        elif operator in (ast.LtE, ast.Lt) and until is None:
            until = name, other, operator is ast.LtE
        elif operator in (ast.GtE, ast.Gt) and since is None:
            since = name, other, operator is ast.GtE
        else:
            return None
    if until is None:
        return None
    span = None
    if since is not None:
        match since[1]:
            case ast.BinOp(left=left, op=ast.Sub(), right=length) if ast.dump(left) == ast.dump(until[1]):
                span = ast.unparse(length)
        if span is None or since[0] != until[0]:
            return None
    ends = {(False, True): "right", (True, True): "both", (True, False): "left", (False, False): "neither"}
    closed = ends[since is not None and since[2], until[2]]
    return Filtered(frame, statistic, column, until[0], until[1], closed, span, tuple(keys))


def _windows(filtered: Filtered, header: Header, values: Values) -> Iterator[Found]:
    """Yield the code of the column of statistics, its library, the code of its frame, and the kernel."""
    frame = ast.unparse(filtered.frame)
    row = [(filtered.time, filtered.until), *filtered.keys]
    for name, node in row:
        found = of_row(node, header)
        if found is None or found[1] != name or ast.unparse(found[0]) != frame:
            return
    if not is_a(values.of(filtered.frame), "pandas", "DataFrame"):
        return
    column = filtered.column or filtered.time
    keys = [name for name, _ in filtered.keys]
    over = "" if not keys else f", over={keys[0]!r}" if len(keys) == 1 else f", over={keys!r}"
    if filtered.span is not None:
        closed = "" if filtered.closed == "right" else f", closed={filtered.closed!r}"
        least = ", min_samples=0" if filtered.statistic in ("sum", "count") else ""
        kernel = (
            f"hs.rolling_{filtered.statistic}({column!r}, {filtered.span}, by={filtered.time!r}{least}{closed}{over})"
        )
    elif filtered.closed == "right":
        running = _RUNNING.get(filtered.statistic, f"expanding_{filtered.statistic}")
        kernel = f"hs.{running}({column!r}{over})"
    else:
        return
    kernel = kernel.replace("'", '"')
    code = f'hs.with_columns({frame}, {kernel})["{column}"]'
    # Kernels read times in order; the rows go back to their places.
    ordered = f'{frame}.sort_values("{filtered.time}", kind="stable")'
    ends = ["", ".fillna(0)", '.fillna(0).astype("int64")'] if filtered.closed in ("left", "neither") else [""]
    for made in (code, f'hs.with_columns({ordered}, {kernel})["{column}"].reindex({frame}.index)'):
        for end in ends if filtered.statistic in ("sum", "count") else [""]:
            yield f"{made}{end}", "pandas", frame, kernel


@dataclass(eq=False)
class FilteredLoop(ColumnOfLoop):
    """A loop that appends a statistic of the rows before."""

    filtered: Filtered

    pattern = "windows by filters"
    advice = (
        "for each row this goes through the whole frame: a window of time or a running statistic goes through it once."
    )
    suggestion = "a kernel over a window of time"

    def codes(self, values: Values) -> Iterator[Found]:
        """Yield the kernels."""
        return _windows(self.filtered, self.header, values)


@dataclass(eq=False)
class FilteredFunction:
    """A function or a list of a statistic of the rows before."""

    file: SourceFile
    node: ast.Call | ast.ListComp
    header: Header
    filtered: Filtered

    pattern = "windows by filters"
    advice = FilteredLoop.advice
    suggestion = "a kernel over a window of time"

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the function."""
        return [self.file.statement(self.node)]

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the column by a kernel."""
        for code, _, _, use in _windows(self.filtered, self.header, values):
            made = code if isinstance(self.node, ast.Call) else f"{code}.tolist()"
            change = replacing(self.file, self.node, made, use)
            if change is not None:
                yield change
