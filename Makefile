# `make help` lists the targets. Each that needs Python first builds .venv from requirements.lock,
# when it is missing or stale. `make PYTHON=python3.12 test` chooses the interpreter (3.11 to 3.13);
# .venv keeps it until another one is chosen.
#
#   ARGS      passed on: make distill ARGS="--seed 1", make test ARGS="-k distiller", make lock ARGS=--upgrade
#   WORKERS   processes that `make test` and the like use; 0 runs everything in one
#   IMAGE     the photograph of `make demo`;   MODEL   its model: a name of timm, or a .keras file

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.stamp
LOCKED := $(VENV)/.locked
TORCH := .venv-torch
SOURCES := keras_cait recipes export tests
WORKERS ?= 2
MODEL ?= cait_xxs24_224
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --disable-pip-version-check

# The interpreter that .venv was built with, and the one asked for now, both as real paths.
INTERPRETER := import os, sys; print(os.path.realpath(sys._base_executable))
BUILT_WITH := $(wildcard $(shell cat $(LOCKED) 2>/dev/null))
ifeq ($(origin PYTHON),undefined)
PYTHON := $(or $(BUILT_WITH),python3)
endif
WANTED := $(or $(shell $(PYTHON) -c '$(INTERPRETER)' 2>/dev/null),$(PYTHON))

.PHONY: help distill demo check test quick slow test-export test-web test-faults torch bench docs docs-serve lint format wheel lock clean FORCE

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 22

distill: $(READY) ## the main job: distil a DeiT from a convnet, on handwritten digits
	$(BIN)/python recipes/distill_deit.py --output build/distill --overwrite $(ARGS)

# Checked while this file is read, before anything is built.
ifneq ($(filter demo,$(MAKECMDGOALS)),)
QUOTED_IMAGE := '$(subst ','\'',$(IMAGE))'
ifneq ($(shell test -f $(QUOTED_IMAGE) && echo found),found)
$(error make demo needs a photograph: make demo IMAGE=photo.jpg. Received: $(if $(IMAGE),IMAGE=$(IMAGE) and no such file,no IMAGE))
endif
endif

demo: $(READY) ## attention of a model over a photograph, in build/attention.png: make demo IMAGE=photo.jpg
	$(BIN)/keras-cait attend $(QUOTED_IMAGE) --model '$(MODEL)' --output build/attention.png --overwrite $(ARGS)

check: ## all that a change must pass: lint and test, as CI runs them
	.ci/run

quick: $(READY) ## at every save: one case of each test of layers, weights, models, data and distillation
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --quick tests $(ARGS)

test: $(READY) ## every test and every docstring example
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

slow: $(READY) ## the cases that `make test` leaves out
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m slow $(ARGS)

test-export: $(READY) ## the published sizes in every format of export; the table goes to build/exports.md
	rm -f build/exports.md
	$(BIN)/python -m pytest -m export tests/export $(ARGS)
	cat build/exports.md

test-web: $(READY) ## the exported page in Chromium, beside Keras; needs chromium and npm
	@for program in chromium npm; do command -v $$program > /dev/null || \
	  { echo "make test-web needs $$program on the PATH. Received: none. Install it, on Debian: apt install $$program" >&2; exit 1; }; done
	$(BIN)/python -m pytest -m browser tests/export/web $(ARGS)

test-faults: $(READY) ## runs that are killed twenty times, and what else can happen to one
	$(BIN)/python -m pytest -m faults tests/faults $(ARGS)

torch: $(READY) $(TORCH)/.stamp ## what needs torch and timm: .pth files, full-size parity, TFLite's speed (an hour)
	$(TORCH)/bin/python -m pytest -m torch tests/weights
	$(BIN)/python -m tests.full_size.run build/parity --timm $(TORCH)/bin/python $(ARGS)
	$(BIN)/python -m tests.full_size.tflite_speed build/tflite --timm $(TORCH)/bin/python

bench: $(READY) ## the speed of inference and training here, beside timm, ZeroModels and OpenVINO where they are installed
	$(BIN)/python recipes/benchmarks/compare.py $(ARGS)

docs: $(READY) ## the documentation as a site in build/site; a broken link is an error
	PYTHON=$(BIN)/python docs/build.sh

docs-serve: docs ## build it, and show it on http://localhost:8000
	$(BIN)/python -m http.server --directory build/site --bind 127.0.0.1 8000

lint: $(READY) ## format, lint, types, import directions, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell

format: $(READY) ## format the code and mend what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(READY) ## build the wheel, which holds keras_cait alone, in dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --disable-pip-version-check --wheel-dir dist .

lock: build/uv/bin/uv ## resolve requirements.lock anew from pyproject.toml
	$< pip compile --quiet --universal --python-version 3.11 --extra recipes --extra export --extra test --extra docs --extra dev --no-annotate \
	  --custom-compile-command 'make lock' $(ARGS) pyproject.toml --output-file requirements.lock

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) $(TORCH) build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache
	find $(SOURCES) -name __pycache__ -prune -exec rm -rf {} +

# The environment: first the lock, then this tree. A stamp is written last, so an interrupted build is done again.

$(READY): $(LOCKED) pyproject.toml setup.cfg
	@rm -f $@
	$(PIP_INSTALL) --editable .
	@touch $@

$(LOCKED): requirements.lock $(if $(filter-out $(BUILT_WITH),$(WANTED)),FORCE)
	@version="$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' || true)"; \
	case "$$version" in 3.11|3.12|3.13) ;; *) \
	  echo "keras_cait needs Python 3.11 to 3.13. Received: PYTHON=$(PYTHON), Python $${version:-not found}" >&2; \
	  exit 1 ;; esac
	@echo 'Building $(VENV) from requirements.lock: a few minutes the first time.'
	@rm -f $(READY) $@
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) $$(grep -E '^(setuptools|wheel)==' requirements.lock)
	$(PIP_INSTALL) --requirement requirements.lock
	@$(BIN)/python -c '$(INTERPRETER)' > $@

# torch and timm for comparison only, beside the lock. timm asks for torchvision, which asks for the torch of
# its own release; neither is needed for what is compared, hence --no-deps.
$(TORCH)/.stamp: requirements.lock
	@rm -rf $(TORCH)
	$(PYTHON) -m venv $(TORCH)
	$(TORCH)/bin/python -m pip install --quiet --no-deps $$(grep -E '^(setuptools|wheel)==' requirements.lock)
	$(TORCH)/bin/python -m pip install --quiet --no-deps --requirement requirements.lock
	$(TORCH)/bin/python -m pip install --quiet torch==2.13.0
	$(TORCH)/bin/python -m pip install --quiet --no-deps torchvision==0.28.0 timm==1.0.31
	$(TORCH)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

build/uv/bin/uv:
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
