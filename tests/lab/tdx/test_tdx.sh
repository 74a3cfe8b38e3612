#!/bin/sh
# budget: 900
# A trust domain on the platform model, whole, in the lab; its evidence judged here once more.
set -u

top=$(cd "$(dirname "$0")/../../.." && pwd)
build=${PAVISE_BUILD:-$top/build}
log=$build/logs/tdx-lab.txt
out=$build/tdx-lab
name="TDX on the platform model: measure, run, attest, verify, and every refused case"

# The last line of the log says why: this may run in a shell whose output goes there.
fail() {
    echo "tdx: FAIL: $*"
    exit 1
}

# shellcheck source=tests/lab/guest.sh
. "$top/tests/lab/guest.sh"

# The lab saw "affirming"; so must anyone with the files and the nonce, and no one without the root.
verify_here() {
    "$build/bin/pavise" verify bundle "$out/evidence.json" --policy "$out/policy.json" --nonce "$nonce" \
        --collateral "$out/collateral.json" --trust-root "$out/root.pem" >"$out/verify-here.txt" ||
        fail "the evidence is not affirmed outside the lab: see $out/verify-here.txt"
    tail -n 1 "$out/verify-here.txt"
}

whole() {
    choose_inputs
    echo "tdx: NONCE=$nonce SEED=$seed"
    make_stage "$build/tdx-stage"
    make_payload "$build/tdx-payload" tdx "$lab/tdx/run.sh" pavise-agent-sim
    tdx_inputs 'guest blob firmware' >"$build/tdx-payload/inputs"
    run_lab "$out" "$build/tdx-stage" "$build/tdx-payload"
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
