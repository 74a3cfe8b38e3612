#!/bin/bash
# run.sh snp|tdx: tests/lab/suite.sh on hardware, in the folder that check.sh has filled.
set -u
tee=$1
job=check-$tee
# shellcheck source=tests/lab/payload.sh
. ./payload.sh
memory=512M slots=1
launch=(--tee "$tee" --isolation "$isolation")
judge=()
affirmed=affirming
# shellcheck source=tests/lab/suite.sh
. ./suite.sh

# option FILE OPTION: what the user gave of certificates and collateral.
option() {
    [ ! -e "$1" ] || judge+=("$2" "$1")
}

take_options() {
    option VEK --vek
    option CHAIN --chain
    option COLLATERAL --collateral
    [ ! -e CERTS ] || launch+=(--certs CERTS)
    [ -n "$quote" ] || [ ! -S /var/run/tdx-qgs/qgs.socket ] || quote=unix:/var/run/tdx-qgs/qgs.socket
    [ "$tee" = snp ] || [ -z "$quote" ] || launch+=(--quote "$quote")
}

# Can the evidence be judged to the vendor's root?
can_judge() {
    if [ "$tee" = snp ]; then [ -e CERTS ] || { [ -e VEK ] && [ -e CHAIN ]; }; else [ -e COLLATERAL ]; fi
}

# Without certificates: what they have to be, in the verifier's words. The guest has run and attested.
say_what_is_missing() {
    step "attest: evidence for the nonce $NONCE"
    attest "$1" evidence.json
    step "verify: there is nothing to verify with; the verifier says what it needs"
    verifier evidence.json none --nonce "$NONCE"
    "${verifier[@]}" | tee "$out/verify.txt"
    "${verifier[@]}" --json >"$out/verify.json"
}

judge_good() {
    good_evidence "$1"
    ! grep -q simulated last.txt || fail "the verdict is not the vendor's root's"
    "${verifier[@]}" --json >"$out/verify.json"
    refused_questions "$1"
}

# Of these guests: the machine may well have others.
nothing_left() {
    local guest
    step "orderly end: nothing left"
    stop_all
    for guest in first changed firmware; do
        [ ! -e "/run/pavise/$guest" ] || fail "left: /run/pavise/$guest"
    done
}

mkdir -p logs "$plans"
chmod 755 plan-flip
take_options
decide first
step "run: a Debian kernel as $tee guest with $cpus processors, on this machine's hardware"
run_good first
if can_judge; then judge_good first; else say_what_is_missing first; fi
stop_good first
changed_blob first initrd 0x41
if can_judge; then changed_firmware first; fi
nothing_left
can_judge || fail "incomplete: the guest ran, attested and refused a changed initrd; nobody has judged its" \
    "evidence: give VEK= and CHAIN= or CERTS= (snp), COLLATERAL= (tdx), as docs/hardware.md says"
finish "$job: PASS"
