#!/bin/sh
# demo.sh: the main job, whole, in the lab (make demo). NONCE= and SEED= may be set.
#
# On this machine: build the guest's initrd, stage the programs, boot the lab. In the lab
# (tests/lab/snp/run.sh, tests/lab/tdx/run.sh): measure, run, attest and verify an SEV-SNP guest and a
# trust domain on the platform model, and what is refused. Back here: measure and judge a second time,
# on a machine that knows nothing but the files. Everything stays in build/demo.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
build=${PAVISE_BUILD:-$top/build}
demo=$build/demo
payload=$build/demo-payload
beside=$build/demo-beside
second=

fail() {
    echo "demo: FAIL: $*"
    exit 1
}

# shellcheck source=tests/lab/guest.sh
. "$top/tests/lab/guest.sh"

# The host's simulated chip, and another chip's root, that nothing here was signed under.
make_chips() {
    make_chip "$build/sim-chip"
    make_chip "$build/sim-chip-other"
    mkdir -p "$build/demo-stage/var/lib"
    cp -a "$build/sim-chip" "$build/demo-stage/var/lib/pavise-sim"
    "$build/bin/pavise-psp-sim" root --state "$build/sim-chip-other" -o "$payload/other-root.pem" ||
        fail "no root certificate of another chip"
}

# Of the server that the lab asks for evidence; it says nothing about the guest.
make_server_key() {
    cp "$build/tests/https-post" "$payload/"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$payload/tls-key.pem" -out "$payload/tls-cert.pem" \
        2>/dev/null || fail "no key and certificate for the server"
}

# The changed initrd boots as the good one does, and has a file more.
make_inputs() {
    host_data=$(printf 'demo %s' "$nonce" | sha256sum | cut -d ' ' -f 1)
    make_stage "$build/demo-stage"
    make_payload "$payload" snp "$lab/snp/run.sh" pavise-agent-sim
    echo "$seed" >"$build/demo-extra"
    make_initrd "$payload/initrd-changed" pavise-agent-sim --file "$build/demo-extra:/etc/not-the-owners"
    make_chips
    make_server_key
    add_tdx "$payload" 'guest blob'
    echo "HOST_DATA=$host_data" >>"$payload/inputs"
}

# One emulated host has one processor: a second one beside it takes half of the guests, where there are
# two processors and memory for both.
has_room() {
    [ "$(nproc)" -ge 2 ] && awk '$1 == "MemAvailable:" { kib = $2 } END { exit kib < 6 * 1024 * 1024 }' /proc/meminfo
}

run_parts() {
    if has_room; then
        start_second 'blobs initrd firmware cpus'
        echo "PARTS='guest tdx'" >>"$payload/inputs"
        run_lab "$demo" "$build/demo-stage" "$payload"
        finish_second
    else
        echo "PARTS='guest blobs initrd firmware cpus tdx'" >>"$payload/inputs"
        run_lab "$demo" "$build/demo-stage" "$payload"
    fi
}

start_second() {
    rm -rf "$payload-beside"
    cp -r "$payload" "$payload-beside"
    echo "PARTS='$1'" >>"$payload-beside/inputs"
    trap '[ -z "$second" ] || kill "$second"' EXIT
    trap 'exit 143' INT TERM HUP
    "$lab/run.sh" --timeout 700 --stage "$build/demo-stage" "$payload-beside" "$beside" >"$build/logs/demo-beside.txt" 2>&1 &
    second=$!
}

finish_second() {
    status=0
    wait "$second" || status=$?
    second=
    echo "demo: a second lab ran beside it:"
    cat "$build/logs/demo-beside.txt"
    [ "$status" = 0 ] || fail "$(why_failed "$beside")"
    cp "$beside"/evidence-*.json "$beside"/refused-*.txt "$demo/"
    cp -r "$beside"/logs/* "$demo/logs/"
    cp "$beside/dmesg" "$demo/dmesg-beside"
    cp "$beside/console" "$demo/console-beside"
}

# judge STATUS EVIDENCE OPTION...: what the lab's verifier said, so must anyone with the files.
judge() {
    want=$1 evidence=$2
    shift 2
    status=0
    "$build/bin/pavise" verify bundle "$demo/$evidence" --policy "$demo/policy.json" "$@" >"$demo/here.txt" || status=$?
    [ "$status" = "$want" ] ||
        fail "outside the lab the verifier ends with $status for $evidence, not $want: see build/demo/here.txt"
    echo "$evidence: status $status, $(tail -n 1 "$demo/here.txt")"
}

# The plan that the policy names is made here, from the files alone.
verify_here() {
    cp "$payload/kernel" "$payload/initrd" "$payload/firmware" "$payload/inputs" "$demo/"
    "$build/bin/pavise" measure snp --firmware "$demo/firmware" --kernel "$demo/kernel" --initrd "$demo/initrd" \
        --append "$(cat "$demo/cmdline")" --cpus 2 --plan "$demo/here.plan" >/dev/null
    cmp "$demo/here.plan" "$demo/demo.plan" || fail "the lab's plan is not the one that the files give"
    rm "$demo/here.plan"
    judge 0 evidence.json --nonce "$nonce" --trust-root "$demo/root.pem"
    cp "$demo/here.txt" "$demo/verify-here.txt"
    judge 0 evidence-served.json --nonce "$nonce" --trust-root "$demo/root.pem"
    judge 1 evidence.json --nonce "$nonce"
    judge 2 evidence.json --nonce "$nonce" --trust-root "$payload/other-root.pem"
    other=$(printf '%s' "$nonce" | sha256sum | cut -d ' ' -f 1)
    judge 2 evidence.json --nonce "$other" --trust-root "$demo/root.pem"
    judge 2 evidence-replayed.json --nonce "$other" --trust-root "$demo/root.pem"
    for changed in hash-page firmware cpus; do
        judge 1 "evidence-$changed.json" --nonce "$nonce" --trust-root "$demo/root.pem"
    done
    judge_tdx 0 --trust-root "$demo/tdx/root.pem"
    judge_tdx 1
    judge_tdx 2 --trust-root "$demo/tdx/other-root.pem"
    rm "$demo/here.txt"
}

# judge_tdx STATUS OPTION...
judge_tdx() {
    want=$1
    shift
    status=0
    "$build/bin/pavise" verify bundle "$demo/tdx/evidence.json" --policy "$demo/tdx/policy.json" --nonce "$nonce" \
        --collateral "$demo/tdx/collateral.json" "$@" >"$demo/here.txt" || status=$?
    [ "$status" = "$want" ] ||
        fail "outside the lab the verifier ends with $status for the trust domain, not $want: see build/demo/here.txt"
    echo "tdx/evidence.json: status $status, $(tail -n 1 "$demo/here.txt")"
}

main() {
    started=$(date +%s)
    mkdir -p "$build/logs"
    choose_inputs
    echo "demo: NONCE=$nonce SEED=$seed"
    echo "demo: making the guest's initrd"
    make_inputs
    echo "demo: booting the lab (an emulated Debian host, SELinux enforcing, nested KVM)"
    run_parts
    verify_here
    echo "demo: plan, evidence, logs and launch digest are in build/demo ($(($(date +%s) - started)) s)"
    echo "demo: PASS"
}

main
