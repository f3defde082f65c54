"""Requests side by side, as far as four threads go."""

import time
from concurrent.futures import ThreadPoolExecutor


def fetch(number):
    time.sleep(0.05)
    return number * 2


with ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(fetch, range(80))))  # nothing: threads
