#!/bin/sh
# budget: 600
# test_isolation.sh: labels, walls and refusals of required isolation, in the enforcing lab
# (tests/sandbox/lab/run.sh says what; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/sandbox/stage.sh
. "$here/stage.sh"
probes=$work/stage/usr/local/libexec/pavise
mkdir -p "$probes"
for name in pavise-vmm-sim pavise-tdx-sim; do cp "$build/tests/libexec/pavise-dev" "$programs/$name"; done
cp "$build/bin/pavise-quote" "$programs/" # the real one
# Installed where the policy gives them the label of the real ones.
cp "$build/tests/lab_probe" "$probes/pavise-launch"
cp "$build/tests/lab_probe" "$probes/pavise-vmm"
cp "$build/tests/lab_probe" "$work/payload/"
"$build/tests/mkplan" "$work/payload/plan" 67108864 2
"$build/tests/mkplan" "$work/payload/tdxplan" 67108864 2 tdx
stage_run run.sh 280
