"""The command `hypostyle`: the same Rust code as the command that cargo builds."""

from __future__ import annotations

import signal
import sys

from hypostyle import _native


def main() -> None:
    """Run the command with the arguments of this process, and exit with its code."""
    # Python would only notice Ctrl-C after the command has ended; the system's own way stops it at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_native.run_cli(["hypostyle", *sys.argv[1:]]))
