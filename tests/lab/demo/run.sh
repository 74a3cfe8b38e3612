#!/bin/bash
# The demonstration, inside the lab (L1), as unconfined root of an enforcing SELinux host.
# Every step says what it shows; the first that does not hold ends the run with "demo: FAIL: ...".
# Steps whose name is given as argument are run alone (for work on them); default: all.
set -u
# shellcheck source=/dev/null # written by scripts/demo.sh
. ./inputs
export PATH=/usr/local/bin:$PATH
out=/usr/local/out
images=/var/lib/pavise
plans=/etc/pavise
append="console=ttyS0 quiet reboot=a panic=-1"

finish() {
    stop_all
    cp -r logs "$out/" 2>/dev/null
    echo "$1" >"$out/result"
    echo "$1"
    [ "$1" = "demo: PASS" ]
    exit
}

fail() {
    finish "demo: FAIL: $*"
}

step() {
    echo
    echo "== $*"
}

stop_all() {
    for name in demo other changed; do
        [ ! -d "/run/pavise/$name" ] || pavise stop "$name"
    done
    wait
}

# Of a verifier's list only what is not "pass", with its values; the whole list is in the results.
shorten() {
    awk '/^pass / { n++; quiet = 1; next } /^ / && quiet { next } { quiet = 0; print }
         END { if (n) print "(" n " checks passed)" }'
}

# expect STATUS TEXT COMMAND...: the command ends with that status and prints that text.
expect() {
    local status=$1 text=$2 got
    shift 2
    "$@" >last.txt 2>&1
    got=$?
    shorten <last.txt
    [ "$got" = "$status" ] || fail "'$*' ended with status $got, expected $status"
    grep -qF -- "$text" last.txt || fail "'$*' did not say '$text'"
}

measure() {
    pavise measure plain --firmware firmware --kernel kernel --initrd initrd --append "$append" \
        --cpus 2 --memory 512M --plan $plans/demo.plan
}

make_disk() {
    printf '%s\n' "$2" >"$1"
    truncate -s 1M "$1"
    restorecon -F "$1"
}

# start NAME PLAN DISK: in the background; returns when the guest runs.
start() {
    pavise run "$1" --plan "$2" --disk "$3" --memory 512M --cpus 2 --keep-logs "logs/$1" \
        >"$1.txt" 2>&1 &
    for _ in $(seq 600); do
        grep -q "^$1: running" "$1.txt" && { cat "$1.txt"; return; }
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    cat "$1.txt"
    fail "$1 did not start"
}

attest() {
    pavise attest "$1" --nonce "$2" -o "$3" --timeout 120 || fail "no evidence from $1"
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

main_job() {
    step "measure: what shall run, and the PCR values it will have"
    measure >measured.txt || fail "pavise measure"
    cat measured.txt
    pavise measure plain --firmware firmware --kernel kernel --initrd initrd --append "$append" \
        --cpus 2 --memory 512M --plan $plans/demo.plan --json >"$out/measured.json" || fail "pavise measure --json"
    write_policy
    step "run: an unmodified Debian kernel, 2 processors, 512 MiB, disk, agent channel, vTPM"
    start demo $plans/demo.plan "$images/demo.img"
    ps -o label,uid,pid,args -C pavise-launch,pavise-vmm,pavise-dev,swtpm
    step "attest: evidence for the nonce $NONCE"
    attest demo "$NONCE" evidence.json
    step "verify: offline, every check listed"
    expect 0 "verdict: affirming" pavise verify bundle evidence.json --policy $plans/policy.json --nonce "$NONCE"
    grep '^pass ' last.txt
    cp last.txt "$out/verify.txt"
    cp evidence.json $plans/policy.json $plans/demo.plan "$out/"
    cp measured.txt "$out/pcrs.txt"
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
    other=$(printf '%s' "$NONCE" | sha256sum | cut -d ' ' -f 1)
    expect 2 "nonce" pavise verify bundle evidence.json --policy $plans/policy.json --nonce "$other"
    cp last.txt "$out/refused-nonce.txt"
}

changed_blob() {
    step "refused by the firmware: a changed $1 under the same plan"
    ./plan-flip $plans/demo.plan "$plans/changed-$1.plan" "$1" "$SEED" || fail "plan-flip"
    expect 8 "$2" pavise run changed --plan "$plans/changed-$1.plan" --disk "$images/other.img" \
        --memory 512M --cpus 2 --keep-logs "logs/changed-$1"
    cp last.txt "$out/refused-$1.txt"
}

# The label of that VM's device processes, from what the launcher said.
device_label() {
    echo "$(id -Z | cut -d : -f 1-2):pavise_dev_t:s0:$(grep -o 'c[0-9]*,c[0-9]*' "$1.txt" | head -n 1)"
}

neighbours() {
    step "a second VM beside it: neither the first one's disk nor its channel"
    start other $plans/demo.plan "$images/other.img"
    ./neighbour demo "$images/demo.img" "$(device_label demo)" "$(device_label other)" ||
        fail "a process of the second VM reached the first"
}

changed_firmware() {
    step "refused by the verifier: changed firmware boots and measures differently"
    ./plan-flip $plans/demo.plan $plans/changed-firmware.plan note "$SEED" || fail "plan-flip"
    start changed $plans/changed-firmware.plan "$images/other.img"
    attest changed "$NONCE" evidence-changed-firmware.json
    expect 1 "PCR 0" pavise verify bundle evidence-changed-firmware.json --policy $plans/policy.json --nonce "$NONCE"
    cp last.txt "$out/refused-firmware.txt"
    cp evidence-changed-firmware.json "$out/"
}

clean() {
    step "orderly end: nothing left"
    stop_all
    left=$(find /run/pavise -mindepth 1 ! -path /run/pavise/pairs ! -name '.*')
    [ -z "$left" ] || fail "left in /run/pavise: $left"
    ! pgrep -f 'pavise-(vmm|dev|launch)|swtpm' >/dev/null || fail "left processes: $(pgrep -af 'pavise|swtpm')"
    ls -Z "$images"
}

chmod 755 plan-flip neighbour
mkdir -p "$images" "$plans" logs
restorecon -RF "$images" "$plans"
make_disk "$images/demo.img" "the disk of demo"
make_disk "$images/other.img" "the disk of other"
main_job
other_nonce
neighbours
pavise stop other || fail "pavise stop other"
changed_blob initrd "0x41"
changed_blob cmdline "0x42"
changed_firmware
clean
finish "demo: PASS"
