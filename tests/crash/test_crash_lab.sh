#!/bin/sh
# budget: 600
# test_crash_lab.sh: kill -9 of the launcher where it labels, limits and records, under required isolation in the
# enforcing lab (lab.sh says what; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$work/stage/usr/libexec/pavise
mkdir -p "$work/payload/quotes" "$programs" "$work/stage/var/lib/pavise" "$build/crash"
cp "$build/tests/pavise-launch-faults" "$programs/pavise-launch"
cp "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$programs/"
cp "$here/lab.sh" "$work/payload/run.sh"
cp "$here/../sandbox/lab/tap.sh" "$build/tests/crash" "$work/payload/"
cp "$build/tests/pavise-launch-faults.points" "$work/payload/points"
"$build/tests/mkplan" "$work/payload/plain" 67108864 2
echo key >"$work/payload/key"
status=0
"$here/../lab/run.sh" --timeout "${PAVISE_LAB_SECONDS:-420}" --stage "$work/stage" "$work/payload" "$work/out" >"$work/console" 2>&1 ||
    status=$?
cp "$work"/out/lab-*.out "$build/crash/" 2>/dev/null || true
[ -s "$work/out/tap" ] || { cat "$work/console"; exit 1; }
cat "$work/out/tap"
[ "$status" -lt 250 ] || { cat "$work/console"; exit 1; }
grep 'avc: *denied' "$work/out/dmesg" | grep pavise_ | sed 's/^/# /' | tail -n "${PAVISE_SHOW_DENIALS:-0}"
