# `make help` lists everything. The environment lives in .venv/; nothing outside the checkout is changed.
PYTHON ?= python3
PY := .venv/bin/python
# Bytecode is kept, whatever the shell says: compiling everything anew in each process is a tenth of the seconds.
PYTEST := PYTHONDONTWRITEBYTECODE= $(PY) -m pytest
STAGE ?= prod
READY := .venv/.ready
DEMO := .venv/.ready-demo
CODE := app.py benchmarks chalicelib emulator samples sagemaker_auditor/__init__.py sagemaker_auditor/__main__.py tools tests
PYTHON_FITS := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "$(PYTHON) is older than 3.11; accepted is Python 3.11 or newer: make PYTHON=python3.12 setup" >&2; exit 1; }
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup demo precision test quick slow chaos mutants lint format types check package generate golden audit-deps deploy destroy drift lock serve e2e paste browser pictures bench bench-others clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make the environment in .venv (Python 3.11 or newer)

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON_FITS)
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes -r requirements-dev.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(READY) $(DEMO)

# What a demo needs is a fifth of what development needs, in the same versions: either may be installed first.
$(DEMO): requirements-demo.txt pyproject.toml
	@$(PYTHON_FITS)
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes -r requirements-demo.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(DEMO)

demo: $(DEMO)  ## audit a lifelike account on the embedded emulator, without AWS
	@.venv/bin/auditor demo

test: setup  ## the tests that every change must pass, side by side on all cores
	@$(PYTEST) -p no:schemathesis -p no:anyio -n auto --dist loadfile --durations 15 -m "not slow"

quick: setup  ## the pure tests: no emulator, no other process, nothing beyond loopback; a few seconds
	@$(PYTEST) -p no:schemathesis -p no:anyio -p no:hypothesispytest -n auto --dist worksteal -m "not thorough and not slow" tests/unit

chaos: setup  ## deaths, odd answers and a failing table at every place; takes long (CHAOS="--share 0.05 --seed 7")
	@$(PY) -m tests.chaos $(CHAOS)

mutants: setup  ## deliberate errors in the code, and which no test notices; takes long (MUTANTS="--sample 200 --seed 1")
	@$(PY) -m tools.mutants $(MUTANTS)

slow: setup  ## what takes longer: the packed zip in a bare interpreter, the terminal, the benchmark's account, all examples of the properties
	@AUDITOR_ALL_EXAMPLES=1 $(PYTEST) -p no:anyio -n auto --dist loadfile tests/slow
	@AUDITOR_ALL_EXAMPLES=1 $(PYTEST) -p no:schemathesis -p no:anyio -n auto --dist worksteal -m "thorough or slow" tests/unit tests/service tests/http

e2e: setup  ## the packed and deployed stack on emulators on loopback
	@$(PY) -m pytest tests/e2e -s

paste: setup  ## the commands of the fixes, pasted into a shell with the real AWS CLI (needs bash and jq)
	@$(PY) -m pytest tests/paste

browser: setup  ## the report page in Chromium (Debian: apt-get install chromium)
	@$(PY) -m pytest tests/browser -s

pictures: setup  ## the pictures of the documentation, from the demo account
	@$(PY) -m tools.pictures

bench: setup  ## what an audit costs: calls, seconds, memory, cold start (BENCH="--rounds 3")
	@$(PY) -m benchmarks $(BENCH)

bench-others: setup  ## Prowler and Cloud Custodian against the same account, side by side
	@$(PY) -m benchmarks.others

deploy: setup  ## deploy the stack: STAGE=prod BUCKET=… [REGION=…] [PARAMETERS="Regions=…"] [TAGS="team=…"] [DRY_RUN=1]
	@$(PY) -m tools.deploy --stage $(STAGE) --bucket "$(BUCKET)" $(if $(REGION),--region $(REGION)) \
	  $(if $(PARAMETERS),--parameter $(PARAMETERS)) $(if $(TAGS),--tag $(TAGS)) $(if $(DRY_RUN),--dry-run)

destroy: setup  ## remove the stack (YES=1), keeping table and reports
	@$(PY) -m tools.destroy --stage $(STAGE) $(if $(REGION),--region $(REGION)) $(if $(YES),--yes)

lint: setup  ## ruff: rules and format
	@.venv/bin/ruff check $(CODE)
	@.venv/bin/ruff format --check $(CODE)

format: setup  ## let ruff mend what it can
	@.venv/bin/ruff check --fix $(CODE)
	@.venv/bin/ruff format $(CODE)

types: setup  ## mypy, strict
	@.venv/bin/mypy $(CODE)

package: setup  ## pack for Lambda into out/package (STAGE=prod, or prod-arm64 for Graviton), and check the zip
	@$(PY) -m tools.package out/package $(STAGE)

audit-deps: setup  ## known vulnerabilities of what goes into the zip (asks a database of them)
	@$(PY) -m tools.audit_requirements

generate: setup  ## write anew what is generated from the code: permissions, schemas, the catalogue
	@$(PY) -m tools.generate

golden: setup  ## write the golden files of the notices anew, to be read in a review
	@AUDITOR_RENEW_GOLDEN=1 $(PY) -m pytest -q tests/unit tests/service/test_terminal.py \
	  -k "golden or slack or email or hub or sns or in_a_terminal"

drift: setup  ## fail when a generated file is older than the code
	@$(PY) -m tools.generate --check

check: lint types drift test  ## everything that is quick

precision: setup  ## precision and recall of the rules over the labelled account
	@$(PY) -m tools.precision

lock: setup  ## pin the requirements anew, with hashes: those of development, those of the command line and of Lambda to the same versions
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@.venv/bin/uv pip compile pyproject.toml --quiet --upgrade --extra dev --generate-hashes --universal \
	  --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements-dev.txt
	@echo 'setuptools>=77' | .venv/bin/uv pip compile pyproject.toml - --quiet --extra demo \
	  --constraint requirements-dev.txt --generate-hashes --universal --python-version 3.11 --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links -o requirements-demo.txt
	@.venv/bin/uv pip compile pyproject.toml --quiet --constraint requirements-dev.txt --generate-hashes --universal \
	  --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements-cli.txt
	@.venv/bin/uv pip compile requirements.in --quiet --constraint requirements-dev.txt --generate-hashes \
	  --python-platform x86_64-manylinux2014 --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
	  --no-emit-find-links -o requirements.txt

serve: setup  ## the HTTP routes on loopback, over the demo account
	@.venv/bin/auditor serve --demo --ledger

clean:  ## remove what can be made again
	rm -rf .venv build out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .chalice/deployments
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
