#!/bin/bash
# Runs in the lab machine as unconfined root: what the cgroups of VMs hold, and what they stop. Stand-ins
# play VMM and devices.
set -u
libexec=/usr/libexec/pavise
probe=/usr/local/lab/lab_probe
logs=/tmp/logs
tree=/sys/fs/cgroup
vms=$tree/pavise
. ./tap.sh
mkdir -p "$logs"

KIB=1024
MIB=$((1024 * KIB))

# launch NAME MEMORY [OPTION]...
launch() {
    local name=$1 memory=$2
    shift 2
    truncate -s 0 "$logs/$name.vmm" "$logs/$name.dev"
    timeout 200 "${launcher:-$libexec/pavise-launch}" "$name" --plan-fd 5 --memory "$memory" --cpus 1 --log vmm:7 \
        --log dev-vsock:8 "$@" 5<"${plan:-plan}" 7>>"$logs/$name.vmm" 8>>"$logs/$name.dev" 2>"$logs/$name.err" 4>&-
}
# As an SEV-SNP guest of the platform model.
simulated=(--no-vtpm --tee snp --platform sim --sim-key-fd 6 --sim-certs-fd 6)
launch_simulated() { plan=snpplan launch "$@" "${simulated[@]}" 6</var/lib/pavise-sim/key; }
up() { for _ in $(seq 300); do grep -qs running "$logs/$1.err" && return; sleep 0.1; done; }
# asked NAME: waits until its device is done, or gone. Logs are copied at the end of a VM.
asked() { for _ in $(seq 300); do grep -qs 'the device' "/run/pavise/$1/vmm.log" && return; sleep 0.1; done; }
stop() { kill -TERM "$(pgrep -f "^$libexec/pavise-launch $1 ")"; }
pair() { sed -n 's/.*categories \(.*\))/\1/p' "$logs/$1.err"; }
cgroup() { pair "$1" | tr , .; }
# limits DIR: memory, swap, group, tasks
limits() { (cd "$1" && cat memory.max memory.swap.max memory.oom.group pids.max | tr '\n' ' '); }
gone() { is "$1" "$(find $vms -mindepth 1 -type d) $(find /run/pavise -mindepth 1)" " /run/pavise/.pairs"; }

mkdir -p /var/lib/pavise-sim
echo key >/var/lib/pavise-sim/key
restorecon -RF /var/lib/pavise-sim
truncate -s 1M /var/lib/pavise/a.img

# What is written: values worked out by hand from sandbox/cgroup_limits.h.
launch hold $((64 * MIB)) --disk-fd 6 6<>/var/lib/pavise/a.img & first=$!
up hold
it=$vms/$(cgroup hold)
is "one cgroup for each process" "$(cd "$it" && echo */)" "dev-blk0/ dev-vsock/ vmm/ vtpm/"
is "limits of a plain VM" "$(limits "$it")" "$((336 * MIB + 512 * KIB)) 0 1 53 "
is "of its VMM" "$(limits "$it/vmm")" "$((144 * MIB)) 0 1 17 "
is "of its devices" "$(limits "$it/dev-blk0")$(limits "$it/dev-vsock")" \
    "$((128 * MIB + 256 * KIB)) 0 1 16 $((128 * MIB + 256 * KIB)) 0 1 16 "
is "of its vTPM" "$(limits "$it/vtpm")" "$((64 * MIB)) 0 1 4 "
inside=
for process in dev-blk0 dev-vsock vmm vtpm; do
    inside+=$(sed "s,.*/pavise/,,;s,$(cgroup hold),," "/proc/$(cat "$it/$process/cgroup.procs")/cgroup")
done
is "each process is in its own, alone" "$inside" /dev-blk0/dev-vsock/vmm/vtpm
is "and none beside them" "$(cat "$it/cgroup.procs")" ""
listed() { grep -o "\"path\": *\"[^\"]*\"\|\"$1\": *\"[0-9]*\"" /run/pavise/hold/manifest.json | sed 's/.*: *//' | tr -d '"\n'; }
like "the manifest has the cgroup of the VM and of each process" "$(listed none)" \
    "^(/pavise/$(cgroup hold)(/vmm|/vtpm|/dev-blk0|/dev-vsock)?){5}\$"
like "and its limits" "$(listed memory.max)" "/vmm$((144 * MIB))(/|\$)"
is "a VM that runs is not reclaimed" "$($probe reclaim $vms "$(pair hold)")" "reclaim done: nothing"
is "nor stopped" "$(cat "$it"/*/cgroup.procs | wc -l)" 4

# A back end that fills the holes of a confidential guest's memory.
launch_simulated some $((320 * MIB)) & second=$!
asked some
it=$vms/$(cgroup some)
is "limits of a confidential VM" "$(limits "$it")" "$((1033472 * KIB)) 0 1 37 "
is "of its VMM, which has the private side" "$(limits "$it/vmm")" "$((901120 * KIB)) 0 1 17 "
is "of its device, which has its share" "$(limits "$it/dev-vsock")" "$((197888 * KIB)) 0 1 16 "
is "of the simulated platform" "$(limits "$it/psp")" "$((64 * MIB)) 0 1 4 "
stop some
wait $second
is "a VM whose device writes to a part of the memory goes on" "$? $(tail -n 1 "$logs/some.err")" "0 some: stopped"
like "control: a device that writes to a part of the memory does so" "$(cat "$logs/some.dev")" '^filled 64 MiB$'
launch_simulated fill $((320 * MIB))
is "one that fills all of it is killed, and the VM ended" "$?" 70
like "with a word about it" "$(tail -n 1 "$logs/fill.err")" \
    '^fill: dev-vsock: killed: it wanted more memory than its limit of 193 MiB'
is "it did not come to its end" "$(grep -c '^filled' "$logs/fill.dev")" 0
like "the VMM was not killed with it" "$(cat "$logs/fill.vmm")" '^the device: gone$'
launch fill $((320 * MIB)) --no-vtpm & second=$!
asked fill
stop fill
wait $second
is "the device of a plain VM does not end it so" "$?" 0
like "control: it may fill all of the memory" "$(cat "$logs/fill.dev")" '^filled 320 MiB$'

# Each within its limit, together beyond the VM's.
launch both $((320 * MIB)) --no-vtpm
is "processes that together want more than their VM's limit end it" "$?" 70
like "with a word about it" "$(tail -n 1 "$logs/both.err")" '(vmm|dev-vsock): killed: it wanted more memory than the VM.s limit of [0-9]+ MiB'
like "the VMM itself did what it may" "$(cat "$logs/both.vmm")" '^filled all of it$'
is "and the device did not" "$(grep -c '^filled' "$logs/both.dev")" 0

# Processes.
launch bomb $((64 * MIB)) --no-vtpm & second=$!
asked bomb
like "a device that makes processes gets no more than it may have" "$(cat /run/pavise/bomb/dev-vsock.log)" \
    '^made 15 processes: Resource temporarily unavailable$'
it=$vms/$(cgroup bomb)/dev-vsock
is "all of them in its cgroup" "$(cat "$it/pids.current")" 16
# Without the resource limit that the child has as well.
in_cgroup() { (echo "$BASHPID" >"$1/cgroup.procs" && exec "$probe" bomb 40); }
like "the cgroup alone stops it too" "$(in_cgroup "$it")" '^made 0 of 40: Resource temporarily unavailable$'
like "and counted that" "$(cat "$it/pids.events")" '^max [1-9]'
like "control: outside 40 can be made" "$(in_cgroup $tree)" '^made 40 of 40'
stop bomb
wait $second
is "its VM is stopped as any other" "$?" 0

is "the other VM was not hurt" "$(cat "$vms/$(cgroup hold)"/*/cgroup.procs | wc -l)" 4
stop hold
wait $first
is "and is stopped as any other" "$? $(tail -n 1 "$logs/hold.err")" "0 hold: stopped"
gone "nothing is left"

# A launcher that was killed.
launch hold $((64 * MIB)) --no-vtpm & first=$!
up hold
it=$vms/$(cgroup hold)
kill -KILL "$(pgrep -f "^$libexec/pavise-launch hold ")"
wait $first
sleep 300 & innocent=$!
echo $innocent >"$it/vmm/cgroup.procs"
is "what a killed launcher left is reclaimed" "$($probe reclaim $vms "$(pair hold)")" "reclaim done: found"
wait $innocent
is "with whoever was in it" "$?" 137
is "once" "$($probe reclaim $vms "$(pair hold)") $(find $vms -mindepth 1 -type d)" "reclaim done: nothing "

# Elsewhere, and nowhere.
launch off $((64 * MIB)) --no-vtpm --cgroup $tree/elsewhere
is "another cgroup for those of VMs" "$? $(tail -n 1 "$logs/off.err")" "0 off: the guest powered off"
is "it is there, and empty" "$(find $tree/elsewhere -type d)" $tree/elsewhere
gone "nothing is left of it"
mkdir $tree/poor $tree/busy
sleep 300 & innocent=$!
echo $innocent >$tree/busy/cgroup.procs
mkdir -m 777 $tree/open
refuse() {
    launch off $((64 * MIB)) --no-vtpm --cgroup "$2"
    is "refused: $1" "$? $(wc -l <"$logs/off.err")" "${4:-5} 1"
    like "with its reason" "$(cat "$logs/off.err")" "^off: $3"
    gone "and nothing is left"
}
refuse "no controllers for memory and tasks" $tree/poor/vms "$tree/poor/vms: it has not got the controllers memory and pids: write"
refuse "a cgroup with processes" $tree/busy "$tree/busy: processes are in it"
refuse "a cgroup that others may write" $tree/open "$tree/open: others than root may write it"
refuse "a folder of another file system" /run/vms "/run/vms: no cgroup v2 there"
is "which is not made" "$(find /run/vms 2>/dev/null)" ""
refuse "a relative path" vms "--cgroup vms: not an absolute path" 64
kill $innocent
# Outside its domain, where no label is asked for.
cp $libexec/pavise-launch degraded
launcher=./degraded launch off $((64 * MIB)) --no-vtpm --libexec $libexec --isolation degraded --cgroup $tree/poor/vms
is "degraded isolation goes on without" "$? $(grep -c 'note: no limits of memory and processes: .*not got the controllers' "$logs/off.err")" "0 1"

busybox dmesg | grep 'avc: *denied' | grep -E 'scontext=[^ ]*pavise_[^ ]* tcontext=[^ ]*:cgroup_t' >"$logs/denials"
is "nobody is denied anything about cgroups" "$(cat "$logs/denials")" ""
tap_end
