"""Where the time went: samples to lines of the user, and to the units that patterns have recognized."""

from __future__ import annotations

import ast
import linecache
import os
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hypostyle._profile.change import Unit
from hypostyle._profile.patterns import place, recognize
from hypostyle._profile.syntax import SCOPES, SourceFile
from hypostyle_profile.stacks import Frame, Samples, Stack, Times


@dataclass(eq=False)
class Spot:
    """A unit, or a statement that is none, with the time that went there."""

    file: str
    line: int
    last_line: int
    code: str
    times: Times
    seconds: float
    unit: Unit | None = None
    stacks: list[Stack] = field(default_factory=list)


def cost(stack: Stack) -> float:
    """Return the seconds of a stack; other threads than the main one cost what they use, not how long they wait."""
    return stack.times.wall if stack.is_main else stack.times.cpu + stack.times.queue


@dataclass
class Totals:
    """The whole run."""

    wall: float
    python: float
    native: float
    waiting: float
    queue: float


def totals(samples: Samples) -> Totals:
    """Return the run in one line: waiting is what the main thread waited while no other did anything."""
    return Totals(
        samples.wall,
        sum(s.times.python for s in samples.stacks),
        sum(s.times.native for s in samples.stacks),
        sum(s.times.alone for s in samples.stacks),
        sum(s.times.queue for s in samples.stacks if s.is_main),
    )


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.add(str(Path(__file__).parents[2] / "hypostyle"))
    folders.add(str(Path(__file__).parents[2] / "hypostyle_profile"))
    return tuple(sorted({os.path.join(os.path.realpath(folder), "") for folder in folders}))


@cache
def is_users(file: str) -> bool:
    """Whether a file is the user's own: not Python's, not one of an installed package."""
    if file.startswith("<"):
        return file.startswith("<cell ")
    path = os.path.realpath(file)
    return "site-packages" not in path and "dist-packages" not in path and not path.startswith(_library_folders())


@cache
def source(file: str) -> SourceFile | None:
    """Return a file of the user with its syntax; None if it cannot be read."""
    try:
        is_cell = file.startswith("<cell ")
        text = "".join(linecache.getlines(file)) if is_cell else Path(file).read_text(encoding="utf-8")
        return SourceFile(file, text)
    except (OSError, SyntaxError, ValueError):
        return None


def users_frame(stack: Stack) -> tuple[Frame, Frame | None] | None:
    """Return the deepest frame of the user, and what it called."""
    for at, frame in enumerate(stack.frames):
        if is_users(frame.file):
            return frame, stack.frames[at - 1] if at else None
    return None


def through(stack: Stack, file: str, first: int, last: int) -> bool:
    """Whether a stack goes through lines of a file."""
    return any(frame.file == file and first <= frame.line <= last for frame in stack.frames)


def units_of(samples: Samples, least: float) -> list[Spot]:
    """Return the recognized units that took at least so many seconds, the slowest first."""
    files = {frame.file for stack in samples.stacks for frame in stack.frames if is_users(frame.file)}
    found = []
    for name in sorted(files):
        file = source(name)
        for unit in recognize(file) if file is not None else []:
            spot = _of_unit(unit, samples.stacks)
            if spot.seconds >= least:
                found.append(spot)
    return sorted(found, key=lambda spot: -spot.seconds)


def _of_unit(unit: Unit, stacks: Iterable[Stack]) -> Spot:
    first, last = place(unit)
    made = Spot(unit.file.path, first, last, _shown(unit.file, unit.node), Times(), 0.0, unit)
    if unit.pattern == "pipelines":
        made.code = f"{_shown(unit.file, unit.statements[0])} ... {made.code}"
    for stack in stacks:
        if through(stack, made.file, first, last):
            made.times.add(stack.times)
            made.seconds += cost(stack)
            made.stacks.append(stack)
    return made


def others(samples: Samples, claimed: Sequence[Spot], least: float) -> list[Spot]:
    """Return the statements of the user where the rest of the time went, the slowest first."""
    taken = {id(stack) for spot in claimed for stack in spot.stacks}
    found: dict[tuple[str, int], Spot] = {}
    for stack in samples.stacks:
        if id(stack) in taken or not (stack.is_main or stack.times.cpu):
            continue
        user = users_frame(stack)
        if user is None:
            continue
        frame = user[0]
        file = source(frame.file)
        node = _statement_at(file, frame.line) if file is not None else None
        line = frame.line if node is None else node.lineno
        spot = found.get((frame.file, line))
        if spot is None:
            code = "" if file is None else _shown(file, node) if node is not None else ""
            last = line if node is None else node.end_lineno or line
            spot = found[frame.file, line] = Spot(frame.file, line, last, code, Times(), 0.0)
        spot.times.add(stack.times)
        spot.seconds += cost(stack)
        spot.stacks.append(stack)
    return sorted((s for s in found.values() if s.seconds >= least), key=lambda spot: -spot.seconds)


def _statement_at(file: SourceFile, line: int) -> ast.stmt | None:
    """Return the statement of a line; of a loop with plain statements only the loop itself."""
    best: ast.stmt | None = None
    for node in ast.walk(file.tree):
        is_there = isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
        if is_there and isinstance(node, ast.stmt) and (best is None or node.lineno >= best.lineno):
            best = node
    if best is None or isinstance(best, SCOPES):
        return best
    loops = [n for n in file.above(best) if isinstance(n, ast.For | ast.While)]
    inner = next((n for n in file.above(best) if isinstance(n, SCOPES)), file.tree)
    loops = [n for n in loops if any(above is inner for above in file.above(n))]
    is_plain = bool(loops) and not any(isinstance(n, ast.Call | ast.Await) for n in ast.walk(best))
    return loops[0] if is_plain else best


def _shown(file: SourceFile, node: ast.AST) -> str:
    """Return the text of a node in one line; of a loop its head."""
    if isinstance(node, ast.For | ast.While):
        assert isinstance(node, ast.stmt)
        lines = file.lines[node.lineno - 1 : node.body[0].lineno - 1] or file.lines[node.lineno - 1 : node.lineno]
        return " ".join(" ".join(lines).split()) + " ..."
    text = file.segment(file.statement(node))
    lines = text.splitlines()
    short = " ".join(" ".join(lines).split()) if len(lines) < 5 else f"{' '.join(lines[0].split())} ..."
    return short if len(short) <= 110 else f"{short[:106]} ..."
