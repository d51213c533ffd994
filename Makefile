# make run     the whole product on this machine      make test    every test
# make check   what must pass before a commit         make help    the rest

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --require-virtualenv
# Each worker has servers of its own; a file stays with one worker, so that what it has made serves all its tests.
PYTEST ?= $(PY) -m pytest -n auto --maxprocesses 3 --dist loadfile --no-loadscope-reorder

# A stamp is newer than the list it was installed from, so the second start installs nothing and needs no network.
RUNTIME := $(VENV)/runtime.stamp
DEV := $(VENV)/dev.stamp
ASSETS := app/static/vendor/.stamp

.PHONY: help setup dev assets translations run init test check bench lock clean
.DEFAULT_GOAL := help

help:
	@echo 'make run      установить недостающее и запустить всё на этой машине'
	@echo 'make init     начать свою клинику: имя и пароль директора, без примера'
	@echo 'make setup    только установить'
	@echo 'make test     все тесты'
	@echo 'make check    всё, что должно пройти перед коммитом'
	@echo 'make bench    измерить скорость на большой клинике'
	@echo 'make lock     пересчитать requirements*.txt и package-lock.json'
	@echo 'make clean    убрать установленное (данные в var/ остаются)'

setup: $(RUNTIME) assets translations
dev: setup $(DEV)
assets: $(ASSETS)

# Made again when making it was interrupted, or when the Python behind it has gone.
$(shell [ ! -e $(VENV)/made.stamp ] || $(PY) -c '' 2>/dev/null || rm -f $(VENV)/made.stamp)
$(VENV)/made.stamp:
	@command -v $(PYTHON) >/dev/null || { echo 'Не найден $(PYTHON): установите Python 3.11 или новее.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Нужен Python 3.11 или новее, а $(PYTHON) — это `$(PYTHON) -V 2>&1`. Укажите другой: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo 'В этом Python нет модуля venv: установите пакет python3-venv и повторите.' >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUNTIME): requirements.txt $(VENV)/made.stamp
	$(PIP) install --quiet --use-pep517 --require-hashes -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	$(PIP) install --quiet --use-pep517 --require-hashes -r requirements.txt -r requirements-dev.txt
	@touch $@

$(ASSETS): package-lock.json scripts/assets.py requirements-node.txt | $(RUNTIME)
	$(PY) scripts/assets.py
	@touch $@

# The compiled catalogues are not committed: each .mo is made when its .po is newer.
PO := $(wildcard translations/*/LC_MESSAGES/messages.po)
translations: $(PO:.po=.mo)
%.mo: %.po | $(RUNTIME)
	$(VENV)/bin/pybabel --quiet compile --input-file $< --output-file $@

run: setup
	@exec $(PY) run.py

init: setup
	@exec $(PY) -m app init

test: dev
	$(PYTEST)

check: dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	$(PYTEST)

bench: dev
	$(PY) -m bench $(BENCH)

# Resolved with the oldest Python we support, so that what only the oldest needs is in the list.
# The options keep addresses of package registries out of the lists.
LOCK := CUSTOM_COMPILE_COMMAND='make lock' .venv-lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet pip-tools
	$(LOCK) --output-file requirements.txt requirements.in
	$(LOCK) --output-file requirements-dev.txt requirements-dev.in
	$(LOCK) --output-file requirements-node.txt requirements-node.in
	rm -rf .venv-lock
	npm install --package-lock-only --ignore-scripts --no-audit --no-fund

clean:
	rm -rf $(VENV) .venv-lock node_modules app/static/vendor .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find translations -name '*.mo' -delete 2>/dev/null || true
