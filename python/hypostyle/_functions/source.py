"""From a function to its syntax tree.

The file is parsed and compiled again, and the code object that equals the function's own is the function.  Equality
includes positions (from Python 3.11), so two lambdas on one line are told apart, and a file that was edited after its
import has no equal code: that is an error, where a look at the line number would compile the wrong text.
"""

from __future__ import annotations
import __future__

import ast
import linecache
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hypostyle._functions.errors import UnsupportedError, unsupported

FunctionNode: TypeAlias = "ast.Lambda | ast.FunctionDef"

_FUTURE_FLAGS = 0
for _feature in __future__.all_feature_names:
    _FUTURE_FLAGS |= getattr(__future__, _feature).compiler_flag

_FILES_KEPT = 32


@dataclass(frozen=True)
class Source:
    """A function with its syntax tree and the text around it."""

    function: Any
    node: FunctionNode
    filename: str
    lines: list[str] = field(repr=False)

    @property
    def name(self) -> str:
        """The function's name in messages and variables."""
        name = self.function.__name__
        return name if name.isidentifier() else "function"

    @property
    def body(self) -> list[ast.stmt]:
        """The statements of the function; a lambda has one `return`."""
        if isinstance(self.node, ast.Lambda):
            return [ast.copy_location(ast.Return(value=self.node.body), self.node.body)]
        return self.node.body

    def error(self, node: ast.AST | None, message: str) -> UnsupportedError:
        """Return the error that points at a node."""
        return unsupported(message, self.filename, self.lines, node)


def source_of(function: Any) -> Source:
    """Find the syntax tree of a function; raise `UnsupportedError` with the reason if there is none."""
    function = _checked(function)
    code = function.__code__
    name = function.__name__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, function.__globals__)
    of_code = getattr(linecache, "_getlines_from_code", None)
    if not lines and of_code is not None:  # the prompt of Python 3.13 and later keeps its lines by code
        lines = of_code(code)
    if not lines:
        msg = (
            f"the source of {name} is not available ({code.co_filename}); "
            "write the function in a file or notebook, or pass its text: hs.jit('lambda x: x + 1')"
        )
        raise UnsupportedError(msg)
    parsed = _parse(code.co_filename, lines, code.co_flags & _FUTURE_FLAGS)
    if parsed is None or not parsed.has(code):
        msg = (
            f"the source of {name} changed after it was imported ({code.co_filename}, line {code.co_firstlineno}); "
            "import it again"
        )
        raise UnsupportedError(msg)
    candidates = parsed.nodes_of(code)
    if not candidates:
        msg = f"the source of {name} could not be told from others ({code.co_filename}, line {code.co_firstlineno})"
        raise UnsupportedError(msg)
    node = candidates[0]
    source = Source(function, node, code.co_filename, lines)
    if any(ast.dump(other) != ast.dump(node) for other in candidates[1:]):
        raise source.error(node, "several functions on this line cannot be told apart; give each its own line")
    if id(node) in parsed.methods:
        raise source.error(node, f"{name} is a method; write a function outside of the class")
    return source


def _checked(function: Any) -> types.FunctionType:
    """Return a plain function; raise for everything else that can be called."""
    if isinstance(function, types.MethodType):
        msg = f"{function.__qualname__} is a method; write a function outside of the class"
        raise UnsupportedError(msg)
    if not isinstance(function, types.FunctionType):
        msg = f"a Python function is needed, not {_article(type(function).__name__)}; write a lambda that calls it"
        raise UnsupportedError(msg)
    flags = function.__code__.co_flags
    for flag, kind in _KINDS.items():
        if flags & flag:
            msg = f"{function.__name__} is {kind}; write a function that returns one value per row"
            raise UnsupportedError(msg)
    return function


_KINDS = {0x20: "a generator", 0x80: "a coroutine", 0x200: "an asynchronous generator"}


def _article(word: str) -> str:
    return f"an {word}" if word[:1].lower() in "aeiou" else f"a {word}"


@dataclass
class _Parsed:
    """A file's syntax tree with all of its code objects."""

    lines: list[str]
    codes: set[types.CodeType]
    functions: list[FunctionNode]
    methods: set[int]

    def has(self, code: types.CodeType) -> bool:
        """Return whether this is one of the file's code objects."""
        return code in self.codes or any(_alike(code, other) for other in self.codes)

    def nodes_of(self, code: types.CodeType) -> list[FunctionNode]:
        """Return the nodes whose code may be this one, best first: one from Python 3.11, where columns are known."""
        if code.co_name != "<lambda>":
            named = (n for n in self.functions if isinstance(n, ast.FunctionDef) and n.name == code.co_name)
            return [node for node in named if _first_line(node) == code.co_firstlineno]
        lambdas = [n for n in self.functions if isinstance(n, ast.Lambda) and n.lineno == code.co_firstlineno]
        alike: list[FunctionNode] = [n for n in lambdas if _parameters(n.args) == _arguments(code)]
        positions = set(_positions(code))
        if not positions:
            return alike
        around = [node for node in alike if all(_within(position, _body(node)) for position in positions)]
        return sorted(around, key=lambda n: (_body(n).lineno, _body(n).col_offset), reverse=True)[:1]


_parsed: dict[tuple[str, int], _Parsed] = {}


def _parse(filename: str, lines: list[str], flags: int) -> _Parsed | None:
    """Parse and compile a file, or return what it gave the last time."""
    found = _parsed.get((filename, flags))
    if found is not None and found.lines == lines:
        return found
    text = "".join(lines)
    try:
        tree = ast.parse(text, filename)
        code = compile(tree, filename, "exec", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    functions: list[FunctionNode] = []
    methods: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda | ast.FunctionDef):
            functions.append(node)
        elif isinstance(node, ast.ClassDef):
            methods.update(id(item) for item in node.body if isinstance(item, ast.FunctionDef) and not _static(item))
    while len(_parsed) >= _FILES_KEPT:
        del _parsed[next(iter(_parsed))]
    parsed = _parsed[filename, flags] = _Parsed(list(lines), set(_codes(code)), functions, methods)
    return parsed


def _alike(one: types.CodeType, other: types.CodeType) -> bool:
    """Return whether code objects are equal, NaN taken as equal: Python folds constants to it."""

    def alike(left: object, right: object) -> bool:
        if isinstance(left, types.CodeType) and isinstance(right, types.CodeType):
            return left == right or _alike(left, right)
        return type(left) is type(right) and repr(left) == repr(right)

    def place(code: types.CodeType) -> tuple[object, ...]:
        return code.co_name, code.co_firstlineno, code.co_code, code.co_names, len(code.co_consts)

    return place(one) == place(other) and all(map(alike, one.co_consts, other.co_consts))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _codes(constant)


def _static(node: ast.FunctionDef) -> bool:
    return any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in node.decorator_list)


def _first_line(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _parameters(arguments: ast.arguments) -> tuple[str, ...]:
    return tuple(a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs])


def _arguments(code: types.CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _body(node: FunctionNode) -> ast.expr | ast.stmt:
    return node.body if isinstance(node, ast.Lambda) else node.body[0]


_Position: TypeAlias = "tuple[int, int, int, int]"


def _positions(code: types.CodeType) -> Iterator[_Position]:
    """Yield where the instructions stand: line, column, last line, last column; nothing before Python 3.11."""
    positions = getattr(code, "co_positions", None)
    for line, last_line, column, last_column in positions() if positions is not None else ():
        if None not in (line, last_line, column, last_column) and (column, last_column) != (0, 0):
            yield line, column, last_line, last_column


def _within(position: _Position, node: ast.expr | ast.stmt) -> bool:
    line, column, last_line, last_column = position
    start, end = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
    return start <= (line, column) and (last_line, last_column) <= end


_texts = 0


def function_from_text(text: str) -> types.FunctionType:
    """Make a function from its text: a lambda, or one `def`.  It knows `math`, and `np` if numpy is imported."""
    global _texts
    import math
    import sys

    _texts += 1
    filename = f"<hypostyle text {_texts}>"
    text = text.strip() + "\n"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    tree = ast.parse(text, filename)
    names: dict[str, Any] = {"math": math, "__name__": "hypostyle text"}
    if "numpy" in sys.modules:
        names["np"] = names["numpy"] = sys.modules["numpy"]
    function: Any = None
    only = tree.body[0] if len(tree.body) == 1 else None
    if isinstance(only, ast.Expr) and isinstance(only.value, ast.Lambda):
        function = eval(compile(text, filename, "eval", dont_inherit=True), names)
    elif isinstance(only, ast.FunctionDef):
        exec(compile(text, filename, "exec", dont_inherit=True), names)
        function = names[only.name]
    if not isinstance(function, types.FunctionType):
        msg = "the text of a function is one lambda or one def: hs.jit('lambda x: x + 1')"
        raise UnsupportedError(msg)
    return function
