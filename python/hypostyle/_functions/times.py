"""Times: they are integers of their column's unit, of which a program takes parts."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from hypostyle._functions.inline import Inline
from hypostyle._functions.moments import DAY, SECOND
from hypostyle._functions.names import NOTHING
from hypostyle._functions.values import Expr, NotFoldedError, Statement, Value, fold


class Times(Inline):
    """Translates what Python asks of durations (`gap.total_seconds()`, `gap.days`) and of moments (`ts.hour`)."""

    def made_time(self, function: Callable[..., Any], node: ast.Call) -> Value:
        """Translate `timedelta(minutes=5)`: a constant."""
        try:
            values = [self._known(argument) for argument in node.args]
            named = {str(k.arg): self._known(k.value) for k in node.keywords if k.arg}
        except NotFoldedError:
            raise self.error(node, f"the arguments of {ast.unparse(node.func)} are constants here") from None
        try:
            made = function(*values, **named)
        except (TypeError, ValueError, OverflowError) as reason:
            raise self.error(node, str(reason)) from None
        return self.encode(made, node, f"{ast.unparse(node)}: ")

    def _known(self, argument: ast.expr) -> Any:
        """Return the Python object of a constant argument: a number, a text, or a time zone."""
        found = self.object_of(argument)
        return fold(self.value(argument), self.constants) if found is NOTHING else found

    def time_part(self, owner: ast.expr, name: str, *, is_call: bool) -> Value | None:
        """Translate a method or an attribute of a time; None if it is none."""
        make = (_METHODS if is_call else _ATTRIBUTES).get(name)
        if make is None:
            return None
        before: list[Statement] = []
        value = self.kept(self.expr(owner), before)
        return self.after(before, make(self, value))

    def calendar(self, time: Expr, part: str) -> Expr:
        """Return the year, month or day of a moment, by the proleptic Gregorian calendar."""
        before: list[Statement] = []

        def kept(value: Expr) -> Expr:
            return self.kept(value, before)

        days = kept(["+", _day_of(time), 719_468])  # since 0000-03-01
        era = kept(["//", days, 146_097])
        of_era = kept(["-", days, ["*", era, 146_097]])
        leaps = ["-", ["+", ["-", of_era, ["//", of_era, 1_460]], ["//", of_era, 36_524]], ["//", of_era, 146_096]]
        year = kept(["//", leaps, 365])
        of_year = kept(["-", of_era, ["-", ["+", ["*", 365, year], ["//", year, 4]], ["//", year, 100]]])
        from_march = kept(["//", ["+", ["*", 5, of_year], 2], 153])
        if part == "day":
            day = ["+", ["-", of_year, ["//", ["+", ["*", 153, from_march], 2], 5]], 1]
            return self.after(before, day)
        is_late = ["compare", from_march, [["<", 10]]]
        if part == "month":
            return self.after(before, ["if", is_late, ["+", from_march, 3], ["-", from_march, 9]])
        return self.after(before, ["+", ["+", year, ["*", era, 400]], ["if", is_late, 0, 1]])


def _ticks(nanoseconds: int, of: str = "calendar") -> Expr:
    return ["time", nanoseconds, of]


def _day_of(time: Expr) -> Expr:
    return ["//", time, _ticks(DAY)]


def _midnight(_: Times, time: Expr) -> Expr:
    return ["-", time, ["%", time, _ticks(DAY)]]


def _within(whole: int, part: int, of: str = "calendar") -> Callable[[Times, Expr], Expr]:
    """Return how many parts have passed of a whole, such as minutes of the hour."""
    return lambda _, time: ["//", ["%", time, _ticks(whole, of)], _ticks(part, of)]


def _calendar(part: str) -> Callable[[Times, Expr], Expr]:
    return lambda times, time: times.calendar(time, part)


def _weekday(_: Times, time: Expr) -> Expr:
    return ["%", ["+", _day_of(time), 3], 7]  # 1970-01-01 was a Thursday


def _microsecond(_: Times, time: Expr) -> Expr:
    return ["//", ["*", ["%", time, _ticks(SECOND, "duration")], 1_000_000], _ticks(SECOND, "duration")]


_METHODS: dict[str, Callable[[Times, Expr], Expr]] = {
    "total_seconds": lambda _, time: ["/", time, _ticks(SECOND, "duration")],
    "weekday": _weekday,
    "isoweekday": lambda times, time: ["+", _weekday(times, time), 1],
    "date": _midnight,
    "time": lambda _, time: ["%", time, _ticks(DAY)],
    "normalize": _midnight,
}
_ATTRIBUTES: dict[str, Callable[[Times, Expr], Expr]] = {
    "days": lambda _, time: ["//", time, _ticks(DAY, "duration")],
    "seconds": _within(DAY, SECOND, "duration"),
    "year": _calendar("year"),
    "month": _calendar("month"),
    "day": _calendar("day"),
    "hour": _within(DAY, 3_600 * SECOND),
    "minute": _within(3_600 * SECOND, 60 * SECOND),
    "second": _within(60 * SECOND, SECOND),
    "microsecond": _microsecond,
    "microseconds": _microsecond,
    "dayofweek": _weekday,
    "day_of_week": _weekday,
}
