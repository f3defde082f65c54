"""What kind of work a line does for which there is no kernel, and what helps."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from hypostyle._profile.hot import Spot, is_users, source, users_frame
from hypostyle._profile.syntax import functions_of
from hypostyle_profile.stacks import Frame, Stack


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


PYTHON = "Python code"
"""The kind of work that may be compiled."""

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
        r"\b(json|loads|dumps?|pickle|orjson|yaml|msgpack|deepcopy)\b",
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
        r"\b(read\w*|write\w*|open|to_csv|to_parquet|to_sql|to_excel|load|loadtxt|genfromtxt|savetxt|"
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
    waits = times.waiting > times.cpu + times.queue
    for text in (_below(spot), _called(spot)):
        for kind in KINDS:
            if not re.search(kind.called, text):
                continue
            words = kind.waiting if waits else kind.running
            if kind.name == "database" and _is_in_loop(spot):
                words += " One query for all rows, in place of one per turn of the loop (N+1), removes most of it."
            # `get` and `join` are methods of dictionaries and strings as well.
            if kind.name != "threads" or waits or re.search(r"\b(ThreadPool\w*|threading|concurrent|queue)\b", text):
                return kind.name, words
    if waits:
        return "waiting", f"{_NOTHING}this waits."
    if times.native > times.python and not _runs_python(spot):
        return "native code", "this runs in compiled code already; fewer or smaller calls are all that helps."
    return (
        PYTHON,
        "Python code that no pattern fits. If it is a function of numbers, hs.jit or hs.loop may compile it.",
    )


def _below(spot: Spot) -> str:
    """Return what the user's line was seen to call most: the library's function and its file."""
    seconds: dict[str, float] = {}
    for stack in spot.stacks:
        at = next((n for n, frame in enumerate(stack.frames) if is_users(frame.file)), None)
        if at is None:
            continue
        below = stack.frames[:at][::-1]
        called = next((frame for frame in below if "<locals>" not in frame.function), None)  # not a decorator
        name = "" if called is None else _name_of(called)
        seconds[name] = seconds.get(name, 0.0) + stack.times.wall
    return max(seconds, key=lambda name: seconds[name], default="")


def _name_of(frame: Frame) -> str:
    return f"{frame.function.split('.')[-1]} {frame.file.rsplit('site-packages/')[-1].replace('/', ' ')}"


def _called(spot: Spot) -> str:
    """Return the names of the functions that the user's line calls, as far as they are no functions of the user.

    A function of C has no frame.  Names of variables say nothing: a frame may be called `readings`, a state `load`.
    """
    file = source(spot.file)
    if file is None:
        return ""
    lines = {user[0].line for stack in spot.stacks if (user := users_frame(stack)) and user[0].file == spot.file}
    lines = lines or set(range(spot.line, spot.last_line + 1))
    own = functions_of(file)
    names = []
    for node in ast.walk(file.tree):
        line = getattr(node, "lineno", None)
        if line is None or not any(line <= at <= (getattr(node, "end_lineno", None) or line) for at in lines):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.append("import")
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in own):
            names.append(re.sub(r"\W+", " ", ast.unparse(_function(node))))
    return " ".join(names)


_MODULES = {"re", "json", "pickle", "yaml", "requests", "subprocess", "asyncio"}


def _function(call: ast.Call) -> ast.expr:
    """Return the function of a call: a method with the module that has it, if it is one's."""
    match call.func:
        case ast.Attribute(value=ast.Name(id=module)) if module in _MODULES:
            return call.func
        case ast.Attribute(attr=name):
            return ast.Name(name)
    return call.func if isinstance(call.func, ast.Name) else ast.Name("")


def _runs_python(spot: Spot) -> bool:
    """Whether a line is a loop, or calls a function of the user's for groups, windows or values."""
    file = source(spot.file)
    if file is None:
        return False
    own = functions_of(file)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.stmt) and node.lineno == spot.line:
            loops = ast.For | ast.While | ast.ListComp | ast.Lambda
            return any(isinstance(n, loops) or (isinstance(n, ast.Name) and n.id in own) for n in ast.walk(node))
    return False


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
