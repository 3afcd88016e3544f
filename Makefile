# FaceVault: `make run` to use it, `make test` to check it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BENCHES := bench/recognition.py bench/pages.py bench/export_memory.py bench/clusters.py bench/decisions.py bench/tending.py bench/desk_latency.py bench/scores.py bench/open_set.py bench/looks.py bench/embedding_files.py
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run setup test test-slow bench screenshots lint schema format clean help

help:            ## list the targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/  /'

run: $(VENV)/.run  ## bring the site up: address, administrator and password are printed
	@exec $(BIN)/python -m facevault_site.run

setup: $(VENV)/.dev  ## everything that tests and benchmarks need

test: setup      ## lint, types, import rules, migrations, unit, integration and browser tests
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh scripts/test.sh

test-slow: setup ## real models at scale, crash loops
	@PATH="$(CURDIR)/$(BIN):$$PATH" pytest -m slow -n 2 --dist=loadfile -rs

bench: setup     ## print every benchmark's table
	@for script in $(BENCHES); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

screenshots: setup ## a picture of every page into var/screenshots/: wide and narrow, light and dark
	@$(BIN)/python scripts/make_screenshots.py

lint: setup      ## lint, format, types, import rules, migrations in step
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh scripts/lint.sh

schema: setup    ## write docs/openapi.yaml anew, after a change of the API
	@$(BIN)/python manage.py spectacular --fail-on-warn --validate --file docs/openapi.yaml

format: setup    ## rewrite the code in the project's format
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean:           ## remove the virtual environment; the data in var/ stays
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "FaceVault needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making the virtual environment in $(VENV)/ ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is incomplete. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

# The stamps are written last: an interrupted install is done again.
$(VENV)/.run: requirements.txt | $(BIN)/python
	@echo "Installing what FaceVault runs on (a few minutes, once) ..."
	@$(PIP) install --quiet --requirement requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt requirements-dinov3.txt requirements-heic.txt requirements-pose.txt | $(BIN)/python
	@echo "Installing what the tests need (a few minutes, once) ..."
	@$(PIP) install --quiet --requirement requirements-dev.txt
	@touch $(VENV)/.run $@
