"""Measures what a call costs: through every interface, over few rows and many, beside the peers.

    python benches/calls.py --quick      under a minute, to see that all results agree
    python benches/calls.py --write      the full run; writes benches/results/calls.* and the table in benches/README.md

Every time is that of the fastest call of many, in turns.  A result that differs stops the run.
"""

from __future__ import annotations

import argparse
import gc
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from calls_costs import fixed_costs, many_groups, small_frames, start
from calls_interfaces import by_rows
from calls_report import markdown, write
from compare import measured
from machine import machine
from measure import MismatchError

HERE = Path(__file__).resolve().parent
ROWS = [10**power for power in range(1, 8)]
KERNEL_ROWS = [10_000, 100_000, 1_000_000]
GROUPS = 10_000
STARTS = 15
Options = argparse.Namespace


def kernels_alone(options: Options) -> list[dict[str, Any]]:
    """Return the times of kernels on one thread, measured in a process that has no other."""
    return list(measured({"rows": options.kernel_rows, "budget": options.budget}, 1, "calls_kernels.py"))


PARTS: dict[str, Callable[[Options], Any]] = {
    "start": lambda options: start(options.starts),
    "fixed": lambda options: fixed_costs(options.budget),
    "stage": lambda options: small_frames(options.budget),
    "groups": lambda options: many_groups(options.groups, options.budget),
    "kernels": kernels_alone,
    "interfaces": lambda options: list(by_rows(options.rows, options.budget)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts; the exit code is 1 if results differ."""
    options = parser().parse_args(arguments)
    if options.quick:
        options.rows = options.rows if options.rows != ROWS else ROWS[:3]
        options.kernel_rows, options.groups, options.starts = KERNEL_ROWS[:1], 100, 2
        options.budget = min(options.budget, 0.01)
    given = shlex.join(["python", "benches/calls.py", *(sys.argv[1:] if arguments is None else arguments)])
    result: dict[str, Any] = {"command": given, "budget": options.budget}
    gc.disable()
    gc.freeze()  # so that collecting between blocks of calls takes no time
    try:
        for part in (part for part in PARTS if part in options.only):
            print(f"  {part}", file=sys.stderr, flush=True)
            result[part] = PARTS[part](options)
    except (MismatchError, subprocess.CalledProcessError) as error:
        print(f"stopped: {error}; nothing is written", file=sys.stderr)
        return 1
    finally:
        gc.unfreeze()
    result |= machine()
    print(markdown(result))
    if options.write:
        write(result, HERE / "results", HERE / "README.md")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, nargs="+", default=ROWS, help="rows of the frames (10 100 ... 10_000_000)")
    made.add_argument("--budget", type=float, default=0.5, help="seconds for the calls behind each time (0.5)")
    made.add_argument("--only", nargs="+", choices=tuple(PARTS), default=tuple(PARTS), help="some parts alone")
    made.add_argument("--quick", action="store_true", help="few rows, few calls")
    made.add_argument("--write", action="store_true", help="write benches/results/calls.md, .json and the chart")
    made.set_defaults(kernel_rows=KERNEL_ROWS, groups=GROUPS, starts=STARTS)
    return made


if __name__ == "__main__":
    sys.exit(main())
