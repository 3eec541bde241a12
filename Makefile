# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Every job of this project, by one word each. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CARGO ?= cargo
# What `make demo` looks at: a file, a camera (/dev/video0) or an address. Empty: the clip that setup makes.
SOURCE ?=
# The test sets, for the tests that need them; those are skipped where the folder does not exist.
export LIVENESS_ASSETS ?= $(abspath ../shared/assets)

# Parts of `make bench`, such as `chain streams`; empty for all.
BENCH ?=

.PHONY: help setup demo models doctor test test-trixie fuzz bench check advisories build install uninstall clean

help: ## list the targets
	@printf 'usage: make TARGET\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 \2/p' $(firstword $(MAKEFILE_LIST)) \
		| while read -r name text; do printf '  %-11s %s\n' "$$name" "$$text"; done

setup: ## install and fetch what is needed (demo and test do it by themselves)
	@scripts/setup.sh

# The file is made by every build, and cargo knows best whether there is something to do.
build: ## build the plugin (target/release/libgstliveness.so)
	@scripts/setup.sh --packages
	$(CARGO) build --release -p gst-plugin-liveness

demo: ## find and judge the faces in a film: make demo [SOURCE=film.mp4 | picture.jpg | /dev/video0 | rtsp://…] [DURATION=10]
	@scripts/setup.sh --packages --runtime --assets
	@# Before minutes of building: can the models that were named be read?
	@bash -c '. pipelines/common.sh; find_models' demo
	$(CARGO) build --release -p gst-plugin-liveness
	@scripts/demo.sh $(if $(SOURCE),"$$SOURCE")
export SOURCE

models: ## list the models that ship, and check that they answer as when they were written
	@scripts/setup.sh --packages --runtime
	scripts/env.sh $(CARGO) run --release -p liveness-models-app
	scripts/env.sh $(CARGO) run --release -p liveness-models-app -- models/liveness/livenessnet.onnx

doctor: ## say what is missing on this machine, and how to mend it
	scripts/env.sh $(CARGO) run --release -p liveness-doctor

test: ## run all tests
	@scripts/setup.sh
	scripts/env.sh $(CARGO) test --workspace

# Not among the tests of `test`: a root of Debian 13 is 2 GB, and only root may make and enter one.
test-trixie: ## run the tests that need GStreamer 1.26 in a Debian 13 of their own (needs root and debootstrap): make test-trixie [TESTS="analytics metadata"]
	@scripts/setup.sh --packages --runtime
	scripts/trixie.sh $(TESTS)
TESTS ?= analytics metadata metajson

# Seconds for each target of `make fuzz`.
FUZZ ?= 60

fuzz: ## run each fuzz target for a while: make fuzz [FUZZ=600]; needs a nightly compiler and cargo-fuzz
	cd fuzz && for target in $$($(CARGO) +nightly fuzz list); do \
		mkdir -p found/$$target regressions/$$target; \
		$(CARGO) +nightly fuzz run -O $$target found/$$target corpus/$$target regressions/$$target -- \
			-max_total_time=$(FUZZ) -timeout=10 -rss_limit_mb=2048; \
	done

bench: ## measure speed beside bare inference and others: make bench [BENCH="chain preprocess opencv python streams allocations"]
	@scripts/setup.sh --packages --runtime --assets --peers
	$(CARGO) bench -p gst-plugin-liveness --bench ratios -- $(BENCH)

check: ## what must hold before a commit: format, lints, documentation
	@scripts/setup.sh --packages
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps
	@# Where cargo-deny is installed (cargo install cargo-deny): licences, sources and banned crates.
	@if command -v cargo-deny >/dev/null; then cargo-deny --workspace --offline check bans licenses sources; else echo 'check: cargo-deny is not installed, deny.toml was not looked at'; fi

# Fetches a database, so it is no part of check.
advisories: ## look for known holes in what is built upon; needs cargo-deny and the network
	cargo-deny --workspace check advisories

install: ## install the plugin for this user; for everybody as root or with SYSTEM=1
	@scripts/setup.sh --packages --runtime
	$(CARGO) build --release -p gst-plugin-liveness
	@scripts/install.sh install

uninstall: ## take away what install has put there
	@scripts/install.sh uninstall

clean: ## take away everything that was built, fetched and rendered
	$(CARGO) clean
	rm -rf .setup demo
