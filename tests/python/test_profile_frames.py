"""Stacks of threads: as the frames say, and without holding what the functions were lent."""

from __future__ import annotations

import gc
import sys
import threading
import weakref

import pytest

from hypostyle_profile.frames import stacks


class Lent:
    """What a function gets for as long as it runs."""


def test_stacks_are_those_of_the_frames() -> None:
    mine, none = stacks([threading.get_ident(), -1])
    assert none == []
    walked = []
    frame = sys._getframe().f_back
    while frame is not None:
        walked.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    assert mine[1][0] is stacks.__code__
    assert mine[3:] == walked


def test_nothing_is_held_that_a_function_was_lent() -> None:
    main, ended = threading.get_ident(), threading.Event()

    def sample() -> None:
        while not ended.is_set():
            stacks([main])

    def uses(window: Lent) -> Lent:
        for _ in range(50):
            pass
        return window

    interval = sys.getswitchinterval()
    sampler = threading.Thread(target=sample)
    sys.setswitchinterval(1e-6)
    sampler.start()
    try:
        held = 0
        for _ in range(20_000):
            lent = Lent()
            seen = weakref.ref(lent)
            uses(lent)
            del lent
            held += seen() is not None
    finally:
        ended.set()
        sampler.join()
        sys.setswitchinterval(interval)
    assert held == 0


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="garbage is not collected when an object is made")
def test_no_garbage_is_collected_while_frames_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    enabled: list[bool] = []

    def current_frames() -> dict[int, object]:
        enabled.append(gc.isenabled())
        return {}

    monkeypatch.setattr(sys, "_current_frames", current_frames)
    for usual in (True, False):
        (gc.enable if usual else gc.disable)()
        try:
            stacks([threading.get_ident()])
            assert gc.isenabled() == usual
        finally:
            gc.enable()
    assert enabled == [False, False]
