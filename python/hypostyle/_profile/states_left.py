"""Dictionaries of state that a script reads after its loop: `last`, `{user: {"visits": 3}}`, or objects by key.

A loop per key returns its state in each row.  The script takes that of the last row of each key.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass
class Left:
    """How a dictionary is made of the parts of its items."""

    name: str
    parts: dict[str, str]
    """By the code of its place in the item, the dictionary of a part."""
    made_by: str = ""
    """The code of a new object; nothing for items that are dictionaries."""

    def lines(self, items: Mapping[str, str], rows: str) -> str:
        """Return the lines that make it, from the code of the items of parts at `row`."""
        if not self.made_by:
            pairs = ", ".join(f"{place}: {items[part]}" for place, part in self.parts.items())
            return f"{self.name} = {{key: {{{pairs}}} for key, row in {rows}.items()}}\n"
        lines = [f"{self.name} = {{}}", f"for key, row in {rows}.items():", f"    {self.name}[key] = {self.made_by}"]
        lines += [f"    {self.name}[key].{word} = {items[part]}" for word, part in self.parts.items() if part in items]
        return "\n".join(lines) + "\n"


def flat(name: str, before: Sequence[ast.stmt], values: str, rows: str, *, may_lack: bool) -> str | None:
    """Return the line that makes a dictionary of numbers as the script began it; None if it was no dictionary."""
    value = next((s.value for s in reversed(before) if isinstance(s, ast.Assign) and _sets(s, name)), None)
    code = "" if value is None else ast.unparse(value)
    test = f" if (value := {values}[row]) is not None and value == value" if may_lack else ""
    item = "value" if may_lack else f"{values}[row]"
    made = f"{{key: {item} for key, row in {rows}.items(){test}}}"
    if code in ("{}", "dict()"):
        return f"{name} = {made}\n"
    if isinstance(value, ast.Call) and code.partition("(")[0].endswith("defaultdict"):
        return f"{name} = {code[:-1]}, {made})\n"
    return None


def _sets(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(t, ast.Name) and t.id == name for t in statement.targets)


def rows_of_keys(key: str, name: str) -> str:
    """Return the line that maps each key to its last row, in the order of their first ones."""
    return f"{name} = {{key: row for row, key in enumerate({key})}}\n"
