"""Runs lines of the user and what replaces them on the same values: compares, and takes the time of both."""

from __future__ import annotations

import ast
import copy
import importlib
import linecache
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hypostyle._profile.blocked import first_unread
from hypostyle._profile.change import RESULT, Change, Unit, Values, is_a
from hypostyle._profile.compare import Comparison, compare, is_plain_object
from hypostyle._profile.constant_lists import with_constants
from hypostyle._profile.semantics import difference
from hypostyle._profile.syntax import functions_of, names_set, read_after, root

OUTSIDE = {
    "execute", "executemany", "commit", "fetchall", "fetchone", "request", "urlopen", "post", "send", "recv", "sendall",
    "write", "read", "readline", "readlines", "to_csv", "to_parquet", "to_sql", "sleep", "print", "open",
    "input", "next", "system", "Popen", "check_output", "to_pickle", "write_csv", "write_parquet", "sink_parquet",
}  # fmt: skip
"""Calls with effects outside of the process: lines with one are never run a second time."""


@dataclass
class Proof:
    """What came of running a unit and its replacement."""

    state: str = "none"
    """"equal", "differs", "refused" (not compiled), "failed", or "none" (nothing fits the values)."""
    use: str = ""
    rows: int = 0
    exactness: str = ""
    before: float = 0.0
    """Seconds of the user's lines."""
    first: float = 0.0
    """Seconds of the replacement when it runs for the first time, compiled by then."""
    after: float = 0.0
    """Seconds of the replacement when it runs again."""
    why: str = ""
    definitions: str = ""
    code: str = ""
    edits: list[tuple[int, int, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Proof:
        """Read what `to_json` made."""
        made = cls(**plain)
        made.edits = [(first, last, text) for first, last, text in plain["edits"]]
        return made


def prove(unit: Unit, variables: Mapping[str, Any]) -> Proof:
    """Return the first replacement of a unit that is equal on these variables, or why there is none."""
    if outside := _outside(unit):
        return Proof("none", why=f"{outside} has effects outside of the script, so it was not run again")
    best = Proof()
    known: dict[str, tuple[dict[str, Any], float] | str] = {}
    for recognized in unit.changes(Values(variables)):
        change = with_constants(recognized, unit.file, variables)
        proof = _tried(unit, change, variables, known)
        if proof.state == "equal":
            return proof
        if best.state in ("none", "refused") and proof.state != "none":
            best = proof
    if best.state == "none" and not best.why:
        best.why = getattr(unit, "why", "") or first_unread(unit, Values(variables))
    return best


def _outside(unit: Unit) -> str | None:
    """Return a call of the unit, or of a function of the file that it calls, with effects outside of the process."""
    functions = functions_of(unit.file)
    seen: set[str] = set()
    left: list[ast.AST] = list(unit.statements)
    while left:
        for node in ast.walk(left.pop()):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in OUTSIDE:
                    return str(name)
            if isinstance(node, ast.Name) and node.id in functions and node.id not in seen:
                seen.add(node.id)
                left.append(functions[node.id])
    return None


def _tried(
    unit: Unit, change: Change, variables: Mapping[str, Any], known: dict[str, tuple[dict[str, Any], float] | str]
) -> Proof:
    proof = Proof(use=change.use, definitions=change.definitions, code=change.after, edits=change.edits)
    started = time.perf_counter()
    try:
        names = _with_libraries(_namespace(variables, change.after))
        if change.definitions:
            _execute(change.definitions, names)
        compiling = time.perf_counter() - started
        proof.first = compiling + _execute(change.after, names)
    except SyntaxError as error:  # UnsupportedError is one
        line = "" if error.text is None else f"`{error.text.strip()}`: "
        proof.state, proof.why = "refused", f"{line}{error.msg}"
        return proof
    except Exception as error:
        proof.state, proof.why = "failed", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return proof
    if change.before not in known:
        known[change.before] = _original(change.before, variables)
    original = known[change.before]
    if isinstance(original, str):
        proof.state, proof.why = "failed", original
        return proof
    expected, proof.before = original
    comparison = _compared(unit, change, expected, names)
    proof.rows, proof.exactness = comparison.rows, comparison.exactness
    if not comparison.is_equal:
        proof.state, proof.why = "differs", difference(comparison.why, change.use)
        return proof
    again = _with_libraries(_namespace(variables, change.after))
    # Functions that are compiled by now, also those in the place of the user's own.
    defined = {node.name for node in ast.parse(change.definitions).body if isinstance(node, ast.FunctionDef)}
    again |= {name: value for name, value in names.items() if name in defined or name not in again}
    proof.state, proof.after = "equal", _execute(change.after, again)
    return proof


def _original(code: str, variables: Mapping[str, Any]) -> tuple[dict[str, Any], float] | str:
    names = _namespace(variables, code)
    try:
        return names, _execute(code, names)
    except Exception as error:
        return f"the lines raise {type(error).__name__} when they run on their own"


_files = 0


def _execute(code: str, names: dict[str, Any]) -> float:
    """Execute code that has its source, and return the seconds."""
    global _files
    _files += 1
    file = f"<hypostyle profile {_files}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    compiled = compile(code, file, "exec", dont_inherit=True)
    started = time.perf_counter()
    exec(compiled, names)
    return time.perf_counter() - started


def _namespace(variables: Mapping[str, Any], code: str) -> dict[str, Any]:
    """Return the variables; those that the code mentions are copies, so that nothing of it remains."""
    mentioned = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    return {name: _copied(value) if name in mentioned else value for name, value in variables.items()}


def _copied(value: Any) -> Any:
    if is_a(value, "pandas", "DataFrame", "Series"):
        return value.copy(deep=not _copies_on_write())
    if is_a(value, "numpy", "ndarray"):
        return value.copy()
    is_copied = isinstance(value, list | dict | set | bytearray) or is_plain_object(value)
    return copy.copy(value) if is_copied else value


def _copies_on_write() -> bool:
    return int(sys.modules["pandas"].__version__.partition(".")[0]) >= 3


def _with_libraries(names: dict[str, Any]) -> dict[str, Any]:
    """Add the names of libraries that new code uses."""
    import hypostyle

    names["hs"] = hypostyle
    for name, module in (("np", "numpy"), ("pd", "pandas"), ("pl", "polars")):
        if name not in names and (module in sys.modules or name == "np"):
            names[name] = importlib.import_module(module)
    return names


def _compared(unit: Unit, change: Change, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Comparison:
    """Compare what the lines leave behind: names that may be read later, and values that they change in place."""
    tree = ast.parse(change.before)
    is_call = isinstance(tree.body[0], ast.FunctionDef)
    assigned = {RESULT} if is_call else names_set([tree])
    roots = {root(node) or "" for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Subscript)}
    changed = set() if is_call else {n for n in roots if n in expected and _is_column(expected[n])}
    changed -= assigned | change.lost
    is_loop = any(isinstance(statement, ast.For | ast.While) for statement in tree.body)
    later = read_after(unit.file, unit.statements)
    kept = assigned & later if is_loop else assigned
    changed |= {n for n in roots & later if n in expected and is_plain_object(expected[n])}
    # The last lines of a script may make what nothing reads; then all that both make is compared.
    names = {n for n in kept | changed if n in expected} or {n for n in assigned if n in expected and n in found}
    whole = Comparison()
    for name in sorted(names):
        if name not in found:
            return Comparison(why=f"{name} is read afterwards, and is not set any more")
        whole.add(compare(expected[name], found[name]), "" if name == RESULT else f"{name}: ")
    if not whole.rows and not whole.why:
        whole.why = "there is nothing to compare: no rows, or no result"
    return whole


def _is_column(value: Any) -> bool:
    """Whether a value can have been changed in its place."""
    return (
        isinstance(value, list | dict | set)
        or is_a(value, "numpy", "ndarray")
        or is_a(value, "pandas", "DataFrame", "Series")
    )
