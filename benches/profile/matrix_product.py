"""Products of matrices, which are operators and no calls."""

import numpy as np

matrix = np.random.default_rng(0).normal(size=(1_200, 1_200))
for _ in range(12):
    matrix = matrix @ matrix.T  # nothing: native
    matrix /= np.abs(matrix).max()
print(np.trace(matrix))
