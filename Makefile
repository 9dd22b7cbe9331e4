# Two commands: `make run` sets up and shows the main job, `make test` sets up and runs every test.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
CLAW   := $(BIN)/clawbench
TRL    := $(BIN)/trajectoryrl

.PHONY: run test check format protocol bench soak clean
.DEFAULT_GOAL := run

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "clawbench needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing clawbench into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@$(BIN)/python -m compileall -q clawbench trajectoryrl
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "installing clawbench and its development tools into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@$(BIN)/python -m compileall -q clawbench trajectoryrl
	@touch $@ $(VENV)/.installed

run: $(VENV)/.installed
	@$(CLAW) run scenarios/client_escalation.yaml --pack packs/careful
	@$(CLAW) run scenarios/client_escalation.yaml --pack packs/reckless; \
		status=$$?; if [ $$status -ne 1 ]; then echo "reckless was expected to fail (exit 1), not $$status"; exit 1; fi
	@$(TRL) tournament packs/*

test: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.interpreters
	@$(BIN)/python -m pytest -n 2

check: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.installed-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

protocol: $(VENV)/.installed
	@$(BIN)/python -m trajectoryrl.protocol --update

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m benchmarks

# What takes longer than a test may: 10,000 simulated epochs of the loop, WHOLE_EPOCHS (10,000) of whole validators (a
# failure names its seed), a SIGKILL at every fault point, 24 days in one process. An hour or more on two cores.
soak: $(VENV)/.installed-dev
	@SOAK=1 SIMULATED_EPOCHS=10000 $(BIN)/python -m pytest -n 2 tests/simulation tests/faults

clean:
	@rm -rf $(VENV) .venv-* .mypy_cache .ruff_cache .pytest_cache build dist
