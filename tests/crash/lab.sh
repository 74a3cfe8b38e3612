#!/bin/bash
# Runs in the lab machine as unconfined root: the launcher is killed where it labels, limits and records, under
# required isolation. TAP goes to /usr/local/out/tap, what the suite says to /usr/local/out/*.out.
set -u
lab=/usr/local/lab
images=/var/lib/pavise
# shellcheck source=tests/sandbox/lab/tap.sh
. ./tap.sh

mkdir -p /tmp/crash "$images"
ln -s /usr/libexec/pavise "$lab/stand-ins"
truncate -s 1M "$images/disk" "$images/disk-ro"
restorecon -F "$images/disk" "$images/disk-ro"

# crash NAME SHOWN LINE ARGS...: what is shown when LINE is the last one
crash() {
    local name=$1 shown=$2 line=$3
    shift 3
    "$lab/crash" --launcher /usr/libexec/pavise/pavise-launch --plain /usr/libexec/pavise/pavise-launch \
        --points "$lab/points" --inputs "$lab" --disks "$images" --work /tmp/crash --run-dir /run/pavise --required \
        "$@" >"$out/lab-$name.out" 2>&1 4>&-
    local status=$? last
    last=$(tail -n 1 "$out/lab-$name.out")
    sed 's/^/# /' "$out/lab-$name.out" >&4
    like "$shown" "$status $last" "^0 crash: $line$"
}

crash planted "planted leaks of every kind are named" "12 leaks planted, 12 named" planted
crash points "nothing is left of a kill where the launcher labels, limits and records" "[0-9]+ faults, 0 leaks" --only "images under labels" --where sandbox/labels.c --where sandbox/disk \
    --where sandbox/cgroup --where sandbox/records --where sandbox/lsm.c points
crash reclaim "nothing is left of a kill where --reclaim puts back labels and ends cgroups" "[0-9]+ faults, 0 leaks" \
    --only "--reclaim" --where sandbox/reclaim.c --where sandbox/labels.c --where sandbox/cgroup.c points
tap_end
