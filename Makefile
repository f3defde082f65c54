# Everything that a contributor runs; `make` alone lists it.
#
# A Rust toolchain, a C compiler and Python 3.10 or later are all that must be there.  Python packages go into .venv.
# Cargo decides what of the compiled part is out of date; .cargo/config.toml sees to it that maturin and cargo build it
# the same way, so that one never undoes the other's work.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
BIN := .venv/bin
BUILT := $(or $(CARGO_TARGET_DIR),target)
EXAMPLES := $(notdir $(basename $(wildcard crates/hypostyle/examples/*.rs)))
# Workers of Spark import the package as it lies here.
SPARK_TESTS := PYTHONPATH="$(CURDIR)/python:$(CURDIR)/tests/spark"
SPARK_OPTIONS := -q --override-ini addopts="--import-mode=importlib -p no:cacheprovider" tests/spark
SAIL_TEST := $(SPARK_TESTS) HYPOSTYLE_ENGINE=sail .venv-sail/bin/python -m pytest $(SPARK_OPTIONS)
ENGINES_TEST := PYTHONPATH="$(CURDIR)/python" RAY_AUTH_MODE=disabled .venv-engines/bin/python -m pytest -q \
  --override-ini addopts="--import-mode=importlib -p no:cacheprovider" tests/engines
TYPED := python/hypostyle python/hypostyle_cli python/hypostyle_profile data benches tools

.PHONY: help setup native demo test test-spark test-sail test-engines fuzz lint format house bench crash-test generate docs clean

help: ## List the targets
	@echo "Usage: make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: native ## Make .venv, install the tools into it and build the package (release)

demo: setup ## Run the demo pipeline; ROWS=n, or FILE=csv with PIPELINE=toml, or with COLUMN=name and OVER=name
	$(BIN)/python data/demo.py $(if $(ROWS),--rows $(ROWS)) $(if $(FILE),--file "$(FILE)") \
	  $(if $(PIPELINE),--pipeline "$(PIPELINE)") $(if $(COLUMN),--column "$(COLUMN)") $(if $(OVER),--over "$(OVER)")

test: setup .venv-sail/ready ## Run every test: Rust, doctests, examples, Python, README, Spark's plans on Sail
	cargo test --release --workspace
	for example in $(EXAMPLES); do "$(BUILT)/release/examples/$$example"; done
	cargo build --release -p own-kernels-python
	$(BIN)/python -m pytest -q -n auto
	$(SAIL_TEST)

test-spark: setup .venv-spark/ready .venv-sail/ready ## Test hypostyle.spark on Spark (classic and Connect; needs Java 17 or later) and on Sail
	@command -v java > /dev/null || { echo "Spark needs Java 17 or later: install openjdk-17-jre-headless or the like, or run make test-sail"; exit 1; }
	$(SPARK_TESTS) HYPOSTYLE_ENGINE=classic .venv-spark/bin/python -m pytest $(SPARK_OPTIONS)
	$(SPARK_TESTS) HYPOSTYLE_ENGINE=connect .venv-spark/bin/python -m pytest $(SPARK_OPTIONS)
	$(SAIL_TEST)

test-sail: setup .venv-sail/ready ## Test hypostyle.spark on Sail alone, without Java
	$(SAIL_TEST)

test-engines: setup .venv-engines/ready ## Test the recipes of docs/clusters.md on Ray Data, Daft and Dask, and print what orders they give
	$(ENGINES_TEST)
	for engine in ray daft dask; do .venv-engines/bin/python tests/engines/orders.py $$engine; done

fuzz: ## Look for inputs that break the CSV reader or pipeline files; SECONDS=n for each, TARGET=csv or toml
	for target in $(or $(TARGET),csv toml); do \
	  mkdir -p "fuzz/corpus/$$target"; \
	  cp fuzz/seeds/$$target/* "fuzz/corpus/$$target"; \
	  cargo +nightly fuzz run --sanitizer none "$$target" -- \
	    -max_total_time=$(or $(SECONDS),60) -max_len=4096 -timeout=20 < /dev/null; \
	done

lint: .venv/tools ## Check formatting, lints and types
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --release --workspace --all-targets -- -D warnings
	cargo clippy --release -p hypostyle-pipeline --no-default-features --all-targets -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=benches:tests/python:tools $(BIN)/mypy --strict $(TYPED)

format: .venv/tools ## Format everything
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

house: ## Print the layers of the crates: files, lines, and uses of a higher layer, if any
	$(PYTHON) tools/house.py

bench: setup .venv/peers ## Measure: criterion, then the comparison with other libraries; writes benches/results
	cargo bench --workspace --bench kernels
	$(BIN)/python benches/latency.py --write
	$(BIN)/python benches/calls.py --write
	$(BIN)/python benches/functions.py --write
	$(BIN)/python benches/compare.py --write
	$(BIN)/python benches/recurrences.py --write
	$(BIN)/python benches/keyed.py --write
	$(BIN)/python benches/pipeline.py --write
	$(BIN)/python benches/shapes.py --write
	$(BIN)/python benches/records.py --write
	$(BIN)/python benches/profiling.py --write
	$(BIN)/python benches/accuracy.py --write

crash-test: ## Kill runs at random moments, more than a thousand times, and compare the output with undisturbed runs
	HYPOSTYLE_KILL_ROUNDS=$(or $(ROUNDS),150) cargo test --release -p hypostyle-pipeline --test checkpoints killed -- --nocapture

generate: setup ## Write what follows from the catalog: functions, docs/kernels.md, docs/pipeline.schema.json, states of new kernels
	$(BIN)/python tools/generate.py
	$(BIN)/hypostyle schema > docs/pipeline.schema.json
	HYPOSTYLE_GOLDEN=write cargo test --release -p hypostyle --lib golden

docs: generate ## Build the Rust documentation and the generated pages
	RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps
	@echo "Rust: $(BUILT)/doc/hypostyle/index.html   Pages: docs/"

clean: ## Remove .venv and what the demo wrote; the compiled part stays
	rm -rf .venv .venv-spark .venv-sail .venv-engines data/trades.csv data/trades.rows data/*.parquet data/*.composed.toml

# maturin asks cargo what is out of date, and installs the package in place: python/ is what gets imported.
native: .venv/tools
	env -u CONDA_PREFIX VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/maturin develop --release

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or later is needed; name it: make PYTHON=python3.12" if sys.version_info < (3, 10) else 0)'
	$(PYTHON) -m venv .venv

.venv/tools: tools/requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# pyspark and pyspark-client overwrite each other, and neither belongs among the tools.
.venv-spark/ready: tests/spark/requirements-spark.txt
	$(PYTHON) -m venv .venv-spark
	.venv-spark/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv-sail/ready: tests/spark/requirements-sail.txt
	$(PYTHON) -m venv .venv-sail
	.venv-sail/bin/python -m pip install --quiet --disable-pip-version-check -r $< || { \
	  echo "Sail cannot be installed: the error above says why, such as no package of pysail for this platform"; exit 1; }
	@touch $@

.venv-engines/ready: tests/engines/requirements.txt
	$(PYTHON) -m venv .venv-engines
	.venv-engines/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv/peers: benches/requirements.txt | .venv/tools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
