# For those who work on shipper itself. `make demo` and `make test` set up everything they need; repeats are quick.
# Another Python: make PYTHON=python3.12   The other example: make demo EXAMPLE=music

PYTHON ?= python3
EXAMPLE ?= quality
BIN := .venv/bin
ENVIRONMENT := .venv/.complete

export PYTHON
# Tests start Python hundreds of times: what it compiles is kept.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help venv python engine browser registry peers node images demo test test-setup lint docs bench faults rounds engines clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(ENVIRONMENT) ## make .venv with shipper and the developers' tools

$(ENVIRONMENT): pyproject.toml scripts/python-environment | python
	scripts/python-environment
	@touch $@

# One after the other where they install packages: only one can at a time.
python:
	@scripts/python

engine: | python ## install (Debian, Ubuntu, as root) and start the Docker engine
	@scripts/engine

browser: | engine
	@scripts/browser

registry: | browser
	@scripts/registry

peers:
	@scripts/peers

node:
	@scripts/node

images: engine venv
	@$(BIN)/python tests/images.py

demo: engine node venv ## ship an example to a practice server on this machine (EXAMPLE=music: the other one)
	@$(BIN)/python scripts/demo.py $(EXAMPLE)

test: ## run all tests, after the linters, on four practice servers at once
	@$(MAKE) --no-print-directory --jobs=2 test-setup
	$(BIN)/pytest --numprocesses 4 --dist loadgroup --no-loadscope-reorder

test-setup: node lint images registry

lint: venv ## look at the code without running it
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: venv ## build the documentation into site/, with the tables made anew from the code
	$(BIN)/python scripts/reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "site/index.html"

bench: engine node peers venv ## measure, and write the results to benchmarks/results
	$(BIN)/python -m benchmarks

faults: engine venv ## run the whole fault matrix on two servers (an hour) and write its table to benchmarks/results
	-$(BIN)/pytest tests/faults --faults=all --numprocesses 2 -o junit_family=xunit1 --junitxml=.faults.xml
	$(BIN)/python tests/faults/table.py .faults.xml benchmarks/results

rounds: engine venv ## let two ship at once, 200 times, and write what became of them to benchmarks/results
	-$(BIN)/pytest tests/host/test_one_at_a_time.py -k at_once --rounds=200 -o junit_family=xunit1 --junitxml=.rounds.xml
	$(BIN)/python tests/host/rounds.py .rounds.xml benchmarks/results

DOCKERS := compose-1 debian-13 debian-13-containerd debian-14 debian-14-containerd
engines: engine venv ## ship to servers with other Dockers than the tests' own, and the first Compose (half an hour)
	@for kind in $(DOCKERS); do echo "$$kind:"; \
		$(BIN)/pytest tests/host/test_container*.py -k "as_it_is or reboot or fails_is_told" --server-docker $$kind \
		|| failed=1; done; test -z "$$failed"

clean: ## delete the environment and all caches; practice servers stay
	rm -rf site .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
