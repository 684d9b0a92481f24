# The one task runner; .ci/run calls it too. `make help` lists what it can do.

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-postgresql test-compiled compiled check fix fuzz audit bench docs words lock clean dev peers bench-peers bench-page
SHELL := /bin/sh

# Bytecode is written: without it the identity provider needs three times as long to start.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
export PATH := $(PATH):/usr/sbin:/sbin

help:
	@echo "make demo      protect a demonstration application, here and now (ARGS=\"--https-port 9443\" passes options)"
	@echo "make test      set up and run every check and test, real browser and real peers included"
	@echo "make check     formatter, linter, types, import rules"
	@echo "make fix       format, and repair what the linter can repair"
	@echo "make fuzz      look for inputs that the parsers get wrong (ARGS=\"http1 --seconds 60\")"
	@echo "make audit     ask the package index whether holes are known in what is locked; needs its vulnerability service"
	@echo "make bench     what a request costs, beside real Traefik, nginx and HAProxy (ARGS=\"--quick tls\", ARGS=--list)"
	@echo "make compiled  the program with its hot modules compiled, in build/compiled (PYTHONPATH=build/compiled $(BIN)/doorward ...)"
	@echo "make test-postgresql  the identity provider's tests on PostgreSQL instead of SQLite"
	@echo "make test-compiled  the tests of what is compiled, on that"
	@echo "make docs      build the documentation into site/"
	@echo "make venv      prepare .venv with what the program needs (make demo does it by itself)"
	@echo "make words     collect the texts that are marked for translation into the message files"
	@echo "make lock      renew the locked requirements"
	@echo "make clean     remove what the other targets made"

# --- the virtual environment: one stamp file per stage, so that the second time is free ----------------------------

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Doorward needs Python 3.11 or later: apt-get install python3 python3-venv" >&2; exit 1; }
	@if ! "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then \
		version=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing python$$version-venv, which Python's own venv needs on Debian and Ubuntu"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python$$version-venv; \
		else \
			echo "Python's venv module is missing. Install it and try again:" >&2; \
			echo "    sudo apt-get install python$$version-venv" >&2; exit 1; \
		fi; fi
	"$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt \
		|| echo "uv has no wheel for this machine; pip does its work"
	@touch $@

# $(call install,FILES): exactly these locked packages, then this project as it lies here.
define install
	@if [ -x $(BIN)/uv ]; then \
		$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes --compile-bytecode $(1) && \
		$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
		$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes $(addprefix -r ,$(1)) && \
		$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@$(BIN)/python -m compileall -q src
endef

$(VENV)/.core: $(VENV)/.made requirements/core.txt requirements/build.txt pyproject.toml
	@echo "Installing what the program needs into $(VENV)"
	$(call install,requirements/build.txt requirements/core.txt)
	@rm -f $(VENV)/.dev
	@touch $@

$(VENV)/.dev: $(VENV)/.made requirements/dev.txt requirements/build.txt pyproject.toml
	@echo "Installing what the tests need into $(VENV)"
	$(call install,requirements/build.txt requirements/dev.txt)
	@touch $(VENV)/.core $@

venv: $(VENV)/.core

dev: $(VENV)/.dev

# --- the two commands ---------------------------------------------------------------------------------------------

demo: venv
	@exec $(BIN)/doorward demo $(ARGS)

test: dev peers check
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)
	@test -n "$(ARGS)" || $(MAKE) --no-print-directory test-postgresql ARGS="$(WITH_ROWS)"

# The identity provider on PostgreSQL too: `make test` does it for the rooms in which a database may matter,
# `make test-postgresql` for all of it.
WITH_ROWS := $(addprefix tests/identity/,applications authenticators bootstrap chores crypto directory events logins oauth2 \
	outposts policies remembered rpc sources)
test-postgresql: dev peers
	$(BIN)/python tests/peers/postgresql.py $(BIN)/python -m pytest -n 2 --dist loadfile $(or $(ARGS),tests/identity)

# --- the hot modules, compiled (docs/decisions/0005-compiled.md): the source stays the reference -----------------------

compiled: dev
	$(BIN)/python compile_hot.py build/compiled

COMPILED_TESTS := tests/wire tests/net tests/proxy tests/fuzz tests/security tests/assembly/test_express_desk.py \
	tests/assembly/test_express_lane.py tests/assembly/test_express_leftovers.py
test-compiled: compiled
	PYTHONPATH=build/compiled $(BIN)/python -m pytest $(or $(ARGS),$(COMPILED_TESTS))

# --- peers from the distribution: installed where we may, named where we may not ------------------------------------

# $(call debian,COMMAND:PACKAGE …)
define debian
	@missing=""; for pair in $(1); do \
		command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair#*:}"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing$$missing"; \
		apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
		echo "Real peers are missing. Install them and try again:" >&2; \
		echo "    sudo apt-get install --no-install-recommends$$missing" >&2; exit 1; \
	fi
endef

peers:
	$(call debian,chromium:chromium nginx:nginx-light haproxy:haproxy apache2:libapache2-mod-auth-openidc certutil:libnss3-tools \
		slapd:slapd xmlsec1:xmlsec1 pg_createcluster:postgresql node:nodejs npm:npm)

bench-peers:
	$(call debian,wrk:wrk h2load:nghttp2-client nginx:nginx-light haproxy:haproxy)

# --- the workshop ---------------------------------------------------------------------------------------------------

check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@mkdir -p build/mypy  # where Django's settings, which the type checker reads, keep their key
	DOORWARD_DATA=build/mypy $(BIN)/mypy
	$(BIN)/lint-imports

fix: dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: dev
	PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

# Not a part of `make test`: it asks a service on the network, and what that knows changes without us. --strict: what
# could not be looked up is a failure, never a clean bill.
build/audit/.made: requirements/audit.txt $(VENV)/.made
	"$(BIN)/python" -m venv --clear build/audit
	build/audit/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@touch $@

audit: build/audit/.made
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		$(or $(ARGS),-r requirements/core.txt -r requirements/dev.txt)

bench: dev bench-peers
	PYTHONPATH=tests $(BIN)/python bench/run.py $(ARGS)

bench-page:
	$(BIN)/python bench/page.py

words: dev
	DOORWARD_DATA=build/mypy $(BIN)/python docs/tools/messages.py

docs: dev
	$(BIN)/python docs/tools/reference.py
	$(BIN)/zensical build --clean

LOCK := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: $(VENV)/.made
	$(BIN)/$(LOCK) requirements/uv.in -o requirements/uv.txt
	$(BIN)/$(LOCK) requirements/build.in -o requirements/build.txt
	$(BIN)/$(LOCK) requirements/audit.in -o requirements/audit.txt
	$(BIN)/$(LOCK) pyproject.toml -o requirements/core.txt
	$(BIN)/$(LOCK) pyproject.toml requirements/dev.in -c requirements/build.txt -o requirements/dev.txt

clean:
	rm -rf $(VENV) build dist site test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
