#!/usr/bin/env bash
# pandas 3.1.1 takes an object with `__pandas_udf__` as `engine=` of Series.map and DataFrame.apply, and refuses any other object
# there.  SeriesGroupBy.transform takes the same keyword and ignores the object: the Python function runs, without a word.
# Seen with pandas 3.1.1 on CPython 3.11, Linux x86-64: "map: engine; transform: python function, engine not called".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1
found=$("$folder/venv/bin/python" - <<'PYTHON'
import pandas as pd

called = []


class Rules(pd.api.executors.BaseExecutionEngine):
    @staticmethod
    def map(data, func, args, kwargs, decorator, skip_na):
        called.append("engine")
        return data * 0

    @staticmethod
    def apply(data, func, args, kwargs, decorator, axis):
        called.append("engine")
        return data * 0


class Engine:
    __pandas_udf__ = Rules


def plus_one(x):
    return x + 1


numbers = pd.Series([1.0, 2.0, 3.0])
numbers.map(plus_one, engine=Engine)
mapped = called.pop()
result = numbers.groupby([0, 0, 1]).transform(plus_one, engine=Engine)
ran = "python function" if result.tolist() == [2.0, 3.0, 4.0] else "engine"
print(f"map: {mapped}; transform: {ran}, engine {'called' if called else 'not called'}")
PYTHON
)
echo "$found"
[ "$found" = "map: engine; transform: python function, engine not called" ]
