# make demo   install everything, refresh client ms, print its scores and the path of its report
# make test   the whole test suite
# make help   the rest
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
STAMP := $(VENV)/.installed
SOAK ?= /tmp/mmm-soak
PARTS ?= fleet registry repeated fuzz disks ended
COUNT ?= 100
WORKERS ?= 2
WORKERS_DEMO ?= /tmp/mmm-workers
TRUTH ?= /tmp/mmm-truth
export DAGSTER_HOME ?= $(CURDIR)/dagster_home
export MMM_DATA_DIR ?= $(CURDIR)/data
# Bytecode is kept, whatever the environment says: else every process translates all libraries anew, seconds each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help docs docs-serve notebook docs-cli install lock demo ui test lint types doctest definitions gate check bench truth odd-clients peers floor sbc soak soak-fleet soak-registry soak-repeated soak-fuzz soak-disks soak-ended workers night rehearsal helm-check workers-demo upgrade-check audit clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

.uv/bin/uv:
	@echo "uv is not on the PATH: installing it into .uv (a private environment)"
	@python3 -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv

$(STAMP): requirements.lock pyproject.toml | $(filter .uv/bin/uv,$(UV))
	@echo "Installing the pinned dependencies into $(VENV)"
	@test -x $(BIN)/python || $(UV) venv --quiet $(VENV)
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
# leaves the bytecode of what they import; objects that stay frozen to the end would be told as leaks, a screen of them
	-@$(BIN)/python -c "import gc, mmm_assets.warm; gc.unfreeze()" && $(BIN)/mmm --version >/dev/null
	@touch $@

install: $(STAMP) ## Fill .venv from requirements.lock and install the project editable

lock: | $(filter .uv/bin/uv,$(UV)) ## Renew requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.12 --extra dev --upgrade \
		pyproject.toml --output-file requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.12 --extra workers \
		--extra kubernetes --extra objects --constraints requirements.lock pyproject.toml --output-file deploy/requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.12 --extra objects --extra rehearsal \
		--constraints requirements.lock --constraints deploy/requirements.lock pyproject.toml --output-file deploy/rehearsal.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.12 --extra manifests \
		--constraints requirements.lock --constraints deploy/requirements.lock pyproject.toml --output-file deploy/manifests.lock

define AFTER_THE_DEMO

What next:
  $(BIN)/mmm open ms        look at the report in your browser
  $(BIN)/mmm plan ms        what to do with the budget of each channel
  $(BIN)/mmm add acme --data export.csv --date week --target revenue --channels tv,search
                           your own client, from a file of yours; then: $(BIN)/mmm refresh acme
  $(BIN)/mmm ui             all pages and runs in the browser; new files are refreshed by themselves
Explained step by step: docs/tutorial.md, docs/own-client.md
endef
export AFTER_THE_DEMO

demo: install ## Refresh client ms at full settings; print its scores, checks and report, and what to do next
	@$(BIN)/mmm refresh ms
	@echo "$$AFTER_THE_DEMO"

ui: install ## Dagster's web interface and daemon on 127.0.0.1
	@$(BIN)/mmm ui

test: install ## The whole test suite, in two processes; WORKERS=4 for more, ARGS="-k returns" for less
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

lint: install ## Style of the code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: install ## Types of engine and code location
	@$(BIN)/mypy --strict mmm_engine mmm_assets

docs: install ## The documentation as a site in site/; broken links end it, the guide is run anew
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet 2> >(grep -v '^\[IPKernelApp\]' >&2)
	@echo "site/index.html"

docs-serve: install ## The same in the browser, anew with each change of a page
	@NO_MKDOCS_2_WARNING=1 MMM_DOCS_EXECUTE=false $(BIN)/mkdocs serve --open

notebook: install ## The guide in JupyterLab
	@$(BIN)/jupyter lab docs/guide.ipynb

docs-cli: install ## Write docs/cli.md from the commands
	@$(BIN)/python -m mmm_assets.cli.reference > docs/cli.md.new && mv docs/cli.md.new docs/cli.md

doctest: install ## Examples in docstrings
	@$(BIN)/python -m pytest -q --doctest-modules mmm_engine -p no:randomly

definitions: install ## Dagster's definitions load
	@$(BIN)/dagster definitions validate -w workspace.yaml --log-level warning

gate: install ## Refresh the sample clients with two windows in a scratch home; exit 1 when a gate fails
	@export DAGSTER_HOME=$$(mktemp -d) && $(BIN)/mmm refresh ms harbor lumen --windows full,h04; \
		$(BIN)/mmm gate ms harbor lumen; code=$$?; rm -rf "$$DAGSTER_HOME"; exit $$code

check: lint types doctest definitions gate docs test ## Everything CI runs

bench: install ## Our refresh against plain pymc-marketing, half an hour; ARGS="--only ms --pairs 1" for less
	@$(BIN)/python -m tests.benchmarks.bench $(ARGS)

truth: install ## Do intervals of returns hold the truth? 24 worlds, minutes; ARGS="--worlds 200 --schemes toolkit" for the long one
	@$(BIN)/python -m tests.benchmarks.truth.study --results $(TRUTH) $(ARGS)

odd-clients: install ## Clients with known truth whose form the generator of `make truth` does not make, some minutes
	@$(BIN)/python -m tests.benchmarks.truth.odd_clients $(ARGS)

peers: install ## The platform against pymc-marketing and Meridian on worlds with known truth, half an hour; --help says how
	@$(BIN)/python -m tests.benchmarks.truth.peers --results $(TRUTH) $(ARGS)

floor: install ## How narrow intervals of returns could be, and what makes ours wider: half an hour; --help says how
	@$(BIN)/python -m tests.benchmarks.truth.floor --results $(TRUTH) $(ARGS)

sbc: install ## Do priors, likelihood and sampler belong together? 900 small fits, minutes; ARGS="--simulations 20" for less
	@$(BIN)/python -m tests.benchmarks.sbc $(ARGS)

soak: install ## What must hold for nights: fleet, registry, repeated, fuzz, disks, ended; two hours; PARTS="fuzz disks" for some of them
	@failed=; for part in $(PARTS); do \
		echo "soak: $$part, from $$(date +%H:%M)"; $(MAKE) --no-print-directory soak-$$part || failed="$$failed $$part"; \
	done; test -z "$$failed" || { echo "soak: failed:$$failed" >&2; exit 1; }

soak-fleet: # 200 small clients, 12 of them broken, under the live daemon; ARGS="--sound 28" for fewer
	@rm -rf $(SOAK)/fleet && mkdir -p $(SOAK)/fleet
	@$(BIN)/python -m tests.soak.soak --folder $(SOAK)/fleet $(ARGS)

soak-registry: # 5,000 clients registered: ticks, definitions, pages of partitions
	@rm -rf $(SOAK)/registry && mkdir -p $(SOAK)/registry
	@$(BIN)/python -m tests.soak.registry --folder $(SOAK)/registry

soak-repeated: # COUNT refreshes in one process: memory, objects, open files, bytes of disk
	@rm -rf $(SOAK)/repeated
	@$(BIN)/python -m tests.soak.repeated --folder $(SOAK)/repeated --count $(COUNT)

soak-fuzz: # mutated tables, client files and lift tests, MMM_FUZZ of each
	@MMM_FUZZ=$${MMM_FUZZ:-4000} $(BIN)/python -m pytest -q -m "" tests/engine/rows/test_fuzz.py

soak-disks: # writes that fail: MMM_FAULTY_WRITES of a refresh, a sixth of that of each other command
	@$(BIN)/python -m pytest -q -m soak tests/assets/refreshes/test_failing_disk.py

soak-ended: # SIGTERM at MMM_MOMENTS of a refresh and of a batch; MMM_PATIENCE: seconds until one counts as hanging
	@MMM_PATIENCE=$${MMM_PATIENCE:-900} $(BIN)/python -m pytest -q -m soak tests/assets/refreshes/test_terminated.py

workers: install deploy/requirements.lock ## The packages of several machines (deploy/), beside those of one
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r deploy/requirements.lock

night: install ## A night of 5,000 clients on many workers, simulated from measured parts; ARGS="--fit 30" for slower fits
	@$(BIN)/python -m tests.workers.night $(ARGS)

rehearsal: workers deploy/rehearsal.lock ## Results in an S3 bucket, and a failed run repeated in the browser, tried on this machine
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r deploy/rehearsal.lock
	@$(BIN)/python -m pytest -q -m "" tests/workers tests/interface

helm-check: workers deploy/manifests.lock ## Is what Kubernetes is told right? CHART=folder or file of Dagster's chart; no cluster needed
	@test -e "$(CHART)" || { echo "helm-check: CHART=$(CHART): no such folder or file; deploy/kubernetes/README.md says how to get the chart" >&2; exit 2; }
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r deploy/manifests.lock
	@$(BIN)/hadolint deploy/kubernetes/Dockerfile
	@MMM_HELM_CHART=$(abspath $(CHART)) $(BIN)/python -m pytest -q -p no:randomly tests/assets/launching/test_kubernetes.py

workers-demo: workers ## Postgres, RabbitMQ and two workers on this machine; one is killed in mid-fit; ARGS="--quiet --clients 60" for speed
	@rm -rf $(WORKERS_DEMO)
	@$(BIN)/python -m tests.workers.demo --folder $(WORKERS_DEMO) $(ARGS)

upgrade-check: install | $(filter .uv/bin/uv,$(UV)) ## Do the sample clients' posteriors stay under the newest allowed dependencies?
	@$(BIN)/python -m tests.benchmarks.upgrade --uv $(UV) $(ARGS)

audit: | $(filter .uv/bin/uv,$(UV)) ## Known vulnerabilities of the pinned dependencies (asks PyPI's advisories)
	@$(UV) tool run pip-audit --require-hashes --disable-pip -r requirements.lock

clean: ## Remove what install made (inputs and history stay)
	rm -rf $(VENV) .uv
