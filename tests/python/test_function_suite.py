"""The benchmark of users' functions runs what it says: the forms of its peers agree with CPython."""

from __future__ import annotations

import math

import polars as pl
import pytest

from function_oracle import ALONE, Value, expected
from function_suite import FORMS, ROW_SUITE, SCAN_SUITE, SUITE
from user_function_samples import Example

COUNT = 1_000


def oracle(example: Example) -> list[Value]:
    return expected(example.program(), example.frame(COUNT).to_dict(as_series=False))[ALONE]


def close(found: list[Value], want: list[Value]) -> bool:
    return all(
        one is two or (one is not None and two is not None and math.isclose(one, two, rel_tol=1e-12, abs_tol=1e-12))
        for one, two in zip(found, want, strict=True)
    )


def test_the_suite_is_whole() -> None:
    assert (len(ROW_SUITE), len(SCAN_SUITE)) == (20, 6)
    assert SUITE.keys() == FORMS.keys()
    assert {len(example.columns) for example in ROW_SUITE} == {1, 2, 3, 4, 5, 6, 8}


@pytest.mark.parametrize("name", [name for name, forms in FORMS.items() if forms.polars is not None])
def test_polars_says_the_same(name: str) -> None:
    form = FORMS[name].polars
    assert form is not None
    found = SUITE[name].frame(COUNT).select(form().alias(ALONE))[ALONE]
    assert found.dtype in (pl.Float64, pl.Int64, pl.Int32)
    assert close(found.to_list(), oracle(SUITE[name]))


@pytest.mark.parametrize("example", SCAN_SUITE, ids=lambda example: example.name)
def test_the_steps_of_numba_say_the_same(example: Example) -> None:
    step = FORMS[example.name].numba
    assert step is not None
    state = tuple(math.nan if value is None else value for value in example.state.values())
    found = []
    for row in example.frame(COUNT).iter_rows():
        state, result = step(*state, *row)
        found.append(result)
    assert found == oracle(example)
