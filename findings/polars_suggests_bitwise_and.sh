#!/usr/bin/env bash
# Polars 2.1.0 warns where an expression could replace a function that is given to map_elements, and writes the expression.  For
# `x and x + 1`, which returns its second operand where the first is not 0, it writes the bitwise `&` of both: other numbers.
# Seen with polars 2.1.0 on CPython 3.11, Linux x86-64:
# 'suggests pl.col("x") & (pl.col("x") + 1); python [2, 3, 7]; suggestion [0, 2, 6]'.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0
found=$("$folder/venv/bin/python" - <<'PYTHON'
import warnings

import polars as pl

frame = pl.DataFrame({"x": [1, 2, 6]})
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    python = frame.select(pl.col("x").map_elements(lambda x: x and x + 1, return_dtype=pl.Int64))["x"].to_list()
text = "".join(str(warning.message) for warning in caught)
line = next(line for line in text.splitlines() if line.lstrip().startswith("+"))
suggestion = line.lstrip(" +")
result = frame.select(eval(suggestion))["x"].to_list()
print(f"suggests {suggestion}; python {python}; suggestion {result}")
PYTHON
)
echo "$found"
[ "$found" = 'suggests pl.col("x") & (pl.col("x") + 1); python [2, 3, 7]; suggestion [0, 2, 6]' ]
