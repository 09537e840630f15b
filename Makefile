# The commands of this repository. `make help` lists them.
#
# One cargo profile (dev) and always the whole workspace: a build of single members would unify features
# differently and compile the same dependencies twice.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Where the programs look for what runtime/provision.py fetched. Absolute, because tests run in their crate's folder.
export PLUMBLINE_RUNTIME ?= $(CURDIR)/runtime/.local
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help tools runtime build demo test lint eval fmt release clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tools: # what everything else needs; the message names the packages
	@missing=""; \
	command -v cargo >/dev/null || missing+="  cargo: install Rust with rustup, see https://rustup.rs"$$'\n'; \
	command -v cc >/dev/null || missing+="  cc: apt-get install gcc libc6-dev     (macOS: xcode-select --install)"$$'\n'; \
	command -v python3 >/dev/null || missing+="  python3: apt-get install python3 python3-pip     (macOS: xcode-select --install)"$$'\n'; \
	if [ -n "$$missing" ]; then printf 'These tools are missing:\n%s' "$$missing" >&2; exit 1; fi

runtime: tools ## fetch Postgres, ONNX Runtime, pdfium and the model into runtime/.local (pinned, idempotent)
	@python3 runtime/provision.py

build: tools ## compile the programs
	cargo build --workspace --bins

demo: runtime build ## start everything and print the address of the WhatsApp simulator
	@exec $(TARGET)/debug/plumbline demo

test: runtime ## run every test, against a Postgres that the tests start themselves
	@exec ci/test.sh

lint: tools ## formatting, clippy, docs and the layering of the crates
	@exec ci/check.sh

eval: runtime build ## answer the golden questions and judge them by ci/gates.toml (for the exit codes: ci/eval.sh)
	@exec ci/eval.sh

fmt: tools ## format the Rust sources
	cargo fmt --all

release: tools ## compile the optimised programs
	cargo build --workspace --bins --release --locked

clean: ## remove what was built and fetched (not your data in .data)
	rm -rf $(TARGET) runtime/.local
