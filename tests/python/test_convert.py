"""`hypostyle convert`: functions as users write them become crates that compile and give CPython's results."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hypostyle
import test_functions_loops as loops
import test_functions_python as python
import user_functions as users
from hypostyle._convert.command import main
from hypostyle._convert.crate import files, package_name, write
from hypostyle._convert.function import Converted, convert
from hypostyle._convert.origin import input_kinds, origin_of
from hypostyle._convert.samples import sequences
from hypostyle._functions.errors import UnsupportedError

hs: Any = hypostyle


@hs.scan(up=0.0, down=0.0, count=0)
def alarms(state, x: float | None, drift=0.5):
    """Two-sided CUSUM.

    It counts its alarms.
    """
    if x is None:  # no measurement
        return state, (False, state.count)
    # Both sums, never negative.
    up = max(0.0, state.up + x - drift)
    down = max(0.0, state.down - x - drift)
    alarm = up > 5.0 or down > 5.0
    count = state.count
    if alarm:
        up = down = 0.0
        count += 1  # so far
    # What comes back.
    return hs.state(up, down, count), (alarm, count)


def half(x):
    # Exact.
    return x / 2 if x > 1.0 else None


def odd(n: int, type: float, flag: bool, missing=None):  # names that Rust has for itself
    match = n // -3 + n % -7 + (n << 2) - (n >> 1) + ~n
    box = -5 if flag else n**2
    self = round(type) + round(type, 1) + int(type) + math.floor(type) - math.ceil(type)
    if missing is None and n in (1, 2.5, box):
        return float(match)
    while n > 0 and match < 1000:
        n -= 1
        match += max(n, 3)
        if match % 5 == 2:
            continue
        if n == 3:
            break
    return match / box + self if n < type else abs(min(type, 2, -n)) // 1.5 + bool(box and missing)


def retyped(x):
    level = 3
    level = level * 2
    if level > 5:
        x = x + 1
    level = level / 4
    y = (z := x * level) + z
    return y % 3.0 if x == y else y or half(abs(x) + 2.0)


PLAIN: list[tuple[Callable[..., Any], dict[str, str]]] = [(alarms, {}), (odd, {}), (retyped, {})]
FORMS: list[tuple[Callable[..., Any], dict[str, str]]] = [
    *((python.any_failure, {}), (python.two_handlers, {}), (python.nested_else, {}), (python.with_a_helper, {})),
    (python.counted_down, {"n": "int", "m": "int"}),
]
USERS = ["sign", "collatz", "checksum", "future_value", "mid", "invoice", "black_scholes", "scorecard", "true_range"]
LOOPS = [loops.ewma_first, loops.position, loops.lag2_filter, loops.inner_while, loops.with_helper]


def functions() -> list[tuple[Any, dict[str, str]]]:
    examples = [example for example in (*users.ROWS, *users.SCANS) if example.name in USERS]
    made: list[tuple[Any, dict[str, str]]] = [*PLAIN, *FORMS, *((hs.loop(function), {}) for function in LOOPS)]
    for example in examples:
        function = hs.scan(**example.state)(example.function) if example.state else example.function
        kinds = {name: str(sample.kind) for name, sample in zip(example.columns, example.samples, strict=True)}
        made.append((function, kinds))
    return made


def converted(function: Any, kinds: dict[str, str] | None = None) -> Converted:
    origin = origin_of(function)
    return convert(origin, input_kinds(origin, kinds or {}))


def test_a_workspace_of_crates_compiles_and_gives_what_python_gives(tmp_path: Path) -> None:
    cargo = shutil.which("cargo")
    assert cargo is not None
    names = []
    for function, kinds in functions():
        made = converted(function, kinds)
        rows = sequences(made)
        assert sum(results is not None for part in rows for _, results, _ in part) > 40, made.origin.name
        content = files(made, rows, "a.py")
        # The features of the plugin are left out: a lock file with Polars would need the registry.
        head, _, _ = content["Cargo.toml"].partition("[features]")
        content["Cargo.toml"] = f"{head}[features]\nplugin = []\n"
        write(tmp_path / package_name(made), content)
        names.append(package_name(made))
    assert len(set(names)) == len(names)
    members = ", ".join(f'"{name}"' for name in names)
    (tmp_path / "Cargo.toml").write_text(
        f'[workspace]\nresolver = "3"\nmembers = [{members}]\n[profile.dev]\ndebug = 0\n'
    )
    arguments = ["test", "--no-default-features", "--workspace", "--offline", "--quiet", "--no-fail-fast"]
    done = subprocess.run([cargo, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr, done.stderr


def test_names_comments_and_shape_are_kept() -> None:
    text = converted(alarms).function_rs
    for line in (
        "/// Two-sided CUSUM.",
        "/// It counts its alarms.",
        "// no measurement",
        "// Both sums, never negative.",
        "let mut up = py::max(0.0, state.up + x - drift?);",
        "let alarm = up > 5.0 || down > 5.0;",
        "count = count.checked_add(1)?; // so far",
        "// What comes back.",
        "*state = State { up, down, count };",
        "Some((alarm, count))",
    ):
        assert line in text, text


def test_an_input_that_has_to_be_there_is_unwrapped_first() -> None:
    text = converted(users.risk_score).function_rs
    assert "let notional = notional?;" in text
    assert "let bid = bid?;" not in converted(users.mid).function_rs


def test_only_the_functions_that_are_used_are_written() -> None:
    assert "pub fn pow" not in converted(users.winsorise).python_rs
    assert converted(users.winsorise).python_rs.count("\npub fn") == 2


def test_types_are_annotated_given_or_float() -> None:
    def typed(a: int, b: "bool | None", c, d=2, e: "np.ndarray" = None) -> Any:  # type: ignore[name-defined]  # noqa: F821, UP037
        return a if b else c + d

    assert converted(odd).inputs == {"n": "int", "type": "float", "flag": "bool", "missing": "float"}
    assert converted(users.collatz, {"n": "int"}).inputs == {"n": "int"}
    assert converted(users.collatz).inputs == {"n": "float"}
    assert input_kinds(origin_of(typed), {}) == {"a": "int", "b": "bool", "c": "float", "d": "int", "e": "float"}


def int_or_float(x: int):
    if x > 3:
        x = x / 2
    return x


def a_string(side: str):
    return 1 if side == "buy" else -1


def gamma(x):
    return math.gamma(x)


def power(n: int, k: int):
    return n**k


def a_list(x):
    return [x, x]


@pytest.mark.parametrize(
    ("function", "message", "line"),
    [
        (int_or_float, "x is an int here and a float on another path", None),
        (a_string, "a column of str is not converted", "def a_string(side: str):"),
        (gamma, "math.gamma is not converted", "return math.gamma(x)"),
        (power, "int ** int is an int or a float", "return n**k"),
        (a_list, "a list is not compiled as a result; return a tuple", "return [x, x]"),
    ],
)
def test_what_is_refused(function: Callable[..., Any], message: str, line: str | None) -> None:
    with pytest.raises(UnsupportedError, match=r"convert|compiled|float") as error:
        converted(function)
    assert message in str(error.value)
    assert error.value.text is not None
    assert line is None or error.value.text.strip() == line


def test_the_command_writes_a_crate_and_says_what_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "mine.py"
    source.write_text("def double(x):\n    # Twice.\n    return 2 * x\n\n\ndef bad(x):\n    return hash(x)\n")
    folder = tmp_path / "crate"
    assert main([f"{source}:bad", "--to", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "return hash(x)" in error
    assert "^^^^^^^" in error
    assert not folder.exists()
    assert main([f"{source}:none", "--to", str(folder)]) == 2
    assert "has no function none; it has double, bad" in capsys.readouterr().err
    assert main([f"{source}:double", "--to", str(folder), "--types", "x=text"]) == 2
    folder.mkdir()
    (folder / "own.txt").write_text("mine")
    assert main([f"{source}:double", "--to", str(folder)]) == 2
    assert "is not empty; --force writes into it" in capsys.readouterr().err


def test_without_cargo_the_crate_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "mine.py"
    source.write_text("def double(x):\n    # Twice.\n    return 2 * x\n")
    monkeypatch.setenv("PATH", "")
    assert main([f"{source}:double", "--to", str(tmp_path / "crate")]) == 0
    assert "There is no cargo here" in capsys.readouterr().out
    text = (tmp_path / "crate" / "src" / "function.rs").read_text()
    assert "// Twice.\nSome(2.0 * x)" in text
    assert (tmp_path / "crate" / "tests" / "rows.rs").is_file()


def test_the_commands_help_names_it() -> None:
    done = subprocess.run([sys.executable, "-m", "hypostyle", "--help"], capture_output=True, text=True, check=True)
    assert "convert   Turn a Python function into a Rust crate" in done.stdout
