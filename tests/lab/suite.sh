# What is shown of every confidential guest, simulated (tests/lab/snp, tests/lab/tdx) and on hardware
# (tests/hardware): measure, run, attest, verify, and what is refused. Read with `. ./suite.sh` after
# payload.sh, by a bash that has set
#
#   tee       snp or tdx
#   memory, cpus   of the machine, as measured and as run
#   slots     how many virtio devices it has: disks, and the agent's channel
#   launch    array: the other options of pavise run, but for what was agreed on
#   judge     array: options of pavise verify bundle: certificates, collateral, roots
#   affirmed  the verdict that good evidence has to get
#   agreed    what the guest's owner and the host agreed on: HOST_DATA or MRCONFIGID, in hexadecimal
#   NONCE, SEED, append, plans, out   as payload.sh has them
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by the reader
case $tee in
snp)
    agreed_option=--host-data agreed_check=snp.host_data agreed_text="HOST_DATA is not the policy's"
    digest_check=snp.measurement binding_text="REPORT_DATA binds something else"
    ;;
tdx)
    agreed_option=--mrconfigid agreed_check=tdx.config_id agreed_text="MRCONFIGID is none of the 1"
    digest_check=tdx.mrtd binding_text="REPORTDATA binds something else"
    ;;
*) fail "no suite for $tee" ;;
esac
machine=(--memory "$memory" --cpus "$cpus")

# measure PLAN INITRD [OPTION]...: its words are PLAN.txt.
measure() {
    local plan=$1 initrd=$2 more=("${machine[@]}")
    shift 2
    [ "$tee" = snp ] || more+=(--pci-slots "$slots")
    pavise measure "$tee" --firmware firmware --kernel kernel --initrd "$initrd" --append "$append" \
        "${more[@]}" --plan "$plans/$plan.plan" "$@" >"$plan.txt" || fail "pavise measure $tee"
}

# write_policy FILE PLAN AGREED
write_policy() {
    local kind=sev-snp size=''
    local object="\"snp\": { \"vmpl\": 0, \"host_data\": \"$3\" }"
    if [ "$tee" = tdx ]; then
        kind=tdx
        size="\"cpus\": [$cpus], \"memory\": [\"$memory\"], \"pci_slots\": [$slots],"
        object="\"tdx\": { \"mrconfigid\": [\"$3\"] }"
    fi
    cat >"$1" <<JSON
{
  "format": "pavise-policy", "version": 0, "tee": "$kind",
  "plan": "$2.plan", $size
  "require_nonce": true,
  $object
}
JSON
}

# verifier EVIDENCE POLICY [OPTION]...: its command, in words, is then $verifier.
verifier() {
    local evidence=$1 policy=$2
    shift 2
    verifier=(pavise verify bundle "$evidence" --policy "$policy" "$@")
}

# What the owner of the guest decides, before any host is asked: decide NAME
decide() {
    step "measure: what shall run, and what its evidence must say of it"
    measure "$1" initrd
    cat "$1.txt"
    write_policy "$plans/policy.json" "$1" "$agreed"
    cp "$plans/policy.json" "$plans/$1.plan" "$out/"
    cp "$1.txt" "$out/measured.txt"
    printf '%s' "$append" >"$out/cmdline"
}

# run_good NAME: with the plan of that name.
run_good() {
    start "$1" --plan "$plans/$1.plan" "${launch[@]}" "${machine[@]}" "$agreed_option" "$agreed" --timings
}

# stop_good NAME: and where its time went.
stop_good() {
    step "stop: where the time of $1 went"
    pavise stop "$1" || fail "pavise stop $1"
    wait
    grep 'timing: ' "$1.txt" || fail "no timings of $1"
}

# good_evidence NAME: attest, verify, every check that passed listed.
good_evidence() {
    step "attest: evidence for the nonce $NONCE"
    attest "$1" evidence.json
    step "verify: offline, every check listed"
    verifier evidence.json "$plans/policy.json" --nonce "$NONCE" "${judge[@]}"
    expect 0 "verdict: $affirmed" "${verifier[@]}"
    grep '^pass ' last.txt | grep -v host-vtpm
    cp last.txt "$out/verify.txt"
    grep -q "^pass *$digest_check" last.txt || fail "$digest_check was not judged"
    if [ "$tee" = tdx ]; then
        grep -q '"cc_log"' evidence.json || fail "the evidence holds no event log of the firmware"
        grep -q '^pass *tdx.rtmr.0' last.txt || fail "RTMR0 was not judged"
        grep -q '^pass *tdx.rtmr.1' last.txt || fail "RTMR1 was not judged"
    fi
}

# The same good evidence, asked other questions.
refused_questions() {
    local other
    other=$(printf '%s' "$NONCE" | sha256sum | cut -d ' ' -f 1)
    step "refused: replayed for another nonce"
    verifier evidence.json "$plans/policy.json" --nonce "$other" "${judge[@]}"
    refused nonce 2 "another nonce: old evidence" "${verifier[@]}"
    only_failed freshness
    step "refused: the same with the new nonce written into it: what is signed binds the old one"
    sed "s/\"nonce\": *\"[^\"]*\"/\"nonce\": \"$other\"/" evidence.json >evidence-replayed.json
    cp evidence-replayed.json "$out/"
    verifier evidence-replayed.json "$plans/policy.json" --nonce "$other" "${judge[@]}"
    refused replayed 2 "$binding_text" "${verifier[@]}"
    ! grep -q '^fail *freshness' last.txt || fail "the new nonce is not in the evidence"
    step "refused: another ${agreed_option#--} was agreed on"
    write_policy "$plans/other-agreed.json" "$1" "$(printf '%s' "$agreed" | tr 0-9a-f 1-9a-f0)"
    verifier evidence.json "$plans/other-agreed.json" --nonce "$NONCE" "${judge[@]}"
    refused agreed 1 "$agreed_text" "${verifier[@]}"
    only_failed "$agreed_check"
}

# changed_blob NAME PART CODE: a host that swaps a part of the plan and keeps the hash page.
changed_blob() {
    step "refused by the firmware: a changed $2 under the same plan"
    flip "$1" "changed-$2" "$2"
    refused "$2" 8 "$3" pavise run changed --plan "$plans/changed-$2.plan" "${launch[@]}" "${machine[@]}" \
        "$agreed_option" "$agreed" --keep-logs "logs/changed-$2"
}

# launch_changed NAME PLAN [OPTION]...: it boots, attests, and the measurement tells; nothing else does.
launch_changed() {
    local name=$1 plan=$2
    shift 2
    start "$name" --plan "$plans/$plan.plan" "${launch[@]}" "${machine[@]}" "$agreed_option" "$agreed" "$@"
    attest "$name" "evidence-$name.json"
    pavise stop "$name" || fail "pavise stop $name"
    wait
    verifier "evidence-$name.json" "$plans/policy.json" --nonce "$NONCE" "${judge[@]}"
    refused "$name" 1 "$digest_check" "${verifier[@]}"
    only_failed "$digest_check"
}

# changed_firmware NAME
changed_firmware() {
    step "refused by the verifier: one changed byte of the firmware"
    flip "$1" changed-firmware note
    launch_changed firmware changed-firmware
}
