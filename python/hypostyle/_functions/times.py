"""Times: they are integers of their column's unit, of which a program takes parts."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from hypostyle._functions.inline import Inline
from hypostyle._functions.moments import DAY, SECOND
from hypostyle._functions.names import NOTHING
from hypostyle._functions.values import Expr, NotFoldedError, Statement, Tup, Value, fold


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

    def struct_time(self, node: ast.Attribute) -> Value | None:
        """Translate `t.timetuple().tm_yday`; None if it is none."""
        match node.value:
            case ast.Call(func=ast.Attribute(value=owner, attr="timetuple"), args=[], keywords=[]):
                part = _STRUCT_TIME.get(node.attr)
                return None if part is None else self.time_part(owner, part, is_call=False)
        return None

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

    def with_parts(self, node: ast.Call) -> Value | None:
        """Translate `t.replace(day=1, hour=0)`, with constants; None if it is no such call."""
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="replace"), args=[], keywords=[_, *_] as keywords):
                names = {str(keyword.arg) for keyword in keywords}
            case _:
                return None
        if not names <= {*_UNITS, "microsecond", "tzinfo"}:
            return None
        before: list[Statement] = []
        time = moved = self.kept(self.expr(owner), before)
        for keyword in keywords:
            name, wanted = str(keyword.arg), self._whole(keyword.value)
            first, last, unit = _UNITS.get(name, (0, 0, 0))
            if wanted is None or not first <= wanted <= last:
                some = f"{first} to {last}" if last else "0"
                raise self.error(keyword.value, f"{name} is replaced by a constant here: {some}")
            if name == "microsecond":
                moved = ["-", moved, ["%", time, _ticks(SECOND)]]
            else:
                steps = ["-", wanted, self.kept(_ATTRIBUTES[name](self, time), before)]
                moved = ["+", moved, ["*", _ticks(unit, "duration"), steps]]
        return self.after(before, moved)

    def _whole(self, node: ast.expr) -> int | None:
        try:
            found = self._known(node)
        except NotFoldedError:
            return None
        return found if type(found) is int else None


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


def _is(value: Expr, sign: str, other: Expr) -> Expr:
    return ["compare", value, [[sign, other]]]


def _is_leap(times: Times, time: Expr) -> Expr:
    before: list[Statement] = []
    year = times.kept(times.calendar(time, "year"), before)
    of_centuries = ["or", [_is(["%", year, 100], "!=", 0), _is(["%", year, 400], "==", 0)]]
    return times.after(before, ["and", [_is(["%", year, 4], "==", 0), of_centuries]])


def _day_of_year(times: Times, time: Expr) -> Expr:
    before: list[Statement] = []
    month = times.kept(times.calendar(time, "month"), before)
    day = times.calendar(time, "day")
    # As if February had 30 days; then the days that it has not.
    whole = ["+", ["//", ["-", ["*", 367, month], 362], 12], day]
    lacking = ["if", _is(month, "<=", 2), 0, ["if", _is_leap(times, time), 1, 2]]
    return times.after(before, ["-", whole, lacking])


def _days_in_month(times: Times, time: Expr) -> Expr:
    before: list[Statement] = []
    month = times.kept(times.calendar(time, "month"), before)
    others = ["+", 30, ["%", ["+", month, ["//", month, 8]], 2]]
    february = ["if", _is_leap(times, time), 29, 28]
    return times.after(before, ["if", _is(month, "==", 2), february, others])


def _iso(times: Times, time: Expr) -> Tup:
    """Return the ISO year, the week of it and the weekday: a week belongs to the year that its Thursday is in."""
    before: list[Statement] = []
    weekday = times.kept(_weekday(times, time), before)
    thursday = times.kept(["+", time, ["*", _ticks(DAY, "duration"), ["-", 3, weekday]]], before)
    week = ["+", ["//", ["-", _day_of_year(times, thursday), 1], 7], 1]
    year = times.calendar(thursday, "year")
    kept = tuple(times.kept(part, before) for part in (year, week, ["+", weekday, 1]))
    return Tup(kept, tuple(before), ("year", "week", "weekday"))


def _week(times: Times, time: Expr) -> Expr:
    found = _iso(times, time)
    return times.after(found.before, found.items[1])


def _is_month_end(times: Times, time: Expr) -> Expr:
    return _is(times.calendar(time, "day"), "==", _days_in_month(times, time))


_STRUCT_TIME = {
    f"tm_{short}": part
    for short, part in zip(
        ("year", "mon", "mday", "hour", "min", "sec", "wday", "yday"),
        ("year", "month", "day", "hour", "minute", "second", "dayofweek", "dayofyear"),
        strict=True,
    )
}
_UNITS = {
    "day": (1, 28, DAY),
    "hour": (0, 23, 3_600 * SECOND),
    "minute": (0, 59, 60 * SECOND),
    "second": (0, 59, SECOND),
}
"""The parts of a moment that are replaced, with the least and the largest that every month has, and their units."""

_METHODS: dict[str, Callable[[Times, Expr], Value]] = {
    "isocalendar": _iso,
    "toordinal": lambda _, time: ["+", _day_of(time), 719_163],
    "total_seconds": lambda _, time: ["/", time, _ticks(SECOND, "duration")],
    "weekday": _weekday,
    "isoweekday": lambda times, time: ["+", _weekday(times, time), 1],
    "date": _midnight,
    "time": lambda _, time: ["%", time, _ticks(DAY)],
    "normalize": _midnight,
}
_ATTRIBUTES: dict[str, Callable[[Times, Expr], Expr]] = {
    "quarter": lambda times, time: ["+", ["//", ["-", times.calendar(time, "month"), 1], 3], 1],
    "dayofyear": _day_of_year,
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "daysinmonth": _days_in_month,
    "week": _week,
    "weekofyear": _week,
    "is_leap_year": _is_leap,
    "is_month_start": lambda times, time: _is(times.calendar(time, "day"), "==", 1),
    "is_month_end": _is_month_end,
    "is_year_start": lambda times, time: _is(_day_of_year(times, time), "==", 1),
    "is_year_end": lambda times, time: [
        "and",
        [_is(times.calendar(time, "month"), "==", 12), _is_month_end(times, time)],
    ],
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
