"""What runs in the user's process under `hypostyle profile`: the standard library alone.

`script` runs a script as Python does, `sampler` looks at its threads, `clocks` reads how long each of them ran, and
`stacks` keeps the samples.  Nothing here imports Polars or the package `hypostyle`, so that a script has the modules,
the memory and the start-up time that it has without the profiler.  What the samples mean is in `hypostyle._profile`.
"""

from __future__ import annotations

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Add the magic `%%hypostyle` to a notebook: `%load_ext hypostyle_profile`."""

    def hypostyle(line: str, cell: str) -> None:
        from hypostyle._profile.notebook import magic

        magic(shell, line, cell)

    shell.register_magic_function(hypostyle, magic_kind="cell", magic_name="hypostyle")
