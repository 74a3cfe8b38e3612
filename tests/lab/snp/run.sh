#!/bin/bash
# An SEV-SNP guest on the platform model, inside the lab (L1): stock Debian kernel, measured start,
# evidence with report and vTPM quote, verdict only under the simulated root that is named.
# The first step that does not hold ends the run with "snp: FAIL: ...".
set -u
# shellcheck source=/dev/null # written by test_snp.sh
. ./inputs
export PATH=/usr/local/bin:$PATH
out=/usr/local/out
state=/var/lib/pavise-sim
images=/var/lib/pavise
plans=/etc/pavise
append="console=ttyS0 quiet reboot=a panic=-1"

finish() {
    [ ! -d /run/pavise/snp ] || pavise stop snp
    wait
    cp -r logs "$out/" 2>/dev/null
    cp -- *.txt "$out/" 2>/dev/null
    echo "$1" >"$out/result"
    echo "$1"
    [ "$1" = "snp: PASS" ]
    exit
}

fail() {
    finish "snp: FAIL: $*"
}

step() {
    echo
    echo "== $*"
}

# expect STATUS TEXT COMMAND...: the command ends with that status and prints that text.
expect() {
    local status=$1 text=$2 got
    shift 2
    "$@" >last.txt 2>&1
    got=$?
    grep -v '^pass \|^ ' last.txt | tail -n 12
    [ "$got" = "$status" ] || fail "'$*' ended with status $got, expected $status"
    grep -qF -- "$text" last.txt || fail "'$*' did not say '$text'"
}

measure() {
    pavise measure snp --firmware firmware --kernel kernel --initrd initrd --append "$append" \
        --cpus "$CPUS" --memory 512M --plan $plans/snp.plan >measured.txt || fail "pavise measure snp"
    cat measured.txt
}

# In the background; returns when the guest runs.
start() {
    pavise run snp --tee snp --platform sim --plan $plans/snp.plan --disk $images/snp.img --memory 512M \
        --cpus "$CPUS" --host-data "$HOST_DATA" --keep-logs logs/snp >run.txt 2>&1 &
    for _ in $(seq 1200); do
        grep -q '^snp: running' run.txt && { cat run.txt; return; }
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    cat run.txt
    fail "the guest did not start"
}

write_policy() {
    cat >$plans/policy.json <<JSON
{
  "format": "pavise-policy",
  "version": 0,
  "tee": "sev-snp",
  "plan": "snp.plan",
  "require_nonce": true,
  "snp": { "vmpl": 0, "host_data": "$HOST_DATA" }
}
JSON
}

# The label of a running program.
label_of() {
    ps -o label= -C "$1"
}

labels() {
    ps -o label,uid,pid,args -C pavise-launch,pavise-vmm-sim,pavise-psp-sim,pavise-dev,swtpm
    label_of pavise-vmm-sim | grep -q ':pavise_vmm_sim_t:s0:c' || fail "the VMM is not in the simulation's domain"
    label_of pavise-psp-sim | grep -q ':pavise_psp_t:s0:c' || fail "the simulated processor is not in its domain"
    find $state -mindepth 1 -printf '%f %Z\n'
    [ -z "$(find $state -mindepth 1 ! -context '*:pavise_psp_state_t:s0')" ] || fail "labels below $state"
}

chmod 755 -- *.sh
mkdir -p "$images" "$plans" logs
restorecon -RF "$images" "$plans"
printf 'the disk of snp\n' >$images/snp.img
truncate -s 1M $images/snp.img
restorecon -F $images/snp.img

step "refused: an SEV-SNP plan without --tee snp, and on this host's own hardware"
measure
expect 64 "--tee snp" pavise run snp --plan $plans/snp.plan --disk $images/snp.img --memory 512M --cpus "$CPUS"
expect 5 "/dev/sev" pavise run snp --tee snp --plan $plans/snp.plan --disk $images/snp.img --memory 512M --cpus "$CPUS"

step "run: an unmodified Debian kernel as SEV-SNP guest on the platform model"
start
labels
step "attest"
pavise attest snp --nonce "$NONCE" -o evidence.json --timeout 180 || fail "no evidence"
cp evidence.json $plans/snp.plan "$out/"
/usr/local/libexec/pavise/pavise-psp-sim root --state $state -o "$out/root.pem" || fail "no root certificate"
write_policy
cp $plans/policy.json "$out/"

step "verify: refused without the simulated root, affirming only in its name with it"
expect 1 "simulated or private root" pavise verify bundle evidence.json --policy $plans/policy.json --nonce "$NONCE"
cp last.txt refused-root.txt
expect 0 "simulated or private root" pavise verify bundle evidence.json --policy $plans/policy.json \
    --nonce "$NONCE" --trust-root "$out/root.pem"
cp last.txt affirming.txt
step "refused: evidence made for another nonce"
expect 2 "verdict: " pavise verify bundle evidence.json --policy $plans/policy.json \
    --nonce "$(printf '%s' "$NONCE" | sha256sum | cut -d ' ' -f 1)" --trust-root "$out/root.pem"

step "refused by the firmware: a changed initrd under the same plan"
pavise stop snp || fail "pavise stop snp"
wait
./plan-flip $plans/snp.plan $plans/changed.plan initrd 1 || fail "plan-flip"
expect 8 "0x41" pavise run snp --tee snp --platform sim --plan $plans/changed.plan --disk $images/snp.img \
    --memory 512M --cpus "$CPUS" --host-data "$HOST_DATA" --keep-logs logs/changed

step "orderly end: nothing left"
! pgrep 'pavise-|swtpm' >/dev/null || fail "left processes: $(pgrep -a 'pavise-|swtpm')"
! dmesg | grep 'avc: *denied.*pavise_\(psp\|vmm_sim\)' || fail "denials of the simulation's domains"
finish "snp: PASS"
