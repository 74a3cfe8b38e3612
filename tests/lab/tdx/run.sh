#!/bin/bash
# Trust domains on the platform model, inside the lab (L1), as unconfined root of an enforcing SELinux
# host: what tests/lab/suite.sh shows, and what a simulated platform adds. The inputs say which parts.
set -u
job=tdx
# shellcheck source=tests/lab/payload.sh
. ./payload.sh
state=/var/lib/pavise-sim
platform=/usr/local/libexec/pavise/pavise-tdx-sim
disk=$images/tdx.img
tee=tdx
# MRTD covers no size of memory; accepting it is the slowest step of the model. RTMR0 covers it.
memory=192M cpus=2 slots=2
launch=(--tee tdx --platform sim --disk "$disk")
judge=(--collateral "$out/collateral.json" --trust-root "$out/root.pem")
affirmed="affirming (simulated or private root)"
agreed=$MRCONFIGID
# shellcheck source=tests/lab/suite.sh
. ./suite.sh

# The simulated platform's root and collateral, as Intel's services would give them; another's root.
make_platforms() {
    "$platform" init --state "$state" || fail "no simulated platform"
    "$platform" init --state other-platform || fail "no other simulated platform"
    "$platform" root --state "$state" -o "$out/root.pem" || fail "no root certificate"
    "$platform" root --state other-platform -o "$out/other-root.pem" || fail "no root certificate of another"
    "$platform" collateral --state "$state" -o "$out/collateral.json" || fail "no collateral"
}

# has_label PROGRAM TYPE: it runs in that domain, at the level of a VM.
has_label() {
    local label
    label=$(ps -o label= -C "$1")
    [[ $label == *:$2:s0:c* ]] || fail "$1 runs as '$label', not in $2"
}

show_labels() {
    ps -o label,uid,pid,args -C pavise-launch,pavise-vmm-sim,pavise-tdx-sim,pavise-quote,pavise-dev,swtpm
    has_label pavise-vmm-sim pavise_vmm_sim_t
    has_label pavise-tdx-sim pavise_psp_t
    has_label pavise-quote pavise_quote_t
}

refused_roots() {
    step "refused: no root is trusted"
    verifier evidence.json "$plans/policy.json" --nonce "$NONCE" --collateral "$out/collateral.json"
    refused no-root 1 "tdx.root" "${verifier[@]}"
    step "refused: another platform's root is trusted"
    verifier evidence.json "$plans/policy.json" --nonce "$NONCE" --collateral "$out/collateral.json" \
        --trust-root "$out/other-root.pem"
    refused wrong-root 2 "tdx.root" "${verifier[@]}"
}

refused_commands() {
    step "refused: a TDX plan as another guest, and on hardware that is not there"
    refused no-tee 64 "--tee tdx" pavise run tdx --plan "$plans/tdx.plan" "${machine[@]}"
    refused no-hardware 5 "TDX" pavise run tdx --plan "$plans/tdx.plan" "${machine[@]}" --tee tdx
}

no_denials() {
    ! dmesg | grep 'avc: *denied.*pavise_\(psp\|vmm_sim\|quote\)' || fail "denials of the simulation's domains"
}

main_job() {
    step "run: an unmodified Debian kernel as trust domain with 2 processors, on the platform model (simulated)"
    run_good tdx
    show_labels
    good_evidence tdx
    stop_good tdx
}

run_part() {
    case $1 in
    guest)
        main_job
        refused_roots
        refused_questions tdx
        refused_commands
        ;;
    blob) changed_blob tdx initrd 0x41 ;;
    firmware) changed_firmware tdx ;;
    *) fail "no part is called $1" ;;
    esac
}

chmod 755 plan-flip
mkdir -p "$out"
make_folders
make_disk "$disk" "the disk of tdx"
decide tdx
make_platforms
for part in $PARTS; do
    run_part "$part"
done
orderly_end
no_denials
finish "tdx: PASS"
