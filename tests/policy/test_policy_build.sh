#!/bin/bash
# budget: 400
# test_policy_build.sh: the policy compiles against the base policy with its assertions checked; every
# assertion refuses what it forbids (a rule planted for each permission of each, plants.py) and what an
# author in a hurry might add (violations.cil). An assertion nobody checks would pass silently. Every wall
# holds without the base's, and its fall would be noticed (wall_teeth.c).
set -u

here=$(cd "$(dirname "$0")" && pwd)
policy=$here/../../policy/selinux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0
root=$("$here/../lab/mk-root.sh") || { echo "Bail out! no base policy"; exit 1; }
ours=("$policy/pavise.cil" "$policy/pavise-sim.cil" "$policy/pavise-attestd.cil" "$policy/pavise-audit.cil")
PATH=$PATH:/usr/sbin

ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() { count=$((count + 1)); failed=1; echo "not ok $count - $1"; tail -n 30 "$2" | cut -c 1-300 | sed 's/^/# /'; }
# as NAME WANT COMMAND...: status 0 for WANT builds, another for refused
as() {
    local name=$1 want=$2 got=refused
    shift 2
    ! "$@" >"$work/out" 2>&1 || got=builds
    if [ $got = "$want" ]; then ok "$name"; else not_ok "$name" "$work/out"; fi
}
# shellcheck disable=SC2317 # by "as"
build() { "$policy/build.sh" "$work/store" "$root" "$@"; }

as "pavise.cil by itself" builds build "$policy/pavise.cil"
echo '(allow pavise_vmm_t self (process (getsched)))' >"$work/harmless.cil"
as "all modules, on a base with what newer ones have, and a harmless rule" builds \
    build "${ours[@]}" "$here/newer_base.cil" "$work/harmless.cil"
cp "$work"/store/etc/selinux/default/policy/policy.* "$work/ours"
echo '(allow pavise_vmm_t self (process (execmem)))' >"$work/planted.cil"
as "a violation, as a host installs modules" refused build "${ours[@]}" "$work/planted.cil"
if grep -q '^neverallow check failed at .*/pavise/cil:' "$work/out"; then ok "for an assertion"
else not_ok "for an assertion" "$work/out"; fi

# All violations at once: the compiler lists under each assertion the rules that break it, all of them
# with -v -v. File contexts are left out: with -v -v it stops at two of the base's that are the same.
for cil in "${ours[@]}" "$here/newer_base.cil"; do
    mkdir -p "$work/modules/$(basename "$cil" .cil)"
    sed 's/^(filecon .*//' "$cil" >"$work/modules/$(basename "$cil" .cil)/cil"
done
mkdir -p "$work/modules/plants"
python3 "$here/plants.py" make "${ours[@]}" >"$work/plants"
cat "$here/violations.cil" >>"$work/plants"
cp "$work/plants" "$work/modules/plants/cil"
python3 "$here/cil.py" base "$root" >"$work/base.cil"
as "all violations at once" refused secilc -v -v -M 1 -o "$work/policy" -f "$work/contexts" "$work/base.cil" \
    "$work"/modules/*/cil
cp "$work/out" "$work/log"
if python3 "$here/plants.py" check "$work/log" "$work/plants" "${ours[@]}" >"$work/out"; then
    ok "each assertion refuses each thing it forbids: $(tail -n 1 "$work/out" | tr -d '#')"
else
    not_ok "each assertion refuses each thing it forbids" "$work/out"
fi

# The judge is no yes-man: with one assertion taken out, it says which.
sed '/^neverallow check failed at .*pavise.cil:/,/^$/d' "$work/log" >"$work/blind"
if python3 "$here/plants.py" check "$work/blind" "$work/plants" "${ours[@]}" >"$work/out"; then
    not_ok "control: an assertion that catches nothing is named" "$work/out"
else
    ok "control: an assertion that catches nothing is named"
fi

# Walls: they hold without the base's constraints, and each permission of each is missed.
teeth=${PAVISE_BUILD:-$here/../../build}/tests/wall_teeth
if "$teeth" "$work/ours" >"$work/out"; then ok "walls hold by themselves, and none is dead: $(tail -n 1 "$work/out" | tr -d '#')"
else not_ok "walls hold by themselves, and none is dead" "$work/out"; fi
mkdir -p "$work/modules/plants" "$work/modules/pavise"
: >"$work/modules/plants/cil"
sed '/^(mlsconstrain (anon_inode/,/^$/d' "$policy/pavise.cil" | sed 's/^(filecon .*//' >"$work/modules/pavise/cil"
as "control: a policy without one wall, assertions unchecked" builds \
    secilc -N -M 1 -o "$work/gap" -f "$work/contexts" "$work/base.cil" "$work"/modules/*/cil
"$teeth" "$work/gap" >"$work/out"
if grep -q "^# anon_inode .*: open without the base's constraints" "$work/out"; then ok "control: the gap is found"
else not_ok "control: the gap is found" "$work/out"; fi

echo "1..$count"
exit $failed
