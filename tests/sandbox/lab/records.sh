#!/bin/bash
# Runs in the lab machine as unconfined root. There is no audit daemon: the kernel prints records with
# their number (2500 VIRT_CONTROL, 2501 VIRT_RESOURCE, 2502 VIRT_MACHINE_ID). TAP goes to /usr/local/out/tap.
set -u
libexec=/usr/libexec/pavise
images=/var/lib/pavise
logs=/tmp/logs
label=unconfined_u:unconfined_r:pavise_vmm_t
. ./tap.sh
mkdir -p "$logs"

# records NAME: of the last run of that name
records() { busybox dmesg | grep -E 'audit: type=250[0-2] ' | grep "vm=\"$1\""; }

launch() {
    local name=$1 disk=$2
    shift 2
    "$libexec/pavise-launch" "$name" --plan-fd 5 --memory 67108864 --cpus 2 --no-vtpm --disk-fd 6 "$@" \
        5</usr/local/lab/plan 6<>"$disk" 2>"$logs/$name.err" 4>&-
}
up() { for _ in $(seq 200); do grep -qs running "$logs/$1.err" && return; sleep 0.1; done; }
# begin NAME: a VM that runs; its launcher is $vm
begin() {
    : >"$logs/$1.err"
    launch "$1" $images/a.img & vm=$!
    up "$1"
}
# ended NAME: waits for it, ten seconds at most, in $status ("runs": it still does)
ended() {
    status=runs
    for _ in $(seq 100); do
        if ! kill -0 $vm 2>/dev/null; then
            wait $vm
            status=$?
            return
        fi
        sleep 0.1
    done
}
end() {
    pkill -TERM -f "^$libexec/pavise-launch $1 "
    wait $vm
}

truncate -s 1M $images/a.img "$images/b c.img"

# A whole run.
begin hold
pair=$(sed -n 's/.*categories \(.*\))/\1/p' "$logs/hold.err")
vmm=$(ps -eo pid=,args= | awk '$2 == "pavise-vmm" && /name=hold/ { print $1 }')
all=$(records hold)
uuid=$(sed -n 's/.* uuid=\([0-9a-f-]*\) .*/\1/p' <<<"$all" | sort -u)
like "one UUID for a run" "$uuid" '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
like "MACHINE_ID: labels of process and image" "$all" \
    "type=2502 .*virt=kvm vm=\"hold\" uuid=$uuid vm-ctx=$label:s0:$pair img-ctx=unconfined_u:object_r:pavise_image_t:s0:$pair model=selinux .*res=success"
like "RESOURCE: the disk" "$all" \
    "type=2501 .*resrc=disk reason=start vm=\"hold\" uuid=$uuid old-disk=\"\?\" new-disk=\"$images/a.img\" .*res=success"
like "RESOURCE: /dev/kvm" "$all" "type=2501 .*resrc=dev .*new-dev=\"/dev/kvm\""
like "RESOURCE: the agent's channel" "$all" "type=2501 .*resrc=chardev .*new-chardev=\"vsock:3:1024\""
like "RESOURCE: memory in KiB" "$all" "type=2501 .*resrc=mem .*old-mem=0 new-mem=65536 "
like "RESOURCE: processors" "$all" "type=2501 .*resrc=vcpu .*old-vcpu=0 new-vcpu=2 "
like "CONTROL: the start, with the VMM's pid" "$all" \
    "type=2500 .*op=start reason=booted vm=\"hold\" uuid=$uuid vm-pid=$vmm .*res=success"
like "the kernel says who wrote" "$all" "type=2500 .* uid=0 .*subj=unconfined_u:unconfined_r:pavise_launch_t:s0-s0:c0.c1023 msg='"
like "MACHINE_ID comes first" "$(head -n 1 <<<"$all")" 'type=2502 '
if grep -q op=stop <<<"$all"; then not_ok "no end on record before it" "$all"; else ok "no end on record before it"; fi

# What the launcher says of it, to root.
like "pavise ls: nothing is missing" "$($libexec/pavise-ls 2>&1 4>&-)" "^hold +running +required +$pair +2 +64M none "
inspected=$($libexec/pavise-inspect hold 2>&1 4>&-)
like "pavise inspect: the same UUID as in the records" "$inspected" "^uuid: +$uuid$"
like "its disk" "$inspected" "^disk 0: +$images/a.img, 1048576 bytes$"
for child in vmm dev-blk0 dev-vsock; do
    pid=$(sed -n "s/^process: *$child, pid \([0-9]*\),.*/\1/p" <<<"$inspected")
    like "pavise inspect: $child as the kernel has it" "$inspected" \
        "^process: +$child, pid $pid, uid $(stat -c %u "/proc/$pid"), label $(tr -d '\0' <"/proc/$pid/attr/current"); "
done
end hold
is "pavise ls of no VM" "$($libexec/pavise-ls 2>&1 4>&-)" ""
like "CONTROL: the end, by request" "$(records hold)" \
    "type=2500 .*op=stop reason=destroyed vm=\"hold\" uuid=$uuid vm-pid=$vmm .*res=success"

launch off "$images/b c.img"
is "a guest that powers off" $? 0
like "a path with a blank is written in hexadecimal" "$(records off)" \
    "resrc=disk .* new-disk=$(printf '%s' "$images/b c.img" | od -An -tx1 | tr -d ' \n' | tr a-f A-F) "
like "CONTROL: the end, by the guest" "$(records off)" 'op=stop reason=shutdown '
launch crash $images/a.img
like "CONTROL: a crash" "$(records crash)" 'op=stop reason=crashed '
launch die $images/a.img
like "CONTROL: a start that failed" "$(records die)" 'op=start reason=failed .*vm-pid=0 .*res=failed'

# Killed: the end is on record when it is reclaimed, once.
begin hold
kill -KILL "$(pgrep -f "^$libexec/pavise-launch hold ")"
wait $vm
sleep 1
last=$(records hold | tail -n 1)
like "a killed launcher records no end itself" "$last" 'op=start reason=booted '
reclaimed=$($libexec/pavise-ls 2>&1 4>&-)
like "pavise ls reclaims what it left" "$reclaimed" '^pavise: reclaimed hold: folder removed$'
like "and records the end of the same run" "$(records hold | tail -n 1)" \
    "op=stop reason=launcher-died vm=\"hold\" uuid=$(sed -n 's/.* uuid=\([0-9a-f-]*\) .*/\1/p' <<<"$last") vm-pid=0 .*res=success"
$libexec/pavise-ls 4>&-
is "but once" "$(records hold | grep -c 'reason=launcher-died')" 1

# Refused for want of a record: status 5, one line, nothing left.
setpriv --bounding-set -audit_write "$libexec/pavise-launch" mute --plan-fd 5 --memory 67108864 --cpus 1 --no-vtpm \
    5</usr/local/lab/plan 2>"$logs/mute.err" 4>&-
is "no right to write records: refused" "$? $(wc -l <"$logs/mute.err") $(grep -c 'no record can be written' "$logs/mute.err")" "5 1 1"
is "and nothing is left" "$(find /run/pavise -mindepth 1)" /run/pavise/.pairs

# A load of the same policy, and of a boolean, changes nothing.
begin hold
load_policy
sleep 2
if kill -0 $vm; then ok "a harmless load of the policy ends nothing"; else not_ok "a harmless load of the policy ends nothing" "$(cat "$logs/hold.err")"; fi
echo 1 >/sys/fs/selinux/commit_pending_bools
sleep 2
if kill -0 $vm; then ok "nor do booleans"; else not_ok "nor do booleans" "$(cat "$logs/hold.err")"; fi

# One wall less.
installed=$(echo /etc/selinux/default/policy/policy.*)
cp "$installed" /tmp/policy.saved
cat /usr/local/lab/policy.* >"$installed"
load_policy
ended hold
is "a policy without one of the walls ends the VM" "$status" 5
like "and says which" "$(tail -n 1 "$logs/hold.err")" \
    '^hold: isolation is gone, so the VM is ended at once: another policy was loaded: SELinux: the domain of .*pavise_quote_t.* is permissive'
like "CONTROL: the end, and why" "$(records hold | tail -n 1)" 'op=stop reason=isolation-lost '
launch off $images/a.img
is "no new VM under that policy" "$? $(grep -c permissive "$logs/off.err")" "5 1"
cat /tmp/policy.saved >"$installed"
load_policy
launch off $images/a.img
is "with the old policy there is one again" $? 0

# Permissive: as briefly as can be, since the lab counts what is not denied.
begin hold
before=$(date +%s%N)
setenforce 0
ended hold
took=$((($(date +%s%N) - before) / 1000000))
setenforce 1
is "setenforce 0 ends the VM" "$status" 5
echo "# after $took ms" >&4
if [ $took -lt 5000 ]; then ok "within a few seconds"; else not_ok "within a few seconds" "$took ms"; fi
is "it says why" "$(tail -n 1 "$logs/hold.err")" "hold: isolation is gone, so the VM is ended at once: SELinux was switched to permissive: setenforce 1, then start it again"
like "CONTROL: that end, too" "$(records hold | tail -n 1)" 'op=stop reason=isolation-lost '
is "no process is left" "$(pgrep -c -f '^pavise-')" 0
is "nor a folder" "$(find /run/pavise -mindepth 1)" /run/pavise/.pairs
is "its image has its label back" "$(stat -c %C $images/a.img)" unconfined_u:object_r:pavise_image_t:s0

begin hold
setenforce 0
setenforce 1
ended hold
is "off and on again at once: that ends it as well" "$status $(grep -c 'switched to permissive' "$logs/hold.err")" "5 1"
launch off $images/a.img
is "the next VM starts" $? 0

busybox dmesg | grep 'avc: *denied' | grep -E 'scontext=[^ ]*pavise_launch_t' >"$logs/denials"
is "the launcher is denied nothing it does" "$(grep -v 'audit_write\|capability=29' "$logs/denials")" ""
is "the lab enforces again" "$(getenforce)" Enforcing

tap_end
