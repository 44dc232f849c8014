# make mnist | svhn | celeba | features | lab | gallery | share | figure1 | evidence | results | test | bench | bench-sliders: each makes .venv and installs first, when missing
PROFILE ?= quick
SOURCE ?= embedded
SEED ?= 0
SKIP_BAD ?= False
DEVICE ?= auto
THEME ?= light
DATASET ?= svhn
NOTEBOOK ?= mnist
RUN ?= outputs/published/mnist
OUT ?= outputs/$@$(if $(filter-out quick,$(PROFILE)),-$(PROFILE))$(if $(filter-out train,$(WEIGHTS)),-loaded)
PYTHON ?= python3
# a picture that is too large to bring is refused in words, where servers would hang up at 10 MiB
MESSAGE := "{'websocket_max_message_size': 67108864}"
BIN := .venv/bin

mnist: WEIGHTS ?= train
svhn celeba: WEIGHTS ?= published

figure1 evidence: SOURCE = download
figure1 evidence: .venv/installed  # L_I(c1) of InfoGAN and of a GAN; all studies: SOURCE=download, or a path to all of MNIST
	$(BIN)/python -m infogan_core.evidence $(filter figure1,$@) --source "$(SOURCE)"

results: .venv/installed  # outputs/published/RESULTS.md and README's tables, from the published runs' files
	$(BIN)/python -m infogan_core.results

.PHONY: figure1 evidence results mnist svhn celeba features lab gallery share test bench bench-sliders
mnist svhn celeba: .venv/installed
	$(BIN)/python -m infogan_core.batch notebooks/$@.ipynb -p profile $(PROFILE) -p weights $(WEIGHTS) \
		-p source "$(SOURCE)" -p skip_bad $(SKIP_BAD) -p seed $(SEED) -p device $(DEVICE) --out "$(OUT)"
	@echo "executed notebook: $(OUT)/$@.ipynb   run: $(OUT)/   sliders: make lab NOTEBOOK=$@"

features: OUT = outputs/published/features
features: .venv/installed  # a classifier that evaluate() reads pictures with: DATASET=svhn or celeba, SOURCE=path
	$(BIN)/python -m infogan_core.features $(DATASET) "$(SOURCE)" --seed $(SEED) --out "$(OUT)" \
		$(if $(filter True,$(SKIP_BAD)),--skip-bad)

lab: .venv/installed
	$(BIN)/jupyter lab notebooks/$(NOTEBOOK).ipynb --ServerApp.tornado_settings=$(MESSAGE)

gallery: .venv/installed-show  # the published runs on one page, a tab each
	$(BIN)/voila notebooks/gallery.ipynb --Voila.ip=127.0.0.1 --preheat_kernel=True --pool_size=1 --theme=$(THEME) \
		--Voila.tornado_settings=$(MESSAGE)

share: OUT = $(notdir $(patsubst %/,%,$(RUN))).html
share: .venv/installed-show  # a run as ONE HTML file with live sliders: RUN=outputs/published/mnist OUT=mnist.html
	$(BIN)/python -m infogan_core.share "$(RUN)" "$(OUT)"

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

bench: .venv/installed
	$(BIN)/python tests/bench_step.py

bench-sliders: .venv/installed-dev
	$(BIN)/python tests/browser/bench_sliders.py

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt -e .
	@touch $@

.venv/installed-show: .venv/installed requirements-show.txt
	$(BIN)/python -m pip install --quiet -r requirements-show.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-show.txt requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
