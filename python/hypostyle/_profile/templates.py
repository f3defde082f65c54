"""The table of patterns, which follows from the counterparts: `rolling(20).mean()` is `hs.rolling_mean("x", 20)`.

Each name of pandas or Polars in `_counterparts` is read as code with gaps.  The columns `x`, `y`, `w` stand for columns
of the user, and a number or string that occurs in the name and in the kernel's call stands for the user's argument.  So
a kernel that gets a counterpart there is recognized here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from hypostyle._counterparts import PARAMETERS, counterparts
from hypostyle._spec import CATALOG

Column: TypeAlias = "Callable[[ast.AST], str | None]"
"""Returns the column that a node of the user's code is; None if it is none."""

_COLUMNS = ("x", "y", "w", "t", "key")
_ENGINE = ("engine", "engine_kwargs", "raw", "numeric_only", "skipna")
"""Parameters without an effect on a result, or whose effect the proof sees."""


@dataclass(frozen=True)
class Template:
    """A name of another library and the kernel that does the same."""

    kernel: str
    use: ast.Call
    name: ast.expr


@dataclass
class Kernel:
    """A kernel with the user's columns and arguments."""

    name: str
    columns: list[str]
    arguments: list[str]
    """All by position, columns included, as code."""
    options: dict[str, str] = field(default_factory=dict)
    maker: str = "hs."
    """What is written before the name."""

    def code(self, over: Sequence[str] = (), alias: str | None = None) -> str:
        """Return the call."""
        options = dict(self.options)
        if over:
            options["over"] = repr(over[0]) if len(over) == 1 else repr(list(over))
        words = [*self.arguments, *(f"{name}={value}" for name, value in options.items())]
        call = f"{self.maker}{self.name}({', '.join(words)})".replace("'", '"')
        return call if alias is None else f'{call}.alias("{alias}")'


@cache
def templates(library: str) -> list[Template]:
    """Return the templates of "pandas" or "polars", the largest first, so that a whole is found before its parts."""
    found = []
    for counterpart in counterparts():
        use = _expression(counterpart.use) if counterpart.use else None
        if not _is_kernel(use):
            continue
        assert isinstance(use, ast.Call)
        assert isinstance(use.func, ast.Attribute)
        names = counterpart.by_library[0 if library == "pandas" else 1]
        for text in names:
            name = _read(text)
            if name is not None:
                found.append(Template(use.func.attr, use, name))
                if (timed := _by_time(use, name)) is not None:
                    found.append(timed)
    return sorted(found, key=lambda t: -sum(1 for _ in ast.walk(t.name)))


def _by_time(use: ast.Call, name: ast.expr) -> Template | None:
    """Return the template of a window of time in Polars: `rolling_mean_by("t", "5m")` beside `rolling_mean(20)`."""
    match use, name:
        case (
            ast.Call(func=ast.Attribute(attr=kernel), args=[column, ast.Constant(value=20)], keywords=[]),
            ast.Call(func=ast.Attribute(value=of, attr=method), args=[ast.Constant(value=20)], keywords=[]),
        ) if method == kernel and method.startswith("rolling_"):
            window = ast.Constant("5m")
            timed = ast.Call(use.func, [column, window], [ast.keyword("by", ast.Constant("t"))])
            by_name = ast.Call(ast.Attribute(of, f"{method}_by", ast.Load()), [ast.Constant("t"), window], [])
            return Template(kernel, timed, by_name)
    return None


@cache
def _by_shape(library: str) -> Mapping[str, list[Template]]:
    found: dict[str, list[Template]] = {}
    for template in templates(library):
        found.setdefault(_shape(template.name), []).append(template)
    return found


def _shape(node: ast.AST) -> str:
    """Return what code must have in common with a template to be like it: the method that is called last."""
    if isinstance(node, ast.Call):
        return f"call {getattr(node.func, 'attr', getattr(node.func, 'id', ''))}"
    return type(node).__name__


def kernel_for(node: ast.AST, column: Column, library: str = "pandas", time: str | None = None) -> Kernel | None:
    """Return the kernel that does the same as a piece of the user's code.

    Args:
        node: The code.
        column: What columns are.
        library: Whose names are looked for.
        time: The time column, of windows that are durations of the index.
    """
    for template in _by_shape(library).get(_shape(node), ()):
        match = _Match(column, time)
        if not match.node(template.name, node):
            continue
        kernel = match.kernel(template)
        if kernel is not None:
            return kernel
    return None


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def _is_kernel(use: ast.expr | None) -> bool:
    """Whether the code is one kernel over plain columns."""
    if not isinstance(use, ast.Call) or not isinstance(use.func, ast.Attribute):
        return False
    is_ours = isinstance(use.func.value, ast.Name) and use.func.value.id == "hs" and use.func.attr in CATALOG
    return is_ours and all(isinstance(part, ast.Constant) for part in [*use.args, *(k.value for k in use.keywords)])


def _read(text: str) -> ast.expr | None:
    """Read a name as code; a method stands without the column that it is called on."""
    node = _expression(text)
    if node is None or isinstance(node, ast.Name):
        return None
    start: ast.AST = node
    while isinstance(start, ast.Call | ast.Attribute):
        if isinstance(start, ast.Call) and isinstance(start.func, ast.Name):
            return _expression(f"x.{text}")
        start = start.func if isinstance(start, ast.Call) else start.value
    return node


@dataclass
class _Match:
    """Reads the user's code against a template."""

    column: Column
    time: str | None = None
    """The time column."""
    over_time: bool = False
    """Whether a duration stands where the template has a number of rows."""
    columns: dict[str, str] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)

    def node(self, name: ast.AST, given: ast.AST) -> bool:
        """Whether a node is what the template says; fills the gaps."""
        if isinstance(name, ast.Name) and name.id in _COLUMNS:
            found = self.column(given)
            return found is not None and self.columns.setdefault(name.id, found) == found
        if isinstance(name, ast.Constant) and name.value in _COLUMNS:  # Polars names columns by strings
            found = given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else None
            return found is not None and self.columns.setdefault(str(name.value), found) == found
        if isinstance(name, ast.Constant):
            return self._gap(name, given)
        if type(name) is not type(given):
            return False
        if isinstance(name, ast.Call) and isinstance(given, ast.Call):
            return self.node(name.func, given.func) and self._arguments(name, given)
        for key, value in ast.iter_fields(name):
            other = getattr(given, key, None)
            if key == "ctx":
                continue
            if isinstance(value, ast.AST):
                if not isinstance(other, ast.AST) or not self.node(value, other):
                    return False
            elif isinstance(value, list):
                if not isinstance(other, list) or len(value) != len(other):
                    return False
                if not all(self.node(a, b) for a, b in zip(value, other, strict=True)):
                    return False
            elif value != other:
                return False
        return True

    def _gap(self, name: ast.Constant, given: ast.AST) -> bool:
        is_text = isinstance(getattr(given, "value", None), str)
        if isinstance(given, ast.Constant) and isinstance(name.value, str) != is_text:
            if self.time is None or type(name.value) is not int:
                return False
            self.over_time = True
        if not isinstance(given, ast.Constant | ast.Name | ast.Attribute | ast.UnaryOp) or self.column(given):
            return False
        code = ast.unparse(given)
        return self.gaps.setdefault(_gap_of(name), code) == code

    def _arguments(self, name: ast.Call, given: ast.Call) -> bool:
        left = list(given.keywords)
        for at, argument in enumerate(name.args):
            if at < len(given.args):
                if not self.node(argument, given.args[at]):
                    return False
                continue
            # An argument by position may be given by its name.
            by_name = next((k for k in left if k.arg in _names_of_first()), None)
            if by_name is None or not self.node(argument, by_name.value):
                return False
            left.remove(by_name)
        if len(given.args) > len(name.args):
            return False
        for wanted in name.keywords:
            same = next((k for k in left if k.arg == wanted.arg), None)
            if same is not None and wanted.arg not in _SAME:
                if not self.node(wanted.value, same.value):
                    return False
                left.remove(same)
            if same is None:
                if not _SAME.intersection({wanted.arg or ""}) or not any(k.arg in _SAME for k in left):
                    return False
                self.gaps[f"dropped {wanted.arg}"] = ""
        for k in left:
            if k.arg is None:
                return False
            if k.arg not in _ENGINE and not (k.arg == "min_periods" and ast.unparse(k.value) == "None"):
                self.options[k.arg] = ast.unparse(k.value)
        return True

    def kernel(self, template: Template) -> Kernel | None:
        """Return the kernel; None if an option of the user has no counterpart."""
        parameters = {p["name"] for p in CATALOG[template.kernel]["parameters"]}
        options = {}
        for name, value in self.options.items():
            ours = name if name in parameters else _ours(name)
            if ours not in parameters:
                return None
            options[ours] = value
        columns, arguments = [], []
        for part in template.use.args:
            code = self._part(part)
            if code is None:
                return None
            arguments.append(code)
            if isinstance(part, ast.Constant) and part.value in _COLUMNS:
                columns.append(ast.literal_eval(code))
        for k in template.use.keywords:
            if k.arg is None or k.arg in options or f"dropped {k.arg}" in self.gaps:
                continue
            if k.arg in _SAME:
                continue
            code = self._part(k.value)
            if code is None:
                return None
            options[k.arg] = code
        if "by" in options and self.time is None and options["by"] == "None":
            return None
        if self.over_time:
            if "by" not in parameters:
                return None
            options.setdefault("by", repr(self.time))
        return Kernel(template.kernel, columns, arguments, options)

    def _part(self, part: ast.expr) -> str | None:
        assert isinstance(part, ast.Constant)
        if part.value == "t" and "t" not in self.columns:
            return None if self.time is None else repr(self.time)
        if part.value in _COLUMNS:
            found = self.columns.get(str(part.value))
            return None if found is None else repr(found)
        return self.gaps.get(_gap_of(part), repr(part.value))


def _gap_of(part: ast.Constant) -> str:
    """Return the name of a gap: pandas' "5min" is "5m"."""
    return repr(part.value).replace("5min", "5m")


_SAME = {"span", "com", "alpha", "halflife", "half_life"}
"""Ways to give one parameter: the user's is kept."""


@cache
def _names_of_first() -> set[str]:
    return {"window", "n", "periods", "quantile", "q"} | set(PARAMETERS["window"].split(", "))


@cache
def _ours_by_name() -> Mapping[str, str]:
    return {name: ours for ours, names in PARAMETERS.items() for name in names.split(", ")}


def _ours(name: str) -> str:
    special = {"min_periods": "min_samples", "halflife": "half_life", "on": "by", "ignore_na": "ignore_nulls"}
    return special.get(name) or _ours_by_name().get(name, name)


def every_template() -> Iterator[tuple[str, Template]]:
    """Yield all templates with their library."""
    for library in ("pandas", "polars"):
        for template in templates(library):
            yield library, template
