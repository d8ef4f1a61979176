# Needs: make, and a python3 of version 3.11 or newer (PYTHON=… names another).

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
ORDERS ?= examples/data/orders.csv
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help venv demo test oldest no-extras browser check format bench bench-quick docs serve soak upgrade clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "settlekit needs Python 3.11 or newer: install it, or name one with make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "setting up .venv (once; it takes about a minute) …"
	@test -x $(BIN)/pip || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

venv: $(READY) ## make .venv with the pinned versions

demo: $(READY) ## play a shop's month from checkout to payout (ORDERS=month.csv plays yours)
	@$(BIN)/python examples/demo/run.py --orders "$(ORDERS)" --output demo-output

test: $(READY) ## run the test suite (ARGS='-k money' picks, WORKERS=4)
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

oldest: ## run the library's tests with the oldest versions it allows
	@test -d .venv-oldest || "$(PYTHON)" -m venv .venv-oldest
	@{ grep -vEi '^(attrs|cattrs|httpx|msgspec)==' constraints.txt; cat constraints-oldest.txt; } \
		> .venv-oldest/constraints.txt
	@.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check \
		-c .venv-oldest/constraints.txt -e '.[dev]'
	@timeout 900 .venv-oldest/bin/python -m pytest -n $(WORKERS) tests/settlekit \
		--ignore tests/settlekit/typing $(ARGS)

no-extras: ## run the library's tests without any optional extra
	@test -d .venv-bare || "$(PYTHON)" -m venv .venv-bare
	@.venv-bare/bin/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e . pytest pytest-xdist hypothesis respx
	@SETTLEKIT_TESTS_WITHOUT_EXTRAS=1 timeout 900 .venv-bare/bin/python -m pytest -n $(WORKERS) \
		tests/settlekit --ignore tests/settlekit/typing $(ARGS)

browser: $(READY) ## drive the hosted page, the console and the shops in headless Chromium
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || \
		{ echo "this needs Debian's packages chromium and chromium-driver: install them" >&2; exit 1; }
	@$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

check: $(READY) ## lint, format, types, arrows, and whether what is generated is up to date
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/unasync.py --check
	@$(BIN)/python scripts/batch_life_page.py --check
	@$(BIN)/python scripts/exam_page.py --check
	@$(BIN)/python scripts/performance_page.py --check
	@$(BIN)/python scripts/guide_pages.py --check

format: $(READY) ## put the code into the project's format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(READY) ## run the benchmarks
	@$(BIN)/python benchmarks/run.py $(ARGS)

bench-quick: $(READY) ## run the benchmarks on small data
	@$(BIN)/python benchmarks/run.py --quick $(ARGS)

docs: $(READY) ## build the documentation into docs/_build/html
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

serve: $(READY) ## run the mock server (ARGS='--port 9000')
	@$(BIN)/settlekit-mock serve $(ARGS)

soak: $(READY) ## run the long tests, and all of the mock's on PostgreSQL
	@$(BIN)/python -m pytest -m soak $(ARGS)
	@SETTLEKIT_TESTS_ON=postgresql $(BIN)/python -m pytest -n $(WORKERS) \
		tests/settlekit_mock tests/stories $(ARGS)

upgrade: ## write constraints.txt anew from the newest allowed versions
	@rm -rf $(VENV)
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@{ grep '^#' constraints.txt; $(BIN)/python -m pip list --format=freeze --exclude-editable \
		--exclude pip --exclude setuptools; } > constraints.new
	@mv constraints.new constraints.txt
	@touch $(READY)

clean: ## remove what the other targets wrote, but for .venv
	@rm -rf demo-output docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src mock_server tests examples benchmarks scripts docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
