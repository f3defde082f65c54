"""`python -m hypostyle` is the command `hypostyle`."""

from hypostyle import _native
from hypostyle_command import run

run(_native)
