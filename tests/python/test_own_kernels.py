"""A library of custom kernels, that of examples/own-kernels: its functions run wherever those of hypostyle do."""

from __future__ import annotations

import copy
import doctest
import importlib.util
import inspect
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import hypostyle as hs

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "own-kernels" / "python"


def built() -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    names = ["libown_kernels_python.so", "libown_kernels_python.dylib", "own_kernels_python.dll"]
    found = [path for name in names if (path := target / "release" / name).is_file()]
    assert found, f"{target}/release has no library of custom kernels: cargo build --release -p own-kernels-python"
    return found[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension module and the Python module of the example, as if they were installed."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copy(built(), folder / ("own_kernels_native" + (".pyd" if sys.platform == "win32" else ".abi3.so")))
    shutil.copy(EXAMPLE / "own_kernels.py", folder)
    return folder


@pytest.fixture(scope="module")
def native(folder: Path) -> ModuleType:
    sys.path.insert(0, str(folder))
    import own_kernels_native

    return own_kernels_native


@pytest.fixture(scope="module")
def own(native: ModuleType) -> ModuleType:
    import own_kernels

    return own_kernels


FRAME = pl.DataFrame(
    {
        "key": ["a", "b", "a", "a", "b", "a"],
        "x": [8.0, 1.0, 1.0, None, 3.0, 4.0],
        "bid": [99.0] * 6,
        "ask": [101.0] * 6,
    }
)
PEAK = [8.0, 1.0, 4.0, 2.0, 3.0, 4.0]


def kernels(own: ModuleType) -> list[hs.KernelExpr]:
    """Custom kernels and one of hypostyle."""
    return [
        own.fading_peak("x", over="key").alias("peak"),
        own.rolling_rms("x", 2, min_samples=1, over="key").alias("rms"),
        hs.expanding_sum("x", over="key").alias("sum"),
    ]


def test_they_run_in_polars(own: ModuleType) -> None:
    peak = own.fading_peak("x", over="key").alias("peak")
    assert isinstance(peak, hs.KernelExpr)
    assert FRAME.with_columns(peak)["peak"].to_list() == PEAK
    assert FRAME.lazy().with_columns(peak).collect()["peak"].to_list() == PEAK
    assert FRAME.select(own.fading_peak(pl.col("x") * 2, keep=0.25))["x"].to_list() == [16.0, 4.0, 2.0, 0.5, 6.0, 8.0]
    assert FRAME.select(own.relative_spread("bid", "ask"))["bid"].to_list() == [0.02] * 6
    assert FRAME.select(own.expanding_rms("x"))["x"].to_list()[:2] == [8.0, 32.5**0.5]


def test_they_run_in_every_interface_beside_kernels_of_hypostyle(own: ModuleType) -> None:
    expected = FRAME.with_columns(kernels(own))
    assert expected["peak"].to_list() == PEAK
    assert expected["sum"].to_list() == [8.0, 1.0, 9.0, 9.0, 4.0, 13.0]
    assert_frame_equal(hs.with_columns(FRAME, *kernels(own)), expected)
    assert_frame_equal(FRAME.lazy().hs.with_columns(*kernels(own)).collect(), expected)
    assert_frame_equal(FRAME.with_columns(hs.struct(*kernels(own)).struct.unnest()), expected)
    assert_frame_equal(
        FRAME.with_columns(hs.struct(kernels(own)[::-1]).struct.field("sum")), expected.drop("peak", "rms")
    )


def test_pandas(own: ModuleType) -> None:
    frame = pd.DataFrame({"key": FRAME["key"].to_list(), "x": FRAME["x"].to_list()}, index=range(10, 16))
    frame = hs.with_columns(frame, *kernels(own))
    assert frame["peak"].to_list() == PEAK
    assert frame.index.to_list() == list(range(10, 16))


def test_a_stage_in_pieces_returns_the_bits_of_the_whole(own: ModuleType) -> None:
    expected = FRAME.with_columns(kernels(own))
    for size in (1, 2, 5):
        stage = hs.Stage(kernels(own))
        pieces = [stage.advance(FRAME[start : start + size]) for start in range(0, FRAME.height, size)]
        assert_frame_equal(pl.concat(pieces), expected, check_exact=True)
    stage = hs.Stage(kernels(own))
    stage.set_schema(FRAME.schema)
    rows = [stage.advance_row(row) for row in FRAME.iter_rows(named=True)]
    assert [row["peak"] for row in rows] == PEAK
    assert stage.peek(FRAME[:1])["peak"].to_list() == [8.0]
    assert [type(kernel) for kernel in stage.kernels] == [hs.KernelExpr] * 3
    assert_frame_equal(FRAME.with_columns(stage.kernels), expected)


def test_a_stage_is_saved_and_loaded(own: ModuleType, native: ModuleType, tmp_path: Path) -> None:
    expected = FRAME.with_columns(kernels(own))
    stage = hs.Stage(kernels(own))
    stage.advance(FRAME[:3])
    stage.save(tmp_path / "own.state")
    copies = [
        hs.Stage.load(tmp_path / "own.state", native=native),
        hs.Stage.from_bytes(stage.to_bytes(), native=native),
        pickle.loads(pickle.dumps(stage)),
        copy.deepcopy(stage),
        stage.copy(),
    ]
    for other in copies:
        assert_frame_equal(other.advance(FRAME[3:]), expected[3:], check_exact=True)
    with pytest.raises(ValueError, match="unknown kernel 'fading_peak'"):
        hs.Stage.load(tmp_path / "own.state")
    assert [name for name in stage.state().columns if name.startswith("peak:")] == ["peak:state.some", "peak:state"]


def test_keys_are_split_and_merged(own: ModuleType) -> None:
    stage = hs.Stage(kernels(own))
    stage.advance(FRAME[:3])
    low, high = stage.split(["b"])
    high.merge(low)
    assert_frame_equal(
        high.advance(FRAME[3:]).sort("key"), FRAME.with_columns(kernels(own))[3:].sort("key"), check_exact=True
    )


def test_a_lazy_frame_goes_on_from_a_state(own: ModuleType, native: ModuleType, tmp_path: Path) -> None:
    expected, path = FRAME.with_columns(kernels(own)), tmp_path / "own.state"
    FRAME[:3].lazy().hs.with_columns(*kernels(own), save_state=path).collect()
    rest = FRAME[3:].lazy()
    assert_frame_equal(rest.hs.with_columns(*kernels(own), state=path).collect(), expected[3:])
    loaded = hs.Stage.load(path, native=native)
    assert_frame_equal(rest.hs.with_columns(state=loaded).collect(), expected[3:])
    assert_frame_equal(rest.hs.with_columns(*kernels(own), state=loaded).collect(), expected[3:])


def test_expressions_are_pickled(own: ModuleType) -> None:
    peak = pickle.loads(pickle.dumps(own.fading_peak("x", over="key").alias("peak")))
    assert FRAME.with_columns(peak)["peak"].to_list() == PEAK
    mean = pickle.loads(pickle.dumps(hs.rolling_mean("x", 1)))
    assert FRAME.select(mean)["x"].to_list() == FRAME["x"].to_list()


def test_a_pipeline_runs_them(native: ModuleType, tmp_path: Path) -> None:
    FRAME.select("key", "x").write_csv(tmp_path / "in.csv")
    toml = "[[stage]]\nover = 'key'\n[[stage.kernel]]\nname = 'fading_peak'\ncolumn = 'x'\nalias = 'peak'\n"
    (tmp_path / "pipeline.toml").write_text(toml)
    for pipeline in (
        hs.Pipeline(toml, native=native),
        hs.Pipeline.from_file(tmp_path / "pipeline.toml", native=native),
    ):
        pipeline.run(input=tmp_path / "in.csv", output=tmp_path / "out.csv")
        assert pl.read_csv(tmp_path / "out.csv")["peak"].to_list() == PEAK
    with pytest.raises(ValueError, match="unknown kernel 'fading_peak'"):
        hs.Pipeline(toml).run(input=tmp_path / "in.csv", output=tmp_path / "out.csv")


def test_the_command_knows_them(folder: Path) -> None:
    code = "import hypostyle_cli, own_kernels_native; hypostyle_cli.run(own_kernels_native)"
    run = subprocess.run(
        [sys.executable, "-c", code, "kernels", "fading_peak"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(folder)},
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "The largest value so far, which fades from row to row." in run.stdout


def test_functions_are_documented(own: ModuleType) -> None:
    assert str(inspect.signature(own.fading_peak)) == (
        "(column: 'IntoColumn', *, keep: 'float' = 0.5, over: 'IntoColumns | None' = None) -> 'KernelExpr'"
    )
    assert list(inspect.signature(own.rolling_rms).parameters) == [
        *["column", "window", "by", "min_samples", "closed", "center", "step", "over"]
    ]
    assert "over" not in inspect.signature(own.relative_spread).parameters
    text = inspect.getdoc(own.fading_peak) or ""
    assert text.startswith(
        "The largest value so far, which fades from row to row.\n\n    y[i] = max(keep * y[i-1], x[i])"
    )
    assert "    keep: The share of the peak that is left after a row, from 0 to 1." in text
    assert own.fading_peak.__name__ == "fading_peak"
    assert set(vars(hs.functions(own.native))) == {"fading_peak", "rolling_rms", "expanding_rms", "relative_spread"}


def test_the_example_of_the_python_module(own: ModuleType) -> None:
    outcome = doctest.testmod(own)
    assert (outcome.failed, outcome.attempted) == (0, 9)


def test_the_page_does_what_it_says(own: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "custom-kernels.md").read_text(encoding="utf-8")
    session = "\n".join(re.findall(r"^```pycon\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(session, {}, "custom-kernels.md", None, None))
    outcome = runner.summarize()
    assert (outcome.failed, outcome.attempted) == (0, 12)
    files = [path.read_text(encoding="utf-8") for path in EXAMPLE.parent.rglob("*.rs")]
    excerpts = re.findall(r"^```rust\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(excerpts) == 4
    for excerpt in excerpts:
        assert any(excerpt in text for text in files), excerpt


def test_wrong_arguments_are_refused_by_name(own: ModuleType) -> None:
    with pytest.raises(TypeError, match="fading_peak, parameter 'kep': unknown parameter\nhelp: did you mean 'keep'"):
        own.fading_peak("x", kep=0.5)
    with pytest.raises(TypeError, match="fading_peak, parameter 'column': required"):
        own.fading_peak()
    with pytest.raises(ValueError, match="fading_peak, parameter 'keep': must be from 0 to 1, got 2"):
        own.fading_peak("x", keep=2.0)
    with pytest.raises(hs.ColumnNotFoundError, match=r"fading_peak.*'y'"):
        hs.with_columns(FRAME, own.fading_peak("y"))
    with pytest.raises(TypeError, match="fading_peak, parameter 'keep': cannot be an expression"):
        own.fading_peak("x", keep=pl.col("y"))


def test_other_modules_are_refused(own: ModuleType, native: ModuleType) -> None:
    with pytest.raises(TypeError, match="is not a library of kernels"):
        hs.functions(re)
    with pytest.raises(TypeError, match="is not a library of kernels"):
        hs.Stage.from_bytes(b"", native=own)
    older = ModuleType("older")
    older.__dict__.update(vars(native), __name__="older", __version__="0.0.1")
    with pytest.raises(ImportError, match=r"older was built with hypostyle 0\.0\.1, but the version installed is"):
        hs.functions(older)


def test_one_call_takes_the_custom_kernels_of_one_library(own: ModuleType, folder: Path, tmp_path: Path) -> None:
    # A copy of the library under another path is another library.
    path = Path(shutil.copy(next(folder.glob("own_kernels_native*")), tmp_path / "other.abi3.so"))
    spec = importlib.util.spec_from_file_location("own_kernels_native", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    other = hs.functions(module)
    mixed = [own.fading_peak("x").alias("one"), other.fading_peak("x").alias("two")]
    calls = [
        lambda: hs.with_columns(FRAME, *mixed),
        lambda: hs.Stage(mixed),
        lambda: hs.struct(*mixed),
        lambda: FRAME.lazy().hs.with_columns(*mixed),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="one call takes the custom kernels of one library"):
            call()
    assert FRAME.select(mixed).width == 2
