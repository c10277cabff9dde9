# `make` alone lists the targets. Everything is installed in .venv; PYTHON chooses the interpreter.
PYTHON ?= python3
bin := .venv/bin
ARGS ?=
# Two processes with a cluster each; PARALLEL= for one.
PARALLEL ?= -n 2 --dist worksteal

# The data of this checkout, for run, dev and psql. PostgreSQL does not run as root, and the account
# that it then takes can't enter a checkout in root's home: root's data is elsewhere.
ifeq ($(shell id -u),0)
data := /var/lib/rowcast-checkouts/$(notdir $(CURDIR))-$(firstword $(shell printf %s '$(CURDIR)' | cksum))
else
data := $(CURDIR)/rowcast-data
endif

.DEFAULT_GOAL := help
.PHONY: help run dev test test-postgres-15 test-container lint types check bench model fuzz bundle permissions examples psql mail image env clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/installed ## serve the demo on http://127.0.0.1:8080, with a PostgreSQL of its own
	@exec $(bin)/rowcast demo $(ARGS)

dev: .venv/installed-dev ## the same, reloading on save: Python by a restart, SQL in place
	@exec $(bin)/python tools/dev.py $(ARGS)

test: .venv/installed-dev ## the test suite (REQUIRE_ALL=1: a skip is a failure; ARGS: for pytest)
	$(bin)/pytest $(PARALLEL) $(ARGS)

test-postgres-15: .venv/installed-dev ## the suite on the PostgreSQL 15 of Debian
	ROWCAST_TEST_POSTGRES=/usr/lib/postgresql/15/bin $(bin)/pytest $(PARALLEL) $(ARGS)

test-container: .venv/installed-dev ## the suite on a postgres:17 container (needs Docker)
	ROWCAST_TEST_POSTGRES=container:postgres:17 $(bin)/pytest $(PARALLEL) $(ARGS)

lint: .venv/installed-dev ## ruff: rules and format
	$(bin)/ruff check
	$(bin)/ruff format --check

types: .venv/installed-dev ## mypy, strict
	$(bin)/mypy

check: lint types test ## all that CI runs, but other PostgreSQLs and containers

fuzz: .venv/installed-dev ## schemathesis: EXAMPLES (1000) requests to each operation of the API, of every kind
	EXAMPLES=$(or $(EXAMPLES),1000) $(bin)/pytest -s $(PARALLEL) tests/openapi/test_schemathesis.py $(ARGS)

model: .venv/installed-dev ## the model test at length: MODEL_EXAMPLES (1000) runs of the machine from MODEL_SEED (1)
	MODEL_EXAMPLES=$(or $(MODEL_EXAMPLES),1000) MODEL_SEED=$(or $(MODEL_SEED),1) $(bin)/pytest -s tests/model/test_model.py $(ARGS)

bench: .venv/installed-dev ## measure what it costs, as ratios (ARGS: see python -m bench --help)
	$(bin)/python -m bench $(ARGS)

bundle: .venv/installed ## raise the number in sql/BUNDLE after an edit in sql/
	@$(bin)/python -c "from rowcast.schema import write_bundle_number as w; print('bundle', w().number)"

permissions: .venv/installed ## make docs/permissions.md of the table in tests/permissions
	@PYTHONPATH=tests $(bin)/python tools/permission_page.py

examples: .venv/installed-dev ## record the examples of the API's document anew
	@WRITE_EXAMPLES=1 $(bin)/pytest -q tests/openapi -k examples_are

psql: .venv/installed ## psql in the database of `make run`, as its superuser
	@$(bin)/python tools/psql.py $(ARGS)

mail: .venv/installed ## the last mails of `make run`, which go nowhere without ROWCAST_SMTP_URL
	@$(bin)/rowcast mail list $(ARGS)

image: ## build the container image rowcast:local (needs Docker; ARGS: for docker build)
	docker build -t rowcast:local $(ARGS) .

env: ## write .env for docker-compose.yml, with new secrets, unless there is one
	@test -e .env && echo ".env is there already" || (umask 077 && $(PYTHON) -c "import secrets; \
	[print(name + '=' + secrets.token_hex(32)) for name in \
	('POSTGRES_PASSWORD', 'ROWCAST_SERVER_PASSWORD', 'ROWCAST_SECRET_KEY')]" > .env)

clean: ## remove what was built, installed and cached; the data stay
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

run dev psql mail: export ROWCAST_DATA_DIR ?= $(data)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit( \
	  "Rowcast needs Python 3.11 or later, and $(PYTHON) is %d.%d: make PYTHON=…" % sys.version_info[:2])'
	@$(PYTHON) -c 'import venv, ensurepip' || { \
	  echo "$(PYTHON) lacks venv; on Debian: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(bin)/pip install --disable-pip-version-check -e .
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(bin)/pip install --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/installed
