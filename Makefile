# Thin wrappers around CMake, ctest and pytest. Each first installs what is missing (cmake/install_dependencies.sh); INSTALL=no leaves that out.
# PRESET chooses the build: release, debug, portable, asan, ubsan, asan-ubsan, tsan.
PRESET ?= release
JOBS ?= $(shell nproc)
INSTALL ?= yes
BUILD := build/$(PRESET)

ifeq ($(INSTALL),yes)
install = cmake/install_dependencies.sh $(1)
else
install = :
endif

.PHONY: build demo test bench coverage format lint clean
.DEFAULT_GOAL := build

build:
	@$(call install,build)
	@test -f $(BUILD)/build.ninja || cmake --preset $(PRESET)
	@cmake --build $(BUILD) -j $(JOBS)

demo: build
	@$(BUILD)/bin/tilewright_demo examples/demo

test: build
	@$(call install,python)
	@cmake/run_tests.sh $(PRESET)

bench: build
	@$(call install,python)
	@.venv/bin/python bench/cpu_bench.py --build-dir $(BUILD)

coverage:
	@$(call install,coverage)
	@JOBS=$(JOBS) cmake/coverage.sh

format:
	@$(call install,format)
	@git ls-files '*.cpp' '*.h' | xargs clang-format-14 -i

lint:
	@$(call install,lint)
	@test -f $(BUILD)/build.ninja || cmake --preset $(PRESET)
	@cmake --build $(BUILD) -j $(JOBS)
	@git ls-files '*.cpp' | grep -v '^examples/my_kernel\|^examples/call_from_cpp\|^examples/load_bundle' | xargs -P $(JOBS) -n 4 clang-tidy-22 --quiet -p $(BUILD)

clean:
	@rm -rf build
