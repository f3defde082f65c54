"""What the generated files share: the catalog's types, and how text is wrapped."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

Kernel = dict[str, Any]
Parameter = dict[str, Any]

TAKEN = {
    "column": "a column",
    "columns": "several columns",
    "time": "a time column",
    "number": "a number",
    "number_or_column": "a number or a column",
    "numbers": "several numbers",
    "table": "rows of integers",
    "numbers_or_columns": "several numbers or columns",
    "count": "an integer",
    "flag": "a boolean",
    "window": "a number of rows, a duration, or a column",
    "duration": "a duration",
    "half_life": "a number of rows or a duration",
    "offset": "a number of rows or a duration",
    "flags": "a column of booleans",
    "rows": "a number of rows",
    "weights": "a list of numbers, or the name of a shape",
}


def keyed(kernel: Kernel) -> bool:
    return bool(kernel["family"] != "row")


def indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}".rstrip() for line in lines]


def wrap(text: str, indent: int, width: int = 112) -> list[str]:
    deeper = " " * (indent + (4 if indent else 0))
    return textwrap.wrap(" ".join(text.split()), width, initial_indent=" " * indent, subsequent_indent=deeper)
