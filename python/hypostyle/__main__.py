"""`python -m hypostyle` is the command `hypostyle`."""

from hypostyle import _native
from hypostyle_cli import run

run(_native)
