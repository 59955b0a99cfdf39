# Vọng Gác: every camera of a province seen by two monitoring centres, and the proof of it.
# Needs GNU make and python3 (3.9 or newer), nothing else; `make help` lists the targets.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PYTHON3 ?= python3
CASES ?= 10000
BASE ?= main
# Its packages contradict those of the lock file: it has an environment of its own below .tools/.
CHECKOV := 3.3.30
# The site of the documentation is built in an environment of its own, for nothing else needs it.
MKDOCS := 1.6.1
MKDOCS_MATERIAL := 9.8.2
# Tests and benches start the same programs many times: compile them once, whatever the environment sets.
unexport PYTHONDONTWRITEBYTECODE
python := .venv/bin/python
# A failed test with a server is repeated once, five tests at most, each printed with its traceback (tests/unit/tiers.py); so is
# one that a leak of an earlier test hit, whose traceback is then all there is of it.
repeated := --max-suite-reruns 5 --rerun-show-tracebacks
# Where the set-up brings uv to, if it was missing.
with_uv := PATH="$$PATH:$(CURDIR)/.tools/bin:$(CURDIR)/.tools/uv/bin:$(CURDIR)/.tools/uv-target/bin"
typed := .githooks shared services simulator local console docs deploy tests bench $(wildcard tools/*.py) conftest.py

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Use

.PHONY: run
run: setup ## The whole platform here, with the demo, or CAMERAS=mine.csv FACILITIES=sites.csv DESTINATIONS=centres.csv; FORWARDERS=2
	@exec $(python) -m local run $(if $(CAMERAS),--cameras "$(CAMERAS)") \
		$(if $(FACILITIES),--facilities "$(FACILITIES)") $(if $(ALLOW),--allow "$(ALLOW)") \
		$(if $(DESTINATIONS),--destinations "$(DESTINATIONS)") $(if $(SERVED_HOST),--served-host "$(SERVED_HOST)") \
		$(if $(FORWARDERS),--forwarders "$(FORWARDERS)") $(if $(PROBERS),--probers "$(PROBERS)") $(ARGS)

.PHONY: smoke
smoke: setup ## Start everything with throw-away state, wait for the demo's result, print it; exit status 0 only if it is right
	@exec $(python) -m local smoke $(ARGS)

.PHONY: backup
backup: setup ## Copy databases and streams of make run to backups/ (TO=folder), also while it runs; KEYS=1: the keys too
	@exec $(python) -m local backup $(if $(TO),--to "$(TO)") $(if $(KEYS),--with-keys) $(ARGS)

.PHONY: restore
restore: setup ## Fill an empty var/ from the newest backup (FROM=folder)
	@exec $(python) -m local restore $(if $(FROM),--from "$(FROM)") $(ARGS)

##@ Develop

.PHONY: check
check: lint test-unit ## Before every commit: lint and the unit tests

.PHONY: test-unit
test-unit: setup ## Tests without a server or another process, with few random examples (ARGS="-k relay" chooses)
	@exec $(python) -m tests.unit $(ARGS)

.PHONY: test
test: setup ## Unit tests, and the day's of those on the real PostgreSQL and NATS; VONGGAC_EVERY_CASE=1: all, lines counted (ARGS="-k relay" or SHARD=1/4 chooses)
	@exec $(python) -m pytest -n 5 --dist loadfile --no-loadscope-reorder $(repeated) $(if $(SHARD),--shard $(SHARD)) $(if $(ARGS)$(SHARD),$(ARGS),--record-seconds $(if $(filter-out 0,$(VONGGAC_EVERY_CASE)),--cov --cov-report=))

.PHONY: guard-of-tests
guard-of-tests: setup ## Faults on record, one at a time in a copy, each turn their test red (ARGS="-n 4 -k ledger"; goes on where it was stopped)
	@exec $(python) -m tests.unit.guard $(ARGS)

.PHONY: leak-test
leak-test: setup ## Secrets planted at every input in every spelling are found nowhere: logs, APIs, events, databases, /proc
	@exec $(python) -m pytest -q -n0 tests/leaks $(ARGS)

.PHONY: test-browser
test-browser: setup ## The console's pages in Debian's Chromium (apt install chromium); says so where there is none
	@VONGGAC_TEST_BROWSER=1 exec $(python) -m pytest -q -n0 -rs console/tests/browser $(ARGS)

.PHONY: test-chart
test-chart: chart-tools ## The Helm chart: lint, render, schemas, generated values, policies, alert rules; needs no container
	@exec $(python) -m pytest -q -n 2 --dist worksteal tests/chart $(ARGS)

.PHONY: chart-tools
chart-tools: setup
	@UV_TOOL_DIR=.tools/uv-tools UV_TOOL_BIN_DIR=.tools/bin $(with_uv) \
		uv tool install --quiet checkov==$(CHECKOV) || echo "chart-tools: no checkov: the policies are not checked" >&2

.PHONY: test-deploy
test-deploy: chart-tools ## Deployment tried for real: images, compose, chart, a lost node, rolling restarts, disaster (ARGS="-k drill")
	@exec $(python) -m tests.deploy $(ARGS)

.PHONY: coverage
coverage: setup ## The unit tests with lines and branches counted, which takes them several times as long
	@exec $(python) -m tests.unit --counted

.PHONY: diff-cover
diff-cover: setup ## Coverage of the lines changed since BASE (main), from the last run of every case: at least 90 %
	@$(python) -m coverage xml -q --fail-under 0
	@.venv/bin/diff-cover coverage.xml --compare-branch $(BASE) --fail-under 90

.PHONY: witnesses
witnesses: setup ## Reporting's account and an independent one in SQL agree over CASES=10000 cameras of seeded chaos
	@VONGGAC_WITNESS_CASES=$(CASES) $(python) -m pytest -q -n0 services/reporting/tests/witness $(ARGS)

.PHONY: lint
lint: setup ## ruff, codespell, strict mypy, import-linter, squawk over the migrations
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@.venv/bin/codespell
	@$(python) -m mypy $(typed)
	@.venv/bin/lint-imports
	@$(python) -m tests.migrations

.PHONY: format
format: setup ## Let ruff fix and format the code
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .

.PHONY: generate
generate: setup ## Write the JSON Schemas, AsyncAPI documents and generated pages of docs/ again
	@$(python) -m vonggac.bus.declared.generate
	@$(python) docs/generate.py
	@$(python) -m bench.figures
	@$(python) deploy/k8s/generate.py

.PHONY: docs
docs: setup ## The documentation as a site that needs no network, in dist/site/index.html; a dead link fails
	@UV_TOOL_DIR=.tools/uv-tools UV_TOOL_BIN_DIR=.tools/bin $(with_uv) \
		uv tool install --quiet mkdocs==$(MKDOCS) --with mkdocs-material==$(MKDOCS_MATERIAL)
	@mkdir -p dist && NO_MKDOCS_2_WARNING=1 $(python) docs/build_site.py .tools/bin/mkdocs dist/site && echo "dist/site/index.html"

.PHONY: api-diff
api-diff: setup ## What breaks callers and readers of events since the last release, or since BASE (api-diff BASE=v0.1.0)
	@exec $(python) -m tests.contract.breaking $(if $(filter command line,$(origin BASE)),$(BASE))

.PHONY: examples
examples: setup ## Write the documents of docs/examples/ again, from a made-up province: the same bytes each time
	@exec .venv/bin/vonggac report examples docs/examples

.PHONY: pictures
pictures: setup ## Draw docs/pictures/ again: the demo's pages in Debian's Chromium, the example report (apt install chromium poppler-utils)
	@PYTHONPATH=. exec $(python) docs/pictures/draw.py

.PHONY: bench
bench: setup ## Measure (BENCH=relay: bench/relay/relay.py only); prints tables and JSON lines
	@for bench in $$(grep -l __main__ bench/*/$(or $(BENCH),*).py | sed 's|\.py$$||; s|/|.|g'); do \
		echo "== $$bench"; $(python) -m "$$bench"; done

.PHONY: bench-probe
bench-probe: setup ## Cost of probes beside ffmpeg and ffprobe, schedule, memory (ARGS="--soak 100000")
	@exec $(python) -m bench.probing.probe $(ARGS)

.PHONY: bench-forward
bench-forward: setup ## Cost of forwarding beside ffmpeg, nginx-rtmp, PyAV and a C loop, where installed; then the delay
	@exec $(python) -m bench.relay.forward $(ARGS)

.PHONY: bench-faults
bench-faults: setup ## Faults at one destination: losses of the other, false states, time to detect and to recover
	@exec $(python) -m bench.faults.faults $(ARGS)

.PHONY: bench-truth
bench-truth: setup ## Every kind of fault: reporting's seconds against the truth (ARGS="--seed 2", "--kinds black discards")
	@exec $(python) -m bench.truth.truth $(ARGS)

.PHONY: bench-import
bench-import: setup ## 20,000 cameras in and back out: CSV, XLSX, dry run, memory, other writers (ARGS="--cameras 2000")
	@exec $(python) -m bench.records.import_cameras $(ARGS)

.PHONY: bench-console
bench-console: setup ## The console's pages before 20,000 cameras, 200 streams beside (ARGS="--cameras 2000"); exit status 1 beyond a target
	@exec $(python) -m bench.reporting.console $(ARGS)

.PHONY: bench-report
bench-report: setup ## A year of 20,000 cameras: ingest, compliance, files, ledger, the second witness (ARGS="--cameras 2000")
	@exec $(python) -m bench.reporting.report $(ARGS)

.PHONY: bench-guard
bench-guard: setup ## Attacks on APIs and by cameras: memory, silence, losses, wrong verdicts (ARGS="--seconds 10")
	@exec $(python) -m bench.guard.guard $(ARGS)

.PHONY: bench-served
bench-served: setup ## Centres that pull: start, CPU, a flood beside the other centre (ARGS="--cameras 20"); exit status 1 beyond a bound
	@exec $(python) -m bench.serving.served $(ARGS)

.PHONY: soak
soak: setup ## Ten minutes of random faults with 100 cameras: memory and descriptors flat, all verified at the end
	@exec $(python) -m bench.faults.soak $(ARGS)

##@ Release

.PHONY: packages
packages: setup ## Wheels of all packages and their SBOM (CycloneDX, from the lock file) in dist/
	@rm -rf dist && $(with_uv) uv build --quiet --all-packages --wheel --out-dir dist
	@$(with_uv) uv export --quiet --locked --all-packages --no-dev --format cyclonedx1.5 --output-file dist/vonggac.cdx.json
	@ls dist

.PHONY: push-image
push-image: ## Build the image of SERVICE with SBOM and provenance and push it to REGISTRY, as VERSION (docker buildx)
	@: $${SERVICE:?one of inventory prober forwarder reporting console simulator local} $${REGISTRY:?where to push} $${VERSION:?0.1.0}
	@[ -z "$${REGISTRY_PASSWORD-}" ] || printf %s "$$REGISTRY_PASSWORD" | docker login --username "$$REGISTRY_USER" --password-stdin "$${REGISTRY%%/*}"
	@docker buildx inspect vonggac >/dev/null 2>&1 || docker buildx create --name vonggac --driver docker-container >/dev/null
	@docker buildx build --builder vonggac --file deploy/docker/Dockerfile --build-arg "SERVICE=$$SERVICE" \
		--build-arg "VERSION=$${VERSION#v}" --build-arg "REVISION=$$(git rev-parse HEAD)" \
		--sbom=true --provenance=mode=max --tag "$$REGISTRY/vonggac-$$SERVICE:$${VERSION#v}" --push .

.PHONY: publish-release
publish-release: ## What lies in dist/ as the release of TAG, with what breaks since the one before (gh)
	@: $${TAG:?v0.1.0}
	@before=$$(git describe --tags --abbrev=0 --match 'v*' "$$TAG^" 2>/dev/null || true); \
		{ if [ -n "$$before" ]; then $(python) -m tests.contract.breaking "$$before" || true; else echo "The first release."; fi; } >dist/breaking.txt
	@gh release create "$$TAG" dist/*.whl dist/vonggac.cdx.json --verify-tag --notes-file dist/breaking.txt

##@ Set up and tidy

.PHONY: setup
setup: ## Install uv where it is missing, and the locked packages into .venv/ (the other targets do this first)
	@command -v $(PYTHON3) >/dev/null || { echo "set-up: $(PYTHON3) is missing: install Python 3.9 or newer" >&2; exit 1; }
	@$(PYTHON3) local/bootstrap.py

.PHONY: clean
clean: ## Remove caches, .venv/ and .tools/ (the data of make run stays)
	@find . -path ./var -prune -o -path ./.git -prune -o -type d \( -name __pycache__ -o -name '*.egg-info' \) \
		-exec rm -rf {} +
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage coverage.xml dist .venv .tools

.PHONY: clean-state
clean-state: setup ## Remove var/, the data of make run
	@$(python) -m local clean
