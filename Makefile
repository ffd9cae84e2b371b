# Two commands: `make run` starts the arena, `make test` proves it. `make help` lists the rest.
# What a bare Debian or Ubuntu needs beforehand:
APT_LINE := sudo apt install make git python3-venv libgomp1

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
PYTHON := $(VENV)/bin/python
ARGS ?=
MACHINERY_PACKAGES := redis-server chromium fonts-dejavu-core fonts-liberation fonts-noto-cjk fonts-noto-color-emoji nginx-light postgresql
CHECKED := arena leaderboard pages tests benchmarks

# The first of the given interpreters that is 3.11 or newer and can make an environment. It is run, not only looked up:
# a pyenv shim exists for versions that are not chosen, and Debian's python3 comes without venv.
find_python = for candidate in $(1); do "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$candidate" && break; done

# A stamp says that its lock file is installed. It holds the folder's name: an environment that was moved, or whose
# interpreter has gone, is made anew.
RUN_STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-for-tests
ifneq ($(shell $(PYTHON) -c 'print("works")' 2>/dev/null) $(file <$(RUN_STAMP)),works $(CURDIR))
REMAKE := remake
endif

.PHONY: help
help:
	@echo 'make run          start the arena on 127.0.0.1:8501, or the next free port (make run ARGS="--port 8600")'
	echo 'make test         everything that must hold before a change lands'
	echo 'make test-postgresql   the tests that need a database, all of them on PostgreSQL'
	echo 'make test-slow    the longer proofs, and the fast ones on every Python found'
	echo 'make coverage     the tests again, counting which lines they reach'
	echo 'make screenshots  take the pictures of the README anew'
	echo 'make bench-peers  ratings, measured beside other libraries'
	echo 'make lint         ruff and mypy'
	echo 'make lock         compute the pinned versions anew'
	echo 'make clean        remove the environment and every cache'
.ONESHELL:

.PHONY: run
run: $(RUN_STAMP)
	@exec $(PYTHON) -m arena serve $(ARGS)

$(RUN_STAMP): requirements.lock pyproject.toml $(REMAKE)
	@missing=""
	python="$$($(call find_python,python3.13 python3.12 python3.11 python3))"
	[ -n "$$python" ] || missing="$$missing python3-venv (Python 3.11 or newer)"
	command -v git >/dev/null || missing="$$missing git"
	if [ "$$(uname)" = Linux ] && [ -n "$$python" ]; then
		"$$python" -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null || missing="$$missing libgomp1 (for the embedded models)"
	fi
	[ -z "$$missing" ] || printf 'Missing:%s. Type: %s\n' "$$missing" '$(APT_LINE)' >&2
	[ -n "$$python" ] || exit 1
	if [ -n "$(REMAKE)" ]; then
		echo "Making $(VENV) with $$("$$python" --version) …"
		rm -rf $(VENV)
		"$$python" -m venv $(VENV)
	fi
	echo "Installing the pinned dependencies …"
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	printf '%s' '$(CURDIR)' > $@

$(TEST_STAMP): requirements-test.lock $(RUN_STAMP)
	@echo "Installing what the tests need …"
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@

.PHONY: remake
remake:

# What some tests drive beside Python: a browser with fonts, and servers that they start themselves.
.PHONY: machinery
machinery:
	@missing=""
	if command -v dpkg-query >/dev/null; then
		for package in $(MACHINERY_PACKAGES); do
			dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"
		done
	else
		command -v chromium chromium-browser google-chrome >/dev/null || missing=" chromium"
		command -v pg_ctl >/dev/null || missing="$$missing postgresql"
		command -v redis-server >/dev/null || missing="$$missing redis-server"
	fi
	[ -n "$$missing" ] || exit 0
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "Installing$$missing …"
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null
	elif [ "$${CI:-}" = true ]; then
		echo "The tests need$$missing" >&2
		exit 1
	else
		echo "The tests of browser, PostgreSQL, Redis and proxy are skipped without them. Type: sudo apt install$$missing" >&2
	fi

.PHONY: lint
lint: $(TEST_STAMP)
	@$(PYTHON) -m ruff check $(CHECKED)
	$(PYTHON) -m ruff format --check $(CHECKED)
	$(PYTHON) -m mypy

# The tests make thousands of small databases: in memory, where there is room, the disk holds nobody up.
in_memory = [ "$$(df --output=avail --block-size=G /dev/shm 2>/dev/null | tail -1 | tr -dc 0-9)" -lt 6 ] 2>/dev/null || ! [ -w /dev/shm ] || export TMPDIR=/dev/shm
SIDE_BY_SIDE := --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# The soak takes two minutes and hardly computes. It runs beside all others, in a process group that dies with them.
.PHONY: test
test: $(TEST_STAMP) lint machinery
	@$(in_memory)
ifeq ($(ARGS),)
	told="$$(mktemp)"
	set -m
	$(PYTHON) -m pytest -m "soak and not slow" tests/arena/test_soak.py >"$$told" 2>&1 &
	soak=$$!
	set +m
	trap 'kill -- -$$soak 2>/dev/null || true; rm -f "$$told"' EXIT
	passed=true
	$(PYTHON) -m pytest -m "not slow and not soak" $(SIDE_BY_SIDE) || passed=false
	wait $$soak || passed=false
	cat "$$told"
	$$passed
else
	$(PYTHON) -m pytest -m "not slow" $(SIDE_BY_SIDE) $(ARGS)
endif

# Counting lines makes the tests a quarter slower.
.PHONY: coverage
coverage: $(TEST_STAMP) machinery
	@$(in_memory)
	$(PYTHON) -m pytest -m "not slow and not soak" $(SIDE_BY_SIDE) --cov $(ARGS)

# What `make test` does on SQLite alone is done on the other engine here.
.PHONY: test-postgresql
test-postgresql: $(TEST_STAMP) machinery
	@$(in_memory)
	$(PYTHON) -m pytest -m "not slow and not soak" $(SIDE_BY_SIDE) --engine postgresql $(ARGS)

.PHONY: test-slow
test-slow: $(TEST_STAMP) machinery test-pythons coverage test-postgresql
	@$(PYTHON) -m pytest -m slow --timeout 3600 $(ARGS)

.PHONY: screenshots
screenshots: $(TEST_STAMP) machinery
	@SCREENSHOTS=1 $(PYTHON) -m pytest -q tests/e2e/test_screenshots.py

.PHONY: test-pythons
test-pythons:
	@for version in 3.11 3.12 3.13; do
		python="$$($(call find_python,python$$version $$HOME/.pyenv/versions/$$version*/bin/python))"
		if [ -z "$$python" ]; then
			echo "Python $$version is not here: skipped"
			continue
		fi
		venv="$(VENV)-$$version"
		if ! cmp -s requirements-test.lock "$$venv/installed.lock"; then
			rm -rf "$$venv"
			"$$python" -m venv "$$venv"
			"$$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
			"$$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
			cp requirements-test.lock "$$venv/installed.lock"
		fi
		echo "Python $$version:"
		"$$venv/bin/python" -m pytest -q -m "not slow and not soak and not e2e and not embedded" -p no:cacheprovider
	done

# Hashes for every platform and Python, and no registry's address. `uv` is asked for here only.
UV := $(firstword $(wildcard $(VENV)/bin/uv) uv)
COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --no-annotate
.PHONY: lock
lock:
	@command -v $(UV) >/dev/null || { echo "make lock needs uv. Type: $(VENV)/bin/pip install uv" >&2; exit 1; }
	$(UV) $(COMPILE) $(ARGS) --group pyproject.toml:build pyproject.toml -o requirements.lock
	$(UV) $(COMPILE) $(ARGS) --group pyproject.toml:test pyproject.toml -c requirements.lock -o requirements-test.lock

# The peers live in an environment of their own: they bring a gigabyte, and the arena needs none of them.
.PHONY: bench-peers
bench-peers:
	@python3 -m venv .venv-peers
	.venv-peers/bin/pip install --quiet numpy pandas pyarrow evalica==0.4.2 scikit-learn arena-rank==0.1.1
	PYTHONPATH=. .venv-peers/bin/python benchmarks/ratings.py

.PHONY: clean
clean:
	@rm -rf $(VENV) $(VENV)-3.* .venv-peers .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* *.egg-info build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
