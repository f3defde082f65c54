"""The files of `pipeline.py`, and one contender's run over one of them, timed and compared."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline_check import totals_differ
from pipeline_jobs import BOTH, JOBS, pipeline_file
from pipeline_report import size
from process import alone, synced, warm

HERE = Path(__file__).resolve().parent
GENERATE = HERE.parent / "data" / "generate.py"
SYMBOLS = 5_000
Result = dict[str, Any]


def answer(done: Result) -> Any:
    """What a process has printed as JSON, if anything; taken out of its report."""
    return json.loads(done.pop("printed", None) or "null")


def say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


class StopError(Exception):
    """Nothing can be measured: answers differ, or there are none to compare with."""


@dataclass
class Bench:
    """Where files are, and the commands over them."""

    options: argparse.Namespace
    folder: Path
    scratch: Path
    # Hypostyle's outputs that others are compared with, by source and kernels.
    outputs: dict[tuple[Path, tuple[str, ...]], Path] = field(default_factory=dict)

    def csv(self, rows: int) -> Path:
        """The trades, written once in a folder; the name has all settings."""
        path = self.folder / f"trades-{rows}-{SYMBOLS}-notes.csv"
        if not path.exists():
            say(f"writing {rows:,} rows")
            settings = ("--rows", rows, "--symbols", SYMBOLS, "--notes", "--out", path)
            subprocess.run([sys.executable, GENERATE, *map(str, settings)], check=True)
            os.sync()
        return path

    def parquet(self, rows: int) -> Path:
        """The same as Parquet, by pyarrow."""
        source, path = self.csv(rows), self.folder / f"trades-{rows}-{SYMBOLS}-notes.parquet"
        if not path.exists():
            say(f"writing {rows:,} rows as Parquet")
            unfinished = path.with_suffix(".part")
            self.need(self.peer("prepare", "pyarrow", source, unfinished), "pyarrow")
            unfinished.replace(path)
            os.sync()
        return path

    def need(self, command: Sequence[str | Path], who: str) -> Any:
        """The answer of a process without which there is nothing to measure."""
        done = alone(command, 10 * self.options.timeout)
        if done["status"] != "ok":
            raise StopError(f"{who}: {done['status']}")
        return answer(done)

    def peer(self, job: str, name: str, source: Path, target: Path) -> list[str | Path]:
        return [sys.executable, HERE / "pipeline_jobs.py", job, name, source, target]

    def hypostyle(self, source: Path, target: Path | None, kernels: tuple[str, ...]) -> list[str | Path]:
        file = self.scratch / "pipeline.toml"
        file.write_text(pipeline_file(source, target, kernels), encoding="utf-8")
        return [self.program(), "run", file, "--quiet"]

    def program(self) -> Path:
        return self.options.hypostyle or Path(sysconfig.get_path("scripts")) / "hypostyle"

    def target(self, name: str) -> Path:
        return self.scratch / f"output-{name}.parquet"

    def run(self, job: str, name: str, source: Path) -> Result:
        """One contender once; the file that it writes stays."""
        contender, target = JOBS[job][name], self.target(name)
        say(f"{job}, {source.stat().st_size / 1e9:.2f} GB: {name}")
        if contender.run is None:
            sink = target if job in ("features", "convert") else None
            command = [*self.hypostyle(source, sink, contender.kernels), *contender.options]
        else:
            command = self.peer(job, name, source, target)
        warm(source)
        # What others have written goes to the disk first, so that nobody's fsync has to wait for it.
        os.sync()
        ran = alone(command, self.options.timeout)
        ran["totals"] = answer(ran)
        shutil.rmtree(f"{target}.spill", ignore_errors=True)
        if target.exists():
            ran |= {"sync_seconds": synced(target), "output_bytes": target.stat().st_size}
        os.sync()  # what one has written must not slow the next
        say(f"  {ran['seconds']:.2f} s, {size(ran['peak'])}" if ran["status"] == "ok" else f"  {ran['status']}")
        return ran

    def output(self, source: Path, kernels: tuple[str, ...]) -> Path:
        """What hypostyle makes of a file, untimed."""
        if (source, kernels) not in self.outputs:
            say(f"hypostyle's {', '.join(kernels) or 'copy'} of {source.name}, to compare with")
            target = self.scratch / f"expected-{'-'.join((*kernels, source.name))}.parquet"
            self.need(self.hypostyle(source, target, kernels), "hypostyle")
            self.outputs[source, kernels] = target
        return self.outputs[source, kernels]

    def difference(self, job: str, name: str, source: Path, said: Any, how: str) -> str | None:
        """How a contender's answer differs from hypostyle's; a copy is compared with its source."""
        if how in ("totals", "copy"):
            totals = self.check("totals", self.output(source, ()), source)
            return totals_differ(said, totals) if how == "totals" else None
        kernels = JOBS[job][name].kernels
        expected = self.output(source, BOTH) if kernels else source
        differs: str | None = self.check(how, self.target(name), expected, kernels)
        return differs

    def check(self, how: str, found: Path, expected: Path, kernels: Sequence[str] = ()) -> Any:
        return self.need([sys.executable, HERE / "pipeline_check.py", how, found, expected, *kernels], "comparison")

    def forget(self) -> None:
        """Removes what was compared with."""
        for path in self.outputs.values():
            path.unlink()
        self.outputs.clear()
