"""The second run: the script stops at recognized lines, which are proven there and then, on the values that they see.

The files with such lines are compiled with a call in front of each, so that everything else runs at its own speed.  The
run ends when every line was seen: the rest of the script is not run again.
"""

from __future__ import annotations

import ast
import builtins
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any, TypeAlias

from hypostyle._profile.change import Unit
from hypostyle._profile.counting import Counter, counter_of
from hypostyle._profile.patterns import place, recognize
from hypostyle._profile.patterns.pipeline_scripts import PipelineScript
from hypostyle._profile.pipelines.prove import prove_pipeline
from hypostyle._profile.prove import Proof, prove
from hypostyle._profile.syntax import SourceFile, first_line, names_read
from hypostyle_profile.child import at_end, write
from hypostyle_profile.script import Script

SEEN = 200
"""Runs of a line after which no larger input is waited for."""

PLENTY = 3.0
"""Seconds of proofs of a line after which only a run with twice the input is proven."""


Calls: TypeAlias = "dict[tuple[int, int], list[int]]"
"""Numbers of units by the line and column of a statement."""

HERE = "__hypostyle_profile_here__"
"""The name of the function that is called in front of a unit."""


class Enough(BaseException):
    """Ends the run when all lines were seen."""


@dataclass
class Watched:
    """A unit with what was seen of it."""

    unit: Unit
    proofs: list[Proof]
    seen: int = 0
    size: int = 0
    seconds: float = 0.0
    begun: float | None = None
    """When the lines of a pipeline began, without the seconds of proofs until then."""

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
        first = self.unit.statements[0]
        once = not self.unit.file.in_loop(first) and isinstance(self.unit.file.scope(first), ast.Module)
        return bool(self.proofs) and (once or self.seen >= SEEN or self.seconds > 3 * PLENTY)

    def prove(self, variables: Mapping[str, Any]) -> None:
        """Prove it, unless it was proven with as much input."""
        self.seen += 1
        size = _size(variables, names_read(self.unit.statements))
        if self.seconds > PLENTY and size < 2 * self.size:
            return
        self.size = max(size, self.size)
        started = time.perf_counter()
        self._prove(lambda: prove(self.unit, variables))
        self.seconds += time.perf_counter() - started

    def prove_pipeline(self, variables: Mapping[str, Any], now: float) -> None:
        """Prove a pipeline, whose file is written by now.

        Args:
            variables: The names that it sees, and has set.
            now: The time on the clock of `begun`.
        """
        unit = self.unit
        if self.begun is None or not isinstance(unit, PipelineScript):
            return
        took, self.begun, self.seen = now - self.begun, None, self.seen + 1
        self._prove(lambda: prove_pipeline(unit, variables, took))

    def _prove(self, proof: Callable[[], Proof]) -> None:
        try:
            self.proofs.append(proof())
        except Exception as error:  # ours: the script goes on
            self.proofs.append(
                Proof("failed", why=f"no replacement could be written ({type(error).__name__}: {error})")
            )

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
        return failed[-1] if failed else max(self.proofs, key=lambda proof: proof.rows)


class Capture:
    """Compiles files with units so that they stop at these; `around` runs a script.

    Args:
        units: What is proven.
        counter: Counts calls of databases and the network.
    """

    def __init__(self, units: Sequence[Unit], counter: Counter | None = None) -> None:
        self.counter = counter or Counter([], 0.0)
        self.watched = [Watched(unit, []) for unit in units]
        self._settled = [False] * len(units)
        self._is_proving = False
        self._proving = 0.0

    def around(self, code: CodeType, namespace: dict[str, Any]) -> None:
        """Execute code until every unit was seen; files that it imports are compiled likewise."""
        if not self.watched:
            return
        setattr(builtins, HERE, self._here)
        self.counter.install()
        load = SourceFileLoader.get_code
        capture = self

        def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
            path = self.get_filename(fullname)
            return capture.compiled(path) or load(self, fullname)

        setattr(SourceFileLoader, "get_code", get_code)  # noqa: B010
        try:
            exec(self.compiled(code.co_filename) or code, namespace)
        except Enough:
            pass
        finally:
            setattr(SourceFileLoader, "get_code", load)  # noqa: B010

    def compiled(self, path: str) -> CodeType | None:
        """Return the code of a file with a call in front of each unit; None for files without units."""
        mine = [(number, w.unit) for number, w in enumerate(self.watched) if w.unit.file.path == path]
        if not mine and path not in self.counter.files():
            return None
        before: Calls = {}
        after: Calls = {}
        for number, unit in mine:
            first, last = unit.statements[0], unit.statements[-1]
            before.setdefault((first.lineno, first.col_offset), []).append(number)
            if isinstance(unit, PipelineScript):
                after.setdefault((last.lineno, last.col_offset), []).append(number)
        tree = ast.parse(mine[0][1].file.text if mine else Path(path).read_text(encoding="utf-8"), path)
        self.counter.compiled_into(tree, path)
        for node in ast.walk(tree):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    block[:] = [part for statement in block for part in _with_calls(statement, before, after)]
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def _here(self, number: int, names: dict[str, Any], local: dict[str, Any], is_after: bool = False) -> None:
        """Prove a unit with the names that it sees; not while another one runs, which may reach it."""
        if self._settled[number] or self._is_proving:
            return
        watched, now = self.watched[number], time.perf_counter() - self._proving
        if isinstance(watched.unit, PipelineScript) and not is_after:
            watched.begun = now
            return
        self._is_proving = True
        started = time.perf_counter()
        try:
            if is_after:
                watched.prove_pipeline({**names, **local}, now)
            else:
                watched.prove({**names, **local})
        finally:
            self._is_proving = False
            self._proving += time.perf_counter() - started
        self._settled = [w.is_done or any(other.replaces(w) for other in self.watched) for w in self.watched]
        if all(self._settled) and self.counter.is_done:
            raise Enough


def _with_calls(statement: ast.stmt, before: Calls, after: Calls) -> Iterator[ast.stmt]:
    place = getattr(statement, "lineno", 0), getattr(statement, "col_offset", 0)
    for calls in (before, after):
        for number in calls.get(place, []):
            call = ast.parse(f"{HERE}({number}, globals(), locals(), {calls is after})").body[0]
            yield ast.copy_location(call, statement)
        if calls is before:
            yield statement


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
        # Several units may stand at one place, as the calls of a query do.
        found += [u for u in files[file] if place(u) == (first, last) and u.pattern == pattern and u not in found][:1]
    return found


def run(script: Script, settings: Mapping[str, Any]) -> None:
    """Run a script until the hot lines are proven, and write the proofs."""
    capture = Capture(units_at(settings["hot"]), counter_of(settings))
    started = time.perf_counter()

    def finish() -> None:
        proofs = [[w.unit.file.path, *place(w.unit), w.unit.pattern, w.result().to_json()] for w in capture.watched]
        written = {"proofs": proofs, "imports": settings["imports"], "counts": capture.counter.to_json()}
        write(settings["to"], {**written, "wall": time.perf_counter() - started})

    at_end(finish)
    script.run(capture.around)
