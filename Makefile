# `make` lists what there is. Everything runs in a virtual environment that the first target creates.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The project runs on Python 3.10 (the deployed one) to 3.12: python3 if it is one of these, else a newer to older search.
IS_RIGHT := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.12 python3.11 python3.10; do \
	$$python -c '$(IS_RIGHT)' >/dev/null 2>&1 && echo $$python && break; done)
endif

VENV ?= .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

# A PYTHON that was asked for is the one that runs: what was installed here for another one is made anew.
WHICH := import os, sys; print(os.path.realpath(sys.base_prefix), *sys.version_info[:3])
ifneq ($(filter command environment,$(firstword $(origin PYTHON))),)
ifneq ($(wildcard $(INSTALLED)),)
ifneq ($(shell '$(PYTHON)' -c '$(WHICH)' 2>&1),$(shell $(RUN) -c '$(WHICH)' 2>&1))
ANOTHER := yes
endif
endif
endif

EVENT ?= events/timer.json
SOAK_MINUTES ?= 10
# The one of Function Compute that the package is for: python3.10 or python3.12.
RUNTIME ?= python3.10

# What stands on the command line as NAME=VALUE and is none of what a target takes: that is refused, or it would be
# ignored in silence. Only then is a program started for it.
GIVEN := $(foreach name,$(.VARIABLES),$(if $(findstring command,$(origin $(name))),$(name)))
takes = $(if $(filter-out ARGS PYTHON VENV $(2),$(GIVEN)),@$(RUN) -m deploy.given $(1) $(filter-out ARGS PYTHON VENV $(2),$(GIVEN)))

##@ Every day

run: $(INSTALLED)  ## run the function on EVENT (default events/timer.json) against a local stand-in of the cloud
	$(call takes,run,EVENT)
	@$(RUN) -m tests.invoke '$(subst ','\'',$(EVENT))' $(ARGS)

look: $(INSTALLED)  ## look at your own account: what the function would do there; only reads (ARGS=--facts: as a report)
	$(call takes,look,)
	@$(RUN) -m look $(ARGS)

test: lint test-unit  ## lint, check types and run the tests

# One process per core, and whoever is done takes from what the other has left. No two tests share a folder or a port.
test-unit: $(INSTALLED)  ## run the tests only, on every core
	$(RUN) -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

lint: $(INSTALLED)  ## check style, formatting and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

format: $(INSTALLED)  ## format the code and fix what ruff can fix
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

##@ Deploy

package: $(INSTALLED)  ## build dist/code/ and dist/code.zip for RUNTIME (default python3.10) of Function Compute
	$(call takes,package,RUNTIME)
	$(RUN) -m deploy.package --runtime '$(RUNTIME)'
	@$(RUN) -m tests.packaged

policy: $(INSTALLED)  ## print the RAM policy for s.mine.yaml (or for region=, account=, queue=, alert_queue=, bucket=, prefix=, deploy_to=)
	$(call takes,policy,region account queue alert_queue bucket prefix deploy_to)
	@$(RUN) -m deploy.policy $(foreach name,region account queue alert_queue bucket prefix deploy_to,$(if $(findstring command,$(origin $(name))),$(name)='$($(name))'))

setup: $(INSTALLED)  ## make role, policy, queues and bucket for s.mine.yaml; ARGS=--plan only looks
	$(call takes,setup,)
	@$(RUN) -m deploy.setup $(ARGS)

deploy: $(INSTALLED)  ## build the package, preview and deploy it with s.mine.yaml
	$(call takes,deploy,)
	@$(RUN) -m deploy.deploy $(ARGS)

# Neither has a default, and neither is taken from the environment: what is sent may spend money.
invoke: $(INSTALLED)  ## invoke the deployed function NAME with the event EVENT; asks before it can spend money
	$(call takes,invoke,NAME EVENT)
	@$(RUN) -m deploy.invoke $(ARGS) -- '$(if $(findstring command,$(origin NAME)),$(NAME))' \
		'$(if $(findstring command,$(origin EVENT)),$(EVENT))'

# The development set is locked for every platform and Python in use; what is deployed is taken from it, for each runtime.
# What is locked stays locked as long as it fits: UPGRADE=1 takes the newest of everything, UPGRADE=name of that alone.
UPGRADED = $(if $(filter 1,$(UPGRADE)),--upgrade,$(addprefix --upgrade-package=,$(UPGRADE)))
UV_COMPILE = $(RUN) -m uv pip compile --quiet $(UPGRADED) --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-config --custom-compile-command 'make lock'

lock: $(INSTALLED)  ## lock what requirements*.txt ask for, for each runtime, too (UPGRADE=1: the newest of everything)
	$(call takes,lock,UPGRADE)
	$(UV_COMPILE) --python-version 3.10 --universal requirements.txt requirements-dev.txt -o requirements-dev.lock
	$(UV_COMPILE) --python-version 3.10 --python-platform x86_64-manylinux_2_28 -c requirements-dev.lock requirements.txt -o requirements.lock
	$(UV_COMPILE) --python-version 3.12 --python-platform x86_64-manylinux_2_31 -c requirements-dev.lock requirements.txt -o requirements-3.12.lock

##@ Now and then

soak: $(INSTALLED)  ## run the function against an unreliable cloud for SOAK_MINUTES (default 10)
	$(RUN) -m tests.promise.soak --minutes $(SOAK_MINUTES) $(ARGS)

mutants: $(INSTALLED)  ## break the code in small ways and see whether a test notices
	$(RUN) -m tests.promise.mutants $(ARGS)

bench: $(INSTALLED)  ## measure start and run times
	$(RUN) -m bench $(ARGS)

clean:  ## remove everything that was built, installed or cached here
	rm -rf .venv* .local dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*## ' '/^##@/ {printf "%s%s\n", sep, substr($$0, 5); sep = "\n"} \
		/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Installed again only when a requirement changed: the stamp is newer than the lock file otherwise.
$(INSTALLED): requirements-dev.lock $(if $(ANOTHER),another-python)
	@'$(or $(PYTHON),false)' -c '$(IS_RIGHT)' \
		|| { echo "make: Python 3.10, 3.11 or 3.12 is needed$(if $(PYTHON),, and none is on PATH): make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@[ -z '$(ANOTHER)' ] || { echo "$(VENV) is of another Python: making it anew with $(PYTHON)" >&2; rm -f $@; '$(PYTHON)' -m venv --clear $(VENV); }
	@[ -x $(VENV)/bin/pip ] || { echo "creating $(VENV)" >&2; '$(PYTHON)' -m venv $(VENV); }
	@echo "installing requirements-dev.lock into $(VENV)" >&2
	@$(RUN) -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: another-python run look test test-unit lint format package policy setup deploy invoke lock soak mutants bench clean help
