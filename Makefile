define HELP
make mnist          train on 4,000 real digits, then sliders: 2 to 8 minutes on one core
make svhn           the published house numbers; with SOURCE= or PROFILE= a training
make celeba         the published faces; with SOURCE= or PROFILE= a training
  PROFILE=quick     or smoke (seconds), or paper (half an hour); of celeba also quick64, for 64x64 pixels
  SOURCE=embedded   or download, or a path: official files, an .npz, a folder of pictures
  SKIP_BAD=False    True leaves out pictures that cannot be used
  SEED=0  DEVICE=auto  OUT=folder
  WEIGHTS=train     or published, or a run directory: what the notebook shows
make lab            JupyterLab: NOTEBOOK=mnist, ARGS= for its own flags; root needs ARGS=--allow-root
make gallery        the published runs as a web page: THEME=light or dark, ARGS= for Voila's own flags
make share          one HTML file with live sliders: RUN=outputs/published/mnist OUT=mnist.html
make site           the sliders, notebooks, results and guides as a static site: OUT=outputs/site
make features       a classifier for evaluate(): DATASET=svhn SOURCE=path SEED=0 SKIP_BAD=False OUT=folder
make study          the paper's claims, measured again, in hours: STUDY=figure1 for one, SOURCE=download or a path
make publish        a data set's published runs from step 0, in hours: DATASET=svhn SOURCE=path JOBS=2 seeds at once
make results        RESULTS.md, the model cards and README's table, from the files of the runs
make test           every check that CI runs
make bench          the time of a training step here
make bench-sliders  the time of a slider's move here, in headless Chromium
Every target first makes .venv with PYTHON=python3, and installs what it needs there.
endef

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c requirements.lock
# Recipes read what the user gives from the environment, as "$$OUT". Without this line make would first expand every $
# of the command line.
$(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),$(eval override export $v := $$(value $v))))
# runs its words and those of ARGS, in which quotes hold spaces together
WITH_ARGS := $(BIN)/python -c 'import os, shlex, sys; \
	os.execv(sys.argv[1], sys.argv[1:] + shlex.split(os.environ.get("ARGS", "")))'

help:
	$(info $(HELP)) @:

NOTEBOOKS := mnist svhn celeba
.PHONY: help $(NOTEBOOKS) lab gallery share site features study publish results test bench bench-sliders

mnist: DEFAULT := train
svhn celeba: DEFAULT := published
$(NOTEBOOKS): .venv/installed
	@given="$$SOURCE$$PROFILE"; weights="$${WEIGHTS:-$${given:+train}}"; weights="$${weights:-$(DEFAULT)}"; \
	name="$@-$${PROFILE:-quick}"; out="$${OUT:-outputs/$@-loaded}"; \
	case "$$weights" in \
		train) out="$${OUT:-outputs/$${name%-quick}}"; run="$$out" ;; \
		published) run="outputs/published/$@"; [ "$$PROFILE" != quick64 ] || run="$${run}64" ;; \
		*) run="$$weights" ;; \
	esac; \
	$(BIN)/python -m infogan_core batch notebooks/$@.ipynb -p profile "$${PROFILE:-quick}" -p weights "$$weights" \
		-p source "$${SOURCE:-embedded}" -p skip_bad "$${SKIP_BAD:-False}" -p seed "$${SEED:-0}" \
		-p device "$${DEVICE:-auto}" --out "$$out" && \
	printf '%s\n' "executed notebook: $$out/$@.ipynb" \
		"the run: $$run, next: make share RUN='$$run', or make lab NOTEBOOK=$@"

lab: .venv/installed
	$(if $(filter 0,$(shell id -u)),$(if $(findstring --allow-root,$(ARGS)),,$(error root needs: make lab ARGS=--allow-root)))
	$(WITH_ARGS) $(BIN)/jupyter lab "notebooks/$${NOTEBOOK:-mnist}.ipynb"

gallery: .venv/installed-show
	JUPYTER_PATH="$(CURDIR)/notebooks" $(WITH_ARGS) $(BIN)/voila \
		notebooks/gallery.ipynb --Voila.config_file_paths=notebooks --theme="$${THEME:-light}"

share: .venv/installed-show
	run="$${RUN:-outputs/published/mnist}"; \
	$(BIN)/python -m infogan_core share "$$run" "$${OUT:-$$(basename -- "$$run").html}"

site: .venv/installed-site
	$(BIN)/python -m infogan_core site "$${OUT:-outputs/site}"

features: .venv/installed
	$(BIN)/python -m infogan_core classifier "$${DATASET:-svhn}" "$${SOURCE:-embedded}" --seed "$${SEED:-0}" \
		--out "$${OUT:-outputs/classifier}" $(if $(filter True true,$(SKIP_BAD)),--skip-bad)

study: .venv/installed
	$(BIN)/python -m infogan_core study $${STUDY:+"$$STUDY"} --source "$${SOURCE:-download}"

publish: .venv/installed
	$(BIN)/python -m infogan_core publish "$${DATASET:-mnist}" "$${SOURCE:-download}" --jobs "$${JOBS:-1}"

results: .venv/installed
	$(BIN)/python -m infogan_core results

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

bench: .venv/installed
	$(BIN)/python tests/bench_step.py

bench-sliders: .venv/installed-dev
	$(BIN)/python tests/browser/bench_sliders.py

.venv/installed: requirements.txt requirements.lock
	@echo "Installing into .venv: about 3 GB to download, 6 GB on disk, most of it PyTorch with CUDA. It takes minutes."
	$(PYTHON) -m venv .venv
	$(INSTALL) -e .
	@touch $@

.venv/installed-show: .venv/installed requirements-show.txt
	$(INSTALL) -r requirements-show.txt
	@touch $@

.venv/installed-site: .venv/installed requirements-show.txt requirements-site.txt
	$(INSTALL) -r requirements-site.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-show.txt requirements-site.txt requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@
