#!/bin/sh
# demo.sh: the main job, whole, in the lab (make demo). NONCE= and SEED= may be set.
#
# On this machine: build the guest's initrd, stage the programs, boot the lab. In the lab
# (tests/lab/demo/run.sh): measure, run, attest, verify, and every refused case. Back here: judge the
# evidence a second time, on a machine that knows nothing but the files. Everything stays in build/demo.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
build=${PAVISE_BUILD:-$here/build}
demo=$build/demo
lab=$here/tests/lab

fail() {
    echo "demo: FAIL: $*"
    exit 1
}

choose_inputs() {
    nonce=${NONCE:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')}
    seed=${SEED:-1}
    echo "$nonce" | grep -Eq '^([0-9a-fA-F]{2}){16,64}$' || fail "NONCE: needs 16 to 64 bytes in hexadecimal"
    echo "$seed" | grep -Eq '^(0|[1-9][0-9]{0,17})$' || fail "SEED: needs a decimal number"
    echo "demo: NONCE=$nonce SEED=$seed"
}

make_payload() {
    payload=$build/demo-payload
    rm -rf "$payload" "$build/stage"
    mkdir -p "$payload"
    make -s -C "$here" install DESTDIR="$build/stage" >/dev/null
    echo "demo: making the guest's initrd"
    "$lab/mk-guest-initrd.sh" --out "$payload/initrd" --init "$lab/guest-init" \
        --bin "$build/bin/pavise-agent:/bin/pavise-agent"
    kernel=$(find /boot -name 'vmlinuz-6.12*-cloud-amd64' | sort -V | tail -n 1)
    [ -n "$kernel" ] || fail "no Debian cloud kernel in /boot: run scripts/setup.sh lab"
    cp "$kernel" "$payload/kernel"
    cp "$build/firmware/pavise-fw-plain.bin" "$payload/firmware"
    cp "$build/tests/plan-flip" "$build/tests/neighbour" "$lab/demo/run.sh" "$payload/"
    printf 'NONCE=%s\nSEED=%s\n' "$nonce" "$seed" >"$payload/inputs"
}

# The lab saw "affirming"; so must anyone with the files and the nonce.
verify_here() {
    "$build/bin/pavise" verify bundle "$demo/evidence.json" --policy "$demo/policy.json" \
        --nonce "$nonce" >"$demo/verify-here.txt" ||
        fail "the evidence is not affirmed outside the lab: see build/demo/verify-here.txt"
    tail -n 1 "$demo/verify-here.txt"
}

main() {
    started=$(date +%s)
    choose_inputs
    make_payload
    echo "demo: booting the lab (an emulated Debian host, SELinux enforcing, nested KVM)"
    if "$lab/run.sh" --timeout 400 --stage "$build/stage" "$payload" "$demo"; then
        cp "$payload/kernel" "$payload/initrd" "$payload/firmware" "$payload/inputs" "$demo/"
        verify_here
        echo "demo: plan, evidence, logs and PCR values are in build/demo ($(($(date +%s) - started)) s)"
        echo "demo: PASS"
    else
        fail "$(sed -n 's/^demo: FAIL: //p' "$demo/result" 2>/dev/null | grep . || echo 'the lab ended without a result: see its console above')"
    fi
}

main
