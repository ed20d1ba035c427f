# make demo: install, train the 64-arm grid on drawn pedestrians, write the report.
# make test: the same virtual environment, all tests.
# Both re-run cheaply: nothing is installed or trained twice.
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint clean

demo: $(INSTALLED)
	$(VENV)/bin/reid ablate experiments/demo.yaml
	$(VENV)/bin/reid report demo
	@echo
	@echo "Report:    output/grids/demo/report.pdf"
	@echo "MLflow UI: $(VENV)/bin/reid ui"

test: lint
	$(VENV)/bin/python -m pytest

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) output data
