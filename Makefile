# make demo: install, train the 64-arm grid on drawn pedestrians, write the report.
# make test: the same virtual environment; lint, types, all tests. make fast: what to run every few minutes.
# All re-run cheaply: nothing is installed or trained twice.
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed
PYTEST := $(VENV)/bin/python -m pytest --quiet
# Many tests wait for servers and workers more than they compute.
WORKERS ?= 4

.PHONY: demo test fast lint types docs golden e2e faults browser measure clean

demo: $(INSTALLED)
	$(VENV)/bin/reid ablate experiments/demo.yaml
	$(VENV)/bin/reid report demo
	@echo
	@echo "Report:    output/grids/demo/report.pdf"
	@echo "MLflow UI: $(VENV)/bin/reid ui"

test: lint types
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
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) output data
