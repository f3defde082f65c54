"""Runs the pipeline of a script on the same file, and compares what both wrote."""

from __future__ import annotations

import ast
import builtins
import copy
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypostyle._profile.change import Values, rewritten
from hypostyle._profile.compare import Comparison, compare
from hypostyle._profile.pipelines.table import NoPipeline
from hypostyle._profile.pipelines.write import NULLS, Made, Writer
from hypostyle._profile.prove import Proof
from hypostyle._profile.syntax import first_line

if TYPE_CHECKING:
    from hypostyle._profile.patterns.pipeline_scripts import PipelineScript


def prove_pipeline(unit: PipelineScript, variables: Mapping[str, Any], seconds: float) -> Proof:
    """Return whether a pipeline writes what the script has just written.

    Args:
        unit: The lines of the script.
        variables: The names that they see, and what they have set.
        seconds: How long they took.
    """
    read = unit.read
    if read.sink is None or read.why:
        return Proof("none", why=read.why)
    try:
        writer = Writer(read.sink, Values(variables), {**vars(builtins), **variables})
        best = Proof()
        # Words for missing values are settings only where the file has them.
        for nulls in [(), NULLS] if read.sink.table.source.format == "csv" else [()]:
            made = writer.made(nulls=nulls)
            proof = _tried(unit, made, seconds)
            if proof.state == "equal":
                return proof
            best = best if best.why else proof
        return best
    except NoPipeline as error:
        return Proof("none", why=str(error))


def _tried(unit: PipelineScript, made: Made, seconds: float) -> Proof:
    import hypostyle

    what = f"a pipeline file: {'; '.join(made.kernels) or 'no kernels'}"
    proof = Proof(use=what, definitions=made.toml, before=seconds)
    if not Path(made.output).is_file():
        proof.state, proof.why = "failed", f"{made.output} is no file"
        return proof
    with tempfile.TemporaryDirectory(prefix=".hypostyle-profile-") as folder:
        output = Path(folder) / Path(made.output).name
        for attempt in ("first", "after"):
            started = time.perf_counter()
            try:
                hypostyle.Pipeline(made.toml).run(output=output)
            except Exception as error:
                proof.state, proof.why = "failed", str(error).splitlines()[0]
                return proof
            setattr(proof, attempt, time.perf_counter() - started)
        assert unit.read.sink is not None
        comparison = _compared(Path(made.output), output, unit.read.sink.format)
    proof.rows, proof.exactness = comparison.rows, comparison.exactness
    if not comparison.is_equal:
        proof.state, proof.why = "differs", comparison.why
        return proof
    proof.state, proof.code = "equal", ""
    proof.edits = _edits(unit, made)
    return proof


def _compared(before: Path, after: Path, format: str) -> Comparison:
    """Compare two files."""
    import polars as pl

    if before.read_bytes() == after.read_bytes():
        rows = pl.scan_csv(before, infer_schema=False) if format == "csv" else _scanned(before, format)
        return Comparison(int(rows.select(pl.len()).collect().item()) or 1)
    if format != "csv":
        return compare(_scanned(before, format).collect(), _scanned(after, format).collect())
    texts = [pl.read_csv(path, infer_schema=False) for path in (before, after)]
    if texts[0].columns != texts[1].columns or len(texts[0]) != len(texts[1]):
        return compare(*texts)
    found = Comparison(len(texts[0]))
    for name in texts[0].columns:
        one, other = texts[0][name], texts[1][name]
        if one.equals(other):
            continue
        # Texts that are both decimal numbers, which have more than one way to be written.
        numbers = [_numbers(one), _numbers(other)]
        are_texts = numbers[0] is None or numbers[1] is None
        found.add(compare(one, other) if are_texts else compare(*numbers), f"column '{name}': ")
    return found


def _numbers(column: Any) -> Any:
    """Return a column of texts as floats; None if they are others, or integers."""
    import polars as pl

    present = column.drop_nulls()
    if not present.str.contains(r"[.eE]|nan|NaN|inf").any():
        return None
    numbers = column.cast(pl.Float64, strict=False)
    return numbers if numbers.null_count() == len(column) - len(present) else None


def _scanned(path: Path, format: str) -> Any:
    import polars as pl

    return pl.scan_parquet(path) if format == "parquet" else pl.scan_ipc(path)


def _edits(unit: PipelineScript, made: Made) -> list[tuple[int, int, str]]:
    """Return the edits: the pipeline in the place of the last statement, and nothing in that of the others."""
    read = unit.read
    assert read.sink is not None
    arguments = []
    toml = made.toml
    for name, node in (("input", read.sink.table.source.path), ("output", read.sink.path)):
        if not isinstance(node, ast.Constant):
            arguments.append(f"{name}={ast.unparse(node)}".replace("'", '"'))
            path = made.input if name == "input" else made.output
            toml = toml.replace(f"path = {json.dumps(path, ensure_ascii=False)}\n", "")
    quote = '"""' if '"""' not in toml and "\\" not in toml else "'''"
    prefix = "r" if "\\" in toml else ""
    text = f"hs.Pipeline({prefix}{quote}\n{toml}{quote}).run({', '.join(arguments)})\n"
    text = f"summary = {text}" if read.counts else text
    edits: list[tuple[int, int, str]] = []
    for statement in read.statements[:-1]:
        edits.append((first_line(statement), statement.end_lineno or statement.lineno, ""))
    first, last, _ = rewritten(unit.file, [read.last], "pass\n")
    indentation = unit.file.indentation(read.last)
    edits.append((first, last, indentation + text))
    for statement in dict.fromkeys(unit.file.statement(count) for count in read.counts):
        edits.append(rewritten(unit.file, [statement], f"{_with_count(statement, read.counts)}\n"))
    return _joined(edits)


def _with_count(statement: ast.stmt, counts: Sequence[ast.expr]) -> str:
    """Return a statement with the number of rows that the pipeline wrote."""
    old = {ast.dump(count) for count in counts}

    class Counts(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if isinstance(node, ast.expr) and ast.dump(node) in old:
                return ast.parse("summary.rows_written", mode="eval").body
            return self.generic_visit(node)

    return ast.unparse(Counts().visit(copy.deepcopy(statement)))


def _joined(edits: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Join edits of consecutive lines."""
    made: list[tuple[int, int, str]] = []
    for first, last, text in sorted(edits):
        if made and made[-1][1] + 1 == first:
            made[-1] = (made[-1][0], last, made[-1][2] + text)
        else:
            made.append((first, last, text))
    return made
