"""Settings of the test process."""

from __future__ import annotations

import signal

# A shell makes its background jobs ignore Ctrl-C, and Python then installs no handler; tests of interruption need one.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Files for type checkers, which are never run.
collect_ignore = ["typed"]
