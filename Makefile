# The commands of lstm_explain. `make` alone lists them.
#
# Variables, set on the command line (make lab PYTHON=python3.12):
#   PYTHON       the Python that makes the environment      (python3; 3.11 to 3.13)
#   VENV         the folder of the environment              (.venv)
#   EXTRAS       what is installed beside the package       (notebooks,dev; add jax or torch to test them)
#   NOTEBOOK     the notebook that `make lab` opens
#   LAB_ARGS     more options for JupyterLab                (LAB_ARGS="--no-browser --port=8890")
#   PYTEST_ARGS  more options for pytest                    (PYTEST_ARGS="-k sequences -x")

PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= notebooks,dev
NOTEBOOK ?= notebooks/00_start_here.ipynb
LAB_ARGS ?=
PYTEST_ARGS ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.installed-docs
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
# The tests that run again on every other Keras backend that is installed: those of the engine.
ENGINE_TESTS := $(addprefix tests/,attribution/test_expected_gradients.py attribution/test_refinement.py \
    attribution/test_shapley.py \
    internals/test_attention.py internals/test_written_attention.py \
    inspection/test_compiled.py inspection/test_confirmation.py inspection/test_hidden_masks.py \
    inspection/test_ids.py inspection/test_interventions.py inspection/test_observation.py \
    inspection/test_outputs.py \
    models/test_forms.py models/test_layers.py models/test_one_input.py \
    models/test_saved_models.py whole/test_any_model.py \
    whole/test_beside_shap.py)
# A test file stays on one core, so that what it trains once serves all its tests. In their own order,
# the notebooks first: by default the files with few tests come last, and those are the slow ones.
ON_CORES := -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=300
# JupyterLab refuses to run as root unless it is told that this is meant.
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

define CHECK_PYTHON
import sys
found = "%s is Python %d.%d" % ((sys.executable,) + tuple(sys.version_info[:2]))
if not (3, 11) <= tuple(sys.version_info[:2]) <= (3, 13):
    sys.exit("lstm_explain needs Python 3.11, 3.12 or 3.13, but " + found
             + ". Name another one, for example: make PYTHON=python3.12 lab")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("Python's modules venv and ensurepip are needed to make the environment, but " + found
             + " without them. On Debian and Ubuntu: apt install python3-venv")
endef
export CHECK_PYTHON

define OTHER_BACKENDS
from importlib.util import find_spec
print(*(name for name in ("jax", "torch") if find_spec(name)))
endef
export OTHER_BACKENDS

.DEFAULT_GOAL := help
.PHONY: help install lab check test test-all browser-test lint types notebooks docs format clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## make the environment (.venv), or bring it up to date

# The stamp is what makes a second call start at once: pip runs again only after a change of these.
$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) was found. Install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=python3.12 lab" >&2; exit 1; }
	@$(PYTHON) -c "$$CHECK_PYTHON"
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -e ".[$(EXTRAS)]" -c constraints.txt
	@touch $(STAMP)

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install -e ".[docs]" -c constraints.txt
	@touch $(DOCS_STAMP)

lab: $(STAMP) ## open the notebooks in JupyterLab, installing first where needed
	$(BIN)/jupyter-lab $(ALLOW_ROOT) --ServerApp.root_dir="$(CURDIR)" \
	    --LabApp.default_url=/lab/tree/$(NOTEBOOK) $(LAB_ARGS)

lint: $(STAMP) ## look for likely mistakes and unformatted code
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(STAMP) ## check the types
	$(BIN)/mypy

check: lint types ## what to run before every commit: lint, types, quick tests; 3 minutes on two cores
	$(BIN)/python -m pytest tests -m "not slow and not long" $(ON_CORES) $(PYTEST_ARGS)

test: lint types ## the quick tests, the package from end to end, the notebooks, the built wheel; 20 minutes on two cores
	$(BIN)/python -m pytest notebooks tests -m "not long and (whole or not slow)" \
	    $(NBVAL) --durations=15 $(ON_CORES) $(PYTEST_ARGS)

# On JAX most of the time goes into compiling functions that then run once: they are compiled without
# most optimisations.
test-all: $(STAMP) $(DOCS_STAMP) ## what make test leaves out: slow tests, other backends, notebooks 07 to 09, the documentation
	for backend in $$($(BIN)/python -c "$$OTHER_BACKENDS"); do \
	    echo "Keras backend: $$backend"; \
	    JAX_DISABLE_MOST_OPTIMIZATIONS=1 KERAS_BACKEND=$$backend $(BIN)/python -m pytest $(ENGINE_TESTS) -m "not slow and not long" $(ON_CORES) $(PYTEST_ARGS) || exit 1; \
	done
	$(BIN)/python -m pytest notebooks tests -m "long or (slow and not whole)" \
	    $(NBVAL) --durations=15 $(ON_CORES) $(PYTEST_ARGS)

# Chromium comes from the system: what Playwright would download lacks its libraries on a bare machine.
browser-test: $(STAMP) ## the tests of the widgets in JupyterLab and a real browser
	@$(BIN)/python tests/lab.py \
	    || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update && apt-get install -y chromium; } \
	    || { echo "No Chromium was found. On Debian: sudo apt-get install chromium; on Ubuntu: sudo snap install chromium" >&2; exit 1; }
	$(BIN)/python -m pytest tests -m browser $(PYTEST_ARGS)

notebooks: $(STAMP) ## run every notebook again and save it with its outputs
	$(BIN)/jupyter-nbconvert --to notebook --inplace --execute \
	    --ExecutePreprocessor.kernel_name=python3 --ExecutePreprocessor.timeout=600 \
	    --ExecutePreprocessor.record_timing=False --ExecutePreprocessor.store_widget_state=False \
	    $(NOTEBOOKS)

# A warning is an error: a link that leads nowhere, a docstring that cannot be read.
docs: $(DOCS_STAMP) ## build the documentation, docs/_build/html/index.html; needs no network
	rm -rf docs/reference/generated
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The documentation is in docs/_build/html/index.html"

format: $(STAMP) ## format the code and the notebooks' cells, sort the imports
	$(BIN)/ruff check --select I --fix
	$(BIN)/ruff format

clean: ## remove the environment, what was built, and the caches
	rm -rf $(VENV) build dist docs/_build docs/_gallery docs/notebooks docs/reference/generated *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -prune -exec rm -rf {} +
