define HELP
make mnist          train on 4,000 real digits, then sliders: 5 minutes on one core
make svhn           the published house numbers; with SOURCE= or PROFILE= a training
make celeba         the published faces; with SOURCE= or PROFILE= a training
  PROFILE=quick     or smoke (seconds), or paper (half an hour)
  SOURCE=embedded   or download, or a path: official files, an .npz, a folder of pictures
  SKIP_BAD=False    True leaves out pictures that cannot be used
  SEED=0  DEVICE=auto  OUT=folder
  WEIGHTS=train     or published, or a run directory: what the notebook shows
make lab            JupyterLab: NOTEBOOK=mnist, ARGS= for its own flags; root needs ARGS=--allow-root
make gallery        the published runs as a web page: THEME=light or dark, ARGS= for Voila's own flags
make share          one HTML file with live sliders: RUN=outputs/published/mnist OUT=mnist.html
make features       a classifier for evaluate(): DATASET=svhn SOURCE=path SEED=0 SKIP_BAD=False OUT=folder
make study          the paper's claims, measured again, in hours: STUDY=figure1 for one, SOURCE=download or a path
make publish        a data set's published runs from step 0, in hours: DATASET=svhn SOURCE=path JOBS=2 seeds at once
make results        outputs/published/RESULTS.md and README's tables, from the files of the runs
make test           every check that CI runs
make bench          the time of a training step here
make bench-sliders  the time of a slider's move here, in headless Chromium
Every target first makes .venv with PYTHON=python3, and installs what it needs there.
endef

PROFILE ?= quick
SEED ?= 0
SKIP_BAD ?= False
DEVICE ?= auto
THEME ?= light
DATASET ?= svhn
NOTEBOOK ?= mnist
JOBS ?= 1
RUN ?= outputs/published/mnist
PYTHON ?= python3
BIN := .venv/bin
# a picture that is too large to bring is refused in words, where servers would hang up at 10 MiB
MESSAGE := "{'websocket_max_message_size': 67108864}"
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar on
# whether the user gave a variable, on the command line or in the environment
named = $(filter command environment override,$(origin $1))
same = $(and $(findstring x$1x,x$2x),$(findstring x$2x,x$1x))
# Recipes read what the user gave from the environment, "$$OUT", where neither make nor the shell looks into it.
GIVEN := PROFILE WEIGHTS SOURCE SKIP_BAD SEED DEVICE OUT NOTEBOOK ARGS THEME RUN DATASET STUDY JOBS
$(foreach v,$(GIVEN),$(if $(call named,$v),$(eval override $v := $$(value $v))))
# runs its words and those of ARGS, in which quotes hold spaces together
WITH_ARGS := $(BIN)/python -c 'import os, shlex, sys; \
	os.execv(sys.argv[1], sys.argv[1:] + shlex.split(os.environ.get("ARGS", "")))'

help:
	$(info $(HELP)) @:

NOTEBOOKS := mnist svhn celeba
.PHONY: help $(NOTEBOOKS) lab gallery share features study publish results test bench bench-sliders

mnist: WEIGHTS ?= train
svhn celeba: WEIGHTS ?= $(if $(call named,SOURCE)$(call named,PROFILE),train,published)
$(NOTEBOOKS): loaded = $(if $(call same,$(WEIGHTS),train),,yes)
$(NOTEBOOKS): SHOWN = $(if $(loaded),$(if $(call same,$(WEIGHTS),published),outputs/published/$@,$(WEIGHTS)),$(OUT))
$(NOTEBOOKS): SOURCE ?= embedded
$(NOTEBOOKS): OUT ?= outputs/$@$(if $(loaded),-loaded,$(if $(filter-out quick,$(PROFILE)),-$(PROFILE)))
$(NOTEBOOKS): .venv/installed
	$(BIN)/python -m infogan_core batch notebooks/$@.ipynb -p profile "$$PROFILE" -p weights "$$WEIGHTS" \
		-p source "$$SOURCE" -p skip_bad "$$SKIP_BAD" -p seed "$$SEED" -p device "$$DEVICE" --out "$$OUT"
	@printf '%s\n' "executed notebook: $$OUT/$@.ipynb" \
		"the run: $$SHOWN, next: make share RUN='$$SHOWN', or make lab NOTEBOOK=$@"

lab: .venv/installed
	$(if $(filter 0,$(shell id -u)),$(if $(findstring --allow-root,$(ARGS)),,$(error root needs: make lab ARGS=--allow-root)))
	$(WITH_ARGS) $(BIN)/jupyter lab "notebooks/$$NOTEBOOK.ipynb" --ServerApp.tornado_settings=$(MESSAGE)

gallery: .venv/installed-show
	$(WITH_ARGS) $(BIN)/voila notebooks/gallery.ipynb --Voila.ip=127.0.0.1 --preheat_kernel=True --pool_size=1 \
		--theme="$$THEME" --Voila.tornado_settings=$(MESSAGE)

share: .venv/installed-show
	$(BIN)/python -m infogan_core share "$$RUN" "$${OUT:-$$(basename -- "$$RUN").html}"

features: SOURCE ?= embedded
features: OUT ?= outputs/classifier
features: .venv/installed
	$(BIN)/python -m infogan_core classifier "$$DATASET" "$$SOURCE" --seed "$$SEED" --out "$$OUT" \
		$(if $(filter True true,$(SKIP_BAD)),--skip-bad)

study: SOURCE ?= download
study: .venv/installed
	$(BIN)/python -m infogan_core study $(if $(STUDY),"$$STUDY") --source "$$SOURCE"

publish: SOURCE ?= download
publish: .venv/installed
	$(BIN)/python -m infogan_core publish "$$DATASET" "$$SOURCE" --jobs "$$JOBS"

results: .venv/installed
	$(BIN)/python -m infogan_core results

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

bench: .venv/installed
	$(BIN)/python tests/bench_step.py

bench-sliders: .venv/installed-dev
	$(BIN)/python tests/browser/bench_sliders.py

.venv/installed: requirements.txt
	@echo "Installing into .venv: about 3 GB to download, 6 GB on disk, most of it PyTorch with CUDA. It takes minutes."
	$(PYTHON) -m venv .venv
	$(INSTALL) -e .
	@touch $@

.venv/installed-show: .venv/installed requirements-show.txt
	$(INSTALL) -r requirements-show.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-show.txt requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@

# last: it gives those that have no value an empty one, which ?= would keep
export $(GIVEN) SHOWN
