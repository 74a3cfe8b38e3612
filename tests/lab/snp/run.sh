#!/bin/bash
# SEV-SNP guests on the platform model, inside the lab (L1), as unconfined root of an enforcing SELinux
# host: what tests/lab/suite.sh shows, and what a simulated chip adds. The inputs say which parts
# (PARTS): two labs can share them.
set -u
job=demo
# shellcheck source=tests/lab/payload.sh
. ./payload.sh
state=/var/lib/pavise-sim
disk=$images/demo.img
tee=snp
# The launch digest covers no size of memory; taking it is the slowest step of the model.
memory=192M cpus=2 slots=2
launch=(--tee snp --platform sim --disk "$disk")
judge=(--trust-root "$out/root.pem")
affirmed="affirming (simulated or private root)"
agreed=$HOST_DATA
# shellcheck source=tests/lab/suite.sh
. ./suite.sh

# The label of a running program.
label_of() {
    ps -o label= -C "$1"
}

show_labels() {
    ps -o label,uid,pid,args -C pavise-launch,pavise-vmm-sim,pavise-psp-sim,pavise-dev,swtpm
    label_of pavise-vmm-sim | grep -q ':pavise_vmm_sim_t:s0:c' || fail "the VMM is not in the simulation's domain"
    label_of pavise-psp-sim | grep -q ':pavise_psp_t:s0:c' || fail "the simulated processor is not in its domain"
    find "$state" -mindepth 1 -printf '%f %Z\n'
    [ -z "$(find "$state" -mindepth 1 ! -context '*:pavise_psp_state_t:s0')" ] || fail "labels below $state"
}

# ask NAME FILE: what the server answers to the nonce about that guest; prints the HTTP status.
ask() {
    ./https-post 127.0.0.1:8443 localhost tls-cert.pem "/v1/vms/$1/evidence" "{\"nonce\": \"$NONCE\"}" "$2"
}

# Evidence for whoever asks over the network. The server's words go through a pipe: its domains may
# write no file.
serve() {
    local status
    step "serve: evidence over TLS 1.3, from a process that may open nothing"
    mkdir -p "$plans/keys"
    cp tls-cert.pem "$plans/"
    cp tls-key.pem "$plans/keys/"
    restorecon -RF "$plans/tls-cert.pem" "$plans/keys"
    busybox ifconfig lo 127.0.0.1 up
    pavise attestd --listen 127.0.0.1:8443 --cert "$plans/tls-cert.pem" --key "$plans/keys/tls-key.pem" \
        --timeout 300 2>&1 | cat >attestd.txt &
    for _ in $(seq 300); do
        ! grep -q serving attestd.txt || break
        sleep 0.1
    done
    ps -o label,uid,pid,args -C pavise-attestd,pavise-attest-front
    label_of pavise-attestd | grep -q ':pavise_attestd_t:' || fail "attestd is not in its domain"
    label_of pavise-attest-front | grep -q ':pavise_attest_front_t:' || fail "its network side is not in its own"
    status=$(ask demo evidence-served.json)
    [ "$status" = 200 ] || fail "attestd: $status $(cat attestd.txt)"
    cp evidence-served.json "$out/"
    verifier evidence-served.json "$plans/policy.json" --nonce "$NONCE" "${judge[@]}"
    expect 0 "verdict: $affirmed" "${verifier[@]}"
    status=$(ask nobody answer.json)
    [ "$status" = 404 ] || fail "a guest that is not there: $status"
    cat answer.json && echo
    pkill -x pavise-attestd
    cat attestd.txt
}

main_job() {
    step "run: an unmodified Debian kernel as SEV-SNP guest with 2 processors, on the platform model (simulated)"
    run_good demo
    show_labels
    good_evidence demo
    serve
    stop_good demo
}

refused_roots() {
    step "refused: no root is trusted"
    verifier evidence.json "$plans/policy.json" --nonce "$NONCE"
    refused no-root 1 "is a simulated or private root, none of AMD's" "${verifier[@]}"
    only_failed snp.root
    step "refused: another root is trusted"
    verifier evidence.json "$plans/policy.json" --nonce "$NONCE" --trust-root other-root.pem
    refused wrong-root 2 "neither a root of AMD's nor the one of --trust-root" "${verifier[@]}"
    only_failed snp.root
}

refused_commands() {
    local command=(pavise run demo --plan "$plans/demo.plan" --disk "$disk" "${machine[@]}")
    step "refused: an SEV-SNP plan as plain machine, and on hardware that is not there"
    refused no-tee 64 "--tee snp" "${command[@]}"
    refused no-hardware 5 "/dev/sev" "${command[@]}" --tee snp
}

# That a policy for what was started affirms the same evidence shows that nothing else was wrong.
# affirmed_as NAME PLAN
affirmed_as() {
    write_policy "$plans/$1.json" "$2" "$agreed"
    verifier "evidence-$1.json" "$plans/$1.json" --nonce "$NONCE" "${judge[@]}"
    echo "and against a policy for just that:"
    expect 0 "verdict: $affirmed" "${verifier[@]}"
    grep -A 1 '^pass *snp.measurement' last.txt
}

changed_initrd() {
    step "refused by the verifier: a changed initrd, under a hash page that the host made for it"
    measure other-initrd initrd-changed
    launch_changed hash-page other-initrd
    affirmed_as hash-page other-initrd
}

changed_cpus() {
    step "refused by the verifier: 3 processors, the reference value is for 2"
    measure three-cpus initrd --cpus 3
    launch_changed cpus three-cpus --cpus 3
    affirmed_as cpus three-cpus
}

# The other kind of confidential guest, by its own script, in a folder of its own.
trust_domain() {
    orderly_end
    (cd tdx && bash ./run.sh)
    [ "$(cat "$out/tdx/result")" = "tdx: PASS" ] || fail "$(cat "$out/tdx/result")"
}

run_part() {
    case $1 in
    guest)
        main_job
        refused_roots
        refused_questions demo
        refused_commands
        ;;
    blobs)
        changed_blob demo initrd 0x41
        changed_blob demo cmdline 0x42
        ;;
    initrd) changed_initrd ;;
    firmware)
        changed_firmware demo
        affirmed_as firmware changed-firmware
        ;;
    cpus) changed_cpus ;;
    tdx) trust_domain ;;
    *) fail "no part is called $1" ;;
    esac
}

no_denials() {
    ! dmesg | grep 'avc: *denied.*pavise_\(psp\|vmm_sim\|attest\)' || fail "denials of the simulation's domains"
}

chmod 755 plan-flip
make_folders
make_disk "$disk" "the disk of demo"
decide demo
/usr/local/libexec/pavise/pavise-psp-sim root --state "$state" -o "$out/root.pem" || fail "no root certificate"
for part in $PARTS; do
    run_part "$part"
done
orderly_end
no_denials
finish "demo: PASS"
