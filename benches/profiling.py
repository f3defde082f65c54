"""Runs `hypostyle profile` over scripts as people write them, and compares what it says with what is expected.

    python benches/profiling.py --rows 100000            prints the table
    python benches/profiling.py --rows 100000 --write    and writes benches/results/profile.md

A script says what is expected at its hot line: `# hot: rolling_mean` for a replacement that has these words and is
equal, `# nothing: database` for a line for which nothing may be recommended.  `profile_split.py` sets the split beside
that of py-spy.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import report
from machine import machine

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "profile"
RESULTS = HERE / "results" / "profile.md"
SYMBOLS = 1_000
MARK = re.compile(r"# (hot|nothing): (.+)")

_TEXT = """The scripts are in [profile](../profile), with made-up trades from `data/generate.py`. *found* says whether
the line that the script marks is reported with what is expected: a replacement that is equal on the script's own data,
or the kind of work where nothing can be replaced. *gain* is that of the whole script, by Amdahl's law, with the first
run of the replacement and the import of hypostyle; below 1.5 nothing is recommended. Seconds are of one run under the
profiler.
"""


@dataclass
class Outcome:
    """What the profiler said of a script."""

    name: str
    line: int
    expected: str
    found: bool
    wrong: list[str]
    plain: dict[str, Any]
    finding: dict[str, Any] | None
    code: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; fail if a line was not found, or something wrong was recommended."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=100_000, help="rows of the trades (100_000)")
    made.add_argument("--only", nargs="+", help="names of scripts")
    made.add_argument("--write", action="store_true", help="write benches/results/profile.md")
    options = made.parse_args(arguments)
    scripts = sorted(p for p in SCRIPTS.glob("*.py") if not options.only or p.stem in options.only)
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        trades = Path(folder) / "trades.csv"
        write_trades(trades, options.rows)
        for script in scripts:
            outcome = profiled(script, trades, Path(folder) / "report.json")
            print(row(outcome), flush=True)
            outcomes.append(outcome)
    given = shlex.join(["python", "benches/profiling.py", *(sys.argv[1:] if arguments is None else arguments)])
    lines = list(page(outcomes, options.rows, given))
    print("\n".join(lines[-3:]))
    if options.write:
        RESULTS.write_text("\n".join(lines) + "\n")
    return int(any(not o.found or o.wrong for o in outcomes))


def write_trades(path: Path, rows: int) -> None:
    """Write the trades that the scripts read."""
    generator = HERE.parent / "data" / "generate.py"
    command = [sys.executable, str(generator), "--out", str(path), "--rows", str(rows), "--symbols", str(SYMBOLS)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def profiled(script: Path, trades: Path, to: Path) -> Outcome:
    """Profile a script."""
    number, kind, expected = marked(script)
    to.unlink(missing_ok=True)
    command = [sys.executable, "-m", "hypostyle", "profile", "--json", str(to), str(script), str(trades)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    empty: dict[str, Any] = {"findings": [], "gain": 1.0, "notes": [done.stderr]}
    plain = json.loads(to.read_text()) if to.exists() else empty
    here = [f for f in plain["findings"] if Path(f["file"]).name == script.name]
    at = [f for f in here if f["line"] <= number <= f["last_line"]]
    finding = at[0] if at else None
    wrong = [f["proof"]["use"] for f in here if f["recommended"] and (kind == "nothing" or f not in at)]
    if kind == "hot":
        proof = finding["proof"] if finding else None
        found = proof is not None and proof["state"] == "equal" and expected in proof["use"]
    else:
        told = json.dumps(finding) if finding else ""
        found = finding is not None and not finding["recommended"] and expected in told
    return Outcome(script.stem, number, f"{kind}: {expected}", found, wrong, plain, finding, done.returncode)


def marked(script: Path) -> tuple[int, str, str]:
    """Return the marked line of a script, and what is expected there."""
    for number, line in enumerate(script.read_text().splitlines(), 1):
        if mark := MARK.search(line):
            return number, mark[1], mark[2].strip()
    msg = f"{script} marks no line"
    raise ValueError(msg)


def row(outcome: Outcome) -> str:
    """Return a row of the table."""
    finding = outcome.finding
    cells = [outcome.name, str(outcome.line), outcome.expected]
    if finding is None:
        return "| " + " | ".join([*cells, *[""] * 7, "**not found**"]) + " |"
    parts = [finding[name] for name in ("python", "native", "waiting")]
    whole = max(sum(parts), 1e-9)
    cells += [f"{finding['seconds']:.2f}", *(f"{part / whole:.0%}" for part in parts)]
    proof = finding["proof"]
    if proof is not None and proof["state"] == "equal":
        cells += [f"{proof['before'] / max(proof['after'], 1e-9):,.0f}x", proof["exactness"]]
    else:
        cells += ["", "" if proof is None else proof["state"]]
    cells.append(f"{outcome.plain['gain']:.1f}")
    verdict = "yes" if outcome.found else "**no**"
    cells.append(f"{verdict}, **wrong: {outcome.wrong}**" if outcome.wrong else verdict)
    return "| " + " | ".join(cells) + " |"


def page(outcomes: Sequence[Outcome], rows: int, command: str) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "# hypostyle profile over scripts as people write them"
    yield ""
    yield from report.header({"command": command, **machine()})
    yield ""
    yield _TEXT
    yield f"{rows:,} rows, {SYMBOLS:,} symbols."
    yield ""
    yield "| script | line | expected | seconds | Python | native | waiting | speed-up | equal | gain | found |"
    yield "|---|---:|---|---:|---:|---:|---:|---:|---|---:|---|"
    for outcome in outcomes:
        yield row(outcome)
    yield ""
    found = sum(o.found for o in outcomes)
    wrong = sum(bool(o.wrong) for o in outcomes)
    yield f"{found} of {len(outcomes)} lines found; {wrong} scripts with a wrong recommendation."


if __name__ == "__main__":
    sys.exit(main())
