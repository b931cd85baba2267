# Thin wrappers around CMake, ctest and pytest. Each first installs what is missing (cmake/install_dependencies.sh); INSTALL=no leaves that out.
# PRESET chooses the build: release, debug, portable, asan, ubsan, asan-ubsan, tsan. COUNT is the number of random programs of `make fuzz`.
PRESET ?= release
JOBS ?= $(shell nproc)
INSTALL ?= yes
COUNT ?= 1000
BUILD := build/$(PRESET)

ifeq ($(INSTALL),yes)
install = cmake/install_dependencies.sh $(1)
else
install = :
endif

.PHONY: build demo test fuzz bench coverage format lint clean
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

# Random programs that no run has seen before: on this processor, on the simulated GPU, and compiled for one.
fuzz: build
	@TILEWRIGHT_CACHE=0 $(BUILD)/bin/tilewright_fuzz --count $(COUNT)
	@$(BUILD)/bin/simt_fuzz --count $(COUNT)
	@$(BUILD)/bin/tilewright_fuzz --count $(COUNT) --compile sm_90a

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
