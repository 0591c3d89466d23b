# SPDX-License-Identifier: Apache-2.0
# A front for people; CMake does the work. `make help` explains.
BUILD   ?= build/release
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)
export CTEST_OUTPUT_ON_FAILURE = 1

.PHONY: all help deps deps-test demo test check bench lint format fuzz peers install clean

all: deps                ## build the library and the command
	@cmake --preset release -DTENON_TESTS=OFF >/dev/null
	@cmake --build --preset release -j $(JOBS)

help:                    ## this text
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

deps:                    ## install what a build needs, if anything is missing
	@tools/deps.sh build

deps-test:
	@tools/deps.sh test

demo: all                ## verify and run the example models
	@examples/demo.sh $(BUILD)/tenon

test: deps-test          ## build everything and pass the tests (CMAKE_ARGS=…)
	@cmake --preset release -DTENON_TESTS=ON $(CMAKE_ARGS) >/dev/null
	@cmake --build --preset release -j $(JOBS)
	@ctest --preset release -j $(JOBS)

check: test

lint: deps-test          ## layers, registries, forbidden functions, file sizes
	@ctest --preset release -L lint

bench: all               ## library size, start-up, and latency of the examples
	@bench/size.sh $(BUILD)

peers: all               ## side by side with ONNX Runtime and OpenVINO (pip gets them)
	@python3 bench/peers.py --tenon $(BUILD)/tenon

fuzz:                    ## every fuzz target for an hour (SECONDS=3600)
	@SEED=0 tools/fuzz.sh $(or $(SECONDS),3600)

format:                  ## clang-format-14 over the tree
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

install: all
	@cmake --install $(BUILD)

clean:
	@rm -rf build
