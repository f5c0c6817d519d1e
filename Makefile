# What people and CI call. The work is done by CMake (see CMakePresets.json) and by the scripts in
# tools/; a target here only names it, and first installs what it needs.

JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
CLANG_FORMAT ?= clang-format-14
# For `make run ARGS="--workers 2"`.
ARGS ?=
# For `make bench`: numbers of workers to compare, instead of everything else.
CORES ?=
# For `make check-sessions` and `make amplify`: how long, and what to repeat.
SECONDS ?= 30
SEED ?=

# Targets share build directories, and ninja already uses every core.
.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install all that building, testing and linting need
	@tools/install-packages build test lint fuzz analyze

.PHONY: build
build: packages-build build/release/build.ninja ## Build the release binary, build/release/fanfare
	@cmake --build build/release -j $(JOBS) --target fanfare

.PHONY: run
run: build ## Build and start the server; pass flags as ARGS="--workers 2"
	@exec build/release/fanfare serve $(ARGS)

.PHONY: test
test: packages-build packages-test build/dev/build.ninja ## Run all tests, under ASan and UBSan
	@cmake --build build/dev -j $(JOBS)
	@tools/test

.PHONY: interop
interop: packages-build packages-interop build/dev/build.ninja ## Run foreign clients of every kind, and write docs/compatibility.md
	@cmake --build build/dev -j $(JOBS) --target fanfare
	@tools/interop

.PHONY: faults
faults: packages-build packages-test build/dev/build.ninja ## Throw at every place that may throw, one after the other; takes minutes
	@cmake --build build/dev -j $(JOBS) --target faults_test
	@FANFARE_FAULTS_ALL=1 tools/steady build/dev/tests/faults_test

.PHONY: check-sessions
check-sessions: packages-build packages-test build/dev/build.ninja ## Play many visitors at random for SECONDS=30, from SEED=n
	@cmake --build build/dev -j $(JOBS) --target fanfare session_checker
	@SECONDS_TO_PLAY=$(SECONDS) SEED=$(SEED) tools/check-sessions

.PHONY: amplify
amplify: SECONDS = 60
amplify: packages-build build/release/build.ninja ## Attack the release build at random for SECONDS=60, from SEED=n
	@cmake --build build/release -j $(JOBS) --target fanfare amplify
	@SECONDS_TO_FUZZ=$(SECONDS) SEED=$(SEED) tools/amplify

.PHONY: ledger
ledger: packages-build packages-test build ## Compare what is counted as kept for peers with what the allocator gave out
	@cmake --preset dev >/dev/null && cmake --build build/dev -j $(JOBS) --target session_checker
	@tools/check-ledger

.PHONY: websocket-conformance
websocket-conformance: packages-build packages-conformance build/dev/build.ninja ## Run Autobahn's cases of RFC 6455 and RFC 7692
	@cmake --build build/dev -j $(JOBS) --target websocket_echo
	@tools/websocket-conformance

.PHONY: lint
lint: packages-lint ## Check the layout of the code and the floors of src/
	@CLANG_FORMAT=$(CLANG_FORMAT) tools/check-format
	@tools/floors

.PHONY: format
format: packages-lint ## Lay out the code as make lint wants it
	@CLANG_FORMAT=$(CLANG_FORMAT) tools/check-format --fix

.PHONY: fuzz
fuzz: packages-build packages-fuzz build/fuzz/build.ninja ## Run every fuzz target for FUZZ_SECONDS=60 each
	@# Everything, not only the targets: so clang's -Wthread-safety reads the whole program.
	@cmake --build build/fuzz -j $(JOBS)
	@tools/fuzz

.PHONY: tsan
tsan: packages-build packages-test build/tsan/build.ninja ## Run the tests with threads in them under TSan
	@JOBS=$(JOBS) tools/test-threads

.PHONY: analyze
analyze: packages-build packages-analyze build/analyze/build.ninja ## Read the program with clang-tidy; slow
	@cmake --build build/analyze -j $(JOBS)

.PHONY: bench
bench: packages-build packages-bench ## Measure, and write docs/benchmarks.md; takes an hour. CORES=1,2,4: compare workers
	@CORES="$(CORES)" tools/bench

.PHONY: instructions
instructions: packages-count build ## Count the instructions of a publish and of a delivery; fail above 5 % of change
	@tools/count-instructions build/release/fanfare

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf build

packages-%:
	@tools/install-packages $*

# CMake configures again by itself when a CMakeLists.txt changes, but not when a preset does.
build/%/build.ninja: CMakePresets.json
	@cmake --preset $*
	@touch $@
