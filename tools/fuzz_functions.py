"""Runs random functions through hypostyle and CPython, and stops at the first result that differs, or goes on.

    python tools/fuzz_functions.py --programs 1000
    python tools/fuzz_functions.py --seed 17 --programs 1 --rows 500    what a difference tells to run
    python tools/fuzz_functions.py --kept-aside                         functions as users write them

Every fourth program runs with functions whose last bit depends on libm, and half of the programs are scans: over the
whole frame, and by key.
"""

from __future__ import annotations

import argparse
import inspect
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "python"))

from expressions_at_random import Mode
from function_calls import frame_of, ran
from function_oracle import Difference, Program, Rows, Value, expected, first_difference
from functions_at_random import columns, program
from hypostyle._functions.errors import UnsupportedError
from user_functions import ROWS, SCANS

KEYS = 7
UNBOUND = "has no value here"
"""The refusal of a function that reads a variable which is not bound there: Python raises."""
Columns = dict[str, list[Value]]
# A program and its columns; the text to show of it, and what to run to see it again.
Case = tuple[Program, Columns, str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the programs; the exit code is 1 if one differs or is refused."""
    options = parser().parse_args(arguments)
    counts = Counter[str]()
    begin = time.perf_counter()
    for made, data, text, again in kept_aside(options) if options.kept_aside else drawn(options):
        if problem := problem_of(made, data, options.rows, counts):
            print(f"{text}\n{problem}\n\n{again}\n", flush=True)
            counts["differ"] += 1
            if not options.go_on:
                return 1
            continue
        counts["agree"] += 1
        counts["scans"] += bool(made.state)
        counts["inexact"] += bool(made.ulps)
    agree = counts["agree"] - counts["unbound"]
    print(
        f"{agree:,} programs agree ({counts['scans']:,} scans, {counts['inexact']:,} to some ulps): "
        f"{counts['results']:,} results, {counts['nulls']:,} of them null, in {time.perf_counter() - begin:.0f} s"
    )
    if counts["unbound"]:
        print(f"{counts['unbound']:,} are refused, as they read a variable that has no value: Python raises")
    if counts["differ"]:
        print(f"{counts['differ']:,} programs do not")
    return int(counts["differ"] > 0)


def problem_of(made: Program, data: Columns, rows: int, counts: Counter[str]) -> str | None:
    """Run a program, a scan by key too; return what is wrong with its results, and count them if nothing is."""
    keys = [row * row % KEYS for row in range(rows)]
    for by_key in (False, True) if made.state else (False,):
        want = expected(made, data, keys if by_key else None)
        try:
            got = ran(made, frame_of(made, data, keys), by_key=by_key)
        except Exception as error:  # whatever it is, it is a finding
            if isinstance(error, UnsupportedError) and UNBOUND in str(error.msg):
                counts["unbound"] += 1
                return None
            return f"refused with {made.columns}, state {dict(made.state)}: {error!r}"
        if difference := first_difference(made, want, got, narrowed=True):
            return "\n".join(described(made, data, difference, by_key))
        counts.update(counted(want))
    return None


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--programs", type=int, default=200, help="number of programs (200)")
    made.add_argument("--rows", type=int, default=300, help="rows of each (300)")
    made.add_argument("--seed", type=int, default=0, help="seed of the first program; the others follow (0)")
    made.add_argument("--go-on", action="store_true", help="go on after a difference")
    made.add_argument("--no-mixed", action="store_true", help="no values that are an int or a float as it happens")
    made.add_argument("--kept-aside", action="store_true", help="run tests/python/user_functions.py instead")
    return made


def drawn(options: argparse.Namespace) -> Iterator[Case]:
    """Yield random programs, with what to run for one of them again."""
    for seed in range(options.seed, options.seed + options.programs):
        mode = Mode(scan=seed % 2 == 1, exact=seed // 2 % 4 != 3, mixed=not options.no_mixed)
        made = program(seed, mode)
        given = ["--seed", str(seed), "--programs", "1", "--rows", str(options.rows)]
        again = shlex.join(["python", "tools/fuzz_functions.py", *given, *["--no-mixed"] * options.no_mixed])
        yield made, columns(seed, options.rows, made), made.source, again


def kept_aside(options: argparse.Namespace) -> Iterator[Case]:
    """Yield the functions that users write."""
    for example in (*ROWS, *SCANS):
        again = f"{example.name} of tests/python/user_functions.py"
        data = example.frame(options.rows, options.seed).to_dict(as_series=False)
        yield example.program(), data, inspect.getsource(example.function), again


def described(made: Program, data: Columns, difference: Difference, by_key: bool) -> Iterator[str]:
    """Yield what is known of a difference."""
    if made.state:
        yield f"state: {dict(made.state)}, {'by key' if by_key else 'over all rows'}"
    if difference.row is None:
        yield f"columns: {dict(made.columns)}"
        yield f"data type of {difference.output}: expected {difference.want}, got {difference.got}"
        return
    if made.state:
        yield f"the rows before, and row {difference.row}:"
        for row in range(max(difference.row - 3, 0), difference.row):
            yield f"  {one_row(data, row)}"
    yield f"  {one_row(data, difference.row)}"
    yield f"{difference.output} in row {difference.row}: expected {difference.want!r}, got {difference.got!r}"


def one_row(data: Columns, row: int) -> dict[str, Value]:
    return {name: values[row] for name, values in data.items()}


def counted(want: Rows) -> dict[str, int]:
    """Return how many results there are, and how many of them are null."""
    values = [value for column in want.values() for value in column]
    return {"results": len(values), "nulls": values.count(None)}


if __name__ == "__main__":
    sys.exit(main())
