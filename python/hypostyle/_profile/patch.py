"""The recommended replacements as a patch of the user's files."""

from __future__ import annotations

import ast
import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from hypostyle._profile.advice import Finding
from hypostyle._profile.prove import Proof
from hypostyle._profile.syntax import lines_of

_IMPORTS = {"hs": "hypostyle", "np": "numpy", "pd": "pandas", "pl": "polars"}


def patched(findings: Iterable[Finding]) -> dict[str, tuple[str, str]]:
    """Return old and new text of each file; edits that overlap with a larger one are left out."""
    edits: dict[str, list[tuple[int, int, str]]] = {}
    defined: dict[str, dict[str, str]] = {}
    for finding in sorted(findings, key=lambda f: -f.seconds):
        if finding.proof is None:
            continue
        mine = edits.setdefault(finding.file, [])
        if any(_overlap(a, b) for a in finding.proof.edits for b in mine):
            continue
        mine.extend(_with_new_names(finding.proof, defined.setdefault(finding.file, {})))
    made = {}
    for file, changes in edits.items():
        old = Path(file).read_text(encoding="utf-8")
        made[file] = (old, patched_text(old, changes))
    return made


def _with_new_names(proof: Proof, defined: dict[str, str]) -> list[tuple[int, int, str]]:
    """Return the edits of a finding, whose functions get other names if the file has such by then.

    Functions of two loops that fill a list of one name would be one, and the last of them would run for both.
    """
    edits = proof.edits
    for name, text in _functions(proof.definitions).items():
        new, number = name, 2
        while defined.get(new, text) != text:
            new, number = f"{name}_{number}", number + 1
        defined[new] = text
        if new != name:
            edits = [(first, last, re.sub(rf"\b{name}\b", new, code)) for first, last, code in edits]
    return edits


def _functions(code: str) -> dict[str, str]:
    """Return the functions that code defines, by name; a pipeline file defines none."""
    try:
        body = ast.parse(code).body
    except SyntaxError:
        return {}
    return {node.name: ast.unparse(node) for node in body if isinstance(node, ast.FunctionDef)}


def patched_text(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """Return a text with edits, and with the imports that these need."""
    lines = lines_of(text)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for first, last, new in sorted(edits, key=lambda edit: (edit[0], edit[1]), reverse=True):
        lines[first - 1 : last] = lines_of(new)
    return _with_imports("".join(lines))


def _overlap(a: tuple[int, int, str], b: tuple[int, int, str]) -> bool:
    return a[0] <= b[1] and b[0] <= a[1]


def _with_imports(text: str) -> str:
    """Add the imports that new code needs."""
    tree = ast.parse(text)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    lacking = [name for name in _IMPORTS if name in names - imported - assigned]
    if not lacking:
        return text
    head = 0
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (isinstance(node, ast.Import | ast.ImportFrom) or (is_docstring and head == 0)):
            break
        head = node.end_lineno or head
    lines = lines_of(text)
    added = [f"import {_IMPORTS[name]} as {name}\n" for name in lacking]
    if not any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body[:2]) and head < len(lines):
        added = [*(["\n"] if head else []), *added, "\n", "\n"]
    lines[head:head] = added
    return "".join(lines)


def diff(findings: Iterable[Finding]) -> str:
    """Return the patch in unified format, with paths from here."""
    parts: list[str] = []
    for file, (old, new) in patched(findings).items():
        name = os.path.relpath(file)
        parts += difflib.unified_diff(lines_of(old), lines_of(new), f"a/{name}", f"b/{name}")
    return "".join(part if part.endswith("\n") else f"{part}\n\\ No newline at end of file\n" for part in parts)
