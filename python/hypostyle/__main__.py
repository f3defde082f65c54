"""`python -m hypostyle` is the command `hypostyle`."""

from hypostyle._cli import main

main()
