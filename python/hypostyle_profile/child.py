"""The process in which the user's script runs: `python -c "...; main()" SETTINGS`.

The parent reads what is written at the end.  That is after `atexit` functions and threads of the script, unless it ends
by `os._exit`, which is watched for.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from hypostyle_profile.script import Script, Target

START = "import sys; sys.path[0] = {folder!r}; from hypostyle_profile.child import main; main()"
"""What Python is started with."""


def command(folder: str, settings: dict[str, Any]) -> list[str]:
    """Return the arguments with which Python runs a script; `folder` holds this package."""
    return ["-c", START.format(folder=folder), json.dumps(settings)]


def main() -> None:
    """Run the script that the settings name."""
    settings = json.loads(sys.argv[1])
    del sys.path[0]
    target = Target(settings["name"], settings["arguments"], settings["is_module"])
    if settings["hot"]:
        _capture(target, settings)
    else:
        _sample(target, settings)


def _sample(target: Target, settings: dict[str, Any]) -> None:
    from hypostyle_profile.memory import of_children
    from hypostyle_profile.sampler import Sampler

    try:
        script = Script(target)
    except (SyntaxError, ImportError, OSError) as error:
        _cannot_start(error, target)
    sampler = Sampler(settings["interval"])

    def finish() -> None:
        samples = sampler.stop()
        samples.children_cpu = of_children()
        write(settings["to"], samples.to_json())

    at_end(finish)
    sampler.start()
    script.run()


def _capture(target: Target, settings: dict[str, Any]) -> None:
    sys.path.append(settings["folder"])
    started = time.perf_counter()
    import polars  # noqa: F401

    after_polars = time.perf_counter()
    from hypostyle._profile.capture import run

    sys.path.remove(settings["folder"])
    # What the script would pay for the package, and for Polars if it does not have it yet.
    settings["imports"] = [time.perf_counter() - after_polars, after_polars - started]
    run(Script(target), settings)


def _cannot_start(error: Exception, target: Target) -> None:
    if isinstance(error, SyntaxError):
        sys.excepthook(type(error), error.with_traceback(None), None)
        sys.exit(1)
    is_missing = isinstance(error, FileNotFoundError)
    what = f"can't open file {os.path.abspath(target.name)!r}: [Errno 2] No such file or directory"
    print(f"{sys.executable}: {what if is_missing else error}", file=sys.stderr)
    sys.exit(2 if is_missing else 1)


def at_end(finish: Callable[[], None]) -> None:
    """Call a function once when this process ends: after the script's own `atexit` functions, or at `os._exit`."""
    process = os.getpid()
    left = [finish]

    def once() -> None:
        if left and os.getpid() == process:  # a fork ends without it
            left.pop()()

    leave = os._exit

    def leave_after(status: int) -> Any:
        once()
        leave(status)

    os._exit = leave_after
    atexit.register(once)


def write(path: str, plain: Any) -> None:
    """Write plain data as JSON: whole or not at all."""
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        json.dump(plain, file)
    os.replace(f"{path}.part", path)
