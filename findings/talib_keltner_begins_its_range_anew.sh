#!/usr/bin/env bash
# TA-Lib has the average true range (ATR) and a band of the mean plus and minus twice such a range (KC, Keltner's channel).  The
# range inside of KC is not that of ATR with the same length: it begins anew at the band's first row, with the plain mean of the
# last true ranges there, so that the band's width depends on the length of its mean.
# Seen with TA-Lib 0.8.2 and numpy 2.4.6 on CPython 3.11, Linux x86-64:
# 'first row 19: half width is twice the mean of the last 10 true ranges: True; twice ATR(10): False'.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check TA-Lib==0.8.2 "numpy>=2.2,<3"
found=$("$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import talib

close = 100 + np.cumsum(np.sin(np.arange(60) ** 1.3))
high, low = close + 1 + np.arange(60) % 7, close - 1
upper, middle, _ = talib.KC(high, low, close, timeperiod=20, atrperiod=10, nbdev=2.0)
half = upper - middle
first = int(np.flatnonzero(~np.isnan(half))[0])
ranges, average = talib.TRANGE(high, low, close), talib.ATR(high, low, close, 10)
begins_anew = bool(np.isclose(half[first], 2 * ranges[first - 9 : first + 1].mean()))
print(
    f"first row {first}: half width is twice the mean of the last 10 true ranges: {begins_anew}; "
    f"twice ATR(10): {bool(np.isclose(half[first], 2 * average[first]))}"
)
PYTHON
)
echo "$found"
[ "$found" = 'first row 19: half width is twice the mean of the last 10 true ranges: True; twice ATR(10): False' ]
