# What a person types here. `make` alone shows this list.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# WeasyPrint lays out text with Pango; the rest is how Debian splits Python.
APT_RUN := python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
# A real browser for the functional tests; libatomic is needed by its driver. The guide to the API
# is run as it stands, with curl and jq.
APT_TEST := $(APT_RUN) chromium libatomic1 curl jq

# How many tests run side by side; each process starts servers of its own.
JOBS ?= 2

# More options for the one program a target runs: `make test ARGS="-k settings"`.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test setup setup-test lint types arch unit fuzz gate proofs lock clean

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: setup ## Start everything with the demo tenant, print the address; Ctrl-C stops it.
	@$(BIN)/imprimatur up --demo $(ARGS)

setup: $(VENV)/.ready-to-run ## Install what running needs into .venv.

setup-test: $(VENV)/.ready-to-test ## Install what testing needs as well.

test: setup-test lint types arch ## Check everything, the quick checks first.
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadscope --no-loadscope-reorder $(ARGS)

unit: setup-test ## Run the tests that need no server.
	$(BIN)/python -m pytest tests/unit tests/architecture $(ARGS)

lint: setup-test ## Judge style and format.
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup-test ## Check types, strictly.
	$(BIN)/mypy

arch: setup-test ## Check that imports only point down.
	$(BIN)/lint-imports --no-logo

fuzz: setup-test ## EXAMPLES (100) cases an API operation and role; 5,000 names; MINUTES (5) of texts.
	FUZZ_EXAMPLES=$(or $(EXAMPLES),100) $(BIN)/python -m pytest tests/functional/test_api_schemathesis.py $(ARGS)
	NAMES=5000 $(BIN)/python -m pytest tests/unit/templates_lib/test_ways.py -k random_names $(ARGS)
	$(BIN)/python -m benchmarks.compliance_fuzz --minutes $(or $(MINUTES),5)

gate: setup-test ## Try the gate: RUNS (500) times STEPS (50) random acts, then every seeded fault.
	GATE_RUNS=$(or $(RUNS),500) GATE_STEPS=$(or $(STEPS),50) $(BIN)/python -m pytest tests/integration/test_gate_machine.py $(ARGS)
	GATE_FAULTS=all $(BIN)/python -m pytest -s tests/integration/test_gate_faults.py $(ARGS)

proofs: setup-test ## 200 pairs of opposite decisions, 8 × 1,000 entries at once, 60 pieces while processes are killed.
	PAIRS=200 ACTS=1000 $(BIN)/python -m pytest tests/integration/test_simultaneous_work.py $(ARGS)
	CAMPAIGN_PIECES=60 $(BIN)/python -m pytest tests/functional/test_campaign.py $(ARGS)

lock: setup-test ## Resolve both requirements files anew from pyproject.toml.
	bin/lock

clean: ## Remove the environment and caches; the data directory stays.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The stamps are newer than what they were made from, so a second `make run` starts at once.
$(VENV)/.ready-to-run: requirements.txt requirements-uv.txt pyproject.toml bin/venv bin/apt-need
	@bin/apt-need $(APT_RUN)
	@PYTHON=$(PYTHON) bin/venv requirements.txt
	@touch $@

$(VENV)/.ready-to-test: requirements-dev.txt requirements-uv.txt pyproject.toml bin/venv bin/apt-need
	@bin/apt-need $(APT_TEST)
	@PYTHON=$(PYTHON) bin/venv requirements-dev.txt
	@touch $@ $(VENV)/.ready-to-run
