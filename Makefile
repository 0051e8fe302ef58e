# What there is to do here; `make` alone prints it.
# A run may be told its port, its host and where its data lies: make run PORT=9000 DATA=/srv/hudna

PORT ?= 8000
HOST = 127.0.0.1
DATA =
PYTHON ?= python3
ROUNDS = 20
CYCLES = 50
export PORT HOST DATA PYTHON

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
.DEFAULT_GOAL := help
.PHONY: help run install test faults lint bench openapi conformance lock bare packages

BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check

help:
	sed -nE 's/^([a-z]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) |
		awk -F '|' '{ printf "%-16s%s\n", $$1, $$2 }'

run: install ## start everything: PostGIS, the sample data, the service (PORT, HOST, DATA)
	exec $(BIN)/hudna up --port "$$PORT" --host "$$HOST" $${DATA:+--data "$$DATA"}

install: packages .venv/installed ## only set up what `make run` needs

test: TESTING := yes
test: packages .venv/developing ## run all tests
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

faults: .venv/developing ## kill and race what tests/faults has, often (a quarter of an hour; ROUNDS, CYCLES)
	HUDNA_ROUNDS="$(ROUNDS)" HUDNA_CYCLES="$(CYCLES)" $(BIN)/pytest -q -s tests/faults

lint: .venv/developing ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/developing ## measure speed
	$(BIN)/python -m tests.benchmarks

openapi: .venv/developing ## write the generated parts of openapi.yaml
	$(BIN)/python -m api.components

conformance: .venv/developing ## write docs/conformance.md
	$(BIN)/python -m tests.conformance

lock: .venv/developing ## choose the newest versions of all dependencies
	compile="$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url"
	compile+=" --python-version 3.11 --custom-compile-command"
	$$compile 'make lock' --group build pyproject.toml -o requirements.lock --upgrade
	$$compile 'make lock' --group dev pyproject.toml -c requirements.lock \
		-o requirements-dev.lock --upgrade

bare: ## run and test all of this in an empty Debian (as root; takes some minutes)
	tests/bare

.venv/installed: requirements.lock pyproject.toml | packages
	echo "Installing the Python packages into .venv ..."
	"$$PYTHON" -m venv .venv
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

.venv/developing: requirements-dev.lock .venv/installed
	echo "Installing the developers' Python packages into .venv ..."
	$(PIP) --require-hashes -r requirements-dev.lock
	touch $@

# Debian's packages, those that are missing. Its own server, which would start on port 5432 with
# the package, is not wanted: the drop-in file says so for the time of the installation only.
packages:
	"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
		echo "Hudna needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2
		exit 1
	}
	missing=
	"$$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || missing+=" python3-venv"
	"$$PYTHON" -P api/cluster.py &>/dev/null || missing+=" PostGIS"
	command -v curl >/dev/null || missing+=" curl"
	if [ -n "$(TESTING)" ]; then # what tests/clients and the pages are tried with
		command -v ogr2ogr >/dev/null || missing+=" gdal-bin"
		command -v chromium >/dev/null || missing+=" chromium"
		command -v wrk >/dev/null || missing+=" wrk"
		/usr/bin/python3 -P -c 'import qgis.core' 2>/dev/null || missing+=" python3-qgis"
		Rscript -e 'library(sf)' &>/dev/null || missing+=" r-cran-sf"
	fi
	[ -n "$$missing" ] || exit 0
	command -v apt-get >/dev/null || {
		echo "Please install$$missing: this Makefile can do it only with apt." >&2
		exit 1
	}
	root=
	[ "$$(id -u)" = 0 ] || root=sudo
	log=$$(mktemp /tmp/hudna-apt.XXXXXX)
	echo "Installing with apt:$$missing (a minute, for the tests some) ..."
	if ! $$root bash -euo pipefail -s $$missing >"$$log" 2>&1 <<'END'
		export DEBIAN_FRONTEND=noninteractive
		quiet=/etc/postgresql-common/createcluster.d/hudna.conf
		apt-get update
		newest=$$(apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$$' |
			cut -d ' ' -f 1 | sort -V | tail -n 1)
		: "$${newest:?no package postgresql-NN-postgis-3 is known}"
		mkdir -p "$${quiet%/*}"
		trap 'rm -f "$$quiet"' EXIT
		echo 'create_main_cluster = false' >"$$quiet"
		apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
			"$${@/#PostGIS/$$newest}"
	END
	then
		tail -n 5 "$$log" >&2
		echo "apt failed; all it said is in $$log" >&2
		exit 1
	fi
	rm "$$log"
