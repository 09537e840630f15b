#!/usr/bin/env bash
# The eval gate: asks every golden question and judges the answers by ci/gates.toml. Arguments are passed on, e.g.
#   ci/eval.sh --gate recall_at_5=0.75          ci/eval.sh --target https://staging.example.com
# With PLUMBLINE_BASE (a reference of git or a directory, such as origin/main) the rules themselves are compared with those of
# the base first: a lower threshold, a deleted case, a removed verdict need a waiver.
# A pipeline with a golden set of its own names it (absolute paths): PLUMBLINE_GOLDEN, PLUMBLINE_GATES, PLUMBLINE_REPORT.
#
# Exit code, unchanged from the program: 0 pass, 1 gate failed, 2 usage or lint error, 3 inconclusive,
# 4 stale corpus or dataset, 5 infrastructure. Whatever is not 0 must stop a deployment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export PLUMBLINE_RUNTIME="${PLUMBLINE_RUNTIME:-$PWD/runtime/.local}"
program="${CARGO_TARGET_DIR:-target}/debug/plumbline-eval"
golden="${PLUMBLINE_GOLDEN:-golden}"
gates="${PLUMBLINE_GATES:-ci/gates.toml}"
report="${PLUMBLINE_REPORT:-target/eval}"

if [ ! -x "$program" ]; then
  echo "eval: $program is not there; build it with: make build" >&2
  exit 5
fi

# a report of an earlier run must not be taken for this one's
rm -f "$report"/report.{json,md,xml,html} "$report/run.json"
laxer=0
if [ -n "${PLUMBLINE_BASE:-}" ]; then
  "$program" ratchet --base "$PLUMBLINE_BASE" --golden "$golden" --gates "$gates" || laxer=$?
fi

code=0
"$program" run --golden "$golden" --gates "$gates" --report "$report" "$@" || code=$?

if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$report/report.md" ]; then
  cat "$report/report.md" >>"$GITHUB_STEP_SUMMARY"
fi
# what the run says comes first, except that a pass under laxer rules is none
[ "$code" -ne 0 ] || code="$laxer"
exit "$code"
