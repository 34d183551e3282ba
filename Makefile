# make train   set up, then train: the run is runs/first-light; ARGS="--name other" passes settings on
# make test    set up, then every test
# make lint    style
# make docs    set up, then the site in site/: open site/index.html
# make clean   removes what make has set up; runs/ stays

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
BIN := .venv/bin
NEEDS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
# The first of these that is new enough and can make a virtual environment.
PYTHON ?= $(shell for python in python3.12 python3.11 python3; do \
	$$python -c '$(NEEDS)' 2>/dev/null && echo $$python && break; done)

.PHONY: help train test lint docs clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

train: .venv/.installed
	$(BIN)/asterism train --name first-light $(ARGS)

# Ray's tests get a process of their own: they start machines of many processes, one file at a time.
CLUSTER := $(wildcard tests/runtime/test_cluster*.py)
test: .venv/.installed-dev
ifeq ($(ARGS),)
	$(BIN)/pytest -n auto --dist loadfile --max-worker-restart 0 $(CLUSTER:%=--ignore=%)
	$(BIN)/pytest $(CLUSTER)
else
	$(BIN)/pytest -n auto --dist loadfile --max-worker-restart 0 $(ARGS)
endif

lint: .venv/.installed-dev
	$(BIN)/ruff check $(ARGS)
	$(BIN)/ruff format --check

# -W: a link, an anchor or a picture that is not there fails. -E: pages that have not changed are checked too.
docs: .venv/.installed-dev
	$(BIN)/sphinx-build -W --keep-going -E --doctree-dir .venv/doctrees $(ARGS) docs site

.venv/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[test,lint,docs]'
	@touch $@ .venv/.installed

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: Asterism needs Python 3.11 or newer with venv (on Debian and Ubuntu: apt install python3-venv)." \
		"If it is elsewhere: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv site build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find asterism tests -name __pycache__ -prune -exec rm -rf {} +
