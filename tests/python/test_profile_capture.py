"""`hypostyle profile`: the second run stops at recognized lines and proves them there."""

from __future__ import annotations

from pathlib import Path

import pytest

from hypostyle._profile.capture import Capture
from hypostyle._profile.patterns import recognize
from hypostyle._profile.prove import Proof
from hypostyle._profile.syntax import SourceFile

SCRIPT = """import numpy as np

def smooth(x, rate=0.3):
    out = np.empty(len(x))
    level = x[0]
    for i in range(len(x)):
        for _ in range(60):
            level = level * 0.999
        level += rate * (x[i] - level)
        out[i] = level
    return out

values = np.linspace(0.0, 1.0, 4_000)
total = 0.0
sums = []
for v in smooth(values).tolist():
    total = total * 0.5 + v
    sums.append(total)
print(smooth(values)[-1], sums[-1])
"""


def proofs_of(code: str, path: Path) -> dict[str, Proof]:
    """Return the proofs of a script by pattern."""
    path.write_text(code)
    units = [unit for unit in recognize(SourceFile(str(path), code)) if "loop" in unit.pattern]
    capture = Capture(units)
    capture.around(compile(code, str(path), "exec"), {"__name__": "__main__"})
    return {watched.unit.pattern: watched.result() for watched in capture.watched}


def test_a_function_that_is_a_loop_is_proven_where_it_is_called(tmp_path: Path) -> None:
    proof = proofs_of(SCRIPT, tmp_path / "s.py")["loop functions"]
    assert proof.state == "equal", proof.why
    assert proof.use == "@hs.loop in front of smooth"
    assert proof.after < proof.before / 3  # the compiled function is measured, not the user's


def test_lines_that_a_proof_reaches_are_not_proven_inside_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = Capture(recognize(SourceFile(str(tmp_path / "s.py"), SCRIPT)))
    proven: list[int] = []

    def prove(variables: object) -> None:
        proven.append(1)
        if len(proven) < 9:
            capture._here(0, {}, {})

    monkeypatch.setattr(capture.watched[0], "prove", prove)
    capture._here(0, {}, {})
    assert len(proven) == 1
    capture._here(0, {}, {})
    assert len(proven) == 2
