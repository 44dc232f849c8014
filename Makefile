# make mnist | svhn | celeba | features | lab | test | bench: each makes .venv and installs first, when missing
PROFILE ?= quick
WEIGHTS ?= train
SOURCE ?= embedded
SEED ?= 0
DEVICE ?= auto
DATASET ?= svhn
OUT ?= outputs/$@$(if $(filter-out quick,$(PROFILE)),-$(PROFILE))$(if $(filter-out train,$(WEIGHTS)),-loaded)
PYTHON ?= python3
BIN := .venv/bin

.PHONY: mnist svhn celeba features lab test bench
mnist svhn celeba: .venv/installed
	$(BIN)/python -m infogan_core.batch notebooks/$@.ipynb -p profile $(PROFILE) -p weights $(WEIGHTS) \
		-p source "$(SOURCE)" -p seed $(SEED) -p device $(DEVICE) --out "$(OUT)"
	@echo "executed notebook: $(OUT)/$@.ipynb   run: $(OUT)/   sliders: make lab"

features: .venv/installed  # the classifier that evaluate() reads pictures with: DATASET=svhn or celeba, SOURCE=path
	$(BIN)/python -m infogan_core.features $(DATASET) "$(SOURCE)" --seed $(SEED)

lab: .venv/installed
	$(BIN)/jupyter lab notebooks/mnist.ipynb

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

bench: .venv/installed
	$(BIN)/python tests/bench_step.py

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt -e .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
