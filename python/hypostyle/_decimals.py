"""Decimals of single rows: Python objects to steps of a column's last digit, and back."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

# Wider than any column, so that nothing is rounded.
_EXACT = Context(prec=100)


def to_steps(value: Any, scale: int) -> int | None:
    """Return the value in steps of a column's last digit; `None` if the column cannot hold it."""
    if not isinstance(value, (Decimal, int)) or not (decimal := Decimal(value)).is_finite():
        return None
    steps = _EXACT.scaleb(decimal, scale)
    return int(steps) if steps == _EXACT.to_integral_value(steps) else None


def from_steps(steps: int, scale: int) -> Decimal:
    """Return the decimal of a column with so many digits behind the point."""
    return _EXACT.scaleb(Decimal(steps), -scale)
