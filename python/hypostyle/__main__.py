"""`python -m hypostyle` is the command `hypostyle`."""

import sys

from hypostyle import _native
from hypostyle_cli import convert, run

if sys.argv[1:2] == ["convert"]:
    convert()
run(_native)
