#!/bin/sh
# budget: 600
# test_audit_live.sh: pavise audit vm and host under required isolation, in the enforcing lab: a VM that is as it should
# be, and seeded mistakes, each found and named (tests/sandbox/lab/audit.sh; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/sandbox/stage.sh
. "$here/stage.sh"
others=$work/stage/usr/local/libexec/pavise
mkdir -p "$others"
cp "$build/bin/pavise-audit-live" "$programs/"
# Installed where the policy gives it the real one's label.
cp "$build/tests/launch_unchecked" "$others/pavise-launch"
"$build/tests/mkplan" "$work/payload/plan" 67108864 2
# The lab's policy, and the same with one domain permissive.
policy=$here/../../policy/selinux
echo '(typepermissive pavise_vmm_t)' >"$work/permissive.cil"
build_policy() {
    "$policy/build.sh" "$work/store" "" "$policy"/*.cil "$here"/../lab/*.cil "$@" >"$work/build.log" 2>&1 ||
        { cat "$work/build.log"; exit 1; }
}
build_policy
cp "$work"/store/etc/selinux/default/policy/policy.* "$work/payload/policy"
build_policy "$work/permissive.cil"
cp "$work"/store/etc/selinux/default/policy/policy.* "$work/payload/permissive"
stage_run audit.sh 280
