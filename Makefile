# feedsim. `make help` lists the targets. Needs a POSIX shell, make and a Python >= 3.11; installs only into $(VENV).

# Where a new $(VENV) takes its interpreter from: the first of these that works. Only read while there is no $(VENV).
PYTHON ?= python3.13 python3.12 python3.11 python3 python
VENV ?= .venv
# Passed on to the command: make serve ARGS="--speed 10", make test ARGS="-k wire"
ARGS ?=

BIN := $(VENV)/bin
# Each candidate is run, not looked up: a shim without a version behind it, or a Python without venv, is passed over.
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
# The Autobahn|Testsuite is a program for CPython 2.7: the first of these that works runs it.
PYTHON2 ?= python2.7 python2 $(HOME)/.pyenv/versions/2.7*/bin/python
AUTOBAHN := .autobahn/.tried
NODE_MODULES := clients/node/node_modules/.package-lock.json

.PHONY: help serve test test-full autobahn lint format bench goldens holidays pictures clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1	/p' $(MAKEFILE_LIST)

serve: $(VENV)/.installed ## set up .venv and serve the synthetic market on ws://127.0.0.1:8765 (ARGS: what to serve, options)
	@$(BIN)/feedsim serve $(ARGS)

test: $(VENV)/.developing $(NODE_MODULES) $(AUTOBAHN) ## set up .venv with the development packages and run all the tests (ARGS: for pytest)
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

test-full: $(VENV)/.developing $(AUTOBAHN) ## what is tried at random or under load, at length: up to an hour
	$(BIN)/python -m pytest -m full --full $(ARGS)

autobahn: ## set up the Autobahn|Testsuite, which the tests of the WebSocket standard need, where there is a CPython 2.7
	rm -rf .autobahn
	$(MAKE) $(AUTOBAHN)

lint: $(VENV)/.developing ## ruff, mypy --strict and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.developing ## rewrite the code in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.developing $(NODE_MODULES) ## print the figures of benchmarks/ and keep them in results.json (ARGS: which)
	$(BIN)/python -m benchmarks $(ARGS)

goldens: $(VENV)/.developing ## write the golden files of the tests anew; read the diff before you commit it
	FEEDSIM_WRITE_GOLDENS=1 $(BIN)/python -m pytest -k golden $(ARGS)

pictures: $(VENV)/.developing ## make the tables and pictures of docs/scenarios.md anew (ARGS: names of scenarios)
	$(BIN)/python -m tests.docs.make_pictures $(ARGS)

holidays: $(VENV)/.developing ## make the table of holidays anew from pandas-market-calendars
	$(BIN)/python -m tests.instruments.make_holidays

clean: ## remove .venv, installed packages, builds and caches
	rm -rf $(VENV) .autobahn clients/node/node_modules build dist .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are written last, so a set-up that was broken off is begun again.
$(VENV)/.created:
	@for python in $(PYTHON); do \
		if "$$python" -c '$(USABLE)' 2>/dev/null; then \
			echo "setting up $(VENV) with $$("$$python" --version)"; \
			"$$python" -m venv --clear $(VENV) && touch $@; \
			exit; \
		fi; \
	done; \
	echo "no Python >= 3.11 with its venv module among: $(PYTHON)" >&2; \
	echo "name another with PYTHON=/path/to/python3; on Debian and Ubuntu the module is in the package python3-venv" >&2; \
	exit 1

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --editable .
	@touch $@

# The development packages include the others: both stamps hold afterwards.
$(VENV)/.developing: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --editable '.[dev]'
	@touch $(VENV)/.installed $@

# The Node client is an example: without npm its tests are skipped and say so.
$(NODE_MODULES): clients/node/package-lock.json
	@if command -v npm >/dev/null; then \
		npm ci --prefix clients/node --no-audit --no-fund && touch $@; \
	else \
		echo "npm was not found: the tests of clients/node will be skipped"; \
	fi

# The last virtualenv that knows Python 2.7 makes the environment. Without all this, its test is skipped and says so.
$(AUTOBAHN): | $(VENV)/.created
	@mkdir -p .autobahn
	@for python in $(PYTHON2); do \
		if "$$python" -c 'import sys, ssl; sys.exit(sys.version_info[:2] != (2, 7))' 2>/dev/null; then \
			echo "setting up the Autobahn|Testsuite with $$("$$python" --version 2>&1)"; \
			$(BIN)/python -m venv .autobahn/maker && \
			.autobahn/maker/bin/pip install --quiet --disable-pip-version-check 'virtualenv<20.22' && \
			.autobahn/maker/bin/virtualenv --quiet --python "$$python" .autobahn && \
			.autobahn/bin/pip install --quiet --disable-pip-version-check autobahntestsuite 2>.autobahn/log || \
			echo "the Autobahn|Testsuite could not be set up: its test will be skipped (.autobahn/log)"; \
			break; \
		fi; \
	done
	@touch $@
