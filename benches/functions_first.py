"""The first result of a fresh process: `functions.py` starts it with who and what, and reads a line of JSON.

    python benches/functions_first.py hypostyle risk_score

Nothing is cached on disk.  The functions stand here once more, so that numba's process imports nothing of hypostyle.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

BEGIN = time.perf_counter()
Run = Callable[[], Any]
Columns = dict[str, Any]
ROWS = 1_000
NAMES = {"risk_score": ("weight", "notional", "f1", "f2", "f3", "f4"), "cusum": ("x",)}


def risk_score(weight: Any, notional: Any, f1: Any, f2: Any, f3: Any, f4: Any) -> Any:
    exposure = weight * f1 + weight * f2 + weight * f3 + weight * f4 + f1 * f2 + f3 * f4
    return exposure / notional if notional > 0 else -exposure


def cusum(state: Any, x: Any) -> Any:
    up = max(0.0, state.up + x - 0.5)
    down = max(0.0, state.down - x - 0.5)
    alarm = up > 5 or down > 5
    if alarm:
        up = down = 0.0
    return hs.state(up=up, down=down), alarm


def hypostyle_run(name: str, columns: Columns) -> Run:
    frame = pl.DataFrame(columns)

    def run() -> Any:
        made = hs.scan(up=0.0, down=0.0)(cusum) if name == "cusum" else hs.jit(risk_score)
        return frame.select(made(*columns))

    return run


def numba_run(name: str, columns: Columns) -> Run:
    def risk_loop(weight: Any, notional: Any, f1: Any, f2: Any, f3: Any, f4: Any) -> Any:
        out = np.empty(len(weight))
        for row in range(len(out)):
            out[row] = score(weight[row], notional[row], f1[row], f2[row], f3[row], f4[row])
        return out

    def cusum_loop(x: Any) -> Any:
        out = np.empty(len(x), np.bool_)
        up = down = 0.0
        for row in range(len(out)):
            up = max(0.0, up + x[row] - 0.5)
            down = max(0.0, down - x[row] - 0.5)
            alarm = up > 5 or down > 5
            if alarm:
                up = down = 0.0
            out[row] = alarm
        return out

    score = numba.njit(risk_score)
    loop = {"risk_score": risk_loop, "cusum": cusum_loop}[name]
    arrays = [np.array(values) for values in columns.values()]
    return lambda: numba.njit(loop)(*arrays)


if __name__ == "__main__":
    who, name = sys.argv[1:]
    hs: Any
    np: Any
    if who == "hypostyle":
        import polars as pl

        import hypostyle as hs
    else:
        import numba
        import numpy as np
    imported = time.perf_counter()
    random.seed(0)
    columns = {column: [random.gauss(1, 1) for _ in range(ROWS)] for column in NAMES[name]}
    run = (hypostyle_run if who == "hypostyle" else numba_run)(name, columns)
    started = time.perf_counter()
    result = run()
    done = time.perf_counter()
    total = float(result.to_series().sum() if who == "hypostyle" else result.sum())
    print(json.dumps({"import": imported - BEGIN, "first": done - started, "sum": total}))
