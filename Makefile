# make demo: install, train the 64-arm grid on drawn pedestrians, write the report.
# make test: the same virtual environment; lint, types, all tests. make fast: what to run every few minutes.
# All re-run cheaply: nothing is installed or trained twice.
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed
PYTEST := $(VENV)/bin/python -m pytest --quiet
# Many tests wait for servers and workers more than they compute.
WORKERS ?= 4
# Tests start hundreds of processes: none of them shall compile the sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test suite fast lint types docs golden e2e faults browser measure clean

demo: $(INSTALLED)
	$(VENV)/bin/reid ablate experiments/demo.yaml
	$(VENV)/bin/reid report demo
	@echo
	@echo "Report:    output/grids/demo/report.pdf"
	@echo "MLflow UI: $(VENV)/bin/reid ui"

test: lint types suite

suite: $(INSTALLED)
	$(PYTEST) -n $(WORKERS)

fast: $(INSTALLED)
	$(PYTEST) -n auto -m "not (slow or e2e or faults or browser)"

golden e2e faults browser: $(INSTALLED)
	$(PYTEST) -n $(WORKERS) -m $@

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python docs/generate.py --check
	$(VENV)/bin/python -m benchmarks.measure

types: $(INSTALLED)
	$(VENV)/bin/mypy

docs: $(INSTALLED)
	$(VENV)/bin/python docs/generate.py

measure: $(INSTALLED)
	$(VENV)/bin/python -m benchmarks.measure

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --no-compile --constraint constraints.txt --editable ".[dev]"
	$(VENV)/bin/python -m compileall -qq -j 0 $(VENV)/lib || true  # on all cores; pip has one, and some files are no Python 3
	touch $@

clean:
	rm -rf $(VENV) output data
