"""`%%hypostyle profile` in notebooks: the cell runs under the sampler, and its hot lines are proven afterwards.

`%load_ext hypostyle_profile` adds the magic.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import linecache
import sys
from typing import Any

from hypostyle._profile.advice import SHARE, Report, report
from hypostyle._profile.capture import Capture
from hypostyle._profile.hot import units_of
from hypostyle._profile.page import page
from hypostyle._profile.prove import Proof
from hypostyle._profile.text import text
from hypostyle_profile.sampler import Sampler

_cells = 0


def profile_cell(shell: Any, code: str) -> Report | None:
    """Run a cell in the shell's namespace, and return the report; None if the cell has an error of syntax.

    The second run works on a copy of the namespace as it was before the cell.
    """
    global _cells
    _cells += 1
    file = f"<cell {_cells}>"
    code = shell.transform_cell(code)
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    try:
        compiled = compile(code, file, "exec")
    except SyntaxError:
        shell.showtraceback()
        return None
    before = dict(shell.user_ns)
    sampler = Sampler()
    sampler.start()
    failed = False
    try:
        exec(compiled, shell.user_ns)
    except BaseException:
        failed = True
        shell.showtraceback()
    finally:
        samples = sampler.stop()
    spots = units_of(samples, SHARE * samples.wall)
    proofs: list[Proof | None] = [None] * len(spots)
    if spots and not failed:
        capture = Capture([spot.unit for spot in spots if spot.unit is not None])
        before.setdefault("__builtins__", builtins)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            capture.around(compiled, before)
        proofs = [watched.result() for watched in capture.watched]
    return report(f"cell {_cells}", samples, spots, proofs, 0.0)


def magic(shell: Any, line: str, cell: str) -> None:
    """Run `%%hypostyle profile`; with `--html` the page with the flame graph is shown too."""
    words = line.split()
    if words[:1] != ["profile"] or set(words[1:]) - {"--html"}:
        print("usage: %%hypostyle profile [--html]", file=sys.stderr)
        return
    made = profile_cell(shell, cell)
    if made is None:
        return
    print(text(made), end="")
    if "--html" in words:
        from IPython.display import HTML, display

        display(HTML(page(made)))
