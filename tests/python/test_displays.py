"""What kernels, stages, LazyFrames and pipelines show: as text, in notebooks, and by `hs.explain`."""

from __future__ import annotations

import html.parser
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import hypostyle as hs
from kernels_under_test import NAMES, expressions

FRAME = pl.DataFrame({"symbol": ["a", "b", "a"], "price": [1.0, 5.0, 3.0], "n": [1, 1, 2]})
MEAN = hs.rolling_mean("price", 2, over="symbol").alias("m2")


@hs.jit
def spread(bid: float, ask: float, scale: float = 1.0) -> float:
    return (ask - bid) * scale


@hs.rolling
def width(window: Any) -> float:
    return float(window.max() - window.min())


@pytest.mark.parametrize(
    ("kernel", "shown"),
    [
        (hs.rolling_mean("price", 20, over="symbol"), 'rolling_mean("price", 20, over="symbol")'),
        (hs.col("price").rolling_mean(20), 'rolling_mean("price", 20)'),
        (MEAN, 'rolling_mean("price", 2, over="symbol").alias("m2")'),
        (hs.expanding_max("x", over=["a", "b"]), 'expanding_max("x", over=["a", "b"])'),
        (hs.rolling_std("x", 3, ddof=0, closed="left"), 'rolling_std("x", 3, ddof=0, closed="left")'),
        (hs.rolling_std("x", 3, ddof=1, closed="right", center=False), 'rolling_std("x", 3)'),
        (hs.rolling_sum("x", timedelta(minutes=5), by="ts"), 'rolling_sum("x", "300000000us", by="ts")'),
        (hs.rolling_sum("x", {"length": pl.col("n")}), 'rolling_sum("x", {"length": "n"})'),
        (hs.row_dot(["x", "y"], [1.0, 2.5]), 'row_dot(["x", "y"], [1.0, 2.5])'),
        (hs.cumsum_clip("x", float("-inf"), 3), 'cumsum_clip("x", float("-inf"), 3)'),
        (hs.rolling_mean(pl.col("x") * 2, 3), f"rolling_mean({pl.col('x') * 2}, 3)"),
        (hs.rolling_mean('a "b"', 3).alias("c\n"), 'rolling_mean("a \\"b\\"", 3).alias("c\\n")'),
        (spread("bid", "ask", over="k"), 'spread("bid", "ask", over="k")'),
        (width("x", 3, over="k"), 'width("x", 3, over="k")'),
    ],
)
def test_a_kernel_shows_its_call(kernel: hs.KernelExpr, shown: str) -> None:
    assert repr(kernel) == shown
    assert str(kernel) == shown
    assert repr(pickle.loads(pickle.dumps(kernel))) == shown


@pytest.mark.parametrize("name", NAMES)
def test_what_a_kernel_shows_makes_it_again(name: str) -> None:
    names = {known: getattr(hs, known) for known in NAMES}
    for kernel in expressions(name):
        if kernel._kernel.computed:
            continue
        again = eval(repr(kernel), names)
        assert again._kernel.normal == kernel._kernel.normal


class Text(html.parser.HTMLParser):
    """The texts of a page, and its tags; tags that are not closed are an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_pages_of_notebooks_are_escaped(tmp_path: Path) -> None:
    evil = "<script>alert('&')</script>"
    frame = pl.DataFrame({evil: [1.0, 2.0], "k": ["a", "b"]})
    kernel = hs.rolling_mean(evil, 2, over="k").alias(f"{evil}2")
    stage = hs.Stage([kernel])
    stage.advance(frame)
    frame.write_csv(tmp_path / "in.csv")
    pipeline = hs.Pipeline(f"""[[stage]]\n[[stage.kernel]]\nname = "expanding_max"\ncolumn = "{evil}"\nalias = "m"\n""")
    summary = pipeline.run(input=tmp_path / "in.csv", output=tmp_path / "<b>.csv")
    for shown in (kernel, stage, pipeline, summary):
        page = Text(shown._repr_html_())
        assert page.tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "pre", "div", "code"}
        assert "<" in "".join(page.texts), "the text is there"


def test_a_stage_shows_its_kernels_and_state() -> None:
    stage = hs.Stage([MEAN, hs.expanding_max("price", over="symbol").alias("high")])
    assert repr(stage).startswith(
        'Stage(m2=rolling_mean("price", 2), high=expanding_max("price"), over=[\'symbol\'], 0 rows so far, 0 keys, '
    )
    stage.advance(FRAME)
    assert ", 3 rows so far, 2 keys, " in repr(stage)
    assert repr(stage).endswith("B of state)")
    page = Text(stage._repr_html_()).texts
    assert page[0].startswith("Stage, over symbol, 3 rows so far, 2 keys, ")
    assert page[1:5] == ["column", "kernel", "summary", "m2"]
    assert 'rolling_mean("price", 2)' in page
    assert "Arithmetic mean of the values in a moving window." in page


def test_a_pipeline_shows_its_file(tmp_path: Path) -> None:
    toml = '[[stage]]\n[[stage.kernel]]\nname = "expanding_max"\ncolumn = "price"\nalias = "high"\n'
    assert repr(hs.Pipeline(toml)) == f"Pipeline({toml!r})"
    path = tmp_path / "pipeline.toml"
    path.write_text(toml)
    pipeline = hs.Pipeline.from_file(path)
    assert repr(pipeline) == f"Pipeline.from_file({str(path)!r})"
    assert Text(pipeline._repr_html_()).texts == [f"Pipeline {path}", toml]


def test_a_summary_is_a_table(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "in.csv")
    toml = '[[stage]]\n[[stage.kernel]]\nname = "expanding_max"\ncolumn = "price"\nalias = "high"\n'
    summary = hs.Pipeline(toml).run(input=tmp_path / "in.csv", output=tmp_path / "out.csv")
    page = Text(summary._repr_html_()).texts
    assert page[0] == f"Summary: {tmp_path / 'out.csv'}"
    cells = dict(zip(page[1::2], page[2::2], strict=False))
    assert cells["rows_written"] == "3"
    assert cells["bytes_read"].endswith(" B")


@pytest.mark.parametrize("name", NAMES)
def test_polars_shows_the_name_of_a_kernel(name: str) -> None:
    for kernel in expressions(name):
        assert f":{name}(" in pl.Expr.__str__(kernel)


def test_a_stage_tells_how_long_its_kernels_ran() -> None:
    stage = hs.Stage(
        [hs.rolling_mean("x", 3, over="k").alias("mean"), hs.rolling_median("x", 999, over="k").alias("m")]
    )
    assert stage.profile().rows() == [
        ("mean", 'rolling_mean("x", 3)', 0.0, 0.0),
        ("m", 'rolling_median("x", 999)', 0.0, 0.0),
        (None, "keys: k", 0.0, 0.0),
    ]
    frame = pl.DataFrame({"k": [1, 2] * 5000, "x": [float(7919 * i % 10007) for i in range(10_000)]})
    stage.advance(frame)
    profile = stage.profile()
    # Which of them took longest depends on what else the machine does.
    assert set(profile["kernel"]) == {'rolling_mean("x", 3)', 'rolling_median("x", 999)', "keys: k"}
    assert profile["seconds"].is_sorted(descending=True)
    assert profile["seconds"].min() > 0
    assert profile["share"].sum() == pytest.approx(1)
    stage.peek(frame)
    assert stage.profile()["seconds"].sum() > profile["seconds"].sum()
    assert stage.copy().profile()["seconds"].sum() == 0


# hs.explain


@pytest.mark.parametrize(
    ("kernel", "line"),
    [
        (hs.rolling_mean("x", 1), "window  1 row"),
        (hs.rolling_mean("x", 20), "window  20 rows"),
        (hs.rolling_mean("x", 5, center=True), "window  5 rows, centered on the row"),
        (hs.rolling_mean("x", 5, closed="left"), "window  5 rows, closed: left"),
        (hs.rolling_mean("x", "5m", by="ts"), "window  5m of ts"),
        (hs.rolling_mean("x", {"length": "n"}), "window  its length is in the column n, in rows of the key"),
        (hs.rolling_mean("x", {"start": "s"}, by="ts"), "window  its start is in the column s, in terms of ts"),
        (hs.expanding_mean("x"), "window  all rows so far"),
        (hs.ewm_mean("x", span=3), "window  all rows so far"),
        (hs.row_dot(["x", "y"], [1.0, 2.0]), "window  the row alone"),
        (spread("bid", "ask"), "window  the row alone"),
        (hs.scan(total=0.0)(lambda s, x: (hs.state(s.total + x), x))("x"), "window  all rows so far"),
        (width("x", 3), "window  3 rows"),
        (hs.rolling_mean("x", 2, over=["a", "b"]), "keys    a, b: the rows of each key are a sequence of their own"),
        (hs.rolling_corr("x", "y", 5, over="k"), "reads   x, y, k"),
        (hs.rolling_mean(pl.col("x") * 2, 5), f"reads   {pl.col('x') * 2}"),
    ],
)
def test_windows_keys_and_inputs_in_words(kernel: hs.KernelExpr, line: str) -> None:
    assert f"  {line}" in hs.explain(kernel).splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_every_kernel_is_explained(name: str) -> None:
    entry = hs.kernels().row(by_predicate=pl.col("name") == name, named=True)
    for kernel in expressions(name):
        lines = hs.explain(kernel).splitlines()
        assert lines[0] == f"{kernel.meta.output_name()} = {kernel._kernel.call}"
        assert f"  {entry['summary']}" in lines
        assert any(line.startswith("  window  ") for line in lines)


def test_a_stage_is_explained() -> None:
    stage = hs.Stage([MEAN, hs.expanding_max("price", over="symbol").alias("high")])
    stage.advance(FRAME)
    first, *lines = hs.explain(stage).splitlines()
    assert first.startswith("stage: 2 kernels, 3 rows so far, 2 keys, ")
    assert '  m2 = rolling_mean("price", 2, over="symbol")' in lines
    assert "    window  2 rows" in lines
    assert '  high = expanding_max("price", over="symbol")' in lines


def test_a_lazy_frame_is_explained() -> None:
    lf = hs.lazy(FRAME.lazy().filter(pl.col("price") > 0)).with_columns(MEAN)
    lf = hs.lazy(lf.with_columns(twice=pl.col("m2") * 2)).with_columns(hs.expanding_max("twice").alias("top"))
    lines = hs.explain(lf.select("top").head(3)).splitlines()
    assert lines[:2] == ["with_columns, batch by batch: 1 kernel", '  top = expanding_max("twice")']
    assert lines.count("with_columns, batch by batch: 1 kernel") == 2
    assert '  m2 = rolling_mean("price", 2, over="symbol")' in lines
    assert any("FILTER" in line and "price" in line for line in lines), "the plan of the input"
    assert any(line.startswith("    ") and "PYTHON[hypostyle] SCAN" in line for line in lines)


def test_polars_plan_has_the_kernels() -> None:
    plan = hs.lazy(FRAME.lazy()).with_columns(MEAN, hs.expanding_max("price").alias("top")).explain()
    assert 'INFO: m2 = rolling_mean("price", 2, over="symbol"), top = expanding_max("price")' in plan


def test_a_pipeline_is_explained(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "in.csv")
    toml = f"""
        [source]
        path = "{tmp_path / "in.csv"}"
        [[stage]]
        over = "symbol"
        [[stage.kernel]]
        name = "rolling_mean"
        column = "price"
        window = 2
        alias = "m2"
        [sink]
        path = "{tmp_path / "out.csv"}"
    """
    pipeline = hs.Pipeline(toml)
    assert hs.explain(pipeline) == pipeline.check()
    for part in ("over symbol", "rolling_mean", "window", "price"):
        assert part in hs.explain(pipeline)


def test_what_is_not_explained() -> None:
    with pytest.raises(ValueError, match=r"the LazyFrame has no stage: LazyFrame.hs.with_columns makes one"):
        hs.explain(FRAME.lazy().with_columns(MEAN))
    with pytest.raises(TypeError, match=r"takes the expression of a kernel, a compiled function, a Stage.*not a int"):
        hs.explain(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not a Expr"):
        hs.explain(pl.col("a"))  # type: ignore[arg-type]
