"""The error for Python that cannot be compiled: it shows the user's own line, with a caret below the reason."""

from __future__ import annotations

import ast
from collections.abc import Sequence


class UnsupportedError(SyntaxError):
    """A function uses Python that is not compiled.

    It is raised where the function is defined.  The message says what to write instead.
    """


# It is read as the public name, in tracebacks too.
UnsupportedError.__module__ = "hypostyle"


def unsupported(message: str, filename: str, lines: Sequence[str], node: ast.AST | None) -> UnsupportedError:
    """Return the error for a node of a file with these lines."""
    line_number: int | None = getattr(node, "lineno", None)
    if node is None or line_number is None or not 1 <= line_number <= len(lines):
        return UnsupportedError(message)
    line = lines[line_number - 1]
    start = characters(line, getattr(node, "col_offset", 0)) + 1
    if getattr(node, "end_lineno", None) == line_number:
        end = characters(line, getattr(node, "end_col_offset", 0) or 0) + 1
    else:
        end = len(line.rstrip()) + 1
    return UnsupportedError(message, (filename, line_number, start, line, line_number, end))


def characters(line: str, byte_offset: int) -> int:
    """Return how many characters the first bytes of a line are: a syntax tree counts bytes of UTF-8."""
    return len(line.encode()[:byte_offset].decode(errors="replace"))
