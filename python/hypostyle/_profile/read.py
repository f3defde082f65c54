"""Profiles of other tools: py-spy (raw, speedscope), scalene (JSON), and collapsed stacks as Python 3.15 writes them.

They say which lines are hot; nothing can be proven from them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hypostyle_profile.stacks import Frame, Samples, Stack, Times

_PY_SPY = re.compile(r"^(?P<function>.*) \((?P<file>.*):(?P<line>\d+)\)$")
_COLLAPSED = re.compile(r"^(?P<file>.+):(?P<function>[^:]+):(?P<line>\d+)$")
INTERVAL = 0.01
"""Seconds of a sample where the file does not say it: py-spy takes 100 per second."""


def read(path: Path) -> tuple[str, Samples]:
    """Return the name and the samples of a file of another tool.

    Raises:
        ValueError: Its format is not known.
    """
    content = path.read_text(encoding="utf-8", errors="replace")
    samples = Samples(INTERVAL, clock=f"read from {path.name}")
    try:
        plain = json.loads(content) if content.lstrip().startswith("{") else None
    except ValueError:
        plain = None
    if plain is not None and "profiles" in plain and "shared" in plain:
        samples.stacks = list(_speedscope(plain))
    elif plain is not None and "files" in plain and "elapsed_time_sec" in plain:
        samples.stacks = list(_scalene(plain))
    elif plain is None:
        samples.stacks = list(_collapsed(content))
    if not samples.stacks:
        msg = f"{path}: the format is not known; it reads py-spy (raw, speedscope), scalene (JSON) and collapsed stacks"
        raise ValueError(msg)
    samples.wall = sum(stack.times.wall for stack in samples.stacks)
    samples.cpu = sum(stack.times.cpu for stack in samples.stacks)
    return path.name, samples


def _collapsed(content: str) -> Iterator[Stack]:
    """Read lines of `frame;frame;frame COUNT`, the outermost frame first."""
    for line in content.splitlines():
        stack, _, count = line.rpartition(" ")
        if not count.isdigit():
            continue
        frames = []
        for part in stack.split(";"):
            if found := _PY_SPY.match(part) or _COLLAPSED.match(part):
                frames.append(_frame(found["file"], int(found["line"]), found["function"]))
        if frames:
            yield Stack("main", True, tuple(reversed(frames)), Times(python=int(count) * INTERVAL, count=int(count)))


def _frame(file: str, line: int, function: str) -> Frame:
    return Frame(os.path.abspath(file) if os.path.exists(file) else file, line, function, line)


def _speedscope(plain: Mapping[str, Any]) -> Iterator[Stack]:
    frames = [_frame(f.get("file", ""), int(f.get("line") or 0), f.get("name", "")) for f in plain["shared"]["frames"]]
    for profile in plain["profiles"]:
        if profile.get("type") != "sampled":
            continue
        for stack, weight in zip(profile["samples"], profile["weights"], strict=True):
            if stack:
                picked = tuple(frames[number] for number in reversed(stack))
                yield Stack(profile.get("name", "main"), True, picked, Times(python=float(weight), count=1))


def _scalene(plain: Mapping[str, Any]) -> Iterator[Stack]:
    """Read percents of lines; waiting shows only as system time of a core that is not used."""
    elapsed = float(plain["elapsed_time_sec"])
    for file, content in plain["files"].items():
        for line in content["lines"]:
            python, native = line["n_cpu_percent_python"], line["n_cpu_percent_c"]
            system, used = line["n_sys_percent"], line.get("n_core_utilization", 1.0)
            waiting = system if used < 0.2 else 0.0
            parts = [share / 100 * elapsed for share in (python, native + system - waiting, waiting)]
            if sum(parts) > 0:
                times = Times(parts[0], parts[1], parts[2], alone=parts[2], count=1)
                yield Stack("main", True, (_frame(file, line["lineno"], "line"),), times)
