# The commands a newcomer types. Each does the set-up it needs.
#
#   make run        build the compiler and run examples/tour.ori
#   make test       every test
#   make gates      every claim that runs within a minute, checked against the real compiler
#   make llvm       build oric-llvm, the back end of --release, with LLVM 22 from Debian
#   make heavy-gates  fuzzing for ten minutes, mutation at full size
#   make planted    bugs planted in the query engine and in passes: their gates must name each
#   make bench      compile-time and run-time figures beside the peers that are installed
#   make peers      install tcc, clang 22, lld, mold, go, ocaml, nim from Debian, for the ratios
#   make bless F=fixtures/...   rewrite the snapshots of one fixture
#   make ready      what the merge check runs

CARGO ?= cargo
ORIC = target/release/oric
# cargo-nextest runs tests of all crates at once; plain cargo test is the fallback.
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)

.PHONY: help run test build llvm fmt lint gates heavy-gates planted bench peers bless ready setup linkers debuggers watchers

help:
	@sed -n 's/^#   //p' Makefile

# A C compiler links the runtime once, when the compiler is built (decision 13). A fresh Debian has none.
setup:
	@command -v cc >/dev/null 2>&1 || { echo "installing a C compiler"; $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq build-essential; }

SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

# A command that needs no dynamic linker, and no address of its own moved, starts 0.4 ms earlier: a tenth of a build without changes.
STATIC = -C target-feature=+crt-static -C relocation-model=static

build: setup
	@$(CARGO) rustc --release -q -p oric --bin oric -- $(STATIC)

run: build
	@$(ORIC) run examples/tour.ori
	@echo "tour.ori: built and run by $(ORIC); next: edit examples/tour.ori and 'make run' again"

# What ORI_LINKER names: its tests link with whatever is here.
linkers:
	@command -v mold >/dev/null 2>&1 && ls /usr/bin/ld.lld* >/dev/null 2>&1 || { echo "installing mold and lld"; \
	    { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq mold lld; } >/dev/null 2>&1 || echo "cannot install mold and lld: not tested"; }

# What reads the debug information of release builds: its tests run whatever is here.
debuggers:
	@command -v gdb >/dev/null 2>&1 && command -v lldb-22 >/dev/null 2>&1 && command -v llvm-dwarfdump-22 >/dev/null 2>&1 || { echo "installing gdb and lldb"; \
	    { $(SUDO) apt-get update -qq; for tool in gdb lldb-22 llvm-22; do $(SUDO) apt-get install -y -qq $$tool || echo "cannot install $$tool: not tested"; done; } 2>/dev/null | grep '^cannot' || true; }

# What watches the memory of programs: valgrind, and AddressSanitizer of LLVM 22. The gate watched-memory-check is about them.
watchers: linkers
	@command -v valgrind >/dev/null 2>&1 && command -v clang-22 >/dev/null 2>&1 && ls $(LLVM)/lib/clang/22/lib/linux/libclang_rt.asan-x86_64.a >/dev/null 2>&1 || { echo "installing valgrind and clang-22"; \
	    { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq valgrind clang-22 libclang-rt-22-dev; } >/dev/null 2>&1 \
	    || { echo "cannot install valgrind, clang-22 and libclang-rt-22-dev: 'watched-memory-check' and '--sanitize=address' need them"; exit 1; }; }

# What holds LLVM: nothing else does. Its libraries are linked statically, so the program needs none of them where it runs.
LLVM = /usr/lib/llvm-22
llvm: setup linkers
	@test -e $(LLVM)/lib/libLLVMCore.a -a -e $(LLVM)/lib/libPolly.a && ls /usr/include/zstd.h >/dev/null 2>&1 || { echo "installing LLVM 22"; \
	    { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq llvm-22-dev libpolly-22-dev libzstd-dev zlib1g-dev lld-22; } >/dev/null 2>&1 \
	    || { echo "cannot install llvm-22-dev, libpolly-22-dev, libzstd-dev and lld-22: 'oric build --release' needs them"; exit 1; }; }
	@LLVM_SYS_221_PREFIX=$(LLVM) $(CARGO) build --release -q -p oric-llvm

test: setup linkers llvm debuggers watchers
ifeq ($(NEXTEST),yes)
	@$(CARGO) test -q --doc
	@$(CARGO) nextest run --no-fail-fast
else
	@$(CARGO) test --no-fail-fast
endif

fmt:
	@$(CARGO) fmt --all -- --check

lint: setup llvm
	@$(CARGO) clippy -q --all-targets -- -D warnings
	@LLVM_SYS_221_PREFIX=$(LLVM) $(CARGO) clippy -q -p oric-llvm -- -D warnings

gates: build llvm watchers
	@$(CARGO) run -q --release -p verify -- gates

heavy-gates: build llvm watchers
	@$(CARGO) run -q --release -p verify -- heavy-gates
	@ORI_TEST_SAVES=1000 $(CARGO) test -q -p oric --test watch every_way_to_save -- --nocapture
	@ORI_TEST_DELETIONS=all $(CARGO) test -q -p fixtures --test recovery one_lost_token_of_an_accepted -- --nocapture

# Each bug is a compiler of its own, in a folder of its own. The gate must fail, and say in its words what is wrong. A torn publish lasts for microseconds,
# which the gate's kills seldom meet: the tests of the store stop a publish at each of its writes, and name it always.
planted: setup
	@for plant in lost-edge:'differ from a clean build' stale-value:'differ from a clean build' \
	    unstable-fingerprint:'gave another answer when doubted'; do \
	  bug=$${plant%%:*}; words=$${plant#*:}; log=target/planted/$$bug.txt; mkdir -p target/planted; \
	  $(CARGO) build -q --release -p verify --features plant-$$bug --target-dir target/planted || exit 1; \
	  if target/planted/release/verify compiler-query-engine-check > $$log 2>&1; then echo "$$bug: NOT FOUND"; exit 1; fi; \
	  grep -m1 "FAILED .*\($$words\)" $$log | cut -c1-160 | sed "s/^ */$$bug is named: /" | grep . || { echo "$$bug: failed, not named: $$log"; exit 1; }; \
	  if [ $$bug = lost-edge ]; then \
	    if target/planted/release/verify test-graph-check > $$log 2>&1; then echo "$$bug: NOT FOUND by test-graph-check"; exit 1; fi; \
	    grep -m1 'FAILED .*\(is reached by the edit and did not run\|gave two different answers\)' $$log | cut -c1-160 | sed "s/^ */$$bug is named: /" | grep . || { echo "$$bug: failed, not named: $$log"; exit 1; }; \
	  fi; \
	done
	@if $(CARGO) test -q -p query --lib --features plant-torn-publish --target-dir target/planted may_die_anywhere \
	    > target/planted/torn-publish.txt 2>&1; then echo "torn-publish: NOT FOUND"; exit 1; fi; \
	grep -m1 'may_die_anywhere.*FAILED\|---- .*may_die_anywhere' target/planted/torn-publish.txt | sed 's/^/torn-publish is named: /' \
	    | grep . || { echo "torn-publish: failed, not named: target/planted/torn-publish.txt"; exit 1; }

# Miscompiles: the differential lane must find each, and reduce and bisect must name its pass, unattended and within two minutes.
	@for plant in wrong-division:lir.strength wrong-sharing:cse; do \
	  bug=$${plant%%:*}; pass=$${plant#*:}; log=target/planted/$$bug.txt; rm -rf target/planted/$$bug; mkdir -p target/planted/$$bug; \
	  $(CARGO) build -q --release -p verify --features plant-$$bug --target-dir target/planted || exit 1; \
	  if target/planted/release/verify differential --count 200 > $$log 2>&1; then echo "$$bug: NOT FOUND"; exit 1; fi; \
	  timeout 120 target/planted/release/verify hunt --folder target/planted/$$bug > $$log 2>&1 || { echo "$$bug: the hunt failed: $$log"; exit 1; }; \
	  lines=$$(grep -c . target/planted/$$bug/small.ori); \
	  grep -q "\"pass\":\"$$pass\"" $$log && [ "$$lines" -lt 20 ] || { echo "$$bug: not named, or $$lines lines: $$log"; exit 1; }; \
	  echo "$$bug is found, reduced to $$lines lines, and named: $$pass"; \
	done

bench: build
	@$(CARGO) run -q --release -p verify -- bench

peers:
	@$(SUDO) apt-get update -qq
	@$(SUDO) apt-get install -y -qq tcc clang-22 lld-22 mold golang-go ocaml nim ninja-build

bless:
	@test -n "$(F)" || { echo "usage: make bless F=fixtures/mir/ok/name.ir"; exit 2; }
	@$(CARGO) run -q -p fixtures -- bless "$(F)"

ready: fmt lint test gates
