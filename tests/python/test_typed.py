"""Type checkers find no error in a user's file, and every mistake in a file of mistakes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from data import ROOT

FILES = ROOT / "tests" / "python" / "typed"
Errors = set[tuple[str, int]]


def mypy(folder: Path) -> Errors:
    """The errors; those in the package itself do not count, as in an installed one."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--follow-imports", "silent", "."]
    paths = {"MYPYPATH": str(ROOT / "python"), "MYPY_CACHE_DIR": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=FILES, env=os.environ | paths)
    assert done.returncode == 1, done.stdout + done.stderr
    found = re.findall(r"^(.*?):(\d+): error: ", done.stdout, re.MULTILINE)
    return {(name, int(line)) for name, line in found}


def pyright(folder: Path) -> Errors:
    """The errors; the wheel of basedpyright has all that runs it, so nothing is downloaded."""
    settings = {"include": [str(FILES)], "extraPaths": [str(ROOT / "python")], "typeCheckingMode": "standard"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run([*command, "--project", str(folder)], capture_output=True, text=True, cwd=folder)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(list(FILES.glob("*.py"))), done.stdout
    errors = [found for found in report["generalDiagnostics"] if found["severity"] == "error"]
    return {(Path(found["file"]).name, found["range"]["start"]["line"] + 1) for found in errors}


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_errors_are_where_the_mistakes_are(checker: Callable[[Path], Errors], tmp_path: Path) -> None:
    mistakes = {
        (path.name, number)
        for path in FILES.glob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "# MISTAKE" in line
    }
    assert {name for name, _ in mistakes} == {"mistakes.py"}
    assert checker(tmp_path) == mistakes
