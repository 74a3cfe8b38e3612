#!/bin/sh
# budget: 600
# test_lab_guards.sh: a lab that is not what it claims to be must fail, whatever the payload says.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

# guard NAME STATUS PATTERN SCRIPT [OPTION]...: the script as payload ends with the status and shows the pattern.
guard() {
    name=$1 want=$2 pattern=$3
    mkdir -p "$work/payload"
    printf '%s\n' "$4" >"$work/payload/run.sh"
    shift 4
    count=$((count + 1))
    status=0
    "$here/../run.sh" --timeout 60 "$@" "$work/payload" "$work/out" >"$work/log" 2>&1 || status=$?
    if [ "$status" = "$want" ] && grep -q -e "$pattern" "$work/log" "$work/out/dmesg"; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        echo "# status $status, wanted $want and: $pattern"
        sed 's/^/# /' "$work/log"
    fi
}

echo 1..7
guard 'the payload gives the status' 3 'payload ended with status 3' 'exit 3'
guard 'a payload cannot claim the status' 4 'payload ended with status 4' 'echo LAB-RC=0; echo 0 >/usr/local/out/rc; exit 4'
guard 'leaving enforcing mode is caught' 251 'not enforcing (after)' 'setenforce 0; exit 0'
guard 'a while in permissive mode is caught' 251 'a permissive' \
    'setenforce 0; cp /bin/true x; runcon system_u:system_r:ping_t:s0 ./x; setenforce 1; exit 0'
guard 'a cleared kernel log is caught' 252 'denials were lost' 'busybox dmesg -c >/dev/null; exit 0'
guard 'a payload that hangs is stopped and its results kept' 124 'ran out of its time' 'sleep 1000' --timeout 3
guard 'a machine that dies is a failure' 254 'did not reach its end' \
    'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger; sleep 20'
