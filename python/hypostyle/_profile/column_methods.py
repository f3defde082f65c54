"""Functions of one string or one moment that pandas itself has for whole columns: `lambda v: v.split("-")[0].lower()`.

No kernel does these: `column.str.split("-").str[0].str.lower()` does, and the proof says whether it is faster.
"""

from __future__ import annotations

import ast

from hypostyle._profile.syntax import is_literal

_OF_STRINGS = {
    *("lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "startswith", "endswith", "split"),
    *("replace", "zfill", "isdigit", "isalpha", "find", "count", "removeprefix", "removesuffix"),
}
_OF_TIMES = {"strftime", "normalize", "floor", "round", "ceil", "total_seconds", "day_name", "month_name"}
_PARTS = {"date", "time"}
_NUMBERS = {"int": "int64", "float": "float64"}


def of_column(parameter: str, body: ast.expr, column: str, kind: str) -> str | None:
    """Return the code of a function over a whole column; None if it is more than methods of its value.

    Args:
        parameter: The function's parameter.
        body: What it returns.
        column: The code of the column.
        kind: "str" for strings, "dt" for moments and durations.
    """
    found = _Written(parameter, column, kind).code(body)
    return None if found == column else found


def of_columns(row: str, body: ast.expr, frame: str) -> str | None:
    """Return the code of `row["a"] + "_" + row["b"]` over whole columns; None if it is anything else.

    Args:
        row: The function's parameter.
        body: What it returns.
        frame: The code of the frame.
    """
    match body:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = of_columns(row, left, frame), of_columns(row, right, frame)
            return None if None in parts else f"{parts[0]} + {parts[1]}"
        case ast.Constant(value=str()):
            return ast.unparse(body)
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as column)) if name == row:
            return f'{frame}["{column}"]'
        case ast.Attribute(value=ast.Name(id=name), attr=column) if name == row:
            return f'{frame}["{column}"]'
        case ast.Call(func=ast.Name(id="str"), args=[inner], keywords=[]):
            code = of_columns(row, inner, frame)
            return None if code is None or code[0] in "'\"" else f"{code}.astype(str)"
    return None


class _Written:
    """Writes methods of a value as methods of its column."""

    def __init__(self, parameter: str, column: str, kind: str) -> None:
        self._parameter, self._column, self._kind = parameter, column, kind

    def code(self, node: ast.expr) -> str | None:
        """Return the code of an expression over the column."""
        match node:
            case ast.Name(id=name):
                return self._column if name == self._parameter else None
            case ast.Call(func=ast.Name(id="len"), args=[inner], keywords=[]) if self._kind == "str":
                return self._after(inner, ".str.len()")
            case ast.Call(func=ast.Name(id="int" | "float" as name), args=[inner], keywords=[]):
                return self._after(inner, f'.astype("{_NUMBERS[name]}")')
            case ast.Call(func=ast.Name(id="str"), args=[inner], keywords=[]):
                return self._after(inner, ".astype(str)")
            case ast.Call(func=ast.Attribute(value=inner, attr=name), args=args, keywords=named):
                known = _OF_STRINGS if self._kind == "str" else _OF_TIMES
                options = ", ".join(map(ast.unparse, [*args, *named]))
                if self._reads(args) or self._reads([k.value for k in named]):
                    return None
                if self._kind == "dt" and name in _PARTS and not options:
                    return self._after(inner, f".dt.{name}")
                if name in ("split", "replace") and self._kind == "str" and options:
                    options += ", regex=False"
                return self._after(inner, f".{self._kind}.{name}({options})") if name in known else None
            case ast.Subscript(value=inner, slice=part) if self._kind == "str" and not self._reads([part]):
                return self._after(inner, f".str[{ast.unparse(part)}]")
            case ast.IfExp(test=test, body=then, orelse=other):
                code = self.code(test)
                if code is None or code == self._column or not (is_literal(then) and is_literal(other)):
                    return None
                chosen = f"np.where({code}, {ast.unparse(then)}, {ast.unparse(other)})"
                return f"pd.Series({chosen}, index={self._column}.index, name={self._column}.name)"
            case ast.Compare(left=left, ops=[op], comparators=[ast.Constant() as right]):
                code = self.code(left)
                compared = ast.Compare(ast.Name("_", ast.Load()), [op], [right])
                is_plain = isinstance(op, ast.Eq | ast.NotEq | ast.Lt | ast.LtE | ast.Gt | ast.GtE)
                return f"({code}{ast.unparse(compared)[1:]})" if code is not None and is_plain else None
            case ast.Compare(left=ast.Constant(value=str() as part), ops=[ast.In()], comparators=[inner]):
                return self._after(inner, f".str.contains({part!r}, regex=False)") if self._kind == "str" else None
        return None

    def _after(self, inner: ast.expr, call: str) -> str | None:
        code = self.code(inner)
        return None if code is None else f"{code}{call}"

    def _reads(self, nodes: list[ast.expr]) -> bool:
        return any(isinstance(n, ast.Name) and n.id == self._parameter for node in nodes for n in ast.walk(node))
