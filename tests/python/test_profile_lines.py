"""`hypostyle profile`: lines as people write them, and what is recommended for each, proven on made-up rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy
from scipy import stats

from proofs import proven

ROWS = 700


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    seconds = np.cumsum(rng.integers(1, 40, ROWS))
    return pd.DataFrame(
        {
            "t": pd.Timestamp("2024-01-02 09:30") + pd.to_timedelta(seconds, unit="s"),
            "s": rng.choice([f"S{i:03d}" for i in range(9)], ROWS),
            "x": np.round(100 + np.cumsum(rng.normal(0, 0.4, ROWS)), 2),
            "y": rng.integers(1, 500, ROWS),
            "side": rng.choice(["buy", "sell"], ROWS),
        }
    )


def _lines() -> list[tuple[str, str]]:
    text = Path(__file__).with_name("profiled_lines.txt").read_text()
    blocks = text.split("\n\n# -> ")[1:]
    return [(code, use) for use, _, code in (block.partition("\n") for block in blocks)]


def amount(x: float, y: float = 2.0) -> float:
    return x * y + 1


@pytest.mark.parametrize(("code", "use"), _lines(), ids=lambda text: text[:60].replace("\n", " "))
@pytest.mark.filterwarnings("ignore")
def test_what_is_recommended_is_equal(code: str, use: str, tmp_path: Path) -> None:
    others = {"stats": stats, "scipy": scipy, "f": amount, "START": pd.Timestamp("2024-01-01")}
    found = proven(code, tmp_path, df=frame(), **others)
    equal = [proof.use for proof in found if proof.state == "equal"]
    assert use in equal, [(proof.state, proof.use, proof.why) for proof in found]
