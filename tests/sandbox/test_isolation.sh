#!/bin/sh
# budget: 600
# test_isolation.sh: labels, walls and refusals of required isolation, in the enforcing lab
# (tests/sandbox/lab/run.sh says what; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$work/stage/usr/libexec/pavise
probes=$work/stage/usr/local/libexec/pavise
mkdir -p "$work/payload" "$programs" "$probes" "$work/stage/var/lib/pavise"
cp "$build/bin/pavise-launch" "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$programs/"
for name in pavise-vmm-sim pavise-tdx-sim; do cp "$build/tests/libexec/pavise-dev" "$programs/$name"; done
cp "$build/bin/pavise-quote" "$programs/" # the real one
# Installed where the policy gives them the label of the real ones.
cp "$build/tests/lab_probe" "$probes/pavise-launch"
cp "$build/tests/lab_probe" "$probes/pavise-vmm"
cp "$here/lab/run.sh" "$here/lab/tap.sh" "$build/tests/lab_probe" "$work/payload/"
"$build/tests/mkplan" "$work/payload/plan" 67108864 2
"$build/tests/mkplan" "$work/payload/tdxplan" 67108864 2 tdx
status=0
"$here/../lab/run.sh" --timeout "${PAVISE_LAB_SECONDS:-280}" --stage "$work/stage" "$work/payload" "$work/out" >"$work/console" 2>&1 ||
    status=$?
[ -s "$work/out/tap" ] || { cat "$work/console"; exit 1; }
cat "$work/out/tap"
[ "$status" -lt 250 ] || { cat "$work/console"; exit 1; }
grep 'avc: *denied' "$work/out/dmesg" | grep pavise_ | sed 's/^/# /' | tail -n "${PAVISE_SHOW_DENIALS:-0}"
