# A thin front for Meson and the scripts in tools/: `make help` lists what there is.

BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

.PHONY: all help packages quickstart check install bench format tidy coverage fuzz clean

all: $(BUILD)/build.ninja ## build build/kedge
	@ninja -j $(JOBS) -C $(BUILD)

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*##/\t/' | sort

packages: ## install the packages that building needs
	@tools/install-packages build

# Packages are looked after here so that a fresh clone builds with one word.
$(BUILD)/build.ninja:
	@tools/install-packages build
	@meson setup $(BUILD) --prefix $(PREFIX) >/dev/null

# Only the program: the tests are not built for it.
quickstart: $(BUILD)/build.ninja ## back up, verify, destroy and restore a sample database
	@ninja -j $(JOBS) -C $(BUILD) kedge
	@tools/quickstart $(BUILD)/kedge

check: ## install what is missing and run every test
	@tools/install-packages build test
	@tools/check

install: all ## install into PREFIX (DESTDIR is honoured)
	@meson configure $(BUILD) --prefix $(PREFIX)
	@meson install -C $(BUILD)

bench: ## measure against the peers, side by side
	@tools/install-packages build bench
	@meson setup build-release --buildtype=release >/dev/null 2>&1 || true
	@ninja -j $(JOBS) -C build-release
	@bench/$(if $(filter migrate,$(firstword $(BENCH))),$(BENCH),run $(BENCH))

format: ## clang-format everything
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

tidy: all ## clang-tidy over src
	@git ls-files 'src/*.c' | xargs -P $(JOBS) -n 4 clang-tidy-14 -p $(BUILD) --quiet

clean: ## remove every build folder
	@rm -rf build build-*

-include tools/*.mk
