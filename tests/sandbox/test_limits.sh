#!/bin/sh
# budget: 600
# test_limits.sh: memory and processes of VMs are limited, in the enforcing lab (tests/sandbox/lab/limits.sh
# says what; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$work/stage/usr/libexec/pavise
mkdir -p "$work/payload" "$programs" "$work/stage/var/lib/pavise"
cp "$build/bin/pavise-launch" "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$programs/"
for name in pavise-vmm-sim pavise-psp-sim; do cp "$build/tests/libexec/pavise-dev" "$programs/$name"; done
cp "$here/lab/limits.sh" "$work/payload/run.sh"
cp "$here/lab/tap.sh" "$build/tests/lab_probe" "$work/payload/"
"$build/tests/mkplan" "$work/payload/plan" 67108864 1
"$build/tests/mkplan" "$work/payload/snpplan" 67108864 1 snp
status=0
"$here/../lab/run.sh" --timeout "${PAVISE_LAB_SECONDS:-280}" --stage "$work/stage" "$work/payload" "$work/out" >"$work/console" 2>&1 ||
    status=$?
[ -s "$work/out/tap" ] || { cat "$work/console"; exit 1; }
cat "$work/out/tap"
[ "$status" -lt 250 ] || { cat "$work/console"; exit 1; }
grep 'avc: *denied' "$work/out/dmesg" | grep pavise_ | sed 's/^/# /' | tail -n "${PAVISE_SHOW_DENIALS:-0}"
