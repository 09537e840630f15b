#!/usr/bin/env bash
# Every test of the workspace. Arguments are passed to the runner, e.g. `ci/test.sh -p plumbline-store`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Tests run in the folder of their crate, so the path must be absolute.
export PLUMBLINE_RUNTIME="${PLUMBLINE_RUNTIME:-$PWD/runtime/.local}"

# One throw-away PostgreSQL for all tests, each of which makes a database of its own in it: this script runs itself
# again under the program that starts it. A test that is run alone, without this script, starts one for itself.
if [ -z "${DATABASE_URL:-}" ]; then
  cargo build --workspace --all-targets
  exec "${CARGO_TARGET_DIR:-target}/debug/plumbline" with-postgres -- ci/test.sh "$@"
fi

if cargo nextest --version >/dev/null 2>&1; then
  # nextest fails by itself when it finds no test at all
  cargo nextest run --workspace "$@"
else
  # `cargo test` is content with zero tests, and a gate that tested nothing must not be green
  log="$(mktemp)"
  trap 'rm -f "$log"' EXIT
  cargo test --workspace --tests "$@" 2>&1 | tee "$log"
  ran="$(awk '/^test result:/ { ran += $4 + $6 } END { print ran + 0 }' "$log")"
  if [ "$ran" -eq 0 ]; then
    echo "test: not one test ran" >&2
    exit 1
  fi
  echo "test: $ran tests ran"
fi

# nextest cannot run doc tests; a filter is meant for the tests above
if [ "$#" -eq 0 ]; then
  cargo test --workspace --doc --quiet
fi
