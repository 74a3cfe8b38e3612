#!/bin/sh
# budget: 900
# The escape suite (README.md), in one run of the lab. PAVISE_ESCAPE_RUNS="control on ..." runs only those.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$work/stage/usr/libexec/pavise
others=$work/stage/usr/local/libexec/pavise
mkdir -p "$work/payload" "$programs" "$others" "$work/stage/var/lib/pavise"
# Installed where the policy gives them the label of the real ones.
cp "$build/tests/escape/pavise-launch-layers" "$programs/pavise-launch"
for name in pavise-vmm pavise-dev pavise-quote; do cp "$build/tests/escape/payload" "$programs/$name"; done
for name in pavise-launch pavise-vmm; do cp "$build/tests/escape/payload" "$others/$name"; done
cp "$build/tests/escape/pavise-launch-layers" "$build/tests/escape/payload" "$here/lab/run.sh" "$work/payload/"
"$build/tests/mkplan" "$work/payload/plan" 67108864 2
"$build/tests/mkplan" "$work/payload/tdxplan" 67108864 2 tdx
echo "runs='${PAVISE_ESCAPE_RUNS-}'" >"$work/payload/runs"
status=0
"$here/../lab/run.sh" --timeout "${PAVISE_LAB_SECONDS:-780}" --stage "$work/stage" "$work/payload" "$work/out" \
    >"$work/console" 2>&1 || status=$?
mkdir -p "$build/escape"
rm -f "$build"/escape/*
cp "$work"/out/*.log "$work/out/dmesg" "$work/console" "$build/escape/" 2>/dev/null || true
if [ "$status" != 0 ]; then
    cat "$work/console"
    echo "Bail out! the lab ended with status $status"
    exit 1
fi
"$here/matrix.py" "$work/out" "$here/../../SECURITY.md" "$build/escape"
