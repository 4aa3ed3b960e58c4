# The commands of this project. Each installs what it needs first: make/prepare.sh, which says so on stderr and is quick when all is there.
# Tools are called as modules of .venv and paths are relative, so that a folder may have a space in its name.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
SOJOURN := .venv/bin/sojourn
ARGS =
# What was compiled is kept: a shell that forbids it would make every start compile everything again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install check test chaos demo dev cluster bench clean packages server lint

help: ## Print this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

install: server ## Install all that the other commands need: the locked packages into .venv, the Temporal CLI into your cache.

check: packages lint ## Judge the code: ruff, import contracts, mypy, and the tests of the core and the house. Under 30 seconds.
	@types=.venv/types; $(PYTHON) -m mypy >$$types 2>&1 & typing=$$!; \
	$(PYTHON) -m pytest -n 2 tests/core tests/house; tested=$$?; \
	wait $$typing; typed=$$?; cat $$types; exit $$((tested + typed))

test: server lint ## Run every test, with real servers on this machine, after ruff, import contracts and mypy. Under 15 minutes.
	@$(PYTHON) -m mypy
	@LAWS=1500 $(PYTHON) -m pytest -n 2 --dist loadgroup $(ARGS)

chaos: server ## Kill everything at every moment, on both databases, and count what arrived; writes chaos-results.json.
	@sh make/chaos.sh $(ARGS)

demo: server ## See the example happen, and look around. With EXIT=1 it ends by itself; its last line is one JSON object.
	@$(SOJOURN) demo $(if $(filter-out 0 no false,$(EXIT)),--exit) $(ARGS)

dev: server ## Run Sojourn on this machine: API, worker, Temporal server.
	@$(SOJOURN) dev $(ARGS)

cluster: server ## Sojourn as on many machines: PostgreSQL, Temporal as in production, 2 APIs, 3 workers, two of which go. STAY=1 keeps it up.
	@$(PYTHON) -m demo.cluster $(if $(filter-out 0 no false,$(STAY)),--stay) $(ARGS)

bench: server ## Measure the use case beside a hand-written workflow; writes bench/results.json. DATABASE=postgresql as in production.
	@$(PYTHON) -m bench.run $(if $(DATABASE),--database $(DATABASE)) $(ARGS)

clean: ## Remove what was installed and made in this folder. Your cache stays, and what Sojourn stored in .sojourn.
	@rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

packages:
	@sh make/prepare.sh

server:
	@sh make/prepare.sh server

lint: packages
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@.venv/bin/lint-imports --no-logo
