"""Runs test cases with the adapter in place, and keeps account of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from pandas_windows.adapter import KERNELS, Calls, install
from pandas_windows.left_out import LEFT_OUT, OTHER_TYPE

# Every kernel must answer so many calls at least, and so many cases must be equal.
LEAST_CALLS = 5
LEAST_EQUAL = 4000


class Account:
    """A pytest plugin."""

    def __init__(self, spoilt: bool = False) -> None:
        self.calls = Calls(spoilt=spoilt)
        self.cases: Counter[str] = Counter()
        self.modules: dict[str, int] = {}
        self.patterns: Counter[str] = Counter()
        self.problems: list[str] = []

    def pytest_configure(self) -> None:
        install(self.calls)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Set aside what says nothing of Hypostyle, and mark what must fail."""
        kept, aside = [], []
        for item in items:
            if reason := set_aside(item):
                self.cases[f"not run: {reason}"] += 1
                aside.append(item)
                continue
            kept.append(item)
            self.modules.setdefault(item.path.name, 0)
            if reason := self.reason(LEFT_OUT, item):
                # An answer that differs, not an error.
                differs = (AssertionError, pytest.fail.Exception)
                item.add_marker(pytest.mark.xfail(reason=reason, raises=differs, strict=True))
        config.hook.pytest_deselected(items=aside)
        items[:] = kept

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        calls = self.calls
        answered, refused, turned = calls.answered.total(), calls.refused.total(), calls.turned
        other_type = self.reason(OTHER_TYPE, item)
        calls.as_float64 = other_type is not None
        try:
            return (yield)
        finally:
            answers = calls.answered.total() - answered
            self.modules[item.path.name] += answers
            if answers:
                outcome = f"equal as float64: {other_type}" if other_type else "equal"
            else:
                outcome = "an error, as in pandas" if calls.refused.total() > refused else "no call answered"
            item.user_properties.append(("outcome", outcome))
            if other_type and calls.turned == turned and not steps(item):
                self.problems.append(f"{name_of(item)} need not be turned into float64")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if getattr(report, "wasxfail", None) in LEFT_OUT:
            self.cases[f"left out: {report.wasxfail}"] += 1
        elif report.skipped:
            self.cases["skipped by pandas"] += 1
        elif report.failed:
            self.cases["failed"] += 1
        elif report.when == "call":
            self.cases[str(dict(report.user_properties)["outcome"])] += 1

    def reason(self, table: dict[str, list[str]], item: pytest.Item) -> str | None:
        name = name_of(item)
        for reason, patterns in table.items():
            for pattern in patterns:
                if re.fullmatch(pattern, name):
                    self.patterns[pattern] += 1
                    return reason
        return None

    def check(self) -> list[str]:
        """What is wrong with a whole run, failed cases aside."""
        listed = [pattern for table in (LEFT_OUT, OTHER_TYPE) for patterns in table.values() for pattern in patterns]
        few = [f"only {self.cases['equal']} cases are equal"] if self.cases["equal"] < LEAST_EQUAL else []
        return [
            *self.problems,
            *few,
            *(f"{pattern} fits no case" for pattern in listed if not self.patterns[pattern]),
            *(f"no call of {module} was answered" for module, answers in self.modules.items() if not answers),
            *(
                f"{kernel} answered {self.calls.answered[kernel]} calls, fewer than {LEAST_CALLS}"
                for kernel in KERNELS
                if self.calls.answered[kernel] < LEAST_CALLS
            ),
        ]

    def tables(self) -> str:
        """The account as Markdown."""
        passed_on: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for (kernel, reason), number in self.calls.passed_on.items():
            passed_on[kernel] += number
            reasons[reason] += number
        return "\n".join(
            [
                *table(("test cases", ""), self.cases.most_common()),
                "",
                *table(("calls passed on to pandas", ""), reasons.most_common()),
                "",
                *table(
                    ("kernel", "calls answered", "refused by an error", "passed on"),
                    [(k, self.calls.answered[k], self.calls.refused[k], passed_on[k]) for k in KERNELS],
                ),
            ]
        )


def table(head: tuple[str, ...], rows: Any) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|---|" + "---:|" * (len(head) - 1),
        *("| " + " | ".join(str(value) for value in row) + " |" for row in rows),
    ]


def name_of(item: pytest.Item) -> str:
    return f"{item.path.name}::{item.nodeid.partition('::')[2]}"


def steps(item: pytest.Item) -> bool:
    """Whether rows are left out: pandas has float64 alone for integers with rows missing."""
    parameters: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}
    return parameters.get("step") not in (None, 1)


def set_aside(item: pytest.Item) -> str | None:
    """Why every call of a case would pass on to pandas, by the parameters of the case."""
    parameters: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}
    if parameters.get("engine") == "numba" or parameters.get("engine_and_raw", ("",))[0] == "numba":
        return "numba"
    return None
