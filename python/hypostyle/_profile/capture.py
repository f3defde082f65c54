"""The second run: the script stops at recognized lines, which are proven there and then, on the values that they see.

The trace function of the interpreter is used, for the functions with such lines only.  The run ends when every line was
seen, so the rest of the script is not run again.
"""

from __future__ import annotations

import ast
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from hypostyle._profile.change import Unit
from hypostyle._profile.patterns import place, recognize
from hypostyle._profile.prove import Proof, prove
from hypostyle._profile.syntax import SourceFile, first_line, names_read
from hypostyle_profile.child import at_end, write
from hypostyle_profile.script import Script

SEEN = 20
"""Runs of a line after which no larger input is waited for."""

PROVEN = 3
"""Runs of a line that are proven: the first, and others with larger input."""


class Enough(BaseException):
    """Ends the run when all lines were seen."""


@dataclass
class Watched:
    """A unit with what was seen of it."""

    unit: Unit
    proofs: list[Proof]
    seen: int = 0
    size: int = 0

    @property
    def lines(self) -> range:
        """The lines of the unit."""
        statements = self.unit.statements
        return range(first_line(statements[0]), (statements[-1].end_lineno or 0) + 1)

    @property
    def is_done(self) -> bool:
        """Whether nothing more can be learned."""
        if self.proofs and self.proofs[-1].state != "equal":
            return True
        once = not self.unit.file.in_loop(self.unit.statements[0]) and self.key[0] == "<module>"
        return bool(self.proofs) and (once or self.seen >= SEEN or len(self.proofs) >= PROVEN)

    @property
    def key(self) -> tuple[str, int]:
        """Name and first line of the code that the unit is in."""
        scope = self.unit.file.scope(self.unit.statements[0])
        return ("<module>", 0) if isinstance(scope, ast.Module) else (scope.name, first_line(scope))

    def prove(self, variables: Mapping[str, Any]) -> None:
        """Prove it, unless it was proven with as much input."""
        self.seen += 1
        size = _size(variables, names_read(self.unit.statements))
        if self.proofs and size < 2 * self.size:
            return
        self.size = size
        self.proofs.append(prove(self.unit, variables))

    def replaces(self, other: Watched) -> bool:
        """Whether this one is proven, and the other is a part of it."""
        lines = other.lines
        is_part = other is not self and lines.start in self.lines and lines[-1] in self.lines and lines != self.lines
        same = other.unit.file is self.unit.file
        return same and is_part and bool(self.proofs) and self.proofs[-1].state == "equal"

    def result(self) -> Proof:
        """Return the proof with the largest input, or the one that failed."""
        if not self.proofs:
            return Proof(why="the line was not reached in the second run")
        failed = [proof for proof in self.proofs if proof.state != "equal"]
        return (failed or self.proofs)[-1]


class Capture:
    """Traces the code with the units; `run` runs the script."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.watched = [Watched(unit, []) for unit in units]
        self._files = {watched.unit.file.path for watched in self.watched}
        self._last: dict[int, int] = {}

    def around(self, code: CodeType, namespace: dict[str, Any]) -> None:
        """Execute code until every unit was seen."""
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        try:
            exec(code, namespace)
        except Enough:
            pass
        finally:
            sys.settrace(None)
            threading.settrace(None)

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        code = frame.f_code
        if code.co_filename not in self._files:
            return None
        key = (code.co_name, 0 if code.co_name == "<module>" else code.co_firstlineno)
        is_wanted = any(w.key == key and w.unit.file.path == code.co_filename and not w.is_done for w in self.watched)
        return self._line if is_wanted else None

    def _line(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        if event != "line":
            if event == "return":
                self._last.pop(id(frame), None)
            return self._line
        line, before = frame.f_lineno, self._last.get(id(frame), 0)
        self._last[id(frame)] = line
        for watched in self.watched:
            lines = watched.lines
            if watched.unit.file.path != frame.f_code.co_filename or self._is_settled(watched):
                continue
            if line == lines.start and before not in lines:
                watched.prove({**frame.f_globals, **frame.f_locals})
        if all(map(self._is_settled, self.watched)):
            raise Enough
        return self._line

    def _is_settled(self, watched: Watched) -> bool:
        """Whether a unit is done, or is a part of one that is replaced."""
        return watched.is_done or any(other.replaces(watched) for other in self.watched)


def _size(variables: Mapping[str, Any], names: set[str]) -> int:
    size = 0
    for name in names & variables.keys():
        value = variables[name]
        if hasattr(value, "__len__") and not isinstance(value, str | type):
            try:
                size += len(value)
            except TypeError:
                continue
    return size


def units_at(hot: Sequence[Sequence[Any]]) -> list[Unit]:
    """Return the units that were found before: by file, first and last line, and pattern."""
    found: list[Unit] = []
    files: dict[str, list[Unit]] = {}
    for file, first, last, pattern in hot:
        if file not in files:
            files[file] = recognize(SourceFile(file, Path(file).read_text(encoding="utf-8")))
        found += [u for u in files[file] if place(u) == (first, last) and u.pattern == pattern][:1]
    return found


def run(script: Script, settings: Mapping[str, Any]) -> None:
    """Run a script until the hot lines are proven, and write the proofs."""
    capture = Capture(units_at(settings["hot"]))
    started = time.perf_counter()

    def finish() -> None:
        proofs = [[w.unit.file.path, *place(w.unit), w.unit.pattern, w.result().to_json()] for w in capture.watched]
        write(settings["to"], {"proofs": proofs, "imports": settings["imports"], "wall": time.perf_counter() - started})

    at_end(finish)
    script.run(capture.around)
