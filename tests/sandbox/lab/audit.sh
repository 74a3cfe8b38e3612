#!/bin/bash
# Runs in the lab machine as unconfined root: VMs of stand-ins under required isolation, and what `pavise
# audit vm` says of them, before and after somebody has done something wrong. TAP goes to /usr/local/out/tap.
set -u
libexec=/usr/libexec/pavise
unchecked=/usr/local/libexec/pavise/pavise-launch # a launcher without its own look at every thread
images=/var/lib/pavise
logs=/tmp/logs
. ./tap.sh
mkdir -p "$logs"

is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got $2" "wanted $3" "$(cat "$logs/audit")"; fi; }
like() { if grep -Eq -- "$2" "$logs/audit"; then ok "$1"; else not_ok "$1" "wanted $2" "$(cat "$logs/audit")"; fi; }
# Through a pipe: that a shell's descriptor of a file is taken away shows nothing of what is tested here.
audit() { /usr/libexec/pavise/pavise-audit-live "$@" 2>&1 4>&- | cat >"$logs/audit"; return "${PIPESTATUS[0]}"; }
open_ids() { sed -n 's/^OPEN *\([a-z._]*\):.*/\1/p' "$logs/audit" | sort | tr '\n' ' '; }
# What is open beside the Landlock domain that no kernel shows.
beyond() { open_ids | sed 's/landlock.domain //'; }

start() {
    local launcher=$1 name=$2
    shift 2
    truncate -s 1M "$images/$name.img"
    timeout 250 "$launcher" "$name" --plan-fd 5 --memory 67108864 --cpus 1 --disk-fd 6 --libexec "$libexec" "$@" \
        5</usr/local/lab/plan 6<>"$images/$name.img" 2>"$logs/$name.err" 4>&- &
    for _ in $(seq 300); do
        ! grep -qs running "$logs/$name.err" || break
        jobs -r | grep -q . || break
        sleep 0.1
    done
    sleep 0.5
}
launcher_of() { pgrep -f "^[^ ]*pavise-launch $1 "; }
end() { kill -TERM "$(launcher_of "$1")"; wait; }

start $libexec/pavise-launch hold
audit vm hold
is "a VM of required isolation: one thing alone that nobody can see" "$(open_ids)" "landlock.domain "
like "its exposure" '^exposure: 0\.[01] of 10, OK'
audit vm --all
is "all of them" "$(open_ids)" "landlock.domain "
audit vm hold --threshold 0.5
is "status within a threshold" $? 0
busybox dmesg | grep 'avc: *denied' | grep 'pavise_audit_t' >"$logs/denials"
is "the auditor is denied nothing it does" "$(cat "$logs/denials")" ""
busybox dmesg | grep 'avc: *denied' | grep 'pavise_launch_t' >"$logs/denials"
is "nor is the launcher" "$(cat "$logs/denials")" ""
audit host
like "the host: SELinux" '^good +host.selinux:'
like "the host: our domains" '^good +host.domains:'
like "the host: cgroup v2" '^good +host.cgroup:'
like "the host: modules" '^good +host.lsm:'

# mistake LAUNCHER NAME QUESTIONS REGEX
mistake() {
    start "$1" "$2" --no-vtpm
    audit vm "$2"
    is "$2: $3" "$(beyond)" "$3 "
    like "$2: is named" "$4"
    kill -TERM "$(launcher_of "$2")"
    sleep 1
}
mistake $libexec/pavise-launch pipe fd.expected '^ +vmm: descriptor [0-9]+: pipe \(r, '
mistake $libexec/pavise-launch dumpable task.dumpable '^ +vmm$'
mistake $libexec/pavise-launch forked vm.strangers '^ +process [0-9]+: user [0-9]+, label [^ ]*:pavise_vmm_t:s0:c[0-9]+,c[0-9]+$'
mistake $unchecked lone task.filters '^ +vmm: thread [0-9]+: 0 of 2 \(Seccomp 0\)$'
start $libexec/pavise-launch lone --no-vtpm
is "the launcher refuses it" "$(grep -c 'thread [0-9]* says it is sealed, but its system call filter' "$logs/lone.err")" 1

# What somebody else does to a running VM.
pair=$(sed -n 's/.*categories \(.*\))/\1/p' "$logs/hold.err")
restorecon -F $images/hold.img
is "root has the image labelled for all" "$(stat -c %C $images/hold.img | sed 's/.*://')" s0
audit vm hold
is "wrong label of an image" "$(beyond)" "fd.labels "
like "is named" "^ +dev-blk0: descriptor 6 \(regular\): [^ ]*:pavise_image_t:s0, ordered [^ ]*:pavise_image_t:s0:$pair\$"
like "is a gate" '^exposure: 10\.0 of 10, DANGEROUS'

group=/sys/fs/cgroup/pavise/${pair/,/.}
was=$(cat "$group/vmm/memory.max")
echo max >"$group/vmm/memory.max"
audit vm hold
is "a limit is lifted" "$(beyond)" "fd.labels limits.cgroup "
like "is named" "^ +vmm: memory.max: no limit, ordered $was\$"
echo "$was" >"$group/vmm/memory.max"
pgrep -f '^pavise-vmm name=hold ' >/sys/fs/cgroup/cgroup.procs
audit vm hold
like "a process out of its cgroup" "^ +vmm: in /, ordered /pavise/${pair/,/.}/vmm\$"

mkdir -m 700 /run/pavise/twin
sed 's/"name": "hold"/"name": "twin"/' /run/pavise/hold/manifest.json >/run/pavise/twin/manifest.json
audit vm --all
like "a pair twice" "^ +$pair: twin has it too\$"
rm -r /run/pavise/twin

# The launcher would see it and end the VM (sandbox/watch.c): held still.
kill -STOP "$(launcher_of hold)"
dd if=/usr/local/lab/permissive of=/sys/fs/selinux/load bs=64M 2>/dev/null
audit vm hold
like "a permissive domain" '^ +vmm: the domain of [^ ]*:pavise_vmm_t:s0:'
like "is said of no other" '^OPEN +policy.permissive:'
is "but of it" "$(grep -c 'the domain of' "$logs/audit")" 1
audit host
like "nor is it missed on the host" '^ +pavise_vmm_t: the domain of '
dd if=/usr/local/lab/policy of=/sys/fs/selinux/load bs=64M 2>/dev/null
kill -KILL "$(launcher_of hold)"
sleep 1
audit vm hold
like "its launcher is killed: processes have ended" '^OPEN +vm.processes:'
busybox dmesg | grep 'avc: *denied' | grep 'pavise_audit_t' >"$logs/denials"
is "the auditor was denied nothing" "$(cat "$logs/denials")" ""
tap_end
