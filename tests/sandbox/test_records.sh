#!/bin/sh
# budget: 600
# test_records.sh: audit records of VMs, and what becomes of a VM when SELinux is switched off or changed
# under it, in the enforcing lab (tests/sandbox/lab/records.sh says what; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/sandbox/stage.sh
. "$here/stage.sh"
policy=$here/../../policy/selinux
cp "$build/bin/pavise-ls" "$build/bin/pavise-inspect" "$programs/"
"$build/tests/mkplan" "$work/payload/plan" 67108864 2
# The lab's policy with one wall less: a domain that nothing in this test runs in.
echo '(typepermissive pavise_quote_t)' >"$work/hole.cil"
# shellcheck disable=SC2046 # file names of the project, without spaces
"$policy/build.sh" "$work/store" "$("$here/../lab/mk-root.sh")" \
    $(find "$policy" "$here/../lab" -maxdepth 1 -name '*.cil' | sort) "$work/hole.cil" >"$work/build.log" 2>&1 ||
    { cat "$work/build.log"; exit 1; }
cp "$work"/store/etc/selinux/default/policy/policy.* "$work/payload/"
stage_run records.sh 280
