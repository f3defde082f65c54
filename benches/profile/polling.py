"""Waits for a file that comes late."""

import sys
import time

for attempt in range(15):
    time.sleep(0.1)  # nothing: sleep
print(sys.argv[1])
