# Everything runs in .venv, which deploy/bootstrap.py makes and keeps up to date.

PYTHON ?= python3
BIN := .venv/bin
BUILDER ?= docker build
TARGET ?= gpu
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' clients/python/emotion_llama/__init__.py)
BOOTSTRAP := $(PYTHON) deploy/bootstrap.py $(if $(ENGINE),--engine $(ENGINE))
LOCK := $(BIN)/uv pip compile pyproject.toml --python-version 3.11 --quiet --extra bench --extra dev --extra ray --extra redis $(ARGS)
TORCH_CPU ?= --torch-backend cpu

# Where it is set, every process that a command starts compiles all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help python setup setup-dev serve lock check check-js page-vendor unit test quick-tests test-all audit docs fuzz soak hostile-load bench bench-quick bench-gpu image demo-clips demo-checkpoint demo-eval clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 to 3.13 (Debian: apt-get install python3 python3-venv), or name one: make setup PYTHON=PATH" >&2; exit 2; }

setup: python ## Install the server into .venv (ENGINE=cpu or gpu overrides what is found)
	@$(BOOTSTRAP)

setup-dev: python
	@$(BOOTSTRAP) --dev

lock: setup-dev ## Choose anew which versions the set-up installs (ARGS=--upgrade: the newest)
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) --extra cpu $(TORCH_CPU) --output-file deploy/constraints/cpu.txt
	$(LOCK) --extra gpu --output-file deploy/constraints/gpu.txt

serve: setup ## Start the server; ARGS='…' passes flags (ARGS=--help lists them)
	@exec $(BIN)/emotion-llama serve $(ARGS)

check: setup-dev check-js ## Lint, formatting, types, and the client's oldest Python
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/pyrefly check --min-severity warn --summary=none
	$(BIN)/vermin -q -t=3.10- --eval-annotations clients/python/emotion_llama

JS := clients/js
PAGE := clients/page
INSTALLED := node_modules/.package-lock.json

ifneq ($(shell command -v npm),)
check-js: $(JS)/$(INSTALLED) $(PAGE)/$(INSTALLED) ## Lint, formatting and types of the JavaScript client and the page
	cd $(JS) && npm run --silent lint
	cd $(PAGE) && npm run --silent lint

%/$(INSTALLED): %/package-lock.json
	cd $* && npm ci --silent --no-audit --no-fund
else
check-js:
	@echo "The JavaScript client and the page are not checked: npm is not installed. It comes with Node, from version 20 on." >&2
	@test -z "$(CI)"
endif

page-vendor: setup-dev $(JS)/$(INSTALLED) $(PAGE)/$(INSTALLED) ## Copy the JavaScript client and lit-html into the page
	rm -rf $(JS)/dist
	cd $(JS) && npm run --silent build
	$(BIN)/python -m devtools.page_vendor

# Three processes share the tests: those of one file, or of one engine, stay together and in order.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --no-loadscope-reorder

UNITS := $(addprefix tests/unit/,plugin server client demo)

unit: setup-dev ## The quick tests of the sources without an engine; TESTS='tests/unit/client' chooses some
	$(PYTEST) -m "not slow and not costly" $(or $(TESTS),$(UNITS))

test: setup-dev ## The checks and all tests but the slow ones, side by side
	@$(MAKE) --jobs 2 check quick-tests

quick-tests:
	$(PYTEST) -m "not slow"

test-all: test ## The checks and every test, the slow ones in one process as they measure times
	$(BIN)/python -m pytest -m slow

audit: setup-dev ## Look the installed packages up in PyPI's database of vulnerabilities
	$(BIN)/python -m pip_audit --local --strict

docs: setup-dev ## Build the documents as a site in build/site
	$(BIN)/python -m devtools.site

fuzz: setup-dev ## Send 2000 mutated clips and 10 000 hostile requests to a server of its own
	$(BIN)/python -m tests.fuzz --clips 2000 --requests 10000

soak: setup-dev ## Send 1000 different clips and look whether the server's processes grow
	$(BIN)/python -m tests.fuzz.soak --requests 1000

hostile-load: setup-dev ## Measure for 10 minutes how long honest clients wait beside hostile ones
	$(BIN)/python -m tests.fuzz.hostile_load

bench: setup-dev ## Measure everything that docs/en/performance.md shows
	$(BIN)/python -m benchmarks

bench-quick: setup-dev ## Compare rough ratios with those of benchmarks/results/quick.json
	$(BIN)/python -m benchmarks.quick

bench-gpu: setup-dev ## Measure the 7B with random weights on one GPU
	$(BIN)/python -m benchmarks.gpu

image: ## Build the container image; TARGET=cpu or gpu, BUILDER='podman build --format docker'
	$(BUILDER) --file deploy/docker/Dockerfile --target $(TARGET) --tag emotion-llama:$(VERSION)-$(TARGET) .

demo-clips: setup-dev ## Generate the clips in demo/clips anew
	$(BIN)/python -m demo.samples

demo-checkpoint: setup-dev ## Train the demo checkpoint anew (an hour and a half) into build/demo
	$(BIN)/python -m demo.train --work build/demo/work --out build/demo/checkpoint

demo-eval: setup-dev ## Ask the demo checkpoint about 1200 test clips and write its card
	$(BIN)/python -m demo.evaluate --out demo/evaluation
	$(BIN)/python -m demo.numbers --out demo/evaluation
	$(BIN)/python -m demo.card

clean: ## Remove .venv, caches and built files
	rm -rf .venv build dist .pytest_cache .ruff_cache
	find . -name node_modules -prune -o -type d -name __pycache__ -exec rm -rf {} +
