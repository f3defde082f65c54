"""How often hot lines call a database or the network: counted in the second run, call by call.

`cursor.execute(...)` is compiled as `count(3, cursor.execute)(...)`, so that calls in comprehensions count too.
"""

from __future__ import annotations

import ast
import builtins
import time
from collections.abc import Mapping, Sequence
from typing import Any

from hypostyle._profile.hot import Spot, source
from hypostyle._profile.syntax import root
from hypostyle._profile.work import explain

HERE = "__hypostyle_profile_count__"
"""The name of the function that counts."""

_DATABASE = {"execute", "executemany", "read_sql", "read_sql_query", "scalar", "scalars"}
_NETWORK = {"urlopen", "request", "post", "get", "put"}
_CLIENTS = {"requests", "httpx", "urllib", "session", "client", "http"}


def calls_of(spots: Sequence[Spot]) -> list[list[Any]]:
    """Return the calls of databases and the network in spots: file, line, column and name."""
    found: dict[tuple[str, int, int, str], None] = {}
    for spot in spots:
        file = source(spot.file)
        if file is None or explain(spot)[0] not in ("database", "network"):
            continue
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and spot.line <= node.lineno <= spot.last_line and _is_outside(node):
                found[spot.file, node.lineno, node.col_offset, ast.unparse(node.func)] = None
    return [list(call) for call in found]


def _is_outside(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    is_client = name in _NETWORK and (root(call.func) in _CLIENTS or name == "urlopen")
    return name in _DATABASE or is_client


class Counter:
    """Counts calls.

    Args:
        calls: What `calls_of` returned.
        most: The seconds after which it is enough.
    """

    def __init__(self, calls: Sequence[Sequence[Any]], most: float) -> None:
        self._calls = calls
        self.counts = [0] * len(calls)
        self._end = time.perf_counter() + most

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to count, or no more time for it."""
        return not self._calls or time.perf_counter() > self._end

    def files(self) -> set[str]:
        """Return the files with calls."""
        return {call[0] for call in self._calls}

    def compiled_into(self, tree: ast.Module, path: str) -> None:
        """Write the counting into the calls of a file."""
        numbers = {tuple(call[1:]): at for at, call in enumerate(self._calls) if call[0] == path}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not hasattr(node, "lineno"):
                continue
            at = numbers.get((node.lineno, node.col_offset, ast.unparse(node.func)))
            if at is not None:
                counted = ast.Call(ast.Name(HERE, ast.Load()), [ast.Constant(at), node.func], [])
                node.func = ast.copy_location(counted, node.func)

    def install(self) -> None:
        """Make the function that counts known to all modules."""
        counts = self.counts

        def count(number: int, function: Any) -> Any:
            counts[number] += 1
            return function

        setattr(builtins, HERE, count)

    def to_json(self) -> list[list[Any]]:
        """Return the calls with their counts."""
        return [[*call, count] for call, count in zip(self._calls, self.counts, strict=True)]


def told(counts: Sequence[Sequence[Any]], file: str, lines: range) -> list[tuple[str, int]]:
    """Return names and counts of the calls in lines of a file."""
    found: dict[str, int] = {}
    for path, line, _, name, count in counts:
        if path == file and line in lines and count > 1:
            found[name] = found.get(name, 0) + count
    return list(found.items())


def counter_of(settings: Mapping[str, Any]) -> Counter:
    """Return the counter that the settings of a run ask for."""
    return Counter(settings.get("counted", []), settings.get("most", 0.0))
