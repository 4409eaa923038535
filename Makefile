# Everything that a newcomer, a developer and CI say to this project. A fresh clone needs Python 3.11 or newer (with pip) and gcc.

PYTHON ?= python3
HOME_DIR ?= var
SEEDS ?= 20000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n auto --dist worksteal
FIX_STORMS := tests/wire/test_fix_session_storm.py tests/links/test_fix_quickfix.py
JSON_SEEDS ?= 1000
FUZZ_S ?= 600
KERNELS := $(wildcard src/participant/core/_[a-z]*.py src/participant/wire/fix/_[a-z]*.py)
CODE := src tests examples setup.py $(wildcard bench)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check bench assurance docs paperlimits lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/built  ## set up if needed, then trade one made day in lockstep, on paper
	@$(BIN)/participant trade --lockstep --home $(HOME_DIR)

test: $(VENV)/dev $(VENV)/built  ## every test, with branch coverage of core and stages
	@$(PYTEST) $(PARALLEL) --cov --cov-report=term --ignore=tests/sim --ignore=tests/desk
	@$(BIN)/python -m tests.excepts >$(VENV)/excepts.txt || { grep NOT $(VENV)/excepts.txt; exit 1; }
	@$(PYTEST) $(PARALLEL) tests/sim tests/desk  # whole days: in processes of their own, and too many to be traced

check: $(VENV)/dev $(VENV)/built  ## format, lint, types, imports and the quick tests: under a minute
	@$(BIN)/ruff format --check --quiet --output-format=concise $(CODE) || { echo "mend with: $(BIN)/ruff format $(CODE)"; exit 1; }
	@$(BIN)/ruff check --quiet --output-format=concise $(CODE)
	@$(BIN)/mypy --no-error-summary
	@said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; exit 1; }
	@$(PYTEST) $(PARALLEL) $(wildcard tests/core tests/ports tests/stages) tests/test_tidy.py

bench: $(VENV)/dev $(VENV)/built  ## measure speed
	@if [ -d bench ]; then $(BIN)/python -m bench; else echo "no benchmarks yet: bench/ does not exist"; fi

assurance: $(VENV)/dev $(VENV)/built  ## simulated days, FIX sessions, JSON and fail-over with faults, many seeds (SEEDS=20000); note the result in docs/assurance.md
	@PARTICIPANT_SEEDS=$(SEEDS) $(PYTEST) $(PARALLEL) tests/sim
	@PARTICIPANT_SEEDS=$(SEEDS) PARTICIPANT_REFRESHES=100000 $(PYTEST) $(PARALLEL) $(FIX_STORMS)
	@PARTICIPANT_SEEDS=$(JSON_SEEDS) $(PYTEST) $(PARALLEL) tests/wire/test_json_map_fuzz.py
	@$(BIN)/python -m tests.wire.guided --seconds $(FUZZ_S)
	@$(BIN)/python -m tests.failover

docs: $(VENV)/dev $(VENV)/built  ## check that the documents name every command, setting and port
	@$(PYTEST) tests/test_tidy.py $(wildcard tests/docs)

paperlimits: $(VENV)/run  ## sign the paper limits that ship, after a change, with a key that is thrown away
	@cd src/participant/limits && rm -f paper.key && PYTHONPATH=../.. ../../../$(BIN)/python -c 'from pathlib import Path; \
	from participant.links.keys import LIMITS, make_key, sign; key = Path("paper.key"); \
	Path("paper.pub").write_text(make_key(key) + "\n"); \
	Path("paper.toml.sig").write_text(sign(key, LIMITS, Path("paper.toml").read_bytes()) + "\n")' && rm -f paper.key

lock: $(BIN)/python  ## write locks/ anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	@test -x $(BIN)/uv || $(PIP) install uv==0.13.9
	@$(call compile,locks/run.txt,--group build)
	@$(call compile,locks/dev.txt,--group build --group dev --constraints locks/run.txt)

clean:  ## remove what was built and cached; what a run wrote (var/) stays
	@rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
	@rm -f src/participant/core/_*.so src/participant/wire/fix/_*.so
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: each step leaves a stamp, so that a second call does nothing ---------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "needs Python 3.11 or newer: say make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up .venv (once) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run: locks/run.txt | $(BIN)/python
	@$(PIP) install --require-hashes -r locks/run.txt
	@touch $@

$(VENV)/dev: locks/dev.txt $(VENV)/run
	@$(PIP) install --require-hashes -r locks/dev.txt
	@touch $@

$(VENV)/built: $(VENV)/run pyproject.toml setup.py $(KERNELS) $(wildcard src/participant/core/*.pxd src/participant/wire/fix/*.pxd)
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@for kernel in $(KERNELS:.py=); do ls $$kernel.*.so >/dev/null 2>&1 \
	  || echo "note: $$kernel.py is not compiled (is gcc installed?): it runs as plain Python, slower, with equal results"; done
	@touch $@

# Requirements style, with the hashes of every wheel and sdist, for every platform; no host is named.
define compile
$(BIN)/uv --no-config pip compile pyproject.toml $(2) --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links --no-strip-extras --quiet $(UPGRADE) --output-file $(1) >/dev/null
endef
