#!/usr/bin/env bash
# Fuzzes one target for some seconds with the stable toolchain: fuzz/run.sh TARGET SECONDS
# Needs cargo-fuzz (cargo install cargo-fuzz) and a C++ compiler; see fuzz/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

target=${1:?usage: fuzz/run.sh TARGET SECONDS}
seconds=${2:-300}
[ -f Cargo.lock ] || cp ../Cargo.lock Cargo.lock # the versions the product is built with
[ -d "corpus/$target" ] || python3 seeds.py
export PLUMBLINE_RUNTIME=${PLUMBLINE_RUNTIME:-$PWD/../runtime/.local}

options=(-max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=3072 -print_final_stats=1)
if [ "$target" = pdf ]; then
    # A crash inside libpdfium ends one child of the fuzzer, as it ends one reader in production;
    # the artifacts are looked through afterwards for panics of our own.
    options+=(-fork=1 -ignore_crashes=1 -ignore_ooms=1 -ignore_timeouts=1)
fi
mkdir -p "corpus/$target" "artifacts/$target"
exec cargo fuzz run --sanitizer none --fuzz-dir . "$target" "corpus/$target" -- "${options[@]}"
