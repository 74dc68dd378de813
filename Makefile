# Needs Python 3.11 or later, git and make. Everything else goes into .venv, inside this folder.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv
PIP := $(VENV)/bin/python -m pip install --root-user-action=ignore --require-virtualenv
UV_COMPILE := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.installed ## install what is missing, then serve all five APIs with the demo
	@exec $(VENV)/bin/openorders serve --demo

.PHONY: install
install: $(VENV)/.installed-dev ## install the server and everything the checks need into .venv

.PHONY: test
test: install ## run every test
	@$(VENV)/bin/python -m pytest

.PHONY: check
check: install ## what must pass before a merge: format, lint, types, tests
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/pyright
	@$(MAKE) test

.PHONY: format
format: install ## rewrite the code in the one format, and fix what ruff can fix
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

.PHONY: bench
bench: install ## measure every case beside its limit; ARGS=--quick to see that it runs, ARGS=--help
	@$(VENV)/bin/python -m bench $(ARGS)

.PHONY: browser
browser: install ## the tests that need a Chromium
	@$(VENV)/bin/python -m pytest tests/browser

.PHONY: chaos
chaos: install ## kill everything while 10,000 buyers buy, and compare all that was said of it
	@$(VENV)/bin/python -m tests.chaos --orders 10000

.PHONY: lock
lock: install ## resolve the dependencies of pyproject.toml afresh into requirements/
	@$(UV_COMPILE) --upgrade pyproject.toml --group build --output-file requirements/run.txt
	@$(UV_COMPILE) --upgrade pyproject.toml --group build --group dev \
		--constraints requirements/run.txt --output-file requirements/dev.txt

.PHONY: clean
clean: ## remove .venv and what the tools leave behind
	@rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build dist

# The first Python that is new enough and can make environments; PYTHON=... overrides.
$(VENV)/bin/python:
	@for python in $(PYTHON) python3.11 python3 python3.13 python3.12 /usr/bin/python3; do \
		if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null; then exec $$python -m venv $(VENV); fi; \
	done; echo 'openorders needs Python 3.11 or later, with its venv module.' >&2; exit 1

# Stamps: a repeated `make` starts no installer unless the lock or the packaging changed.
$(VENV)/.installed: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo 'Installing openorders into $(VENV) (once, about half a minute) ...'
	@$(PIP) --require-hashes --requirement requirements/run.txt
	@$(PIP) --quiet --no-deps --no-build-isolation --editable .
	@$(VENV)/bin/python -m compileall -q src
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed
	@echo 'Installing what the checks need into $(VENV) (once) ...'
	@$(PIP) --require-hashes --requirement requirements/dev.txt
	@touch $@
