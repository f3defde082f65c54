"""`hypostyle profile script.py arguments`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypostyle._profile.advice import SHARE, Report, report
from hypostyle._profile.counting import calls_of, told
from hypostyle._profile.hot import Spot, others, units_of
from hypostyle._profile.patch import diff, patched
from hypostyle._profile.prove import Proof
from hypostyle._profile.read import read
from hypostyle._profile.runs import Ended, Runs
from hypostyle._profile.text import seconds, text
from hypostyle_profile.script import Target
from hypostyle_profile.stacks import Samples

FOUND = 3
"""The exit code if something hot can be replaced."""

MOST = 12
"""Lines that are proven."""

_DESCRIPTION = """Say where a script's time goes, and prove on its own data what replaces the slow lines.

The script runs twice: first under a sampler, then until every recognized line was compared with its replacement. Its
arguments follow its name, and it behaves as without the profiler. The report goes to the standard error."""

_EPILOG = """exit codes: the script's own if it is not 0; 3 if something hot can be replaced; else 0.
See docs/profile.md."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options, which stand before the script."""
    made = argparse.ArgumentParser(
        prog="hypostyle profile",
        usage="hypostyle profile [options] (SCRIPT.py | -m MODULE) [arguments]\n       hypostyle profile --from FILE",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("-m", metavar="MODULE", dest="module", help="run a module, as python -m does")
    made.add_argument("--json", metavar="FILE", help="write the report as JSON; - is the standard output")
    made.add_argument("--html", metavar="FILE", type=Path, help="write the report as a page, with a flame graph")
    made.add_argument(
        "--diff", action="store_true", help="print the recommended changes as a patch, to standard output"
    )
    made.add_argument("--apply", action="store_true", help="change the files, and run the script again to confirm")
    made.add_argument("--fail-over", metavar="10%", help="exit with 3 only if replacements save this share of the time")
    made.add_argument("--no-proof", action="store_true", help="run the script once: recognize, and prove nothing")
    made.add_argument("--interval", metavar="MS", type=float, default=5.0, help="time between two samples (default: 5)")
    made.add_argument(
        "--from",
        metavar="FILE",
        type=Path,
        dest="source",
        help="read a profile: py-spy (raw or speedscope), scalene (JSON), collapsed stacks",
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    options_part, script = _split(arguments)
    options = parser().parse_args(options_part)
    try:
        share = _share(options.fail_over)
        if options.source is not None:
            name, samples = read(options.source)
            made = report(name, samples, *_unproven(samples), 0.0)
            return _written(made, options, 0, share)
    except (ValueError, OSError) as error:
        print(f"hypostyle profile: {error}", file=sys.stderr)
        return 2
    if options.module is not None:
        target = Target(options.module, script, is_module=True)
    elif script:
        target = Target(script[0], script[1:])
    else:
        parser().print_usage(sys.stderr)
        print("hypostyle profile: name a script, -m MODULE, or --from FILE", file=sys.stderr)
        return 2
    with Runs(target) as runs:
        return _profiled(runs, target, options, share)


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the options from the script and its arguments."""
    with_value = {"--json", "--html", "--fail-over", "--interval", "--from"}
    at = 0
    while at < len(arguments) and arguments[at].startswith("-") and arguments[at] != "-":
        if arguments[at] == "-m":
            return list(arguments[: at + 2]), list(arguments[at + 2 :])
        at += 2 if arguments[at] in with_value else 1
    return list(arguments[:at]), list(arguments[at:])


def _share(given: str | None) -> float:
    if given is None:
        return 0.0
    try:
        value = float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        msg = f'--fail-over: got "{given}", expected a share such as 10%'
        raise ValueError(msg)
    return value


def _profiled(runs: Runs, target: Target, options: argparse.Namespace, share: float) -> int:
    proves = not options.no_proof
    ended = runs.sampled(options.interval / 1000, keep_input=proves)
    if ended.written is None:
        how = (
            f"it was killed by {_signal(ended.code)}"
            if ended.code > 128
            else "it did not start, or replaced its process"
        )
        print(f"hypostyle profile: nothing was measured: {how}", file=sys.stderr)
        return ended.code or 2
    samples = Samples.from_json(ended.written)
    name = target.name if target.is_module else os.path.basename(target.name)
    spots, proofs = _unproven(samples)
    imports = 0.0
    notes: list[str] = []
    counts: list[list[Any]] = []
    if proves and spots and not ended.was_interrupted:
        proofs, imports, counts, notes = _proven(runs, spots, samples)
    if ended.was_interrupted:
        notes.append("the script was interrupted: this is what was known by then, and nothing was proven")
    made = report(name, samples, spots, proofs, imports)
    made.notes += notes
    for finding in made.findings:
        finding.calls = told(counts, finding.file, range(finding.line, finding.last_line + 1))
    code = _written(made, options, ended.code, share)
    if options.apply and made.recommended:
        return _applied(runs, made, ended, options)
    return code


def _signal(code: int) -> str:
    try:
        return signal.Signals(code - 128).name
    except ValueError:
        return f"signal {code - 128}"


def _unproven(samples: Samples) -> tuple[list[Spot], list[Proof | None]]:
    spots = units_of(samples, SHARE * samples.wall)[:MOST]
    return spots, [None] * len(spots)


def _proven(
    runs: Runs, spots: list[Spot], samples: Samples
) -> tuple[list[Proof | None], float, list[list[Any]], list[str]]:
    """Return the proofs, the seconds that the imports take, counts of calls, and notes."""
    hot = [[s.file, s.line, s.last_line, s.unit.pattern] for s in spots if s.unit is not None]
    counted = calls_of([*spots, *others(samples, spots, SHARE * samples.wall)])
    ended = runs.proven(hot, counted, samples.wall)
    if ended.written is None:
        said = ended.errors.strip().splitlines()
        why = f": {said[-1]}" if said else ""
        return [None] * len(spots), 0.0, [], [f"the second run ended early, so nothing was proven{why}"]
    package, polars = ended.written["imports"]
    imports_polars = any(os.sep + "polars" + os.sep in f.file for s in samples.stacks for f in s.frames)
    proofs: list[Proof | None] = [None] * len(spots)
    left = list(ended.written["proofs"])
    for at, (spot, place) in enumerate(zip(spots, hot, strict=True)):
        for each in left:
            *found, plain = each
            if found == place and spot.unit is not None:
                proofs[at] = Proof.from_json(plain)
                left.remove(each)  # the next unit at this place has the next proof
                break
    return proofs, package + (0.0 if imports_polars else polars), ended.written["counts"], []


def _written(made: Report, options: argparse.Namespace, code: int, share: float) -> int:
    """Write the report in every form that was asked for; return the exit code."""
    print(text(made), end="", file=sys.stderr)
    if options.json == "-":
        json.dump(made.to_json(), sys.stdout)
        print(flush=True)
    elif options.json is not None:
        Path(options.json).write_text(json.dumps(made.to_json(), indent=1) + "\n", encoding="utf-8")
    if options.html is not None:
        from hypostyle._profile.page import page

        options.html.write_text(page(made), encoding="utf-8")
    if options.diff and made.recommended:
        print(diff(made.recommended), end="", flush=True)
    if code:
        return code
    return FOUND if made.recommended and made.replaceable >= share else 0


def _applied(runs: Runs, made: Report, ended: Ended, options: argparse.Namespace) -> int:
    """Change the files, and run the script again; take the change back if it ends in another way."""
    files = patched(made.recommended)
    for file, (_, new) in files.items():
        Path(file).write_text(new, encoding="utf-8")
    again = runs.sampled(options.interval / 1000, keep_input=False)
    if again.code != ended.code or again.written is None:
        for file, (old, _) in files.items():
            Path(file).write_text(old, encoding="utf-8")
        print(
            f"hypostyle profile: the changed script ended with {again.code} instead of {ended.code}; "
            "the files are as they were",
            file=sys.stderr,
        )
        return 1
    wall = Samples.from_json(again.written).wall
    names = ", ".join(os.path.relpath(file) for file in files)
    print(
        f"Changed {names}. The script ran again: {seconds(made.totals.wall)} -> {seconds(wall)}, "
        f"{made.totals.wall / wall:.1f}x",
        file=sys.stderr,
    )
    return ended.code
