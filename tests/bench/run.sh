#!/bin/sh
# run.sh: what the verifier costs, as ratios measured side by side in this run: times of one machine
# mean nothing on another. CALLS=N: appraisals in a round. Prints, and judges nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-$here/../../build}
calls=${CALLS:-40}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The least of five, in KiB: what is not needed each time is the machine's doing.
peak() {
    for _ in 1 2 3 4 5; do "$build/tests/peak-memory" "$@"; done | sort -n | head -n 1
}

report() {
    "$build/bin/pavise-verify" "$@" >/dev/null # it must be a good run
    ran=$(peak "$build/bin/pavise-verify" "$@")
    echo "peak memory, verify $1: $ran KiB, beyond its libraries $((ran - libraries)) KiB (goal: under 8192)"
}

echo "appraisal against its bare signatures (goal: at most 1.3, warm to all of them)"
"$build/tests/bench-verify" "$calls"
echo "launch digest against bare SHA-384 (goal: at least 0.9)"
"$build/tests/bench-measure" 64
mkdir "$folder/snp" "$folder/tdx"
"$build/tests/snp_files" "$folder/snp" "$(printf '%064d' 0)" "$(printf '%096d' 0)" 0x30000
"$build/tests/tdx_files" "$folder/tdx"
libraries=$(peak "$build/tests/peak-memory") # itself, without a command
echo "peak memory of a program that only loads them: $libraries KiB"
report snp --report "$folder/snp/report.bin" --vek "$folder/snp/vek.der" --chain "$folder/snp/chain.pem" \
    --trust-root "$folder/snp/root.pem" --time 2027-01-15T12:00:00Z --policy none
report tdx --quote "$folder/tdx/quote4.bin" --trust-root "$folder/tdx/root.pem" \
    --time 2027-01-15T12:00:00Z --policy none
echo "bench: done"
