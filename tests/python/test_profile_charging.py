"""`hypostyle profile`: seconds are charged to the code that took them, also between calls that let go of the GIL.

A look that waited for the GIL would be taken in such a call, and not in the short loop before it that it was due in.
The script measures itself, so that the machine's speed does not matter.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from hypostyle_profile.child import command
from hypostyle_profile.stacks import Samples
from hypostyle_profile.switching import SwitchInterval
from hypostyle_profile.verdicts import Verdicts

FOLDER = str(Path(__file__).parents[2] / "python")

SCRIPT = """
import time, zlib

DATA = bytes(400_000)
seconds = {"loop": 0.0, "native": 0.0}

def loop():
    total = 0
    for i in range(12_000):
        total += i % 7

def native():
    zlib.crc32(DATA)

started = time.perf_counter()
while time.perf_counter() - started < 1.5:
    for function in (loop, native):
        before = time.perf_counter()
        function()
        seconds[function.__name__] += time.perf_counter() - before
print(seconds["loop"] / sum(seconds.values()))
"""


def _shares(script: Path) -> tuple[float, float]:
    """Return the share of the loop as it was, and as it was sampled."""
    to = script.with_suffix(".json")
    settings = {"name": str(script), "arguments": [], "is_module": False, "hot": [], "interval": 0.005, "to": str(to)}
    done = subprocess.run(
        [sys.executable, *command(FOLDER, settings)], capture_output=True, text=True, check=True, timeout=60
    )
    samples = Samples.from_json(json.loads(to.read_text()))
    found = {"loop": 0.0, "native": 0.0}
    for stack in samples.stacks:
        for frame in stack.frames:
            if frame.function in found and frame.file == str(script):
                found[frame.function] += stack.times.wall
    return float(done.stdout), found["loop"] / sum(found.values())


def test_a_short_loop_between_calls_that_let_go_of_the_gil_gets_its_own_time(tmp_path: Path) -> None:
    script = tmp_path / "alternates.py"
    script.write_text(SCRIPT)
    shares = [_shares(script) for _ in range(3)]  # a busy machine may spoil a run
    assert any(abs(truly - sampled) < 0.2 for truly, sampled in shares), shares


def test_the_switch_interval_is_as_it_was_after_a_look() -> None:
    usual = sys.getswitchinterval()
    switching = SwitchInterval()
    assert switching.shorten()
    assert sys.getswitchinterval() < usual
    switching.restore()
    assert sys.getswitchinterval() == usual


def test_an_interval_that_the_script_sets_meanwhile_is_left() -> None:
    usual = sys.getswitchinterval()
    switching = SwitchInterval()
    switching.shorten()
    try:
        sys.setswitchinterval(0.002)
        switching.restore()
        assert sys.getswitchinterval() == 0.002
    finally:
        sys.setswitchinterval(usual)


def test_prompt_looks_are_what_the_probes_at_their_instruction_were() -> None:
    top = 1, 20
    verdicts = Verdicts()
    verdicts.add(top, "asked", 9)
    assert not verdicts.is_native(top, "asked", is_call=True, may_let_go=True)
    verdicts.add(top, "unasked", 3)
    assert verdicts.is_native(top, "asked", is_call=True, may_let_go=True)
    verdicts.add(top, "held", 2)
    assert not verdicts.is_native(top, "asked", is_call=True, may_let_go=True)
    verdicts.add(top, "free", 9)
    assert verdicts.is_native(top, "asked", is_call=True, may_let_go=True)
