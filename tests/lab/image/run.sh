#!/bin/bash
# Workload images in a plain virtual machine, inside the lab (L1), as unconfined root of an enforcing
# SELinux host: a pinned root, a data disk whose key goes to one judged guest, and what is refused.
set -u
job=image
# shellcheck source=tests/lab/payload.sh
. ./payload.sh
machine=(--memory 256M --cpus 1)
root=$images/readonly/root.img
data=$images/data.img

# use IMAGE PCI_SLOTS: its plan, and a policy that wants it.
use() {
    cp "$1/disk.img" "$root"
    restorecon -F "$root"
    pavise measure plain --firmware firmware --kernel kernel --initrd "$1/initrd.cpio" \
        --append "$(cat "$1/cmdline")" "${machine[@]}" --plan "$plans/$1.plan" >"$out/$1-pcrs.txt" ||
        fail "pavise measure"
    cat >"$plans/$1.json" <<JSON
{ "format": "pavise-policy", "version": 0, "tee": "none", "plan": "$1.plan", "cpus": [1],
  "memory": ["256M"], "pci_slots": [$2], "banks": ["sha256", "sha384"], "require_nonce": true }
JSON
}

# ended NAME STATUS: it ends by itself, like that.
ended() {
    local got
    wait "$pid"
    got=$?
    sed 's/^/    /' "logs/$1/console.log"
    [ "$got" = "$2" ] || fail "$1 ended with status $got, expected $2"
}

# boot NAME IMAGE DISK...
boot() {
    local name=$1 image=$2 disks=()
    shift 2
    for disk in "$@"; do disks+=(--disk "$disk"); done
    start "$name" --plan "$plans/$image.plan" "${machine[@]}" --disk "$root,readonly" "${disks[@]}"
    pid=$!
}

says() {
    grep -qF -- "$2" "logs/$1/console.log" || fail "the console of $1 does not say '$2'"
}

is_silent() {
    ! grep -qF -- "$2" "logs/$1/console.log" || fail "the console of $1 says '$2'"
}

# flip_byte FILE OFFSET
flip_byte() {
    local old
    old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf '%b' "\\x$(printf %x $((old ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
    [ "$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')" = $((old ^ 1)) ] || fail "no byte was flipped"
}

# wrap KEY NAME OPTION...: for the agent whose evidence is in NAME.json, after judging it.
wrap() {
    local key=$1 name=$2
    shift 2
    pavise image wrap-key --evidence "$name.json" --policy "$plans/data.json" --nonce "$NONCE" \
        --key "$key" -o "$name.key" "$@" >"$name-wrap.txt" || { cat "$name-wrap.txt"; fail "no key for $name"; }
    tail -n 1 "$name-wrap.txt"
}

send() {
    pavise attest "$1" --send-key "$2" --timeout 300
}

pinned_root() {
    step "a root file system that the command line pins: the workload runs"
    use plain 2
    boot pinned plain
    ended pinned 0
    says pinned "workload: started from 1 read-only root"
    says pinned "workload: has read its files"
    says pinned "ended with status 0"
}

changed_root() {
    local blocks at
    # In the middle half of the data: what the workload reads, not what is read to mount it.
    blocks=$(sed -n 's/.*pavise.root_blocks=\([0-9]*\).*/\1/p' plain/cmdline)
    at=$((blocks * 1024 + SEED % (blocks * 2048)))
    step "refused: one byte of that disk changed, at $at"
    flip_byte "$root" "$at"
    boot changed plain
    ended changed 7
    says changed "is corrupted"
    says changed "dm-verity device corrupted"
    is_silent changed "workload: has read its files"
}

data_disk() {
    step "a data disk: made by a guest with a key that only its owner has"
    use data 3
    truncate -s 16M "$data"
    restorecon -F "$data"
    boot one data "$data"
    attest one one.json
    wrap host.key one --create
    refused host-key 7 "not the key that the measured command line names" send one one.key
    wrap owner.key one --create
    send one one.key || fail "the first guest did not take its key"
    ended one 0
    says one "data disk: open at /dev/pavise-data"
    says one "workload: found ''"
    says one "workload: wrote"
    says one "workload: read all of the data disk"
    ! grep -qa "kept by the workload" "$data" || fail "what the workload wrote is readable on the disk"
}

other_guest() {
    step "refused: the same wrapped key, brought to another guest; a key for it opens the disk"
    boot two data "$data"
    attest two two.json
    refused replayed-key 7 "not encrypted to this key" send two one.key
    refused other-nonce 2 "no key was wrapped" pavise image wrap-key --evidence one.json \
        --policy "$plans/data.json" --nonce "$(printf '%s' "$NONCE" | sha256sum | cut -d ' ' -f 1)" --key owner.key -o never.key
    [ ! -e never.key ] || fail "a key was wrapped for evidence that does not hold"
    wrap owner.key two
    send two two.key || fail "the second guest did not take its key"
    ended two 0
    says two "workload: found 'kept by the workload'"
}

blank_disk() {
    step "refused: a blank disk in place of the data disk, for a key that does not allow to make one"
    truncate -s 16M "$images/blank.img"
    restorecon -F "$images/blank.img"
    boot four data "$images/blank.img"
    attest four four.json
    wrap owner.key four
    expect 7 "" send four four.key
    ended four 0
    says four "REFUSED: data disk: blank"
    [ "$(tr -d '\000' <"$images/blank.img" | wc -c)" = 0 ] || fail "the blank disk was written to"
}

changed_data() {
    step "refused: one byte of the data disk changed"
    flip_byte "$data" $(((8 << 20) + SEED % 1048576))
    boot three data "$data"
    attest three three.json
    wrap owner.key three
    send three three.key || fail "the third guest did not take its key"
    ended three 0
    says three "INTEGRITY AEAD ERROR"
    says three "workload: I/O error on the data disk"
}

make_folders
mkdir -p "$images/readonly"
restorecon -RF "$images"
pinned_root
changed_root
data_disk
other_guest
blank_disk
changed_data
orderly_end
finish "image: PASS"
