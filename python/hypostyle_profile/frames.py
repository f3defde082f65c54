"""Every thread's stack, without a moment in which a frame is held.

A frame object holds the variables of its function, and Python may let another thread run after any instruction.  Who
calls a function may count on what it lent being free when it returns: Polars' `rolling_map` writes the next window into
the last one, and whoever still has that reads freed memory.  So the frames are taken, walked and let go by C functions,
within one instruction.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, chain, islice, repeat, takewhile
from operator import attrgetter, is_not
from types import CodeType
from typing import Any

_PLACE: Any = attrgetter("f_code", "f_lasti")
_IS_FRAME: Any = partial(is_not, None)
_OUTWARD: Any = repeat("f_back")
_NOTHING = object()
"""What no call returns."""
_WITHOUT_GARBAGE: list[Callable[[], Any]] = [] if sys.version_info >= (3, 12) else [gc.isenabled, gc.disable]
"""Before 3.12 garbage is collected when an object is made, here a frame: its callbacks let other threads run."""


def stacks(idents: Sequence[int]) -> list[list[tuple[CodeType, int]]]:
    """Return the code and the offset of the last instruction of each frame of some threads, the deepest frame first.

    Args:
        idents: The threads, by their `ident`; one that has no frame has an empty stack.
    """
    return stacks_after([], idents)[1]


def stacks_after(
    calls: Sequence[Callable[[], Any]], idents: Sequence[int]
) -> tuple[list[Any], list[list[tuple[CodeType, int]]]]:
    """Make calls, and take the stacks before another thread can run; return what the calls return, and the stacks.

    Args:
        calls: Functions of C.
        idents: The threads, by their `ident`.
    """
    take: Any = map
    every = [*calls, *_WITHOUT_GARBAGE]
    # All is taken by this call of `list` alone, and gone when it returns.
    made = list(chain(take(next, take(iter, every, repeat(_NOTHING))), _stacks(idents)))
    if _WITHOUT_GARBAGE and made[len(calls)]:
        gc.enable()
    return made[: len(calls)], made[len(every) :]


def _stacks(idents: Sequence[int]) -> Any:
    """Return an iterator that takes the stacks when it is read."""
    take: Any = map
    return take(
        list,
        take(
            take,
            repeat(_PLACE),
            take(
                takewhile,
                repeat(_IS_FRAME),
                take(
                    accumulate,
                    take(
                        chain,
                        zip(
                            take(
                                dict.get,
                                chain.from_iterable(take(repeat, islice(iter(sys._current_frames, None), 1))),
                                idents,
                            )
                        ),
                        repeat(_OUTWARD),
                    ),
                    repeat(getattr),
                ),
            ),
        ),
    )
