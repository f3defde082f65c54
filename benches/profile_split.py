"""Sets the split of `hypostyle profile` (Python, native, waiting) beside that of py-spy, on the scripts of profile/.

    python benches/profile_split.py --py-spy .../bin/py-spy --rows 40000            prints the table
    python benches/profile_split.py --py-spy .../bin/py-spy --rows 40000 --write    writes results/profile-split.md

py-spy stops the script from another process, looks at its stacks with their C frames, and tells threads on a processor
from idle ones.  Two runs: with idle samples and without.  It has no split, so that the deepest frame of a sample makes
it: a Python frame, the interpreter and Python's own modules are Python, any other library is native, and what only the
run with idle samples has is waiting.  Only samples below the script's own code count, as in our profiler.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import report
from machine import machine
from profiling import SCRIPTS, SYMBOLS, write_trades

RESULTS = Path(__file__).resolve().parent / "results" / "profile-split.md"
RATE = 50
"""Samples per second: with C frames py-spy does not keep up with more on a busy machine."""
FAR = 0.15
"""A difference of shares from which on a script is named."""

_FRAME = re.compile(r"^(?P<name>.*) \((?P<file>.*)\)$")
_SYSTEM = re.compile(r"^(libc|libm|libpthread|ld-linux|libstdc\+\+|libgcc|\[)")
_PYTHON = re.compile(r"(:\d+$|^libpython|^python3?(\.\d+)?$|^<)")

_TEXT = f"""*ours* is one run under `hypostyle profile --no-proof`. The time in the queue for a processor is left out, since
py-spy knows nothing of it. *py-spy* are two runs of `py-spy record --native --threads -r {RATE}`, one with `--idle`.
Both see the script's main thread from its first line, with imports. [profile_split.py](../profile_split.py) says how
py-spy's samples are split.
"""


@dataclass(frozen=True)
class Split:
    """Shares of a run."""

    python: float
    native: float
    waiting: float

    def shown(self) -> list[str]:
        """Return the shares as percentages."""
        return [f"{part:.0%}" for part in (self.python, self.native, self.waiting)]

    def distance(self, other: Split) -> float:
        """Return the largest difference of a share."""
        pairs = ((self.python, other.python), (self.native, other.native), (self.waiting, other.waiting))
        return max(abs(a - b) for a, b in pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scripts under both."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--py-spy", default=shutil.which("py-spy"), help="the command (default: that of the PATH)")
    made.add_argument("--rows", type=int, default=40_000, help="rows of the trades (40_000)")
    made.add_argument("--only", nargs="+", help="names of scripts")
    made.add_argument("--write", action="store_true", help="write benches/results/profile-split.md")
    options = made.parse_args(arguments)
    if options.py_spy is None:
        made.error("py-spy is not installed: name it with --py-spy")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        trades = Path(folder) / "trades.csv"
        write_trades(trades, options.rows)
        for script in sorted(p for p in SCRIPTS.glob("*.py") if not options.only or p.stem in options.only):
            found = (
                script.stem,
                ours(script, trades, Path(folder)),
                theirs(options.py_spy, script, trades, Path(folder)),
            )
            print(row(*found), flush=True)
            rows.append(found)
    version = subprocess.run([options.py_spy, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    given = ["--rows", str(options.rows), *(["--write"] if options.write else [])]
    lines = list(page(rows, version, shlex.join(["python", "benches/profile_split.py", "--py-spy", "py-spy", *given])))
    print("\n".join(lines[-4:]))
    if options.write:
        RESULTS.write_text("\n".join(lines) + "\n")
    return 0


def ours(script: Path, trades: Path, folder: Path) -> Split | None:
    """Return what our profiler says."""
    to = folder / "report.json"
    to.unlink(missing_ok=True)
    command = [sys.executable, "-m", "hypostyle", "profile", "--no-proof", "--json", str(to), str(script), str(trades)]
    subprocess.run(command, capture_output=True, check=False)
    if not to.exists():
        return None
    seconds = json.loads(to.read_text())["seconds"]
    return _split(seconds["python"], seconds["native"], seconds["waiting"])


def theirs(tool: str, script: Path, trades: Path, folder: Path) -> Split | None:
    """Return what py-spy's samples say."""
    counts = []
    for flags in ([], ["--idle"]):
        to = folder / "raw.txt"
        to.unlink(missing_ok=True)
        command = [tool, "record", "--native", "--threads", *flags, "-r", str(RATE), "-f", "raw", "-o", str(to)]
        command += ["--", sys.executable, str(script), str(trades)]
        subprocess.run(command, capture_output=True, check=False)
        counts.append(_counted(to.read_text().splitlines() if to.exists() else [], script.name))
    (python, native), every = counts[0], sum(counts[1])
    if not every:
        return None
    # Two runs do not take the same time.
    return _split(python, native, max(0.0, every - python - native))


def _counted(lines: Sequence[str], script: str) -> tuple[float, float]:
    """Return the samples of Python and of native code below a script."""
    python = native = 0.0
    for line in lines:
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if not any(frame.startswith("<module>") and f"({script}:" in frame for frame in frames):
            continue
        if _is_native(frames):
            native += int(count)
        else:
            python += int(count)
    return python, native


def _is_native(frames: Sequence[str]) -> bool:
    """Whether the deepest frame, but for those of the system, is one of a library."""
    for frame in reversed(frames):
        found = _FRAME.match(frame)
        if found is None or _SYSTEM.match(found["file"]):
            continue
        if _PYTHON.search(found["file"]):
            return False
        return found["file"].partition(".")[0] not in sys.stdlib_module_names
    return False


def _split(python: float, native: float, waiting: float) -> Split:
    whole = max(python + native + waiting, 1e-9)
    return Split(python / whole, native / whole, waiting / whole)


def row(name: str, our: Split | None, their: Split | None) -> str:
    """Return a row of the table."""
    if our is None or their is None:
        return f"| {name} | | | | | | | not measured |"
    cells = [cell for pair in zip(our.shown(), their.shown(), strict=True) for cell in pair]
    return "| " + " | ".join([name, *cells, f"{our.distance(their):.0%}"]) + " |"


def page(rows: Sequence[tuple[str, Split | None, Split | None]], version: str, command: str) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "# The split of hypostyle profile beside that of py-spy"
    yield ""
    yield from report.header({"command": command, **machine(), "py-spy": version})
    yield ""
    yield _TEXT
    yield f"{SYMBOLS:,} symbols."
    yield ""
    yield "| script | Python: ours | py-spy | native: ours | py-spy | waiting: ours | py-spy | difference |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for found in rows:
        yield row(*found)
    distances = {name: our.distance(their) for name, our, their in rows if our is not None and their is not None}
    near = sum(distance < FAR for distance in distances.values())
    yield ""
    yield f"{near} of {len(distances)} scripts differ by less than {FAR:.0%} in every share."
    if far := [name for name, distance in distances.items() if distance >= FAR]:
        yield ""
        yield f"By more: {', '.join(far)}."


if __name__ == "__main__":
    sys.exit(main())
