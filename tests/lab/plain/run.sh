#!/bin/bash
# A plain virtual machine, inside the lab (L1), as unconfined root of an enforcing SELinux host:
# measure, run, attest, verify, a second VM beside it, and every refused case.
set -u
job=plain
# shellcheck source=tests/lab/payload.sh
. ./payload.sh
machine=(--memory 512M --cpus 2)

measure() {
    pavise measure plain --firmware firmware --kernel kernel --initrd initrd --append "$append" \
        --cpus 2 --memory 512M --plan $plans/demo.plan "$@" || fail "pavise measure"
}

write_policy() {
    cat >$plans/policy.json <<JSON
{
  "format": "pavise-policy",
  "version": 0,
  "tee": "none",
  "plan": "demo.plan",
  "cpus": [2],
  "memory": ["512M"],
  "pci_slots": [2],
  "banks": ["sha256", "sha384"],
  "require_nonce": true
}
JSON
}

# verifier EVIDENCE [NONCE]: its command, in words, is then $verifier.
verifier() {
    verifier=(pavise verify bundle "$1" --policy "$plans/policy.json" --nonce "${2:-$NONCE}")
}

# This host is all that the README asks for: the doctor must find it so.
examined() {
    step "doctor: this host has what a plain machine needs, labels and walls included"
    pavise doctor plain >"$out/doctor.txt"
    local got=$?
    cat "$out/doctor.txt"
    [ "$got" = 0 ] || fail "pavise doctor ended with status $got"
    grep -q '^  found *selinux-walls' "$out/doctor.txt" || fail "pavise doctor did not ask for the walls"
}

main_job() {
    step "measure: what shall run, and the PCR values it will have"
    measure --json >"$out/measured.json"
    measure >"$out/pcrs.txt"
    cat "$out/pcrs.txt"
    write_policy
    step "run: an unmodified Debian kernel, 2 processors, 512 MiB, disk, agent channel, vTPM"
    start demo --plan $plans/demo.plan --disk "$images/demo.img" "${machine[@]}"
    ps -o label,uid,pid,args -C pavise-launch,pavise-vmm,pavise-dev,swtpm
    step "attest: evidence for the nonce $NONCE"
    attest demo evidence.json
    step "verify: offline, every check listed"
    verifier evidence.json
    expect 0 "verdict: affirming" "${verifier[@]}"
    grep '^pass ' last.txt
    cp last.txt "$out/verify.txt"
    cp $plans/policy.json $plans/demo.plan "$out/"
    printf '%s' "$append" >"$out/cmdline"
    check_log
}

# The log that Linux shows in securityfs is, byte for byte, the one in the evidence.
check_log() {
    local guest ours
    guest=$(sed -n 's/.*guest: event-log sha256 \([0-9a-f]*\).*/\1/p' /run/pavise/demo/console.log)
    ours=$(sed -n 's/.*"event_log": *"\([^"]*\)".*/\1/p' evidence.json | base64 -d | sha256sum | cut -d ' ' -f 1)
    echo "securityfs log: $guest"
    echo "evidence log:   $ours"
    [ "$guest" = "$ours" ] || fail "the log in securityfs is not the log in the evidence"
}

other_nonce() {
    step "refused: evidence made for another nonce"
    verifier evidence.json "$(printf '%s' "$NONCE" | sha256sum | cut -d ' ' -f 1)"
    refused nonce 2 "nonce" "${verifier[@]}"
}

changed_blob() {
    step "refused by the firmware: a changed $1 under the same plan"
    flip demo "changed-$1" "$1"
    refused "$1" 8 "$2" pavise run changed --plan "$plans/changed-$1.plan" --disk "$images/other.img" \
        "${machine[@]}" --keep-logs "logs/changed-$1"
}

# The label of that VM's device processes, from what the launcher said.
device_label() {
    echo "$(id -Z | cut -d : -f 1-2):pavise_dev_t:s0:$(grep -o 'c[0-9]*,c[0-9]*' "$1.txt" | head -n 1)"
}

neighbours() {
    step "a second VM beside it: neither the first one's disk nor its channel"
    start other --plan $plans/demo.plan --disk "$images/other.img" "${machine[@]}"
    ./neighbour demo "$images/demo.img" "$(device_label demo)" "$(device_label other)" ||
        fail "a process of the second VM reached the first"
    pavise stop other || fail "pavise stop other"
}

changed_firmware() {
    step "refused by the verifier: changed firmware boots and measures differently"
    flip demo changed-firmware note
    start changed --plan $plans/changed-firmware.plan --disk "$images/other.img" "${machine[@]}"
    attest changed evidence-changed-firmware.json
    verifier evidence-changed-firmware.json
    refused firmware 1 "PCR 0" "${verifier[@]}"
}

chmod 755 plan-flip neighbour
make_folders
make_disk "$images/demo.img" "the disk of demo"
make_disk "$images/other.img" "the disk of other"
examined
main_job
other_nonce
neighbours
changed_blob initrd "0x41"
changed_blob cmdline "0x42"
changed_firmware
orderly_end
ls -Z "$images"
finish "plain: PASS"
