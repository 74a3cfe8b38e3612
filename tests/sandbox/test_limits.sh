#!/bin/sh
# budget: 600
# test_limits.sh: memory and processes of VMs are limited, in the enforcing lab (tests/sandbox/lab/limits.sh
# says what; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/sandbox/stage.sh
. "$here/stage.sh"
for name in pavise-vmm-sim pavise-psp-sim; do cp "$build/tests/libexec/pavise-dev" "$programs/$name"; done
cp "$build/tests/lab_probe" "$work/payload/"
"$build/tests/mkplan" "$work/payload/plan" 67108864 1
"$build/tests/mkplan" "$work/payload/snpplan" 67108864 1 snp
stage_run limits.sh 280
