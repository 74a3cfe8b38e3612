#!/bin/bash
# SEV-SNP guests on the platform model, inside the lab (L1), as unconfined root of an enforcing SELinux
# host: measure, run, attest, verify, and every refused case. The inputs say which parts (PARTS): two
# labs can share them.
set -u
job=demo
# shellcheck source=tests/lab/payload.sh
. ./payload.sh
state=/var/lib/pavise-sim
disk=$images/demo.img
# The launch digest covers no size of memory; taking it is the slowest step of the model.
sim=(--tee snp --platform sim --disk "$disk" --memory 192M)

# measure PLAN INITRD CPUS
measure() {
    pavise measure snp --firmware firmware --kernel kernel --initrd "$2" --append "$append" \
        --cpus "$3" --plan "$plans/$1.plan" >"$1.txt" || fail "pavise measure snp"
}

# write_policy FILE PLAN HOST_DATA
write_policy() {
    cat >"$1" <<JSON
{
  "format": "pavise-policy",
  "version": 0,
  "tee": "sev-snp",
  "plan": "$2.plan",
  "require_nonce": true,
  "snp": { "vmpl": 0, "host_data": "$3" }
}
JSON
}

# verifier EVIDENCE POLICY [OPTION]...: its command, in words, is then $verifier.
verifier() {
    local evidence=$1 policy=$2
    shift 2
    verifier=(pavise verify bundle "$evidence" --policy "$policy" "$@")
}

# What the owner of the guest decides, before any host is asked.
decide() {
    step "measure: what shall run, and the launch digest its reports must carry"
    measure demo initrd 2
    cat demo.txt
    write_policy "$plans/policy.json" demo "$HOST_DATA"
    cp "$plans/policy.json" "$plans/demo.plan" "$out/"
    cp demo.txt "$out/measured.txt"
    printf '%s' "$append" >"$out/cmdline"
    /usr/local/libexec/pavise/pavise-psp-sim root --state "$state" -o "$out/root.pem" || fail "no root certificate"
}

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
    cp tls-cert.pem tls-key.pem "$plans/"
    restorecon -F "$plans"/tls-*.pem
    busybox ifconfig lo 127.0.0.1 up
    pavise attestd --listen 127.0.0.1:8443 --cert "$plans/tls-cert.pem" --key "$plans/tls-key.pem" \
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
    verifier evidence-served.json "$plans/policy.json" --nonce "$NONCE" --trust-root "$out/root.pem"
    expect 0 "verdict: affirming (simulated or private root)" "${verifier[@]}"
    status=$(ask nobody answer.json)
    [ "$status" = 404 ] || fail "a guest that is not there: $status"
    cat answer.json && echo
    pkill -x pavise-attestd
    cat attestd.txt
}

main_job() {
    step "run: an unmodified Debian kernel as SEV-SNP guest with 2 processors, on the platform model (simulated)"
    start demo --plan "$plans/demo.plan" "${sim[@]}" --cpus 2 --host-data "$HOST_DATA"
    show_labels
    step "attest: evidence for the nonce $NONCE"
    attest demo evidence.json
    step "verify: offline, every check listed"
    verifier evidence.json "$plans/policy.json" --nonce "$NONCE" --trust-root "$out/root.pem"
    expect 0 "verdict: affirming (simulated or private root)" "${verifier[@]}"
    grep '^pass ' last.txt | grep -v host-vtpm
    cp last.txt "$out/verify.txt"
    serve
    pavise stop demo || fail "pavise stop demo"
    wait
}

# The same good evidence, asked other questions.
refused_evidence() {
    local other
    step "refused: no root is trusted"
    verifier evidence.json "$plans/policy.json" --nonce "$NONCE"
    refused no-root 1 "is a simulated or private root, none of AMD's" "${verifier[@]}"
    only_failed snp.root
    step "refused: another root is trusted"
    verifier evidence.json "$plans/policy.json" --nonce "$NONCE" --trust-root other-root.pem
    refused wrong-root 2 "neither a root of AMD's nor the one of --trust-root" "${verifier[@]}"
    only_failed snp.root
    other=$(printf '%s' "$NONCE" | sha256sum | cut -d ' ' -f 1)
    step "refused: the report replayed for another nonce"
    verifier evidence.json "$plans/policy.json" --nonce "$other" --trust-root "$out/root.pem"
    refused nonce 2 "another nonce: old evidence" "${verifier[@]}"
    only_failed freshness
    step "refused: the same with the new nonce written into it: the report binds the old one"
    sed "s/\"nonce\": *\"[^\"]*\"/\"nonce\": \"$other\"/" evidence.json >evidence-replayed.json
    cp evidence-replayed.json "$out/"
    verifier evidence-replayed.json "$plans/policy.json" --nonce "$other" --trust-root "$out/root.pem"
    refused replayed 2 "REPORT_DATA binds something else" "${verifier[@]}"
    ! grep -q '^fail *freshness' last.txt || fail "the new nonce is not in the evidence"
    step "refused: another HOST_DATA was agreed on"
    write_policy "$plans/other-host-data.json" demo "$other"
    verifier evidence.json "$plans/other-host-data.json" --nonce "$NONCE" --trust-root "$out/root.pem"
    refused host-data 1 "HOST_DATA is not the policy's" "${verifier[@]}"
    only_failed snp.host_data
}

refused_commands() {
    local command=(pavise run demo --plan "$plans/demo.plan" --disk "$disk" --memory 192M --cpus 2)
    step "refused: an SEV-SNP plan as plain machine, and on hardware that is not there"
    refused no-tee 64 "--tee snp" "${command[@]}"
    refused no-hardware 5 "/dev/sev" "${command[@]}" --tee snp
}

# changed_blob PART CODE: a host that swaps a part of the plan and keeps the hash page.
changed_blob() {
    step "refused by the firmware: a changed $1 under the same plan"
    flip "changed-$1" "$1"
    refused "$1" 8 "$2" pavise run changed --plan "$plans/changed-$1.plan" "${sim[@]}" --cpus 2 \
        --host-data "$HOST_DATA" --keep-logs "logs/changed-$1"
}

# launch_changed NAME PLAN CPUS: it boots, attests, and the launch digest tells; nothing else does. That
# a policy for what was started affirms the same evidence shows that nothing else was wrong.
launch_changed() {
    start "$1" --plan "$plans/$2.plan" "${sim[@]}" --cpus "$3" --host-data "$HOST_DATA"
    attest "$1" "evidence-$1.json"
    pavise stop "$1" || fail "pavise stop $1"
    wait
    verifier "evidence-$1.json" "$plans/policy.json" --nonce "$NONCE" --trust-root "$out/root.pem"
    refused "$1" 1 "snp.measurement" "${verifier[@]}"
    only_failed snp.measurement
    write_policy "$plans/$1.json" "$2" "$HOST_DATA"
    verifier "evidence-$1.json" "$plans/$1.json" --nonce "$NONCE" --trust-root "$out/root.pem"
    echo "and against a policy for just that:"
    expect 0 "verdict: affirming (simulated or private root)" "${verifier[@]}"
    grep -A 1 '^pass *snp.measurement' last.txt
}

changed_initrd() {
    step "refused by the verifier: a changed initrd, under a hash page that the host made for it"
    measure other-initrd initrd-changed 2
    launch_changed hash-page other-initrd 2
}

changed_firmware() {
    step "refused by the verifier: one changed byte of the firmware"
    flip changed-firmware note
    launch_changed firmware changed-firmware 2
}

changed_cpus() {
    step "refused by the verifier: 3 processors, the reference value is for 2"
    measure three-cpus initrd 3
    launch_changed cpus three-cpus 3
}

run_part() {
    case $1 in
    guest)
        main_job
        refused_evidence
        refused_commands
        ;;
    blobs)
        changed_blob initrd "0x41"
        changed_blob cmdline "0x42"
        ;;
    initrd) changed_initrd ;;
    firmware) changed_firmware ;;
    cpus) changed_cpus ;;
    *) fail "no part is called $1" ;;
    esac
}

no_denials() {
    ! dmesg | grep 'avc: *denied.*pavise_\(psp\|vmm_sim\|attest\)' || fail "denials of the simulation's domains"
}

chmod 755 plan-flip
make_folders
make_disk "$disk" "the disk of demo"
decide
for part in $PARTS; do
    run_part "$part"
done
orderly_end
no_denials
finish "demo: PASS"
