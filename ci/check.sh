#!/usr/bin/env bash
# What a reviewer should not have to look for: formatting, lints, documentation, layering.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "== layering"
python3 ci/layers.py --self-test
python3 ci/layers.py

echo "== formatting"
cargo fmt --all --check

echo "== clippy"
cargo clippy --workspace --all-targets --quiet -- -D warnings

echo "== docs"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
echo "== all checks passed"
