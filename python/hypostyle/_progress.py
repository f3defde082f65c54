"""Progress bars, which the package tqdm draws: in a terminal, and as a widget in a notebook."""

from __future__ import annotations

from typing import Any


def bars(caller: str) -> Any:
    """Return what makes progress bars; raise if tqdm is not installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        msg = f"{caller}: progress=True needs the package tqdm: pip install tqdm; or pass a function as progress"
        raise ImportError(msg) from None
    return tqdm
