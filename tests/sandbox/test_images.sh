#!/bin/sh
# budget: 400
# test_images.sh: labels of images after a launcher was killed, and launchers that race for one image, in the
# enforcing lab (tests/sandbox/lab/images.sh says what; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$work/stage/usr/libexec/pavise
mkdir -p "$work/payload" "$programs" "$work/stage/var/lib/pavise/readonly"
cp "$build/bin/pavise-launch" "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$programs/"
cp "$here/lab/images.sh" "$work/payload/run.sh"
"$build/tests/mkplan" "$work/payload/plan" 67108864 2
status=0
"$here/../lab/run.sh" --timeout "${PAVISE_LAB_SECONDS:-180}" --stage "$work/stage" "$work/payload" "$work/out" >"$work/console" 2>&1 ||
    status=$?
[ -s "$work/out/tap" ] || { cat "$work/console"; exit 1; }
cat "$work/out/tap"
[ "$status" -lt 250 ] || { cat "$work/console"; exit 1; }
grep 'avc: *denied' "$work/out/dmesg" | grep pavise_ | sed 's/^/# /' | tail -n "${PAVISE_SHOW_DENIALS:-0}"
