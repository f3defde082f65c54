"""What kind of work a line does for which there is no kernel, and what helps."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from hypostyle._profile.hot import Spot, source, users_frame
from hypostyle_profile.stacks import Stack


@dataclass(frozen=True)
class Kind:
    """A kind of work."""

    name: str
    called: str
    """A regular expression over what the line calls: names on the line, and the function below it."""
    waiting: str
    """What to say if the line mostly waits."""
    running: str
    """What to say if it mostly runs."""


_NOTHING = "nothing to compile: "

KINDS = (
    Kind(
        "database",
        r"\b(execute|executemany|fetchall|fetchone|fetchmany|read_sql\w*|commit|sqlite3|psycopg\w*|sqlalchemy)\b",
        f"{_NOTHING}this waits for the database.",
        f"{_NOTHING}this is the time of the database and of its driver.",
    ),
    Kind("sleep", r"\bsleep\b", f"{_NOTHING}this sleeps.", f"{_NOTHING}this sleeps."),
    Kind(
        "network",
        r"\b(recv\w*|sendall|urlopen|requests|httpx|aiohttp|socket|ssl|connect|getresponse)\b",
        f"{_NOTHING}this waits for the network. Requests side by side (threads, asyncio) or fewer, larger ones help.",
        f"{_NOTHING}this is the time of the network client.",
    ),
    Kind(
        "child processes",
        r"\b(subprocess|check_output|communicate|Popen|multiprocessing|starmap|imap\w*|ProcessPoolExecutor|waitpid)\b",
        f"{_NOTHING}this waits for other processes, which are not profiled here: profile what they run.",
        f"{_NOTHING}this copies data from and to other processes.",
    ),
    Kind(
        "event loop",
        r"\b(asyncio|run_until_complete|selectors?|epoll|run_forever)\b",
        f"{_NOTHING}the event loop waits for its tasks.",
        "the event loop runs short steps; look at the functions that it calls.",
    ),
    Kind(
        "threads",
        r"\b(acquire|join|result|as_completed|concurrent|ThreadPoolExecutor|Event|wait|get|put|threading|queue)\b",
        f"{_NOTHING}this waits for another thread.",
        "this is the work of threads; Python code of several threads runs one after the other.",
    ),
    Kind(
        "JSON and serialization",
        r"\b(json|loads?|dumps?|pickle|orjson|yaml|msgpack|deepcopy)\b",
        f"{_NOTHING}this waits for input.",
        "serialization: a faster library (orjson, msgspec) or a columnar format (Parquet, IPC) helps; no kernel does.",
    ),
    Kind(
        "regular expressions and strings",
        r"\b(re|regex|match|findall|finditer|sub|split|strip|replace|format|join|strptime|strftime)\b",
        f"{_NOTHING}this waits.",
        "strings: expressions over the whole column (`str.extract`, `str.replace`) may help; no kernel does.",
    ),
    Kind(
        "reading and writing files",
        r"\b(read\w*|write\w*|open(?=[( ])|to_csv|to_parquet|to_sql|to_excel|load|loadtxt|genfromtxt|savetxt|"
        r"scan_\w+)\b",
        f"{_NOTHING}this waits for the disk.",
        "reading and writing: Parquet or Arrow IPC instead of CSV, or `hypostyle run` for files, help.",
    ),
    Kind(
        "imports",
        r"<frozen importlib|\bimport\b|_find_and_load|exec_module",
        f"{_NOTHING}this reads modules from disk.",
        "imports: the start-up of libraries.",
    ),
    Kind(
        "copies of frames",
        r"\b(concat|copy|merge|join|reindex|sort_values|vstack|hstack)\b",
        f"{_NOTHING}this waits.",
        "copies of frames: collect parts in a list and concatenate once, sort once.",
    ),
)


def explain(spot: Spot) -> tuple[str, str]:
    """Return the kind of work of a line, and what helps."""
    times = spot.times
    waits = times.waiting > times.cpu
    file = source(spot.file)
    lines = [] if file is None else file.lines[spot.line - 1 : spot.last_line]
    text = "".join(lines) + " " + " ".join(_called(spot))
    for kind in KINDS:
        if re.search(kind.called, text):
            words = kind.waiting if waits else kind.running
            if kind.name == "database" and _is_in_loop(spot):
                words += " One query for all rows, in place of one per turn of the loop (N+1), removes most of it."
            # `get` and `join` are methods of dictionaries and strings as well.
            if kind.name != "threads" or waits or re.search(r"\b(ThreadPool\w*|threading|concurrent|queue)\b", text):
                return kind.name, words
    if waits:
        return "waiting", f"{_NOTHING}this waits."
    if times.native > times.python:
        return "native code", "this runs in compiled code already; fewer or smaller calls are all that helps."
    return (
        "Python code",
        "Python code that no pattern fits. If it is a function of numbers, hs.jit or hs.loop may compile it.",
    )


def _called(spot: Spot) -> list[str]:
    """Return what the line calls most: the function below it and its file."""
    seconds: dict[str, float] = {}
    for stack in spot.stacks:
        user = users_frame(stack)
        if user is not None and user[1] is not None:
            name = f"{user[1].function.split('.')[-1]} {user[1].file.rsplit('site-packages/')[-1].replace('/', ' ')}"
            seconds[name] = seconds.get(name, 0.0) + stack.times.wall
    return sorted(seconds, key=lambda name: -seconds[name])[:1]


def _is_in_loop(spot: Spot) -> bool:
    """Whether the line, or a call that leads to it, stands in a loop."""
    return any(_frame_in_loop(stack) for stack in spot.stacks)


def _frame_in_loop(stack: Stack) -> bool:
    for frame in stack.frames:
        file = source(frame.file) if not frame.file.startswith("<") else None
        if file is None:
            continue
        for node in ast.walk(file.tree):
            loops = ast.For | ast.While | ast.ListComp | ast.GeneratorExp | ast.AsyncFor
            if isinstance(node, loops) and node.lineno <= frame.line <= (node.end_lineno or 0):
                return True
    return False
