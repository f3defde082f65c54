"""The state of a scan as Python sees it: so that a function with a state runs as plain Python too."""

from __future__ import annotations

from typing import Any


class State:
    """Fields by name: `state(up=0.0, down=0.0).up`."""

    def __init__(self, values: tuple[Any, ...], fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)
        self._values = values

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "_values" and not self._values and name not in self.__dict__:
            msg = f"the state has no field {name}; its fields are {', '.join(self._fields())}"
            raise AttributeError(msg)
        super().__setattr__(name, value)

    def _fields(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_values"}

    def _named(self, names: tuple[str, ...]) -> State:
        """Return the state with its positional values under their names."""
        return State((), {**dict(zip(names, self._values, strict=False)), **self._fields()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        parts = [*map(repr, self._values), *(f"{name}={value!r}" for name, value in self._fields().items())]
        return f"state({', '.join(parts)})"


def state(*values: Any, **fields: Any) -> Any:
    """Return the next state of a scan: its values in the order of the fields, or by name.

    Examples:
        >>> state(up=0.0, down=0.0).up
        0.0
    """
    return State(values, fields)
