"""`hypostyle profile` as a command: report, exit codes, patch, page, profiles of other tools, notebooks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hypostyle._profile.advice import LEAST, Finding, report
from hypostyle._profile.command import _written, main, parser
from hypostyle._profile.hot import Spot
from hypostyle._profile.notebook import profile_cell
from hypostyle._profile.page import page
from hypostyle._profile.patch import diff, patched
from hypostyle._profile.patterns import recognize
from hypostyle._profile.prove import Proof
from hypostyle._profile.read import read
from hypostyle._profile.syntax import SourceFile
from hypostyle._profile.text import text
from hypostyle_profile.stacks import Frame, Samples, Stack, Times

SLOW = """import sys

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
rows = int(sys.argv[1])
frame = pd.DataFrame({"price": rng.random(rows), "size": rng.random(rows)})
total = 0.0
out = []
for _, row in frame.iterrows():
    total = total * 0.9 + row["price"] * row["size"]
    out.append(total)
frame["total"] = out
print(len(frame))
"""


def profiled(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hypostyle", "profile", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Return what a run with every kind of output did, which changes the script."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "slow.py").write_text(SLOW)
    options = ["--json", folder / "report.json", "--html", folder / "report.html", "--diff", "--apply"]
    return profiled(*options, folder / "slow.py", 30_000), folder


def test_the_slow_loop_is_found_proven_and_replaced(slow: tuple[Any, Path]) -> None:
    done, folder = slow
    assert done.stdout.startswith("30000\n"), done.stderr
    plain = json.loads((folder / "report.json").read_text())
    finding = plain["findings"][0]
    assert (finding["line"], finding["pattern"]) == (11, "loops"), done.stderr
    assert finding["proof"]["state"] == "equal"
    assert finding["proof"]["exactness"] == "bit for bit"
    assert finding["proof"]["rows"] == 30_000
    assert finding["python"] > finding["waiting"]
    changed = (folder / "slow.py").read_text()
    # Of a script of a second, start-up and imports are a large part on a busy machine.
    if plain["gain"] < LEAST:
        assert changed == SLOW
        return
    assert done.returncode == 0, done.stderr
    assert "+import hypostyle as hs" in done.stdout
    assert "-for _, row in frame.iterrows():" in done.stdout
    assert done.stdout.endswith("\n30000\n"), "the changed script did not run"
    assert "@hs.loop" in changed
    assert "iterrows" not in changed
    assert "The script ran again" in done.stderr


def test_the_exit_code_says_what_was_found(tmp_path: Path) -> None:
    proof = Proof("equal", "@hs.loop", 10, "bit for bit", before=9.0, first=0.1, after=0.1)
    made = weighed(tmp_path, 9.0, 1.0, proof)
    options = parser().parse_args([])
    assert [_written(made, options, code, share) for code, share in ((0, 0.0), (0, 0.1), (0, 0.99), (5, 0.0))] == [
        3,
        3,
        0,
        5,
    ]
    nothing = weighed(tmp_path, 9.0, 1.0, Proof("refused", why="print"))
    assert _written(nothing, options, 0, 0.0) == 0


def test_the_page_needs_nothing_else(slow: tuple[Any, Path]) -> None:
    _, folder = slow
    html = (folder / "report.html").read_text()
    assert "slow.py:11" in html
    assert "<svg" in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")


def samples_of(seconds: dict[tuple[str, int], float]) -> Samples:
    made = Samples(0.005, wall=sum(seconds.values()))
    made.stacks = [
        Stack("MainThread", True, (Frame(file, line, "<module>", 1),), Times(python=time, count=1))
        for (file, line), time in seconds.items()
    ]
    return made


def weighed(tmp_path: Path, hot: float, rest: float, proof: Proof, imports: float = 0.0) -> Any:
    path = tmp_path / "slow.py"
    path.write_text(SLOW)
    unit = next(u for u in recognize(SourceFile(str(path), SLOW)) if u.pattern == "loops")
    samples = samples_of({(str(path), 12): hot, (str(path), 15): rest})
    spot = Spot(str(path), 11, 13, "for ...", Times(python=hot), hot, unit, [samples.stacks[0]])
    return report("slow.py", samples, [spot], [proof], imports)


@pytest.mark.parametrize(
    ("hot", "rest", "after", "imports", "recommended"),
    [
        (9.0, 1.0, 0.1, 0.0, True),
        (3.0, 7.0, 0.01, 0.0, False),  # 1.4x of the script
        (5.0, 5.0, 0.01, 0.0, True),
        (9.0, 1.0, 7.0, 0.0, False),
        (0.9, 0.1, 0.01, 2.0, False),  # the import takes longer
    ],
)
def test_amdahl(tmp_path: Path, hot: float, rest: float, after: float, imports: float, recommended: bool) -> None:
    proof = Proof("equal", "@hs.loop", 10, "bit for bit", before=hot, first=after, after=after)
    made = weighed(tmp_path, hot, rest, proof, imports)
    assert bool(made.recommended) is recommended
    assert (made.gain >= LEAST) is recommended
    shown = text(made)
    assert ("not recommended" not in shown) is recommended


@pytest.mark.parametrize("state", ["differs", "refused", "failed", "none"])
def test_what_is_not_proven_is_never_recommended(tmp_path: Path, state: str) -> None:
    made = weighed(tmp_path, 9.0, 1.0, Proof(state, "@hs.loop", why="row 3: 1.0 before, 2.0 after", before=9.0))
    assert not made.recommended
    assert made.gain == 1.0
    assert "row 3: 1.0 before" in " ".join(text(made).split())
    assert diff(made.recommended) == ""
    assert "slow.py" in page(made)


def test_functions_of_one_name_stay_two(tmp_path: Path) -> None:
    """Both stand in front of the functions that call them, where the last one would be that of both."""
    path = tmp_path / "s.py"
    path.write_text("def a():\n    return 0\ndef b():\n    return 0\n")
    findings = []
    for line, number in ((1, 1), (3, 2)):
        definition = f"def out_loop():\n    return {number}\n"
        edits = [(line, line - 1, definition), (line + 1, line + 1, "    return out_loop()\n")]
        proof = Proof("equal", definitions=definition, edits=edits)
        findings.append(Finding(str(path), line, line, "", 1.0, Times(), "", "", proof=proof))
    names: dict[str, Any] = {}
    exec(patched(findings)[str(path)][1], names)
    assert (names["a"](), names["b"]()) == (1, 2)


def test_waiting_is_named(tmp_path: Path) -> None:
    path = tmp_path / "n.py"
    path.write_text("import sqlite3\nfor i in range(9):\n    db.execute('select 1')\nimport time\ntime.sleep(1)\n")
    samples = samples_of({(str(path), 3): 1.0, (str(path), 5): 1.0})
    for stack in samples.stacks:
        stack.times.waiting, stack.times.python = stack.times.python, 0.0
    shown = text(report("n.py", samples, [], [], 0.0))
    assert "waits for the database" in shown
    assert "N+1" in shown
    assert "this sleeps" in shown


FORMATS = {
    "py-spy raw": "<module> ({file}:15);f ({file}:12) 40\n<module> ({file}:15) 10\n",
    "collapsed": "tid:1;{file}:<module>:15;{file}:f:12 40\ntid:1;{file}:<module>:15 10\n",
    "speedscope": json.dumps(
        {
            "shared": {
                "frames": [{"name": "<module>", "file": "F", "line": 15}, {"name": "f", "file": "F", "line": 12}]
            },
            "profiles": [{"type": "sampled", "name": "t", "samples": [[0, 1], [0]], "weights": [0.4, 0.1]}],
        }
    ),
    "scalene": json.dumps(
        {
            "elapsed_time_sec": 0.5,
            "files": {
                "F": {
                    "lines": [
                        {"lineno": 12, "n_cpu_percent_python": 80, "n_cpu_percent_c": 0, "n_sys_percent": 0},
                        {"lineno": 15, "n_cpu_percent_python": 10, "n_cpu_percent_c": 10, "n_sys_percent": 0},
                    ]
                }
            },
        }
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_profiles_of_other_tools(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    profile = tmp_path / "profile"
    profile.write_text(FORMATS[name].replace("{file}", str(script)).replace('"F"', json.dumps(str(script))))
    _, samples = read(profile)
    assert samples.wall == pytest.approx(0.5)
    assert main(["--from", str(profile)]) == 0
    shown = capsys.readouterr().err
    assert "slow.py:11" in shown
    assert "@hs.loop" in shown
    assert "not proven" in shown


def test_an_unknown_format_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("nothing that is known\n")
    assert main(["--from", str(tmp_path / "x")]) == 2
    assert "the format is not known" in capsys.readouterr().err


class Shell:
    """What a notebook's shell has."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.shown = 0

    def transform_cell(self, code: str) -> str:
        return code

    def showtraceback(self) -> None:
        self.shown += 1


def test_a_cell_of_a_notebook() -> None:
    shell = Shell()
    cell = SLOW.replace("int(sys.argv[1])", "12_000")
    made = profile_cell(shell, cell)
    assert made is not None
    assert len(shell.user_ns["out"]) == 12_000
    assert not shell.shown
    finding = next(f for f in made.findings if f.pattern == "loops")
    assert finding.proof is not None
    assert finding.proof.state == "equal", finding.proof
    assert profile_cell(shell, "1 / 0") is not None
    assert shell.shown == 1
    assert profile_cell(shell, "x = (") is None
    assert shell.shown == 2
