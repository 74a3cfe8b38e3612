#!/bin/sh
# budget: 900
# An SEV-SNP guest on the platform model, whole, in the lab; its evidence judged here once more.
set -u

here=$(cd "$(dirname "$0")/../../.." && pwd)
build=${PAVISE_BUILD:-$here/build}
lab=$here/tests/lab
out=$build/snp-lab
payload=$build/snp-payload
log=$build/logs/snp-lab.txt
name="SEV-SNP on the platform model: measure, run, attest, verify, and every refused case"

nonce=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
host_data=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')

fail() {
    tail -n 60 "$log" | sed 's/^/# /'
    echo "not ok 1 - $name: $*"
    exit 1
}

# A chip is made at first use; its RSA keys take minutes under emulation, so here, and kept.
make_chip() {
    [ -d "$build/sim-chip" ] || {
        "$build/bin/pavise-psp-sim" init --state "$build/sim-chip.new" && mv "$build/sim-chip.new" "$build/sim-chip"
    } && mkdir -p "$build/snp-stage/var/lib" && cp -a "$build/sim-chip" "$build/snp-stage/var/lib/pavise-sim"
}

make_payload() {
    kernel=$(find /boot -name 'vmlinuz-6.12*-cloud-amd64' | sort -V | tail -n 1)
    [ -n "$kernel" ] || { echo "no Debian cloud kernel in /boot: run scripts/setup.sh lab"; return 1; }
    rm -rf "$payload" "$build/snp-stage"
    mkdir -p "$payload" &&
        make -s -C "$here" install DESTDIR="$build/snp-stage" &&
        make_chip &&
        "$lab/mk-guest-initrd.sh" --out "$payload/initrd" --init "$lab/guest-init" \
            --bin "$build/bin/pavise-agent-sim:/bin/pavise-agent" &&
        cp "$kernel" "$payload/kernel" &&
        cp "$build/firmware/pavise-fw-snp.bin" "$payload/firmware" &&
        cp "$build/tests/plan-flip" "$lab/snp/run.sh" "$payload/" &&
        printf 'NONCE=%s\nHOST_DATA=%s\nCPUS=2\n' "$nonce" "$host_data" >"$payload/inputs"
}

verify_here() {
    cp "$payload/kernel" "$payload/initrd" "$payload/firmware" "$out/" &&
        "$build/bin/pavise" verify bundle "$out/evidence.json" --policy "$out/policy.json" \
            --nonce "$nonce" --trust-root "$out/root.pem" | tail -n 1
}

mkdir -p "$(dirname "$log")"
echo "1..1"
make_payload >"$log" 2>&1 || fail "payload"
"$lab/run.sh" --timeout 500 --stage "$build/snp-stage" "$payload" "$out" >>"$log" 2>&1 ||
    fail "$(cat "$out/result" 2>/dev/null || echo 'the lab ended without a result')"
verify_here >>"$log" 2>&1 || fail "the evidence is not affirmed outside the lab"
echo "ok 1 - $name"
