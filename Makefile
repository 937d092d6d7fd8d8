# Two commands: `make run` (the main job, on the embedded default) and `make test`. Both set up what is missing.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: run test worlds bench check lock wheel clean

run: $(READY)
	@$(BIN)/reconcile run $(ARGS)

# Two workers, each with a PostgreSQL of its own; the tests of one file stay together, and the long files come first.
test: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

# A thousand worlds whose truth is known, folded at once and in six runs: prints precision, recall, ambiguous, invented.
# Others: make worlds FIRST_SEED=1000 WORLDS=5000
worlds: $(READY)
	RECONCILE_FIRST_SEED=$(or $(FIRST_SEED),0) RECONCILE_WORLDS=$(or $(WORLDS),1000) \
		$(BIN)/python -m pytest -q -s tests/unit/matching/test_known_truth.py

# Speed, memory and wrong answers, ours and others': docs/benchmarks.md. In half an hour: make bench ARGS="match --rows 1000000"
bench: $(READY) .bench/.ready
	$(BIN)/python -m benchmarks $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.boot/bin/uv:
	@$(PYTHON) -c 'import sys; assert sys.version_info[:2] in ((3, 11), (3, 12), (3, 13)), "Python 3.11, 3.12 or 3.13 is needed"'
	$(PYTHON) -m venv .boot
	.boot/bin/pip install --quiet --disable-pip-version-check uv

$(READY): requirements.lock pyproject.toml | .boot/bin/uv
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	.boot/bin/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	.boot/bin/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

# Peers of the benchmarks that cannot live beside what we need.
.bench/.ready: benchmarks/requirements.lock | .boot/bin/uv
	@test -x .bench/bin/python || $(PYTHON) -m venv --without-pip .bench
	.boot/bin/uv pip sync --quiet --compile-bytecode --python .bench/bin/python benchmarks/requirements.lock
	@touch $@

lock: | .boot/bin/uv
	.boot/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --all-extras --group dev \
		--custom-compile-command "make lock" pyproject.toml --output-file requirements.lock
	.boot/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --group bench \
		--custom-compile-command "make lock" --output-file benchmarks/requirements.lock

wheel: $(READY)
	.boot/bin/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python

clean:
	rm -rf .venv .bench .boot var dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
