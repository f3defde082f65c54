"""`python -m hypostyle` is the command `hypostyle`."""

import sys

from hypostyle import _native
from hypostyle_cli import IN_PYTHON, run

if (command := " ".join(sys.argv[1:2])) in IN_PYTHON:
    IN_PYTHON[command]()
run(_native)
