"""What is worth changing: the gain of the whole script, by Amdahl's law, from what was proven.

A replacement counts with the time of its first run, when it is compiled, and all of them together with the import of
the package.  Below `LEAST` for the script nothing is recommended.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypostyle._profile.hot import Spot, Totals, cost, others, totals
from hypostyle._profile.prove import Proof
from hypostyle._profile.work import explain
from hypostyle_profile.stacks import Samples, Times

LEAST = 1.5
"""The gain of the script below which nothing is recommended."""

SHARE = 0.02
"""The share of the run below which a line is not looked at."""


@dataclass
class Finding:
    """A line where time goes, with what helps."""

    file: str
    line: int
    last_line: int
    code: str
    seconds: float
    times: Times
    kind: str
    help: str
    pattern: str = ""
    proof: Proof | None = None
    saved: float = 0.0
    recommended: bool = False
    calls: list[tuple[str, int]] = field(default_factory=list)
    """Calls of a database or the network, with how often the second run made them."""

    @property
    def state(self) -> str:
        """What the time is spent on."""
        return "waiting" if self.times.waiting > self.times.cpu + self.times.queue else "CPU"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        times = self.times
        return {
            "file": self.file,
            "line": self.line,
            "last_line": self.last_line,
            "code": self.code,
            "seconds": round(self.seconds, 4),
            "python": round(times.python, 4),
            "native": round(times.native, 4),
            "waiting": round(times.waiting, 4),
            "queue": round(times.queue, 4),
            "state": self.state,
            "pattern": self.pattern,
            "kind": self.kind,
            "help": self.help,
            "calls": [list(call) for call in self.calls],
            "recommended": self.recommended,
            "saved": round(self.saved, 4),
            "proof": None if self.proof is None else self.proof.to_json(),
        }


@dataclass
class Report:
    """Everything that is known of a run."""

    name: str
    samples: Samples
    totals: Totals
    findings: list[Finding]
    gain: float = 1.0
    """Of the whole script, with everything that is recommended, or that would be if it were more."""
    imports: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def recommended(self) -> list[Finding]:
        """The findings to act on."""
        return [finding for finding in self.findings if finding.recommended]

    @property
    def replaceable(self) -> float:
        """The share of the run that the recommended replacements save."""
        return sum(finding.saved for finding in self.recommended) / max(self.totals.wall, 1e-9)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        whole = self.totals
        return {
            "name": self.name,
            "seconds": {
                "wall": round(whole.wall, 4),
                "python": round(whole.python, 4),
                "native": round(whole.native, 4),
                "waiting": round(whole.waiting, 4),
                "queue": round(whole.queue, 4),
                "children": round(self.samples.children_cpu, 4),
                "garbage_collection": round(self.samples.garbage, 4),
                "profiler": round(self.samples.own_cpu, 4),
            },
            "gain": round(self.gain, 3),
            "replaceable": round(self.replaceable, 4),
            "clock": self.samples.clock,
            "findings": [finding.to_json() for finding in self.findings],
            "notes": self.notes,
        }


def report(
    name: str, samples: Samples, spots: Sequence[Spot], proofs: Sequence[Proof | None], imports: float
) -> Report:
    """Weigh the findings of a run.

    Args:
        name: The script.
        samples: Its samples.
        spots: The recognized units.
        proofs: The proof of each; None where nothing was tried.
        imports: The seconds that importing the package takes.
    """
    whole = totals(samples)
    least = SHARE * whole.wall
    kept: list[Spot] = []
    findings: list[Finding] = []
    taken: set[int] = set()
    equal_first = sorted(
        zip(spots, proofs, strict=True),
        key=lambda pair: (
            pair[1] is None or pair[1].state != "equal",
            -pair[0].seconds,
            pair[1] is None or not pair[1].why,
        ),
    )
    notes = []
    for spot, proof in equal_first:
        if spot.unit is not None and spot.unit.pattern == "pipelines" and (proof is None or proof.state != "equal"):
            notes.append(_no_pipeline(spot, proof))
            continue  # its lines are looked at one by one
        # A sample counts once: an inner loop of a proven one is no finding of its own.
        spot.stacks = [stack for stack in spot.stacks if id(stack) not in taken]
        spot.seconds = sum(map(cost, spot.stacks))
        spot.times = Times()
        for stack in spot.stacks:
            spot.times.add(stack.times)
        if spot.seconds < least:
            _note_refused(findings, spot, proof)
            continue
        taken.update(id(stack) for stack in spot.stacks)
        kept.append(spot)
        findings.append(_finding(spot, proof))
    for spot in others(samples, kept, least):
        findings.append(_finding(spot, None))
    made = Report(name, samples, whole, sorted(findings, key=lambda f: -f.seconds), imports=imports)
    made.notes += notes
    _weigh(made)
    return made


def _note_refused(findings: Sequence[Finding], spot: Spot, proof: Proof | None) -> None:
    """Say of a statement that was changed in part why the other part stays."""
    if proof is None or proof.state not in ("refused", "differs", "failed") or not proof.why:
        return
    for finding in findings:
        known = finding.proof
        same = (finding.file, finding.line, finding.pattern) == (
            spot.file,
            spot.line,
            getattr(spot.unit, "pattern", ""),
        )
        if same and known is not None and known.state == "equal" and known.use not in proof.use:
            known.why = f"not replaced by {proof.use}: {proof.why}"


def _no_pipeline(spot: Spot, proof: Proof | None) -> str:
    """Say why lines that read and write a file are not offered as a pipeline."""
    place = f"{os.path.basename(spot.file)}:{spot.line}-{spot.last_line}"
    if proof is None:
        return f"{place} reads and writes a file: a pipeline file for `hypostyle run` may do the same (not proven)"
    if proof.state == "differs":
        return f"{place} is not replaced by a pipeline file, whose output would differ: {proof.why}"
    return f"{place} is not replaced by a pipeline file: {proof.why or 'the lines were not reached in the second run'}"


def _finding(spot: Spot, proof: Proof | None) -> Finding:
    kind, words = explain(spot)
    words = getattr(spot.unit, "advice", words)
    pattern = "" if spot.unit is None else spot.unit.pattern
    made = Finding(
        spot.file, spot.line, spot.last_line, spot.code, spot.seconds, spot.times, kind, words, pattern, proof
    )
    if proof is not None and proof.state == "equal" and proof.before > 0:
        compiling = max(0.0, proof.first - proof.after)
        made.saved = max(0.0, spot.seconds * (1 - proof.after / proof.before) - compiling)
    elif proof is None and spot.unit is not None:
        made.help = f"{spot.unit.suggestion} (not proven: run the script under hypostyle profile)"
    return made


def _weigh(made: Report) -> None:
    """Recommend what is proven if the whole script gains enough."""
    wall = made.totals.wall
    proven = [f for f in made.findings if f.saved >= SHARE * wall]
    if not proven:
        return
    left = wall - sum(f.saved for f in proven) + made.imports
    made.gain = wall / max(left, 1e-9)
    for finding in proven:
        finding.recommended = made.gain >= LEAST
