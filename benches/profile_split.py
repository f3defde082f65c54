"""Sets the split of `hypostyle profile` (Python, native, waiting) beside that of py-spy, on the scripts of profile/.

    python benches/profile_split.py --py-spy .../bin/py-spy --rows 40000            prints the table
    python benches/profile_split.py --py-spy .../bin/py-spy --rows 40000 --write    writes results/profile-split.md

py-spy stops the script from another process, and looks at its stacks with their C frames.  It has no split, so that the
deepest frame of a sample makes it: a system call that waits is waiting; else a Python frame, the interpreter and
Python's own modules are Python, and any other library is native.  Only samples of the main thread below the line that
the script marks count.
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
from profiling import SCRIPTS, SYMBOLS, marked, write_trades

RESULTS = Path(__file__).resolve().parent / "results" / "profile-split.md"
RATE = 50
"""Samples per second: with C frames py-spy does not keep up with more on a busy machine."""
FAR = 0.15
"""A difference of shares from which on a script is named."""

_FRAME = re.compile(r"^(?P<name>.*) \((?P<file>.*)\)$")
_SYSTEM = re.compile(r"^(libc|libm|libpthread|ld-linux|libstdc\+\+|libgcc|\[)")
_WAITS = {
    "clock_nanosleep", "nanosleep", "poll", "__poll", "ppoll", "select", "pselect", "epoll_wait", "sem_wait",
    "sem_clockwait", "pthread_cond_wait", "pthread_cond_timedwait", "pthread_cond_clockwait", "recv", "recvfrom",
    "accept", "accept4", "wait4", "waitid", "waitpid", "connect", "PyThread_acquire_lock_timed", "take_gil",
}  # fmt: skip
"""Functions that wait."""
_PYTHON = re.compile(r"(:\d+$|^libpython|^python3?(\.\d+)?$|^<)")

_TEXT = f"""The line is the one that the script marks. *ours* is one run under `hypostyle profile --no-proof`; the time
in the queue for a processor, of which py-spy knows nothing, is left out. *py-spy* is one run of
`py-spy record --native --threads --idle -r {RATE}`. [profile_split.py](../profile_split.py) says how its samples are
split.
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
            our, hot = ours(script, trades, Path(folder))
            their = theirs(options.py_spy, script, trades, Path(folder), hot)
            rows.append((script.stem, our, their))
            print(row(*rows[-1]), flush=True)
    version = subprocess.run([options.py_spy, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    only = ["--only", *options.only] if options.only else []
    given = ["--rows", str(options.rows), *only, *(["--write"] if options.write else [])]
    lines = list(page(rows, version, shlex.join(["python", "benches/profile_split.py", "--py-spy", "py-spy", *given])))
    print("\n".join(lines[-4:]))
    if options.write:
        RESULTS.write_text("\n".join(lines) + "\n")
    return 0


def ours(script: Path, trades: Path, folder: Path) -> tuple[Split | None, range]:
    """Return what our profiler says of the marked line, and the lines that this is."""
    number, *_ = marked(script)
    to = folder / "report.json"
    to.unlink(missing_ok=True)
    command = [sys.executable, "-m", "hypostyle", "profile", "--no-proof", "--json", str(to), str(script), str(trades)]
    subprocess.run(command, capture_output=True, check=False)
    for found in json.loads(to.read_text())["findings"] if to.exists() else []:
        if Path(found["file"]).name == script.name and found["line"] <= number <= found["last_line"]:
            lines = range(found["line"], found["last_line"] + 1)
            return _split(found["python"], found["native"], found["waiting"]), lines
    return None, range(0)


def theirs(tool: str, script: Path, trades: Path, folder: Path, lines: range) -> Split | None:
    """Return what py-spy's samples below these lines say."""
    to = folder / "raw.txt"
    to.unlink(missing_ok=True)
    command = [tool, "record", "--native", "--threads", "--idle", "-r", str(RATE), "-f", "raw", "-o", str(to)]
    subprocess.run([*command, "--", sys.executable, str(script), str(trades)], capture_output=True, check=False)
    counts = {"python": 0, "native": 0, "waiting": 0}
    places = {f"({script.name}:{line})" for line in lines}
    for line in to.read_text().splitlines() if to.exists() else []:
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        is_main = any(frame.startswith("<module>") and f"({script.name}:" in frame for frame in frames)
        if is_main and any(frame.rpartition(" ")[2] in places for frame in frames):
            counts[_kind(frames)] += int(count)
    return _split(**counts) if any(counts.values()) else None


def _kind(frames: Sequence[str]) -> str:
    """Return what a sample is, by its deepest frames."""
    for frame in reversed(frames):
        found = _FRAME.match(frame)
        if found is None or found["name"] in _WAITS:
            return "waiting" if found is not None else "python"
        if _SYSTEM.match(found["file"]):
            continue
        if _PYTHON.search(found["file"]):
            return "python"
        return "python" if found["file"].partition(".")[0] in sys.stdlib_module_names else "native"
    return "python"


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
