"""The report as text."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator

from hypostyle._profile.advice import LEAST, Finding, Report
from hypostyle._profile.work import PYTHON

MOST = 10
"""Findings that are shown."""


def text(report: Report) -> str:
    """Return the report as text."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield headline(report)
    yield ""
    for number, finding in enumerate(report.findings[:MOST], 1):
        yield from _finding(number, finding)
    if not report.findings:
        yield "No line of your files takes more than 2 % of the time."
    yield from _conclusion(report)
    for note in report.notes:
        yield f"note: {note}"


def headline(report: Report) -> str:
    """Return the run in a line."""
    whole = report.totals
    parts = [
        f"{seconds(whole.python)} CPU in Python",
        f"{seconds(whole.native)} in native code",
        f"{seconds(whole.waiting)} waiting",
    ]
    if whole.queue > 0.05 * whole.wall:
        parts.append(f"{seconds(whole.queue)} in the queue for a processor (the machine was busy)")
    if report.samples.children_cpu > 0.05 * whole.wall:
        parts.append(f"{seconds(report.samples.children_cpu)} CPU in child processes, which are not profiled")
    if report.samples.garbage > 0.05 * whole.wall:
        parts.append(f"{seconds(report.samples.garbage)} of it collecting garbage")
    return f"{report.name} ran {seconds(whole.wall)}: {', '.join(parts)}"


def _finding(number: int, finding: Finding) -> Iterator[str]:
    place = f"{os.path.basename(finding.file)}:{finding.line}"
    head = f"{number:2}  {place}  {finding.code}"
    yield f"{head:<100} {seconds(finding.seconds):>8}  {finding.state}"
    proof = finding.proof
    for name, count in finding.calls:
        yield f"    {name}: called {count:,} times"
    if proof is None or proof.state == "none":
        words = finding.help
        if proof is not None and proof.why:
            words = f"not replaced: {proof.why}" if finding.kind == PYTHON else f"{finding.help} ({proof.why})"
        yield from _wrapped(f"-> {words}")
    elif proof.state == "equal":
        yield f"    -> {proof.use}"
        speed = proof.before / max(proof.after, 1e-9)
        times = f"{speed:,.0f}x" if speed >= 3 else f"{speed:.1f}x"
        yield (
            f"       {seconds(proof.before)} -> {seconds(proof.after)}, {times}; "
            f"equal on {proof.rows:,} rows ({proof.exactness})"
        )
        if finding.recommended and proof.definitions:
            yield textwrap.indent(proof.definitions.strip(), "       ")
        if proof.why:
            yield from _wrapped(f"   {proof.why}")
        if not finding.recommended and proof.after >= proof.before:
            yield "       not recommended: it is not faster"
        elif not finding.recommended:
            yield "       not recommended: the script as a whole would gain too little"
    elif proof.state == "refused":
        yield from _wrapped(f"-> not replaced: this cannot be compiled: {proof.why}")
    else:
        verb = "the result would differ" if proof.state == "differs" else "it could not be run on its own"
        yield from _wrapped(f"-> not replaced by {proof.use}: {verb}: {proof.why}")
    yield ""


def _conclusion(report: Report) -> Iterator[str]:
    count = len(report.recommended)
    if count:
        what = "The replacement makes" if count == 1 else f"The {count} replacements make"
        yield (
            f"{what} the script {report.gain:.1f}x as fast: {seconds(report.totals.wall)} -> "
            f"{seconds(report.totals.wall / report.gain)}, with the import of hypostyle. --diff shows the patch."
        )
    elif any(f.saved for f in report.findings):
        yield (
            f"Nothing is recommended: what can be replaced would make the script {report.gain:.2f}x as fast, and below "
            f"{LEAST}x it is not worth a change."
        )
    else:
        yield "Nothing is recommended: leave this script in Python."
    share = report.samples.own_cpu / max(report.totals.wall, 1e-9)
    yield f"The profiler itself took {seconds(report.samples.own_cpu)} ({share:.1%})."


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(words, 112, initial_indent="    ", subsequent_indent="       ", break_long_words=False)


def seconds(value: float) -> str:
    """Return seconds for people."""
    if value < 0.001:
        return f"{value * 1e6:.0f} us"
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"
