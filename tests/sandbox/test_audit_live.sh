#!/bin/sh
# budget: 600
# test_audit_live.sh: pavise audit vm and host under required isolation, in the enforcing lab: a VM that is as it should
# be, and seeded mistakes, each found and named (tests/sandbox/lab/audit.sh; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$work/stage/usr/libexec/pavise
others=$work/stage/usr/local/libexec/pavise
mkdir -p "$work/payload" "$programs" "$others" "$work/stage/var/lib/pavise"
cp "$build/bin/pavise-launch" "$build/bin/pavise-audit-live" "$build/tests/libexec/pavise-vmm" \
    "$build/tests/libexec/pavise-dev" "$programs/"
# Installed where the policy gives it the real one's label.
cp "$build/tests/launch_unchecked" "$others/pavise-launch"
cp "$here/lab/audit.sh" "$work/payload/run.sh"
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
status=0
"$here/../lab/run.sh" --timeout "${PAVISE_LAB_SECONDS:-280}" --stage "$work/stage" "$work/payload" "$work/out" \
    >"$work/console" 2>&1 || status=$?
[ -s "$work/out/tap" ] || { cat "$work/console"; exit 1; }
cat "$work/out/tap"
[ "$status" -lt 250 ] || { cat "$work/console"; exit 1; }
grep 'avc: *denied' "$work/out/dmesg" | grep pavise_ | sed 's/^/# /' | tail -n "${PAVISE_SHOW_DENIALS:-0}"
