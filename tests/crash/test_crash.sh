#!/bin/sh
# budget: 600
# test_crash.sh: kill -9 at every fault point of the launcher, and at random times of 20 VMs; nothing may be left (README.md).
# SEED=N chooses another swarm. What was run is in build/crash/.
set -u

build=$(cd "${PAVISE_BUILD:-build}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "1..0 # SKIP $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "not root: pavise-launch is root's"
([ -c /dev/kvm ] && exec 9<>/dev/kvm) 2>/dev/null || skip "no usable /dev/kvm"
# landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION): the real VMM seals itself.
python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)' || skip "needs Landlock"
command -v swtpm >/dev/null || skip "no swtpm on this machine"

# Run directories are in memory on a real host, too.
[ ! -d /dev/shm ] || TMPDIR=/dev/shm
export TMPDIR="${TMPDIR:-/tmp}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$build/crash
mkdir -p "$out" "$work/work" "$work/cgroup"
"$here/inputs.sh" "$build" "$work/inputs" "$work/disks" || exit 1
count=0
failed=0

# crash NAME ARGS...: one part of the suite; its output in NAME.out
crash() {
    name=$1
    shift
    "$build/tests/crash" --launcher "$build/tests/pavise-launch-faults" --plain "$build/bin/pavise-launch" \
        --points "$build/tests/pavise-launch-faults.points" --inputs "$work/inputs" --disks "$work/disks" \
        --work "$work/work" "$@" >"$out/$name.out" 2>&1
    status=$?
    sed 's/^/# /' "$out/$name.out"
}

# shown WHAT LINE: it succeeded, and its last line was that
shown() {
    count=$((count + 1))
    if [ $status = 0 ] && tail -n 1 "$out/$name.out" | grep -qx "crash: $2"; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        failed=1
    fi
}

# In an ordinary folder in place of cgroup v2, which this machine may not have: the lab has it.
crash planted --cgroup "$work/cgroup" planted
shown "planted leaks of every kind are named" "12 leaks planted, 12 named"
crash points --not-reached "$out/not-reached.txt" points
shown "nothing is left of a kill at any fault point" "[0-9]* faults, 0 leaks"
crash swarm --seed "${SEED:-1}" swarm
shown "nothing is left of 20 VMs killed at random times" "[0-9]* faults, 0 leaks"
echo "1..$count"
exit $failed
