# Everything a person does with a clone. `make help` lists it; each target does the set-up it needs.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ENGINE ?= light
SEED ?= 1
SERVE ?= 1
SCALE ?= 1
KILLS ?= 200
TESTS ?=
WORKERS ?= 2
SCENARIOS ?=
BIN := .venv/bin

.PHONY: help setup setup-tests demo up test check bench soak docs pictures clean lock

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## .venv, Java and Delta's jars; does nothing where they are there
	@$(bootstrap)
	@$(BIN)/python infra/outside.py

setup-tests:
	@$(bootstrap)
	@$(BIN)/python infra/outside.py --for-tests

demo: setup ## one simulated shift, end to end, then the console over it (ENGINE=light|spark SEED=n SERVE=0)
	@$(BIN)/minefusion demo --engine $(ENGINE) --seed $(SEED) $(if $(filter 0,$(SERVE)),--no-serve,--serve)

up: setup ## Airflow with minefusion's DAGs, ready to use
	@exec $(BIN)/python infra/airflow/up.py

test: setup-tests ## all tests (TESTS=path for some)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder $(TESTS)

check: setup-tests ## style, types, import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(typed_tree)
	@MYPYPATH=.cache/typed $(BIN)/mypy
	@$(BIN)/mypy infra/bootstrap.py infra/outside.py infra/airflow/up.py
	@$(BIN)/python -m pytest -q tests/test_imports.py

bench: setup ## speed of the ingest on both engines beside plain Spark and plain Polars (SCALE=x)
	@$(BIN)/minefusion bench ingest --scale $(SCALE)

soak: setup ## kill and rerun many times, both engines in turn, then compare the tables (KILLS=n)
	@$(BIN)/minefusion soak --kills $(KILLS)

docs: setup ## write the reference pages in docs/ from the declarations
	@$(BIN)/python -m minefusion.schemas.docs
	@$(BIN)/python -m minefusion.pipelines.hazard.pages

pictures: setup ## draw each index over the scenario that drives it (SCENARIOS=name for some)
	@$(BIN)/python -m minefusion.pictures $(SCENARIOS)

lock: ## choose versions anew and write infra/requirements.lock
	@$(bootstrap)
	@sed -n 's/^requires = \["\(.*\)"\]/\1/p' pyproject.toml \
	  | "$$(command -v uv || echo $(BIN)/uv)" pip compile \
	  pyproject.toml - --all-extras --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
	  --no-annotate --no-header --output-file infra/requirements.lock

clean: ## remove what set-up, demo and tests made
	rm -rf .venv .jars .airflow .minefusion .demo .mlflow .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info build serving/console/vendor
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# The first Python that is new enough runs the set-up.
define bootstrap
for python in python3 python3.13 python3.12 python3.11; do \
  if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
    exec_with=$$python; break; fi; done; \
if [ -z "$${exec_with:-}" ]; then \
  echo "setup: expected Python 3.11, 3.12 or 3.13, found $$(python3 --version 2>&1); install python3.11" >&2; exit 2; fi; \
"$$exec_with" infra/bootstrap.py
endef

# mypy does not follow the editable install's import hook: show it the package as one folder of links.
define typed_tree
mkdir -p .cache/typed/minefusion; \
ln -sfn $(CURDIR)/infra/package/* $(CURDIR)/schemas $(CURDIR)/models $(CURDIR)/pipelines $(CURDIR)/serving .cache/typed/minefusion/
endef
