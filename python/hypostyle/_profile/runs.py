"""Runs the user's script in a process of its own: with its terminal, its input, its signals and its exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import hypostyle_profile
from hypostyle_profile.child import command
from hypostyle_profile.script import Target

FOLDER = str(Path(hypostyle_profile.__file__).parents[1])
"""Where the packages are."""

KEPT = 64 * 2**20
"""Bytes of a pipe that are kept for the second run."""


@dataclass
class Ended:
    """How a run ended."""

    code: int
    """The exit code; of a run that was killed, 128 and the signal."""
    written: Any
    """What the process wrote for us; None if it could not."""
    was_interrupted: bool = False
    errors: str = ""


class Runs:
    """Runs a script, as often as needed, with the same input.

    Args:
        target: The script or module, with its arguments.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._folder = tempfile.TemporaryDirectory(prefix="hypostyle-profile-")
        self._input = _Input()

    def __enter__(self) -> Runs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def sampled(self, interval: float, *, keep_input: bool = True) -> Ended:
        """Run the script under the sampler."""
        return self._run({"hot": [], "interval": interval}, keep_input=keep_input, quiet=False, limit=None)

    def proven(self, hot: Sequence[Sequence[Any]], counted: Sequence[Sequence[Any]], wall: float) -> Ended:
        """Run the script until lines are proven, and to its end if there are calls to count; its output is dropped.

        Args:
            hot: The lines.
            counted: The calls.
            wall: The seconds that the script took.
        """
        settings = {"hot": list(hot), "counted": list(counted), "most": 3 * wall, "folder": FOLDER}
        return self._run(settings, keep_input=False, quiet=True, limit=60 + 10 * wall)

    def _run(self, settings: dict[str, Any], *, keep_input: bool, quiet: bool, limit: float | None) -> Ended:
        target = self._target
        path = Path(self._folder.name) / "written.json"
        path.unlink(missing_ok=True)
        settings |= {"name": target.name, "arguments": target.arguments, "is_module": target.is_module, "to": str(path)}
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        interrupted: list[int] = []
        # A handler of our own, so that the child starts with the default one; Ctrl-C reaches both.
        outer = signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))
        errors = tempfile.TemporaryFile() if quiet else None  # noqa: SIM115  it outlives this block
        try:
            process = subprocess.Popen(
                [sys.executable, *flags, *command(FOLDER, settings)],
                stdin=self._input.for_run(keep=keep_input),
                stdout=subprocess.DEVNULL if quiet else None,
                stderr=errors,
            )
            self._input.started(process)
            code = _wait(process, limit)
        finally:
            signal.signal(signal.SIGINT, outer)
        said = ""
        if errors is not None:
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        written = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        return Ended(code if code >= 0 else 128 - code, written, bool(interrupted), said)


def _wait(process: subprocess.Popen[bytes], limit: float | None) -> int:
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class _Input:
    """The standard input: a file is read again from where it was, a pipe is copied as it is read."""

    def __init__(self) -> None:
        self._offset: int | None = None
        self._kept: IO[bytes] | None = None
        self._pumped = False
        try:
            mode = os.fstat(0).st_mode
        except OSError:
            self._kind = "none"
            return
        self._kind = "file" if stat.S_ISREG(mode) else "pipe" if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else "other"
        if self._kind == "file":
            self._offset = os.lseek(0, 0, os.SEEK_CUR)

    def for_run(self, *, keep: bool) -> IO[bytes] | int | None:
        """Return what the next run reads."""
        if self._kind == "file" and self._offset is not None:
            os.lseek(0, self._offset, os.SEEK_SET)
            return None
        if self._kind != "pipe":
            return None if self._kind == "other" else subprocess.DEVNULL
        if self._kept is not None:
            self._kept.seek(0)
            return self._kept
        self._pumped = keep
        return subprocess.PIPE if keep else None

    def started(self, process: subprocess.Popen[bytes]) -> None:
        """Begin to copy a pipe to a run."""
        if self._pumped and self._kept is None and process.stdin is not None:
            self._kept = tempfile.TemporaryFile()  # noqa: SIM115  the next run reads it
            threading.Thread(target=self._pump, args=(process.stdin, self._kept), daemon=True).start()

    def _pump(self, to: IO[bytes], kept: IO[bytes]) -> None:
        size = 0
        try:
            while part := os.read(0, 2**16):
                if size < KEPT:
                    kept.write(part)
                    kept.flush()
                size += len(part)
                to.write(part)
                to.flush()
        except OSError:
            pass  # the script has ended, or closed its input
        finally:
            with contextlib.suppress(OSError):
                to.close()
