#!/bin/bash
# Trust domains on the platform model, inside the lab (L1), as unconfined root of an enforcing SELinux
# host: measure, run, attest, verify, and every refused case.
set -u
job=tdx
# shellcheck source=tests/lab/payload.sh
. ./payload.sh
state=/var/lib/pavise-sim
platform=/usr/local/libexec/pavise/pavise-tdx-sim
disk=$images/tdx.img
# MRTD covers no size of memory; accepting it is the slowest step of the model. RTMR0 covers it.
machine=(--memory 192M --cpus 2)
sim=(--tee tdx --platform sim --disk "$disk" "${machine[@]}")

# measure PLAN INITRD
measure() {
    pavise measure tdx --firmware firmware --kernel kernel --initrd "$2" --append "$append" \
        "${machine[@]}" --plan "$plans/$1.plan" >"$1.txt" || fail "pavise measure tdx"
}

# register NAME MEASUREMENT: what `pavise measure tdx` expects of mrtd, "rtmr 0" or "rtmr 1".
register() {
    sed -n "s/^$1  *\([0-9a-f]\{96\}\) .*/\1/p" "$2.txt"
}

# write_policy FILE MEASUREMENT MRCONFIGID
write_policy() {
    cat >"$1" <<JSON
{
  "format": "pavise-policy",
  "version": 0,
  "base": "strict",
  "tee": "tdx",
  "require_nonce": true,
  "tdx": {
    "mrtd": ["$(register mrtd "$2")"],
    "rtmr0": ["$(register 'rtmr 0' "$2")"],
    "rtmr1": ["$(register 'rtmr 1' "$2")"],
    "mrconfigid": ["$3"]
  }
}
JSON
}

# verifier EVIDENCE POLICY [OPTION]...: its command, in words, is then $verifier.
verifier() {
    local evidence=$1 policy=$2
    shift 2
    verifier=(pavise verify bundle "$evidence" --policy "$policy" --collateral "$out/collateral.json" "$@")
}

# What the owner of the guest decides, before any host is asked.
decide() {
    step "measure: what shall run, and the MRTD and RTMRs that its quotes must carry"
    measure tdx initrd
    cat tdx.txt
    write_policy "$plans/tdx.json" tdx "$MRCONFIGID"
    cp "$plans/tdx.json" "$out/policy.json"
    cp "$plans/tdx.plan" "$out/"
    cp tdx.txt "$out/measured.txt"
    printf '%s' "$append" >"$out/cmdline"
}

# The simulated platform's root and collateral, as Intel's services would give them; and another's root.
take_collateral() {
    "$platform" init --state "$state" && "$platform" init --state other-platform || fail "no simulated platform"
    "$platform" root --state "$state" -o "$out/root.pem" || fail "no root certificate"
    "$platform" root --state other-platform -o "$out/other-root.pem" || fail "no root certificate of another"
    "$platform" collateral --state "$state" -o "$out/collateral.json" || fail "no collateral"
}

show_labels() {
    ps -o label,uid,pid,args -C pavise-launch,pavise-vmm-sim,pavise-tdx-sim,pavise-quote,pavise-dev,swtpm
    ps -o label= -C pavise-vmm-sim | grep -q ':pavise_vmm_sim_t:s0:c' || fail "the VMM is not in the simulation's domain"
    ps -o label= -C pavise-tdx-sim | grep -q ':pavise_psp_t:s0:c' || fail "the simulated platform is not in its domain"
    ps -o label= -C pavise-quote | grep -q ':pavise_quote_t:s0:c' || fail "the relay of quotes is not in its domain"
}

has_log() {
    grep -q '"cc_log"' "$1" || fail "$1 holds no event log of the firmware"
    echo "evidence: the quote, and the log that RTMR0 and RTMR1 follow from"
}

# same_registers EVIDENCE: what was launched is what was predicted, by the verifier's own words.
same_registers() {
    local check
    for check in tdx.mrtd tdx.rtmr.0 tdx.rtmr.1; do
        grep "^pass *$check" last.txt || fail "$check was not compared"
    done
}

main_job() {
    step "run: an unmodified Debian kernel as trust domain with 2 processors, on the platform model (simulated)"
    start tdx --plan "$plans/tdx.plan" "${sim[@]}" --mrconfigid "$MRCONFIGID" --timings
    show_labels
    step "attest: evidence for the nonce $NONCE"
    attest tdx evidence.json
    has_log evidence.json
    step "verify: offline, every check listed"
    verifier evidence.json "$plans/tdx.json" --nonce "$NONCE" --trust-root "$out/root.pem"
    expect 0 "verdict: affirming (simulated or private root)" "${verifier[@]}"
    grep '^pass ' last.txt | grep -v host-vtpm
    same_registers
    cp last.txt "$out/verify.txt"
    pavise stop tdx || fail "pavise stop tdx"
    wait
    cat tdx.txt
}

# The same good evidence, asked other questions.
refused_evidence() {
    local other
    step "refused: no root is trusted"
    verifier evidence.json "$plans/tdx.json" --nonce "$NONCE"
    expect 1 "" "${verifier[@]}"
    step "refused: another platform's root is trusted"
    verifier evidence.json "$plans/tdx.json" --nonce "$NONCE" --trust-root "$out/other-root.pem"
    refused wrong-root 2 "" "${verifier[@]}"
    other=$(printf '%s' "$NONCE" | sha256sum | cut -d ' ' -f 1)
    step "refused: the quote replayed for another nonce"
    verifier evidence.json "$plans/tdx.json" --nonce "$other" --trust-root "$out/root.pem"
    refused nonce 2 "another nonce: old evidence" "${verifier[@]}"
    only_failed freshness
    step "refused: the same with the new nonce written into it: the quote binds the old one"
    sed "s/\"nonce\": *\"[^\"]*\"/\"nonce\": \"$other\"/" evidence.json >evidence-replayed.json
    verifier evidence-replayed.json "$plans/tdx.json" --nonce "$other" --trust-root "$out/root.pem"
    refused replayed 2 "REPORTDATA" "${verifier[@]}"
    ! grep -q '^fail *freshness' last.txt || fail "the new nonce is not in the evidence"
    step "refused: another MRCONFIGID was agreed on"
    write_policy "$plans/other-mrconfigid.json" tdx "$(printf '%s' "$MRCONFIGID" | tr 0-9a-f 1-9a-f0)"
    verifier evidence.json "$plans/other-mrconfigid.json" --nonce "$NONCE" --trust-root "$out/root.pem"
    refused mrconfigid 1 "MRCONFIGID" "${verifier[@]}"
    only_failed tdx.config_id
}

# A host that swaps the initrd and keeps the hash page.
changed_initrd() {
    step "refused by the firmware: a changed initrd under the same plan"
    flip changed-initrd initrd tdx
    refused initrd 8 "0x41" pavise run changed --plan "$plans/changed-initrd.plan" "${sim[@]}" \
        --mrconfigid "$MRCONFIGID" --keep-logs logs/changed-initrd
}

# It boots, attests, and MRTD tells; nothing else does.
changed_firmware() {
    step "refused by the verifier: one changed byte of the firmware"
    flip changed-firmware note tdx
    start firmware --plan "$plans/changed-firmware.plan" "${sim[@]}" --mrconfigid "$MRCONFIGID"
    attest firmware evidence-firmware.json
    pavise stop firmware || fail "pavise stop firmware"
    wait
    verifier evidence-firmware.json "$plans/tdx.json" --nonce "$NONCE" --trust-root "$out/root.pem"
    refused firmware 1 "tdx.mrtd" "${verifier[@]}"
    only_failed tdx.mrtd
}

refused_commands() {
    step "refused: a TDX plan as another guest, and on hardware that is not there"
    refused no-tee 64 "--tee tdx" pavise run tdx --plan "$plans/tdx.plan" "${machine[@]}"
    refused no-hardware 5 "TDX" pavise run tdx --plan "$plans/tdx.plan" "${machine[@]}" --tee tdx \
        --quote vsock:2:4050
}

no_denials() {
    ! dmesg | grep 'avc: *denied.*pavise_\(psp\|vmm_sim\|quote\)' || fail "denials of the simulation's domains"
}

chmod 755 plan-flip
make_folders
make_disk "$disk" "the disk of tdx"
decide
take_collateral
main_job
refused_evidence
refused_commands
changed_initrd
changed_firmware
orderly_end
no_denials
finish "tdx: PASS"
