"""Runs what `hypostyle profile` recognizes of a script on its values, without a profile."""

from __future__ import annotations

import ast
import math
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from hypostyle._profile.patterns import recognize
from hypostyle._profile.prove import Proof, prove
from hypostyle._profile.syntax import SourceFile


def proven(code: str, tmp_path: Path, **variables: Any) -> list[Proof]:
    """Return the proofs of the units of a script whose statements before them were run."""
    text = textwrap.dedent(code)
    path = tmp_path / "script.py"
    path.write_text(text)
    file = SourceFile(str(path), text)
    names: dict[str, Any] = {"pd": pd, "np": np, "pl": pl, "math": math, **variables}
    compiled = {}
    proofs = []
    for unit in recognize(file):
        scope = file.scope(unit.statements[0])
        before: list[ast.stmt] = []
        for statement in file.tree.body:
            if statement is unit.statements[0]:
                break
            before.append(statement)
        if not isinstance(scope, ast.Module):
            continue
        key = len(before)
        if key not in compiled:
            namespace = dict(names)
            exec(compile(ast.Module(before, []), str(path), "exec"), namespace)
            compiled[key] = namespace
        proofs.append(prove(unit, compiled[key]))
    return proofs


def first(code: str, tmp_path: Path, **variables: Any) -> Proof:
    found = proven(code, tmp_path, **variables)
    assert found, "nothing is recognized"
    return next((proof for proof in found if proof.state == "equal"), found[0])
