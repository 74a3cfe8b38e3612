#!/bin/sh
# budget: 600
# test_records.sh: audit records of VMs, and what becomes of a VM when SELinux is switched off or changed
# under it, in the enforcing lab (tests/sandbox/lab/records.sh says what; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${PAVISE_BUILD:-build}
policy=$here/../../policy/selinux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$work/stage/usr/libexec/pavise
mkdir -p "$work/payload" "$programs" "$work/stage/var/lib/pavise"
cp "$build/bin/pavise-launch" "$build/tests/libexec/pavise-vmm" "$build/tests/libexec/pavise-dev" "$programs/"
cp "$build/bin/pavise-ls" "$build/bin/pavise-inspect" "$programs/"
cp "$here/lab/records.sh" "$work/payload/run.sh"
"$build/tests/mkplan" "$work/payload/plan" 67108864 2
# The lab's policy with one wall less: a domain that nothing in this test runs in.
echo '(typepermissive pavise_quote_t)' >"$work/hole.cil"
# shellcheck disable=SC2046 # file names of the project, without spaces
"$policy/build.sh" "$work/store" "$("$here/../lab/mk-root.sh")" \
    $(find "$policy" "$here/../lab" -maxdepth 1 -name '*.cil' | sort) "$work/hole.cil" >"$work/build.log" 2>&1 ||
    { cat "$work/build.log"; exit 1; }
cp "$work"/store/etc/selinux/default/policy/policy.* "$work/payload/"
status=0
"$here/../lab/run.sh" --timeout "${PAVISE_LAB_SECONDS:-280}" --stage "$work/stage" "$work/payload" "$work/out" >"$work/console" 2>&1 ||
    status=$?
[ -s "$work/out/tap" ] || { cat "$work/console"; exit 1; }
cat "$work/out/tap"
[ "$status" -lt 250 ] || { cat "$work/console"; grep permissive=1 "$work/out/dmesg"; exit 1; }
grep 'avc: *denied' "$work/out/dmesg" | grep pavise_ | sed 's/^/# /' | tail -n "${PAVISE_SHOW_DENIALS:-0}"
