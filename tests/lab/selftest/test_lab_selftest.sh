#!/bin/sh
# budget: 600
# test_lab_selftest.sh: boot the lab and let it prove itself.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/payload" "$work/stage/usr/local/bin"
cp "$here/run.sh" "$build/tests/lab/kvm-probe" "$work/payload/"
cp "$build/tests/lab/kvm-probe" "$work/stage/usr/local/bin/lab-staged"
"$here/../run.sh" --timeout 120 --stage "$work/stage" "$work/payload" "$work/out"
cat "$work/out/tap"
