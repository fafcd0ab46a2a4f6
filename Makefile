# make run, make test, make dev, make check. Each sets up .venv first; nothing else is needed than
# Python 3.11 or later and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
# A file of tests in one worker, in the order of tests/conftest.py: the longest first.
SPREAD := --dist loadfile --no-loadscope-reorder

.PHONY: run test unit soak dev check format bench same lock upgrade samples sessions clean

run: $(STAMP)
	$(BIN)/fundflows init
	$(BIN)/python -m samples.add
	$(BIN)/fundflows run

test: $(STAMP)
	$(BIN)/python -m pytest -n auto $(SPREAD)

unit: $(STAMP)
	$(BIN)/python -m pytest -n auto $(SPREAD) -m "not browser and not slow and not real"

# What `make test` does a little of, at length: kills at random moments, readers beside runs, drawn
# histories and worlds. An hour or two.
soak: $(STAMP)
	FUNDFLOWS_KILLS=5 FUNDFLOWS_HISTORIES=2000 FUNDFLOWS_WORLDS=1000 FUNDFLOWS_STRESS_SECONDS=120 \
	    $(BIN)/python -m pytest -rP tests/test_kill_random.py tests/test_stress.py \
	    tests/test_as_known.py tests/oracle/test_oracle_worlds.py

# About a quarter of an hour on two quiet cores; prints tables for docs/benchmarks.md.
bench: $(STAMP)
	$(BIN)/python -m benchmarks

# make same OLD=main NEW=. ALLOW=allowed.toml; see docs/comparing-builds.md.
same: $(STAMP)
	$(BIN)/python -m tests.same "$(OLD)" "$(NEW)" $(if $(ALLOW),--allow "$(ALLOW)") $(OPTIONS)

dev: $(STAMP)
	$(BIN)/fundflows ui

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint sql

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

samples: $(STAMP)
	$(BIN)/python -m samples.make

# Writes the calendars of markets to sql/reference, once a year (decision 23). What it needs stands in
# an environment of its own: no run and no test imports it.
sessions:
	$(PYTHON) -m venv $(VENV)-sessions
	$(VENV)-sessions/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r sql/sessions.lock
	$(VENV)-sessions/bin/python sql/sessions.py
	rm -rf $(VENV)-sessions

# Writes requirements.lock: `lock` keeps what fits the ranges, `upgrade` takes the newest that do.
LOCK := $(BIN)/uv pip compile --group dev pyproject.toml --universal --generate-hashes \
    --no-emit-index-url --no-header --no-strip-extras --python-version 3.11 -o requirements.lock

lock: $(STAMP)
	$(LOCK)

upgrade: $(STAMP)
	$(LOCK) --upgrade

# Bytecode is compiled at install: without it every process spends a second more on imports.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("fundflows needs Python 3.11 to 3.13, not %d.%d: set PYTHON=..." % sys.version_info[:2] if not (3, 11) <= sys.version_info[:2] <= (3, 13) else 0)'
	$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: on Debian, apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf $(VENV) .same .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
