#!/bin/sh
# budget: 900
# A plain virtual machine, whole, in the lab; its evidence judged here once more.
set -u

top=$(cd "$(dirname "$0")/../../.." && pwd)
build=${PAVISE_BUILD:-$top/build}
log=$build/logs/plain-lab.txt
out=$build/plain-lab
name="a plain VM: measure, run, attest, verify, a neighbour, and every refused case"

# The last line of the log says why: this may run in a shell whose output goes there.
fail() {
    echo "plain: FAIL: $*"
    exit 1
}

# shellcheck source=tests/lab/guest.sh
. "$top/tests/lab/guest.sh"

# The lab saw "affirming"; so must anyone with the files and the nonce.
verify_here() {
    "$build/bin/pavise" verify bundle "$out/evidence.json" --policy "$out/policy.json" --nonce "$nonce" \
        >"$out/verify-here.txt" || fail "the evidence is not affirmed outside the lab: see $out/verify-here.txt"
    tail -n 1 "$out/verify-here.txt"
}

whole() {
    choose_inputs
    echo "plain: NONCE=$nonce SEED=$seed"
    make_stage "$build/plain-stage"
    make_payload "$build/plain-payload" plain "$lab/plain/run.sh" pavise-agent
    cp "$build/tests/neighbour" "$build/plain-payload/"
    run_lab "$out" "$build/plain-stage" "$build/plain-payload"
    verify_here
}

mkdir -p "$(dirname "$log")"
SEED=${SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "1..1"
if (whole) >"$log" 2>&1; then
    echo "ok 1 - $name"
else
    tail -n 60 "$log" | sed 's/^/# /'
    echo "not ok 1 - $name"
fi
