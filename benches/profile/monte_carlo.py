"""Random numbers, whose order no replacement would keep."""

import random

random.seed(1)
inside = 0
for _ in range(1_500_000):
    x, y = random.random(), random.random()  # nothing: Python code
    if x * x + y * y < 1:
        inside += 1
print(4 * inside / 1_500_000)
