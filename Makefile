# Every command of the project. Setup happens by itself, from the hashed lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A parent's wish to write no bytecode would double the start-up time of every command.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up test real silos faults soak browser lint format bench lock clean

help: ## Shows this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Pip compiles on one core, and tests of libraries too; some library has a file that is no Python on purpose.
setup: $(VENV)/.ready ## Makes .venv from the lock (uv where it is there, else pip)

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| (echo 'Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 $(MAKECMDGOALS)'; exit 1)
	@echo 'Setting up $(VENV); this takes a minute or two, once.'
	@if command -v uv >/dev/null; then \
		uv venv --quiet --clear --python $(PYTHON) $(VENV) \
		&& uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock \
		&& uv pip install --quiet --python $(BIN)/python --no-deps -e .; \
	else \
		$(PYTHON) -m venv --clear $(VENV) \
		&& $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock \
		&& $(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e . \
		&& ($(BIN)/python -m compileall -q -j 0 -x /tests/ $(VENV)/lib >$(VENV)/compiled.txt || true); \
	fi
	@$(BIN)/python -m compileall -q orchestration zhongtai
	@touch $@

demo: setup ## Makes a company with ten silos, and runs it from its files to a published release
	@$(BIN)/zhongtai simulate --merchant qinghe
	@$(BIN)/zhongtai run --merchant qinghe

up: setup ## Serves the Dagster UI and daemon on port 3000
	@$(BIN)/zhongtai up --merchant $(or $(ZHONGTAI_MERCHANT),qinghe)

test: setup ## Runs the tests, in parallel
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not browser and not real and not silos and not faults and not soak'

real: setup ## Whole runs of the real merchants: against independent calculations, while being read, refused
	$(BIN)/pytest -n 2 --dist loadfile -m real

silos: setup ## Compares the simulated company with an independent reading, also without each silo
	$(BIN)/pytest -n 2 -m silos

faults: setup ## Named bad inputs, servers that fail, and a real PostgreSQL (needs postgresql)
	$(BIN)/pytest -n 2 --dist loadfile -m 'faults and not soak'

soak: setup ## Corrupts 10,000 files, kills 20 runs, tries 50 sequences of arrivals; takes long
	$(BIN)/pytest -n 2 -m soak

browser: setup ## Looks at the UI in a real browser (needs chromium)
	$(BIN)/pytest -m browser

lint: setup ## Checks style and types of Python and SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar transform/models transform/macros

format: setup ## Mends what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --disable-progress-bar transform/models

bench: setup ## Measures a run against its bare SQL, ingest against bare readers, and landed to released
	$(BIN)/python benchmarks/run_overhead.py
	$(BIN)/python benchmarks/ingest_speed.py
	$(BIN)/python -m benchmarks.arrival_to_release

lock: ## Resolves the dependencies again (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-strip-extras --all-extras \
		--python-version 3.11 --quiet --upgrade --output-file requirements.lock pyproject.toml

clean: ## Removes the environment and caches; data stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
